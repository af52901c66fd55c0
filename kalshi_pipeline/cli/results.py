"""``results``: what the research of a warehouse says, as Markdown."""

from __future__ import annotations

import typer

from kalshi_pipeline.cli.options import SourceOption, settings_for

commands = typer.Typer()


@commands.command()
def results(source: SourceOption = None) -> None:
    """Say what passed, what came of the folds, and how good every method was, as Markdown."""
    from kalshi_pipeline.report.results import results_markdown
    from kalshi_pipeline.research.fold_rules import FoldRules
    from kalshi_pipeline.research.folds import build_folds
    from kalshi_pipeline.warehouse.frames import read_table
    from kalshi_pipeline.warehouse.resource import Warehouse

    settings = settings_for(source)
    with Warehouse(database=str(settings.database), lock_timeout=settings.lock_timeout).read() as con:
        labels, panel = read_table(con, "research.event_labels"), read_table(con, "research.event_feature_panel")
        scorecard = read_table(con, "research.scorecard")
    sentences = build_folds(labels, FoldRules(horizons_minutes=settings.horizons_minutes)).sentences
    print(results_markdown(labels, panel, scorecard, sentences))
