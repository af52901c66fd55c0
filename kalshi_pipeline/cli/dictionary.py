"""``dictionary``: the data dictionary of this version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from kalshi_pipeline.cli.options import settings_for
from kalshi_pipeline.cli.output import note

commands = typer.Typer()


@commands.command()
def dictionary(
    output: Annotated[Path, typer.Option(help="Markdown file to write.")] = Path("docs/data-dictionary.md"),
) -> None:
    """Write every table with its columns, units and meaning, from the statements the pipeline itself uses."""
    from kalshi_pipeline.defs.dbt_project import manifest_path
    from kalshi_pipeline.dictionary import dictionary as write
    from kalshi_pipeline.dictionary import tables_of_python

    manifest = json.loads(manifest_path(settings_for(None).database).read_text(encoding="utf-8"))
    output.write_text(write(tables_of_python(), manifest), encoding="utf-8")
    note(f"The data dictionary: {output}")
