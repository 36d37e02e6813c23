"""Fetch what is new in the outbox of a municipality into the spool, and register it.

Invariants: a file is registered when it lies whole in the spool; a package that bears the name of another
            municipality never takes a place in the order of this channel; what has no room stays in the outbox;
            a file that waited and is replaced is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from prefect import task

from juki.errors import SourceError
from juki.journal import Action, Outcome
from juki.order import Channel, FileMark, new_files
from juki.packages import MAX_FILE_BYTES, PackageKind, PackageName
from juki.quota import Offer, admit
from juki.reasons import Code
from juki.store.packages import Arrival, Package
from juki.store.unit import Unit, open_unit
from juki.wire.package_files import PackageFiles
from juki.wire.sftp import Outbox, ServerSession, connect
from juki.wire.spool import RemoteFile
from tasks import clock
from tasks.boundary import UNIT_OF_WORK, sealed
from tasks.entries import channel_entry, package_entry
from tasks.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of a look into an outbox: new files dealt with, and new files left there for want of room."""

    files: int
    deferred: int


@task(name="受信", **UNIT_OF_WORK)
@sealed
def fetch_packages(channel: Channel) -> Fetched:
    """Bring the new packages of a channel into the spool, as far as there is room for them."""
    shop = Workshop.open()
    with _alone(channel), connect(shop.endpoint(channel)) as session:
        chosen, deferred = _chosen(shop, channel, session.outbox())
        for remote in chosen:
            _take(shop, channel, session, remote)
    return Fetched(len(chosen), deferred)


@contextmanager
def _alone(channel: Channel) -> Iterator[None]:
    """Tell a file that vanishes under our hands by its code: another run works this channel's spool."""
    try:
        yield
    except FileNotFoundError:
        pass
    else:
        return
    raise SourceError(Code.CHANNEL_BUSY, str(channel), is_transient=True)


def _chosen(shop: Workshop, channel: Channel, outbox: Outbox) -> tuple[list[RemoteFile], int]:
    """Choose what is fetched now, in order; say how many new files stay, and note why."""
    files, code = PackageFiles.of(shop.home, channel), channel.municipality_code
    listed = [remote for remote in outbox.packages if _is_notice(remote.name, channel)]
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        unit.packages.contacted(code, clock.now(), outbox.unknown)
        wanted = set(new_files([_mark(remote) for remote in listed], unit.packages.marks(code)))
        new = [remote for remote in listed if _mark(remote) in wanted]
        files.keep_only({package.file_name for package in unit.packages.waiting(code)})
        offers = [_offer(channel, files, position, remote) for position, remote in enumerate(new)]
        expected = unit.packages.progress(code).last_sequence + 1
        admission = admit(offers, expected, files.held(), shop.quota)
        unit.packages.deferred(code, admission.deferred, admission.code)
    chosen = [new[position] for position in admission.taken]
    files.continue_with(next((remote for remote in chosen if _is_bearable(remote)), None))
    return chosen, admission.deferred


def _offer(channel: Channel, files: PackageFiles, position: int, remote: RemoteFile) -> Offer:
    sequence = remote.name.sequence if _is_own(remote.name, channel) else None
    return Offer(
        position,
        sequence,
        remote.size,
        files.waiting_bytes(str(remote.name)),
        is_fetched=_is_bearable(remote),
    )


def _take(shop: Workshop, channel: Channel, session: ServerSession, remote: RemoteFile) -> None:
    """Fetch one file and register it, or refuse it by its size or its name."""
    if not _is_bearable(remote):
        return _refuse_unfetched(shop, channel, remote, Code.PACKAGE_TOO_LARGE)
    path = session.fetch(remote, PackageFiles.of(shop.home, channel).arriving)
    if _is_own(remote.name, channel):
        return _register(shop, channel, remote, path)
    return _refuse_stray(shop, channel, remote, path)


def _register(shop: Workshop, channel: Channel, remote: RemoteFile, path: Path) -> None:
    """Let a file wait for its turn; one that waited under its sequence is kept, unless it is the same."""
    files, arrival = PackageFiles.of(shop.home, channel), _arrival(channel, remote, path)
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        waiting = unit.packages.waiting(channel.municipality_code)
        earlier = next((one for one in waiting if one.sequence == arrival.sequence), None)
        if earlier is not None and earlier.file_sha256 == arrival.file_sha256:
            unit.packages.seen_again(earlier.package_id, arrival.mark)
        else:
            if earlier is not None:
                _keep_replaced(unit, channel, files, earlier, arrival.received_at)
            unit.packages.register(arrival)
        files.admit(str(remote.name))


def _keep_replaced(unit: Unit, channel: Channel, files: PackageFiles, earlier: Package, at: datetime) -> None:
    """Keep what is being replaced before its turn as evidence, and say so in the log (M8)."""
    # Only the file that was registered: a run killed here may have put the new one in its place already.
    if files.read(earlier.file_name, earlier.file_sha256) is not None:
        files.quarantine(earlier.package_id, earlier.file_name)
    entry = package_entry(channel, earlier, Action.PACKAGE_REPLACED, code=Code.PACKAGE_REPLACED)
    unit.journal.append(entry, at)


def _refuse_stray(shop: Workshop, channel: Channel, remote: RemoteFile, path: Path) -> None:
    """Quarantine a package of another municipality that lies in this one's outbox (M2)."""
    files, name = PackageFiles.of(shop.home, channel), str(remote.name)
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        package_id = _refused(unit, channel, _arrival(channel, remote, path), Code.PACKAGE_BINDING)
        # Its number was drawn just now: whoever was killed here before left the file under another one.
        files.drop_unregistered(name, unit.packages.numbers_of(channel.municipality_code, name))
        files.quarantine_arrived(package_id, name)
    files.remove_arrived(name)


def _refuse_unfetched(shop: Workshop, channel: Channel, remote: RemoteFile, code: Code) -> None:
    """Refuse by its listing alone a file that may not come onto our disk."""
    arrival = Arrival(channel.municipality_code, remote.name.sequence, _mark(remote), b"", clock.now())
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        _refused(unit, channel, arrival, code)


def _refused(unit: Unit, channel: Channel, arrival: Arrival, code: Code) -> int:
    """Register a refusal that takes no place in the order, with its journal entry."""
    package_id = unit.packages.register_refused(arrival, code)
    entry = channel_entry(
        channel, Action.PACKAGE_REFUSED, Outcome.REFUSED,
        package=arrival.mark.name, package_id=package_id, code=code,
    )  # fmt: skip
    unit.journal.append(entry, arrival.received_at)
    return package_id


def _arrival(channel: Channel, remote: RemoteFile, path: Path) -> Arrival:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    return Arrival(channel.municipality_code, remote.name.sequence, _mark(remote), digest, clock.now())


def _mark(remote: RemoteFile) -> FileMark:
    return FileMark(str(remote.name), remote.size, remote.modified_at)


def _is_own(name: PackageName, channel: Channel) -> bool:
    return name.municipality_code == channel.municipality_code


def _is_bearable(remote: RemoteFile) -> bool:
    return remote.size <= MAX_FILE_BYTES


def _is_notice(name: PackageName, channel: Channel) -> bool:
    return name.kind is PackageKind.NOTICE and name.file is channel.file
