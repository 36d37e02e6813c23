"""The application of the site's server: Prefect's own, behind a small gate.

Decides:    that a page may load nothing from another host and stand in no frame, that the server answers to its own
            name only, and that what is executed is decided by the site's own processes.
Leaves:     the password and the tokens against forged requests to Prefect, which has both; which requests the site
            alone may make to `flows.serving.closed`.
Invariants: a request that changes something is read whole before it is passed on; nothing of an answer but its kind.
Source:     ADR-0034. The newer screens of Prefect call an analytics host on every page; no page of ours can. Those
            shown ask by an evaluated word whether there is a document: forbidden to, they have no colours.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from hmac import compare_digest
from typing import Any

from prefect.server.api.server import create_app as create_prefect_app

from flows.serving.closed import MOST_BODY_BYTES, is_for_the_site_only, is_looked_at
from juki.wire.site_api import SITE_HEADER

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

NAME = "127.0.0.1"
"""The one name it answers to: by another name that leads here, a page of somebody else could speak to it."""
POLICY = "; ".join(
    (
        "default-src 'self'", "script-src 'self' 'unsafe-inline' 'unsafe-eval'", "worker-src 'self' blob:",
        "style-src 'self' 'unsafe-inline'", "img-src 'self' data: blob:", "font-src 'self' data:",
        "connect-src 'self'", "object-src 'none'", "base-uri 'self'", "form-action 'self'", "frame-ancestors 'none'",
    )
)  # fmt: skip
_HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]
_FORBIDDEN, _MISDIRECTED = 403, 421
SITE_KEY = "SITE_KEY"
"""The variable in which the server finds the key of its site."""


class Gate:
    """One application behind the gate."""

    def __init__(self, application: Application, key: str) -> None:
        self._application, self._key = application, key.encode()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, its answer with our headers; a name of somebody else is turned away."""
        if scope["type"] not in ("http", "websocket"):
            await self._application(scope, receive, send)
        elif _name_asked(scope) != NAME:
            await _turn_away(scope, send, _MISDIRECTED, f"http://{NAME}: で開いてください。\n")
        elif self._is_ours(scope) or not _is_closed(scope):
            await self._application(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await _turn_away(scope, send, _FORBIDDEN, "")
        else:
            await self._looked_at(scope, receive, send)

    def _is_ours(self, scope: Message) -> bool:
        told = [value for name, value in scope["headers"] if name == SITE_HEADER.lower().encode()]
        return len(told) == 1 and bool(self._key) and compare_digest(told[0], self._key)

    async def _looked_at(self, scope: Message, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        if body is None or is_for_the_site_only(scope["method"], scope["path"], body):
            await _turn_away(scope, send, _FORBIDDEN, "画面の暗証では変えられません。juki up が行います。\n")
        else:
            await self._application(scope, _again(body, receive), _with_headers(send))


def create_app() -> Gate:
    """Make the application the way `prefect server start` does, and put the gate before it."""
    return Gate(create_prefect_app(), os.environ[SITE_KEY])


def _is_closed(scope: Message) -> bool:
    """Tell whether a request has to be looked at where the key of the site is not shown; every socket is closed.

    The screens open none. Those of the server tell it of events, or of a worker and with it of a pool and what runs.
    """
    return scope["type"] == "websocket" or is_looked_at(scope["method"], scope["path"])


async def _turn_away(scope: Message, send: Send, status: int, said: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    kind = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": kind})
    await send({"type": "http.response.body", "body": said.encode()})


async def _body(receive: Receive) -> bytes | None:
    """Read a whole body; None when it is larger than any that a person or a worker sends, or breaks off."""
    parts, has_more = bytearray(), True
    while has_more:
        message = await receive()
        parts += message.get("body", b"")
        has_more = message.get("more_body", False)
        if message["type"] != "http.request" or len(parts) > MOST_BODY_BYTES:
            return None
    return bytes(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """Give the server the body that was read, and then whatever else comes."""
    waiting = [body]

    async def give() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return give


def _name_asked(scope: Message) -> str:
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    return hosts[0].rpartition(":")[0] or hosts[0] if len(hosts) == 1 else ""


def _with_headers(send: Send) -> Send:
    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *_HEADERS]
        await send(message)

    return add
