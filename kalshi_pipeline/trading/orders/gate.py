"""Which exchange orders may go to, and the switch that stops them all.

Both fail closed: an environment that is not allowed by name, an address of another one, or a switch that cannot be
read, stops orders. Not here: limits of single orders (``limits``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import httpx

#: Words that leave the switch off; anything else, ``true`` included, turns it on.
_OFF = frozenset({"", "0", "false", "no", "off"})


class Environment(StrEnum):
    """Where an order goes."""

    SANDBOX = "sandbox"
    DEMO = "demo"
    PROD = "prod"


_HOSTS = {
    Environment.SANDBOX: frozenset({"127.0.0.1", "localhost", "::1"}),
    Environment.DEMO: frozenset({"external-api.demo.kalshi.co", "demo-api.kalshi.co"}),
    Environment.PROD: frozenset({"external-api.kalshi.com", "api.elections.kalshi.com"}),
}


@dataclass(frozen=True)
class EnvironmentGate:
    """Lets orders pass to one environment, and only where that one was allowed by name.

    Attributes:
        environment: where orders go.
        allowed: the environment somebody allowed explicitly; ``None`` allows none.
        base_url: address orders would go to; it has to belong to the environment.
    """

    environment: Environment
    allowed: Environment | None
    base_url: str

    def objection(self) -> str | None:
        """Why no order may pass, in a sentence; ``None`` where one may."""
        if self.allowed is None or self.allowed is not self.environment:
            return f"Orders to {self.environment} were not allowed (allowed: {self.allowed or 'none'})."
        try:
            url = httpx.URL(self.base_url)
        except httpx.InvalidURL as error:
            return f"{self.base_url!r} is no address ({error})."
        if url.host not in _HOSTS[self.environment]:
            return f"{url.host or self.base_url!r} is not an address of {self.environment}."
        if url.scheme != "https" and self.environment is not Environment.SANDBOX:
            return f"Orders to {self.environment} go over https, not {url.scheme or 'nothing'}."
        return None


@dataclass(frozen=True)
class KillSwitch:
    """Stops every order while it is on; cancels pass. Read anew before every order.

    Attributes:
        path: a file that turns it on by being there, whatever is in it.
        word: a setting that turns it on unless it says off (empty, 0, false, no, off).
    """

    path: Path
    word: str = ""

    def objection(self) -> str | None:
        """Why orders are stopped, in a sentence; ``None`` where they are not."""
        if self.word.strip().lower() not in _OFF:
            return f"The kill switch is set to {self.word!r}."
        try:
            self.path.lstat()
        except FileNotFoundError:
            return None
        except OSError as error:
            return f"The kill switch {self.path} cannot be read ({error.strerror}), so it counts as on."
        return f"The kill switch {self.path} is on; remove the file to allow orders again."
