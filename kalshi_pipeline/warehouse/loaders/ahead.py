"""Items drawn by a thread of its own, so that their making goes on while they are used."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event, Semaphore
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterable[Item], most: int) -> Generator[Item, None, None]:
    """The items in their order, some of them drawn before they are asked for.

    What drawing raises is raised after the items drawn before it. A generator that is closed draws no further ones.

    Args:
        items: what to draw from; only one thread does.
        most: how many drawn items wait at most, besides the one drawn last.
    """
    # An item in a tuple of its own; an empty one says that there are no more.
    drawn: SimpleQueue[tuple[Item, ...]] = SimpleQueue()
    places, given_up = Semaphore(most), Event()

    def draw() -> None:
        try:
            for item in items:
                places.acquire()
                if given_up.is_set():
                    return
                drawn.put((item,))
        finally:
            drawn.put(())

    with ThreadPoolExecutor(1) as pool:
        drawing = pool.submit(draw)
        try:
            while one := drawn.get():
                places.release()
                yield one[0]
            drawing.result()
        finally:
            given_up.set()
            places.release()
