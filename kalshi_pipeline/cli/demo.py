"""``demo``: everything once, offline."""

from __future__ import annotations

from functools import partial

import typer

from kalshi_pipeline.cli.options import SourceOption, settings_for

commands = typer.Typer()


@commands.command()
def demo(source: SourceOption = None) -> None:
    """Materialise every asset offline and show what came out."""
    from kalshi_pipeline.cli.progress import RunProgress
    from kalshi_pipeline.demo import run_demo

    result = run_demo(settings_for(source), print, partial(RunProgress, lines=False))
    print(f"\n{result.summary.text()}\n")
    print(f"A picture of some distributions: {result.picture}")
    print(result.where_next)
