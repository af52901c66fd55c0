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
    faults: Annotated[
        str, typer.Option(help="What goes wrong, as a JSON object: see the page on testing a client.")
    ] = "{}",
) -> None:
    """Serve the embedded exchange until interrupted."""
    from kalshi_pipeline.sandbox.faults import Faults
    from kalshi_pipeline.sandbox.server import serve_forever

    settings = settings_for(source)
    try:
        wrong = Faults.from_json(faults)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--faults") from None
    serve_forever(str(settings.source), seed=settings.sandbox_seed, now=settings.sandbox_now, port=port, faults=wrong)
