"""How far a run is: a bar in a terminal, one line a step elsewhere; always on standard error."""

from __future__ import annotations

import sys
from types import TracebackType

import dagster as dg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from kalshi_pipeline.cli.output import note


class StepProgress:
    """Listens to the events of one run and shows its steps; used as a context around the run.

    Args:
        title: what the run does.
        steps: how many steps it has.
    """

    def __init__(self, title: str, steps: int) -> None:
        self._title = title
        self._done = 0
        self._steps = steps
        # Bound to the stream of now: while the run lasts, standard error goes to the log.
        console = Console(file=sys.stderr)
        self._bar = None if not console.is_terminal else _bar(console)
        self._stream = sys.stderr
        self._task = self._bar.add_task(title, total=steps) if self._bar else None

    def __enter__(self) -> StepProgress:
        if self._bar:
            self._bar.start()
        else:
            note(f"{self._title}: {self._steps} steps")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def heard(self, entry: dg.EventLogEntry) -> None:
        """One event of the run's log."""
        event = entry.dagster_event
        if event is None:
            return
        if event.is_step_start and self._bar and self._task is not None:
            self._bar.update(self._task, description=f"{self._title}: {event.step_key}")
        if not (event.is_step_success or event.is_step_failure):
            return
        self._done += 1
        if self._bar and self._task is not None:
            self._bar.advance(self._task)
        else:
            how = "done" if event.is_step_success else "FAILED"
            print(f"  [{self._done}/{self._steps}] {event.step_key} {how}", file=self._stream, flush=True)


def _bar(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        redirect_stdout=False,
        redirect_stderr=False,
    )
