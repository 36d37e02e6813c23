"""The one connection of a session to a municipal CS: made when needed, made again when it was lost.

Decides:    how we log in, when an operation is tried again and when a silent server is given up.
Leaves:     the operations to `juki.wire.sftp`, limits and codes to `juki.wire.endpoint`.
Invariants: host key pinned, login by key only, nothing of the user's own SSH set-up read. Whatever the
            server does, every await here ends within its time. No error of the library leaves this module.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import asyncssh

from juki.errors import JukiError, SourceError
from juki.wire.endpoint import LIBRARY_ERRORS, Endpoint, refusal_of

T = TypeVar("T")
Operation = Callable[[asyncssh.SFTPClient], Awaitable[T]]

_SFTP_VERSION = 3


def silence() -> None:
    """Keep the library's log, which names hosts, accounts and paths, out of ours."""
    logging.getLogger("asyncssh").setLevel(logging.CRITICAL + 1)


class Link:
    """The one connection of a session: made when needed, dropped when it failed, one operation at a time."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._lock = asyncio.Lock()
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None

    async def perform(self, operation: Operation[T]) -> T:
        """Run an operation, again after a pause while it fails for transient reasons."""
        async with self._lock:
            attempt = 1
            while True:
                outcome = await self._attempt(operation)
                if not isinstance(outcome, _Failure):
                    return outcome
                await self.drop()
                if not outcome.refusal.is_transient or attempt >= self._endpoint.retry.attempts:
                    raise outcome.refusal
                await asyncio.sleep(self._endpoint.retry.pause_seconds(attempt))
                attempt += 1

    async def drop(self) -> None:
        """Cut the connection, if there is one."""
        connection, self._connection, self._client = self._connection, None, None
        if connection is not None:
            connection.abort()

    async def within(self, seconds: float, awaited: Awaitable[T]) -> T:
        """Await for a limited time; beyond it cut the connection and raise TimeoutError.

        To cancel alone is not enough: the library closes its handles when it is cancelled, and would wait for
        the answer of the very server that does not answer.
        """
        task = asyncio.ensure_future(awaited)
        task.add_done_callback(_retrieve)
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if done:
            return task.result()
        await self.drop()
        task.cancel()
        raise TimeoutError

    async def _attempt(self, operation: Operation[T]) -> T | _Failure:
        try:
            client = self._client or await self._login()
            return await self.within(self._endpoint.timeouts.transfer_seconds, operation(client))
        except JukiError:
            raise
        except LIBRARY_ERRORS as error:
            return _Failure(refusal_of(error, self._endpoint.municipality_code))

    async def _login(self) -> asyncssh.SFTPClient:
        async with asyncio.timeout(self._endpoint.timeouts.connect_seconds):
            self._connection = await asyncssh.connect(
                self._endpoint.host,
                self._endpoint.port,
                username=self._endpoint.account,
                known_hosts=([self._endpoint.pinned_key()], [], []),
                client_keys=[self._endpoint.login_key()],
                preferred_auth="publickey",
                # Nothing of the account we happen to run under: no ~/.ssh, no agent, no Kerberos, no proxy.
                config=None,
                agent_path=None,
                gss_host=None,
                x509_trusted_certs=None,
                # A compressed stream could unfold into any amount of data.
                compression_algs=None,
                keepalive_interval=self._endpoint.timeouts.answer_seconds,
            )
            self._client = await self._connection.start_sftp_client(sftp_version=_SFTP_VERSION)
        return self._client


@dataclass(frozen=True, slots=True)
class _Failure:
    """A failed attempt, kept as a value so that no library error hangs on to what is raised later."""

    refusal: SourceError


def _retrieve(task: asyncio.Future[T]) -> None:
    """Take note of how a task ended that nobody waits for any more, or the loop would log it with its text."""
    if not task.cancelled():
        task.exception()
