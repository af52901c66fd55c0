"""Walking a list page by page along its cursor.

The list ends with an empty, null or missing cursor and with nothing else: pages may be short or empty in between. Not
here: which parameter sizes a page (``endpoints``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from kalshi_pipeline.exchange.errors import ContractError, IncompleteList

#: Ten million rows at a thousand a page: no list of one series or market comes near it.
MOST_PAGES = 10_000


class Page(Protocol):
    """A response that may name the page after it."""

    @property
    def url(self) -> str:
        """Address the page came from."""
        ...

    @property
    def cursor(self) -> str | None:
        """Where the next page begins; ``None`` or empty on the last page."""
        ...


P = TypeVar("P", bound=Page)
R = TypeVar("R")


def pages(fetch: Callable[[str | None], P], *, most: int = MOST_PAGES) -> Iterator[P]:
    """Fetch page after page, beginning without a cursor.

    Args:
        fetch: asks for the page after a cursor; ``None`` is the first one.
        most: pages after which a list is taken to have no end.

    Raises:
        ContractError: a cursor came back that had been followed before, so the walk would never end.
        IncompleteList: the list went on after ``most`` pages; whoever walks it must not take it for whole.
    """
    followed: set[str] = set()
    cursor: str | None = None
    while True:
        if len(followed) >= most:
            raise IncompleteList(
                f"The list went on after {most} pages, the last of which begins at {cursor!r}: it is incomplete and "
                "was given up. Ask for less of it at once."
            )
        page = fetch(cursor)
        yield page
        cursor = page.cursor
        if not cursor:
            return
        if cursor in followed:
            raise ContractError(
                f"{page.url} repeats the cursor {cursor[:40]!r}, so its list has no end; try again later."
            )
        followed.add(cursor)


def distinct(rows: Iterable[R], key: Callable[[R], object]) -> Iterator[R]:
    """The rows whose key has not been seen before: keyset pages may overlap while the list grows."""
    seen: set[object] = set()
    for row in rows:
        if (identity := key(row)) not in seen:
            seen.add(identity)
            yield row
