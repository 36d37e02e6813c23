"""What only one may have: the site of a home, and a port of this machine.

Invariants: the lock goes with the process that holds it; a file that is left over locks nobody out.
Source:     ADR-0034.
"""

from __future__ import annotations

import fcntl
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from juki.errors import StoreError
from juki.reasons import Code
from juki.site import SiteFiles


@contextmanager
def alone(files: SiteFiles) -> Iterator[None]:
    """Be the one supervisor of a home while the block runs.

    Raises: StoreError(SITE_RUNNING) when there is another.
    """
    with files.lock_file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(Code.SITE_RUNNING, "juki up") from None
        yield


def refuse_taken_port(port: int) -> None:
    """Notice another program before the server fails on it.

    Raises: StoreError(SITE_PORT_TAKEN).
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise StoreError(Code.SITE_PORT_TAKEN, str(port)) from None
