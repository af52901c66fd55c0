"""Runs a job for a command: in this process, recorded for the UI, watched on standard error, logged beside the data."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import date

from kalshi_pipeline.build import build_defs
from kalshi_pipeline.cli.progress import RunProgress
from kalshi_pipeline.runs import open_instance, run_assets, source_tags, steps_of
from kalshi_pipeline.settings import Settings


@dataclass(frozen=True)
class RunAccount:
    """What a run did.

    Attributes:
        job: the job that ran.
        run_id: under which the UI shows it.
        seconds: how long it took.
        rows: rows that each table took in or holds, by asset, as its materialisation says.
    """

    job: str
    run_id: str
    seconds: float
    rows: Mapping[str, int]

    def text(self) -> str:
        """The account as lines."""
        width = max((len(asset) for asset in self.rows), default=0)
        lines = [f"  {asset:<{width}}  {rows:>12,}" for asset, rows in sorted(self.rows.items())]
        return "\n".join([f"{self.job}: done in {self.seconds:.0f} s (run {self.run_id}). Rows by asset:", *lines])


def run_job(
    settings: Settings,
    job: str,
    *,
    title: str,
    days: tuple[date, date] | None = None,
    config: Mapping[str, Mapping[str, object]] | None = None,
) -> RunAccount:
    """Run a job of the definitions over some days.

    What the run and dbt print goes to ``runs.log`` beside the data.

    Raises:
        RunFailed: a step failed.
    """
    defs = build_defs(settings)
    settings.source_dir.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    tags = {**source_tags(settings), "kalshi/started_by": "command"}
    with (
        open_instance(settings) as instance,
        RunProgress(title, steps_of(defs, job)) as heard,
        (settings.source_dir / "runs.log").open("a") as log,
        redirect_stdout(log),
        redirect_stderr(log),
    ):
        result = run_assets(defs, instance, job=job, days=days, config=config, tags=tags, heard=heard)
    rows = {}
    for event in result.get_asset_materialization_events():
        said = event.materialization.metadata.get("dagster/row_count")
        if said is not None and event.asset_key is not None:
            rows[event.asset_key.to_user_string()] = int(str(said.value))
    return RunAccount(job, result.run_id, round(time.monotonic() - started, 1), rows)
