"""Asking a sandbox app without a socket, and walking its pages."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from kalshi_pipeline.sandbox.app import API, SandboxApp


def respond(
    app: SandboxApp, path: str, *, method: str = "GET", body: Any = None, headers: Any = None, **query: Any
) -> httpx.Response:
    """The answer of the app to one request; ``path`` is below the API's root unless it begins with ``/sandbox``."""
    whole = path if path.startswith(("/sandbox", "/fred")) else API + path

    async def once() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sandbox") as client:
            return await client.request(method, whole, params=query, json=body, headers=headers)

    return asyncio.run(once())


def ask(app: SandboxApp, path: str, **query: Any) -> Any:
    """The body of a successful answer."""
    answer = respond(app, path, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def walk(app: SandboxApp, path: str, key: str, **query: Any) -> list[list[dict[str, Any]]]:
    """All pages of a listing, until the cursor is empty."""
    pages, cursor = [], ""
    while True:
        body = ask(app, path, cursor=cursor, **query)
        pages.append(body[key])
        cursor = body["cursor"]
        if not cursor:
            return pages


def move(app: SandboxApp, to: str | None) -> str:
    """Move the clock of the exchange; returns where it now stands."""
    return str(respond(app, "/sandbox/clock", method="POST", body={"now": to}).json()["now"])
