"""Altering an answer on its way out: it is held back until it is whole, and leaves changed, with its new length.

Not here: what is changed about it (``spoiling``).
"""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import Message, Send

#: What becomes of a body, given the status of the answer.
Change = Callable[[int, bytes], bytes]


def altered(send: Send, change: Change) -> Send:
    """A ``send`` for one answer that passes its whole body through ``change`` before anything of it leaves."""
    start: list[Message] = []
    body = bytearray()

    async def hold(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.append(message)
            return
        body.extend(message.get("body", b""))
        if message.get("more_body"):
            return
        head = start[0]
        out = change(head["status"], bytes(body))
        headers = [(name, value) for name, value in head["headers"] if name != b"content-length"]
        await send({**head, "headers": [*headers, (b"content-length", str(len(out)).encode())]})
        await send({"type": "http.response.body", "body": out})

    return hold
