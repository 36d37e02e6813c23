"""The process of the site's server: the application at a socket that its supervisor holds.

Decides:    nothing; it listens where it is told to.
Invariants: it binds no port: the socket is there before it and after it, so that nobody else ever answers in its
            place.
Source:     ADR-0034. Uvicorn's own `--fd` takes every socket for one of a file; each answer on a kept
            connection then waits forty milliseconds, because parts of it are held back.
"""

from __future__ import annotations

import socket
import sys

import uvicorn

_NOT_STARTED = 3


def serve(listening: socket.socket, application: str) -> int:
    """Serve an application, named as `module:factory`, until asked to end; return the exit code."""
    server = uvicorn.Server(
        uvicorn.Config(
            application, factory=True, log_level="warning", timeout_keep_alive=5, timeout_graceful_shutdown=5
        )
    )  # fmt: skip
    server.run(sockets=[listening])
    return 0 if server.started else _NOT_STARTED


if __name__ == "__main__":
    sys.exit(serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2]))
