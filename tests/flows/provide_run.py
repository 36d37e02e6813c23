"""A process that runs the flow of provision with every connection of it told, and everything that goes wrong kept.

Test-only. An audit hook of the interpreter sees every socket Python connects, asked names included; the driver of the
database connects in C, so where it is connected to is asked of each of its connections.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config.settings import home_of, load_settings
from flows.environment import prepare
from tests.flows.canary_run import _TALKATIVE, _keep

CONNECTED: set[str] = set()
"""Every place a connection was made to, or a name that was asked for."""


def listen() -> None:
    """Note from now on where this process connects to."""

    def heard(event: str, given: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            address = given[1]
            CONNECTED.add(
                f"unix:{address}" if isinstance(address, str | bytes) else f"inet:{address[0]}:{address[1]}"
            )
        elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
            CONNECTED.add(f"name:{given[0]}")
        elif event in ("subprocess.Popen", "os.exec", "os.posix_spawn"):
            CONNECTED.add(f"program:{Path(str(given[0])).name}")

    sys.addaudithook(heard)
    import psycopg

    real = psycopg.Connection.connect.__func__  # type: ignore[attr-defined]

    def connect(cls: Any, *args: Any, **kwargs: Any) -> Any:
        connection = real(cls, *args, **kwargs)
        CONNECTED.add(f"libpq:{connection.info.host}")
        return connection

    psycopg.Connection.connect = classmethod(connect)  # type: ignore[assignment]
    psycopg.connect = psycopg.Connection.connect


def _careless(owner: Any, name: str, told: Callable[..., object]) -> None:
    """Let a step fail as careless code does: with what it was given in message, cause and context."""

    def failing(*given: Any, **_: Any) -> None:
        try:
            raise KeyError(str(told(*given)))
        except KeyError as error:
            raise ValueError(f"can not go on with {told(*given)}") from error

    setattr(owner, name, failing)


def _obey(word: str) -> None:
    from flows.provide import provide
    from tasks import providing, sealing

    # What is patched is put back by the next command, which names another step.
    kept = {
        (owner, name): getattr(owner, name)
        for owner, name in ((providing, "sought"), (sealing, "seal_envelope"))
    }
    if word == "fail-search":
        _careless(providing, "sought", lambda people, *_: people.table.to_pylist())
    if word == "fail-seal":
        _careless(sealing, "seal_envelope", lambda content: content.decode())
    if word == "elsewhere":
        import socket

        with socket.socket() as stray:
            stray.connect_ex(("192.0.2.1", 9))
        return
    try:
        provide()
    finally:
        for (owner, name), real in kept.items():
            setattr(owner, name, real)


def main() -> None:
    """Work off commands from standard input; answer each with the code it ended with and where it connected to."""
    home = home_of()
    prepare(home, load_settings(home))
    os.environ.update(_TALKATIVE)
    listen()
    kept = Path(sys.argv[1])
    for number, command in enumerate(sys.stdin):
        said = "done"
        try:
            _obey(command.strip())
        except Exception as error:  # noqa: BLE001 - whatever comes out is what is looked at
            said = getattr(getattr(error, "code", None), "value", type(error).__name__)
            _keep(kept, number, error)
        print("== " + json.dumps([said, sorted(CONNECTED)]), flush=True)


if __name__ == "__main__":
    main()
