"""``verify``: what a warehouse holds against what it should."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kalshi_pipeline.cli.options import JsonOption, SourceOption, settings_for
from kalshi_pipeline.cli.output import tell

if TYPE_CHECKING:
    from kalshi_pipeline.verification.verify import Finding, Verification, Window

commands = typer.Typer()


@commands.command()
def verify(
    window: Annotated[
        list[str] | None,
        typer.Option(
            help="Days to verify, like 2025-09-29/2025-11-27; may be repeated. Left out: those, and the last 60 days."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Page to write; data/<source>/verification.md when left out.")
    ] = None,
    source: SourceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold what the warehouse has against what it should have, and write the dated sign-off; repairs nothing."""
    from kalshi_pipeline.verification.page import page, sentence
    from kalshi_pipeline.verification.verify import NothingToVerify, Window, WindowError
    from kalshi_pipeline.verifying import page_path, verify_warehouse
    from kalshi_pipeline.warehouse.resource import Warehouse

    settings = settings_for(source)
    try:
        windows = [Window.parse(text) for text in window or ()]
    except WindowError as error:
        raise typer.BadParameter(str(error), param_hint="--window") from None
    with Warehouse(database=str(settings.database), lock_timeout=settings.lock_timeout).read() as con:
        try:
            found = verify_warehouse(con, windows)
        except NothingToVerify as nothing:
            tell({"windows": [], "failed": [], "page": None}, str(nothing), as_json=as_json)
            return
    path = output or page_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(found, datetime.now(UTC)), encoding="utf-8")
    values = {
        "windows": [_window(found, one) for one in found.windows],
        "failed": sorted({finding.measure.name for finding in found.failed}),
        "page": path,
    }
    lines = [line for one in found.windows for line in _lines(found, one)]
    tell(values, "\n".join([*lines, sentence(found), f"The page: {path}"]), as_json=as_json)
    raise typer.Exit(1 if found.failed else 0)


def _window(found: Verification, window: Window) -> dict[str, Any]:
    return {
        "name": window.name,
        "first_day": window.first_day,
        "last_day": window.last_day,
        "verdict": found.signed_off(window),
        "measures": [_measure(finding) for finding in found.of(window)],
    }


def _measure(finding: Finding) -> dict[str, Any]:
    return {
        "name": finding.measure.name,
        "checked": finding.checked,
        "faulty": finding.faulty,
        "share": finding.share,
        "limit": finding.measure.limit,
        "verdict": finding.verdict,
    }


def _lines(found: Verification, window: Window) -> list[str]:
    rows = [f"{window.name}: {window.first_day} to {window.last_day}: {found.signed_off(window)}"]
    for finding in found.of(window):
        share = "" if finding.share is None else f"{finding.share:.2%}"
        counts = f"{finding.faulty:>10,} of {finding.checked:>12,} {share:>8}"
        rows.append(f"  {finding.measure.name:<20} {counts}  {finding.verdict}")
    return [*rows, ""]
