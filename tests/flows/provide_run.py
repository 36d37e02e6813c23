"""A process that runs the flows of provision and purge, every connection told, and everything that goes wrong kept.

Test-only. An audit hook of the interpreter sees every socket Python connects, asked names included; the driver of the
database connects in C, so where it is connected to is asked of each of its connections. A program that is started
could connect where it likes, so which are is told by name.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from config.settings import home_of, load_settings
from flows.environment import prepare
from tests.flows.canary_run import _TALKATIVE, _keep

CONNECTED: set[str] = set()
"""Every place a connection was made to, or a name that was asked for."""


def _program(executable: Any, arguments: Any) -> str:
    """Name a program that is started, and the module where it is an interpreter."""
    name, said = Path(os.fsdecode(executable)).name, [os.fsdecode(one) for one in arguments or ()]
    return f"{name} -m {said[said.index('-m') + 1]}" if "-m" in said[:-1] else name


def listen() -> None:
    """Note from now on where this process connects to."""

    def heard(event: str, given: tuple[Any, ...]) -> None:
        # What is sent by a socket that is connected names no address, and was heard when it was connected.
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg") and given[1]:
            address = given[1]
            CONNECTED.add(
                f"unix:{address}" if isinstance(address, str | bytes) else f"inet:{address[0]}:{address[1]}"
            )
        elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
            CONNECTED.add(f"name:{given[0]}")
        elif event in ("subprocess.Popen", "os.exec", "os.posix_spawn"):
            CONNECTED.add(f"program:{_program(given[0], given[1])}")
        elif event == "os.system":
            CONNECTED.add("program:shell")

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


def _elsewhere() -> None:
    """Reach out in every way that must be heard: a connection, datagrams without one, programs."""
    import socket
    import subprocess

    with socket.socket() as stray:
        stray.connect_ex(("192.0.2.1", 9))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stray:
        # What becomes of them on the way is no matter: that they were sent off must be heard.
        with suppress(OSError):
            stray.sendto(b"", ("192.0.2.1", 10))
        with suppress(OSError):
            stray.sendmsg([b""], [], 0, ("192.0.2.1", 11))
    subprocess.run(["/bin/true"], check=True)
    os.system(":")


def _obey(word: str) -> None:
    from flows.provide import provide
    from flows.purge import purge
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
        _elsewhere()
        return
    try:
        (purge if word == "purge" else provide)()
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
