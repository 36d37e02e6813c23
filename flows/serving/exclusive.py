"""What only one may have: the site of a home, and a port of this machine.

Invariants: the lock goes with the process that holds it; a file that is left over locks nobody out. A port that is
            owned is never free to others, also while no server runs: password and key are sent to it.
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


def own_port(port: int) -> socket.socket:
    """Listen at a port of this machine, for the life of the socket: whoever serves it comes and goes.

    It listens at once, and not only when there is a server: where a port is bound and nobody listens, another process
    may still bind it, and listen first. What is sent meanwhile waits, and is read by nobody but a server of ours.
    Raises: StoreError(SITE_PORT_TAKEN).
    """
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen()
    except OSError:
        listening.close()
        raise StoreError(Code.SITE_PORT_TAKEN, str(port)) from None
    return listening
