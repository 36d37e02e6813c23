"""The next package of a channel, opened and held to its contract while the database writes the one before.

Decides:    what may be done ahead: what reads a file and changes nothing. How much: one package a process, and only
            one that is large enough to be worth a thread.
Leaves:     judging and writing to `tasks.settling`, which does without whatever is not at hand.
Invariants: nothing done ahead has an effect before its package is next in order; what failed, or was done with other
            keys, is done again in its turn and fails there. A process that dies loses nothing but the work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pyarrow as pa

from juki.findings import Findings
from juki.known import Notices
from juki.order import Channel
from juki.store.packages import Package
from juki.wire.package_files import PackageFiles
from tasks.opening import Opened, check_notices, open_package
from tasks.workshop import Keyring, Workshop

WORTH_BYTES = 1 << 20
"""A smaller package is opened faster than another thread gets to it."""


@dataclass(frozen=True, slots=True, repr=False)
class Ready:
    """A package that was opened and checked ahead, and the keys its notices were prepared with."""

    opened: Opened
    keys: Keyring
    notices: Notices
    findings: Findings


def _prepared(shop: Workshop, channel: Channel, package: Package) -> Ready | None:
    content = PackageFiles.of(shop.home, channel).read(package.file_name, package.file_sha256)
    if content is None:
        return None
    opened, keys = open_package(shop, channel, package, content), shop.keyring(channel.file)
    del content
    give_back()
    notices, findings = check_notices(shop, channel, package, opened, keys)
    give_back()
    return Ready(opened, keys, notices, findings)


def give_back() -> None:
    """Give freed memory back to the system, so that two packages at once take little more than one."""
    pa.default_memory_pool().release_unused()


def _unless_failed(work: Callable[[], Ready | None]) -> Ready | None:
    """Keep no error: it may quote what was read, and it will come again in its turn."""
    try:
        return work()
    except Exception:  # noqa: BLE001 - whatever it is, it is told where the package is settled
        return None


@dataclass(slots=True)
class _Ahead:
    """The one package of this process that is being prepared, or is ready."""

    channel: Channel | None = None
    package: Package | None = None
    coming: Future[Ready | None] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead")
    )

    def begin(self, shop: Workshop, channel: Channel, package: Package) -> None:
        with self.lock:
            if self.channel is not None:
                return
            give_back()
            self.channel, self.package = channel, package
            self.coming = self.pool.submit(_unless_failed, lambda: _prepared(shop, channel, package))

    def take(self, channel: Channel) -> tuple[Package | None, Future[Ready | None] | None]:
        with self.lock:
            if self.channel != channel:
                return None, None
            package, coming = self.package, self.coming
            self.channel = self.package = self.coming = None
        return package, coming


_AHEAD = _Ahead()


def begin(shop: Workshop, channel: Channel, package: Package | None) -> None:
    """Begin with the package that comes next, if it is worth it and no other one is ahead in this process."""
    if package is None:
        return
    if PackageFiles.of(shop.home, channel).waiting_bytes(package.file_name) >= WORTH_BYTES:
        _AHEAD.begin(shop, channel, package)


def take(shop: Workshop, channel: Channel, package: Package) -> Ready | None:
    """Give what was prepared of exactly this package with today's keys; None where it is to be done in turn."""
    prepared, coming = _AHEAD.take(channel)
    ready = coming.result() if coming is not None else None
    is_good = ready is not None and prepared == package and ready.keys == shop.keyring(channel.file)
    return ready if is_good else None


def drop(channel: Channel) -> None:
    """Let go of what was prepared for a channel that goes on to something else."""
    _, coming = _AHEAD.take(channel)
    if coming is not None and not coming.cancel():
        coming.result()
