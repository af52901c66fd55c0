"""How far a run is, on standard error: in a terminal a bar of its steps, and one of the parts of the step that runs.

Elsewhere it is one line a step.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType

import dagster as dg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from kalshi_pipeline.cli.output import note
from kalshi_pipeline.watching import watched


class RunProgress:
    """Shows a run while it lasts; a context whose value hears the run's events.

    Args:
        title: what the run does.
        steps: how many steps it has.
        lines: whether to say anything where there is no terminal.
    """

    def __init__(self, title: str, steps: int, *, lines: bool = True) -> None:
        self._title = title
        self._done, self._steps = 0, steps
        # Bound to the stream of now: while the run lasts, standard error goes to the log.
        self._stream = sys.stderr
        self._bars = _bars(Console(file=self._stream))
        self._lines = lines and self._bars.disable
        self._run = self._bars.add_task(title, total=steps)
        self._parts = self._bars.add_task("", visible=False)
        self._open = ExitStack()

    def __enter__(self) -> Callable[[dg.EventLogEntry], None]:
        if self._lines:
            note(f"{self._title}: {self._steps} steps")
        self._open.enter_context(self._bars)
        self._open.enter_context(watched(self._part))
        return self._heard

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def _heard(self, entry: dg.EventLogEntry) -> None:
        """One event of the run's log."""
        event = entry.dagster_event
        if event is None:
            return
        if event.is_step_start:
            self._bars.update(self._run, description=f"{self._title}: {event.step_key}")
        if event.is_step_success or event.is_step_failure:
            self._done += 1
            self._bars.update(self._run, completed=self._done)
            self._bars.update(self._parts, visible=False)
            if self._lines:
                how = "done" if event.is_step_success else "FAILED"
                print(f"  [{self._done}/{self._steps}] {event.step_key} {how}", file=self._stream, flush=True)

    def _part(self, done: int, total: int, parts: str) -> None:
        """A part of the step has been done."""
        self._bars.update(self._parts, description=f"  {parts}", completed=done, total=total, visible=True)


def _bars(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        redirect_stdout=False,
        redirect_stderr=False,
        disable=not console.is_terminal,
    )
