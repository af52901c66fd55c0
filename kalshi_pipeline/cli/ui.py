"""``dev``: the Dagster UI."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from kalshi_pipeline.cli.options import SourceOption, settings_for

commands = typer.Typer()


@commands.command()
def dev(source: SourceOption = None, port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000) -> None:
    """Start the Dagster UI over the runs and the data of a source."""
    from kalshi_pipeline.runs import instance_home

    settings = settings_for(source)
    home = instance_home(settings)
    dagster = str(Path(sys.executable).parent / "dagster")
    env = {**os.environ, "KALSHI_SOURCE": str(settings.source), "DAGSTER_HOME": str(home)}
    os.execve(dagster, [dagster, "dev", "--host", "127.0.0.1", "--port", str(port)], env)
