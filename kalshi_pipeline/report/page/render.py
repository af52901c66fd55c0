"""The page as text: one HTML file with its style inside, no script, nothing to fetch."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import jinja2

from kalshi_pipeline.report.page.sections import Page


def render(page: Page) -> str:
    """Write the page. Everything that comes from data is escaped."""
    return _template().render(page=page, style=_read("style.css"))


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_read("page.html.jinja"))


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
