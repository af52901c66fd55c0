"""``python -m kalshi_pipeline.sandbox``: serve a world until standard input closes.

Prints one line, ``listening on http://127.0.0.1:PORT``, when it is ready. Exit code 2 and one sentence on standard
error where the world cannot be loaded.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
import threading
from datetime import datetime

import uvicorn

from kalshi_pipeline.sandbox.app import SandboxApp, build_app
from kalshi_pipeline.sandbox.clock import read_instant
from kalshi_pipeline.sandbox.server import READY, listen, open_world, url_of, uvicorn_server
from kalshi_pipeline.sandbox.world import WorldError


def main(argv: list[str] | None = None) -> int:
    """Serve; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m kalshi_pipeline.sandbox", description="Serve a sandbox exchange.")
    parser.add_argument("--source", default="sandbox", help="sandbox, or recorded:<folder>")
    parser.add_argument("--seed", type=int, default=20260101, help="seed of the simulated world")
    parser.add_argument("--now", help="instant at which the exchange's clock stands still (ISO 8601)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    arguments = parser.parse_args(argv)
    try:
        now: datetime | None = read_instant(arguments.now) if arguments.now else None
        app = build_app(open_world(arguments.source, arguments.seed), now=now)
        bound = listen(arguments.port)
    except (WorldError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    asyncio.run(_serve(app, bound))
    return 0


async def _serve(app: SandboxApp, bound: socket.socket) -> None:
    server = uvicorn_server(app)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    print(f"{READY}{url_of(bound)}", flush=True)
    threading.Thread(target=_stop_at_end_of_input, args=(server,), daemon=True).start()
    await serving


def _stop_at_end_of_input(server: uvicorn.Server) -> None:
    """Wait for standard input to close, which it does when the parent ends, however it ends."""
    while sys.stdin.buffer.read(4096):
        pass
    server.should_exit = True


if __name__ == "__main__":
    sys.exit(main())
