"""``sandbox serve``: the embedded exchange, on its own."""

from __future__ import annotations

from typing import Annotated

import typer

from kalshi_pipeline.cli.options import SourceOption, settings_for

commands = typer.Typer(help="The embedded exchange, on its own.", no_args_is_help=True)


# Keeps the group a group: with one command and no callback it would be that command.
@commands.callback()
def group() -> None:
    """The embedded exchange, on its own."""


@commands.command()
def serve(
    source: SourceOption = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8765,
) -> None:
    """Serve the embedded exchange until interrupted."""
    from kalshi_pipeline.sandbox.server import serve_forever

    settings = settings_for(source)
    serve_forever(str(settings.source), seed=settings.sandbox_seed, now=settings.sandbox_now, port=port)
