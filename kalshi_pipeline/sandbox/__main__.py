"""``python -m kalshi_pipeline.sandbox``: serve a world until standard input closes.

Prints one line, ``listening on http://127.0.0.1:PORT``, when it is ready. Exit code 2 and one sentence on standard
error where the world cannot be loaded.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime

from kalshi_pipeline.sandbox.clock import read_instant
from kalshi_pipeline.sandbox.server import ServerError, serve_forever
from kalshi_pipeline.sandbox.world import WorldError


def main(argv: list[str] | None = None) -> int:
    """Serve; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m kalshi_pipeline.sandbox", description="Serve a sandbox exchange.")
    parser.add_argument("--source", default="sandbox", help="sandbox, or recorded:<folder>")
    parser.add_argument("--seed", type=int, default=20260101, help="seed of the simulated world")
    parser.add_argument("--now", type=_instant, help="instant at which the exchange's clock stands still (ISO 8601)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    given = parser.parse_args(argv)
    try:
        serve_forever(given.source, seed=given.seed, now=given.now, port=given.port, with_parent=True)
    except (WorldError, ServerError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _instant(text: str) -> datetime:
    try:
        return read_instant(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


if __name__ == "__main__":
    sys.exit(main())
