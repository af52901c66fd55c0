"""Options that several commands share, and the settings they lead to."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Annotated

import typer

from kalshi_pipeline.settings import Settings, Source


def _sources(incomplete: str) -> list[str]:
    """What a shell offers after ``--source``."""
    return [word for word in ("sandbox", "recorded:", "demo", "live") if word.startswith(incomplete)]


SourceOption = Annotated[
    str | None,
    typer.Option(help="sandbox, recorded:<folder>, demo or live (KALSHI_SOURCE).", autocompletion=_sources),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Say the result as one JSON object.")]


def settings_for(source: str | None) -> Settings:
    """The environment's settings, with the source a user named on the command line instead of theirs.

    Raises:
        SettingsError: a variable or the source cannot be read.
    """
    settings = Settings.from_env(os.environ)
    return replace(settings, source=Source.parse(source)) if source else settings
