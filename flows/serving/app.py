"""The application of the site's server: Prefect's own, behind a small gate.

Decides:    that a page may load nothing from another host and stand in no frame, and that the server answers to its
            own name only.
Leaves:     the password and the tokens against forged requests to Prefect, which has both.
Invariants: nothing of a request is read but its Host header, nothing of an answer but its kind.
Source:     ADR-0034. The newer screens of Prefect call an analytics host on every page; no page of ours can.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from prefect.server.api.server import create_app as create_prefect_app

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

NAME = "127.0.0.1"
"""The one name it answers to: by another name that leads here, a page of somebody else could speak to it."""
POLICY = "; ".join(
    (
        "default-src 'self'", "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'", "worker-src 'self' blob:",
        "style-src 'self' 'unsafe-inline'", "img-src 'self' data: blob:", "font-src 'self' data:",
        "connect-src 'self'", "object-src 'none'", "base-uri 'self'", "form-action 'self'", "frame-ancestors 'none'",
    )
)  # fmt: skip
_HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]
_MISDIRECTED = 421


class Gate:
    """One application behind the gate."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, its answer with our headers; a name of somebody else is turned away."""
        if scope["type"] not in ("http", "websocket"):
            await self._application(scope, receive, send)
        elif _name_asked(scope) == NAME:
            await self._application(scope, receive, _with_headers(send))
        elif scope["type"] == "http":
            kind = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": _MISDIRECTED, "headers": kind})
            await send(
                {"type": "http.response.body", "body": f"http://{NAME}: で開いてください。\n".encode()}
            )
        else:
            await send({"type": "websocket.close", "code": 1008})


def create_app() -> Gate:
    """Make the application the way `prefect server start` does, and put the gate before it."""
    return Gate(create_prefect_app())


def _name_asked(scope: Message) -> str:
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    return hosts[0].rpartition(":")[0] or hosts[0] if len(hosts) == 1 else ""


def _with_headers(send: Send) -> Send:
    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *_HEADERS]
        await send(message)

    return add
