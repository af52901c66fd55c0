"""Running the exchange: as a process of its own that never outlives its parent, or in a thread for tests.

Not here: the app.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn

from kalshi_pipeline.sandbox.app import API, SandboxApp, build_app
from kalshi_pipeline.sandbox.faults import Faults
from kalshi_pipeline.sandbox.recorded import RecordedWorld
from kalshi_pipeline.sandbox.simulated import SimulatedWorld
from kalshi_pipeline.sandbox.world import World, WorldError

READY = "listening on "
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]


def open_world(source: str, seed: int) -> World:
    """The world a source names: ``sandbox`` (simulated from the seed) or ``recorded:<folder>``.

    Raises:
        WorldError: the source is neither, or the folder cannot be used.
    """
    kind, _, folder = source.partition(":")
    if kind == "sandbox" and not folder:
        return SimulatedWorld(seed)
    if kind == "recorded" and folder:
        return RecordedWorld(Path(folder))
    raise WorldError(f"The source {source!r} names no world; use sandbox or recorded:<folder>.")


class ServerError(OSError):
    """The exchange cannot be served; the message says why and what to do."""


class SandboxServer:
    """The exchange as a subprocess on an ephemeral port of the loopback interface.

    It ends when closed, and when the process that started it ends, because its standard input closes then.

    Raises:
        WorldError: the world cannot be loaded; carries the subprocess's sentence.
    """

    def __init__(self, source: str, *, seed: int, now: datetime | None = None) -> None:
        kind, _, folder = source.partition(":")
        whole = f"{kind}:{Path(folder).resolve()}" if folder else source
        command = [sys.executable, "-m", "kalshi_pipeline.sandbox", "--source", whole, "--seed", str(seed)]
        if now is not None:
            command += ["--now", now.astimezone(UTC).isoformat()]
        self._process = subprocess.Popen(
            command, cwd=_PACKAGE_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None and self._process.stderr is not None
        line = self._process.stdout.readline().strip()
        if not line.startswith(READY):
            said = self._process.stderr.read().strip()
            self.close()
            raise WorldError(said or f"The sandbox exchange of {source} ended before it was ready.")
        self.root_url = line.removeprefix(READY)
        # Drained so that a chatty process can never fill the pipe and stop.
        threading.Thread(target=self._process.stderr.read, daemon=True).start()

    @property
    def base_url(self) -> str:
        """Where the Trade API begins."""
        return self.root_url + API

    def close(self) -> None:
        """Stop the exchange; a second call does nothing."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None and not stream.closed:
                stream.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve_forever(
    source: str,
    *,
    seed: int,
    now: datetime | None = None,
    port: int = 0,
    with_parent: bool = False,
    faults: Faults | None = None,
) -> None:
    """Serve a world in this process; prints one line with its address when it is ready.

    Args:
        source: ``sandbox`` or ``recorded:<folder>``.
        seed: of the simulated world.
        now: where its clock stands; ``None`` is the end of a recording, or the wall clock for a simulated world.
        port: port of the loopback interface; 0 takes a free one.
        with_parent: end when standard input closes, which it does when the parent ends, however it ends; otherwise
            only an interrupt ends it.
        faults: what goes wrong from the start.

    Raises:
        WorldError: the world cannot be loaded.
        ServerError: the port is taken.
    """
    app = build_app(open_world(source, seed), now=now, faults=faults)
    bound = listen(port)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(app, bound, with_parent))


async def _serve(app: SandboxApp, bound: socket.socket, with_parent: bool) -> None:
    server = uvicorn_server(app)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    print(f"{READY}{url_of(bound)}", flush=True)
    if with_parent:
        threading.Thread(target=_stop_at_end_of_input, args=(server,), daemon=True).start()
    await serving


def _stop_at_end_of_input(server: uvicorn.Server) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    server.should_exit = True


def listen(port: int = 0) -> socket.socket:
    """A socket bound to the loopback interface; port 0 takes a free one.

    Raises:
        ServerError: the port is taken.
    """
    # The protocol is named because the event loop only then switches off the delay of small writes.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
    except OSError:
        bound.close()
        raise ServerError(f"Port {port} of 127.0.0.1 is taken; name another, or 0 for a free one.") from None
    return bound


def url_of(bound: socket.socket) -> str:
    """Address of a bound socket."""
    return f"http://127.0.0.1:{bound.getsockname()[1]}"


def uvicorn_server(app: Any) -> uvicorn.Server:
    """A server without logs or lifespan: what it serves is the only thing it says."""
    return uvicorn.Server(
        uvicorn.Config(app, log_level="error", access_log=False, lifespan="off", timeout_keep_alive=60)
    )


@contextlib.contextmanager
def serve_in_thread(app: Any) -> Iterator[str]:
    """Serve an app from a thread of this process; yields the root address."""
    bound = listen()
    server = uvicorn_server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield url_of(bound)
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        bound.close()
