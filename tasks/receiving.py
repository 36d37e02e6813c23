"""Fetch what is new in the outbox of a municipality into the spool, and register it.

Invariants: a file is registered when it lies whole in the spool; a package that bears the name of another
            municipality never takes a place in the order of this channel.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from prefect import task

from juki.journal import Action, Entry, Outcome
from juki.order import Channel, FileMark, new_files
from juki.packages import MAX_FILE_BYTES, PackageKind, PackageName
from juki.reasons import Code
from juki.store.packages import Arrival
from juki.store.unit import Unit, open_unit
from juki.wire.package_files import PackageFiles
from juki.wire.sftp import ServerSession, connect
from juki.wire.spool import RemoteFile
from tasks import clock
from tasks.boundary import UNIT_OF_WORK, run_actor, sealed
from tasks.workshop import Workshop


@task(name="受信", **UNIT_OF_WORK)
@sealed
def fetch_packages(channel: Channel) -> int:
    """Bring the new packages of a channel into the spool and say how many there were."""
    shop = Workshop.open()
    with connect(shop.endpoint(channel)) as session:
        new = _new_files(shop, channel, session)
        for remote in new:
            if remote.size > MAX_FILE_BYTES:
                _refuse_unfetched(shop, channel, remote, Code.PACKAGE_TOO_LARGE)
                continue
            path = session.fetch(remote, PackageFiles.of(shop.home, channel).spool)
            if remote.name.municipality_code == channel.municipality_code:
                _register(shop, channel, remote, path)
            else:
                _refuse_stray(shop, channel, remote, path)
    return len(new)


def _new_files(shop: Workshop, channel: Channel, session: ServerSession) -> list[RemoteFile]:
    outbox = session.outbox()
    listed = [remote for remote in outbox.packages if _is_notice(remote.name, channel)]
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        unit.packages.contacted(channel.municipality_code, clock.now(), outbox.unknown)
        registered = unit.packages.marks(channel.municipality_code)
        waiting = {package.file_name for package in unit.packages.waiting(channel.municipality_code)}
    PackageFiles.of(shop.home, channel).keep_only(waiting)
    wanted = set(new_files([_mark(remote) for remote in listed], registered))
    return [remote for remote in listed if _mark(remote) in wanted]


def _register(shop: Workshop, channel: Channel, remote: RemoteFile, path: Path) -> None:
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        unit.packages.register(_arrival(channel, remote, path))


def _refuse_stray(shop: Workshop, channel: Channel, remote: RemoteFile, path: Path) -> None:
    """Quarantine a package of another municipality that lies in this one's outbox (M2)."""
    files, name = PackageFiles.of(shop.home, channel), str(remote.name)
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        package_id = _refused(unit, channel, _arrival(channel, remote, path), Code.PACKAGE_BINDING)
        # Its number was drawn just now: whoever was killed here before left the file under another one.
        files.drop_unregistered(name, unit.packages.numbers_of(channel.municipality_code, name))
        files.quarantine(package_id, name)
    files.remove(name)


def _refuse_unfetched(shop: Workshop, channel: Channel, remote: RemoteFile, code: Code) -> None:
    """Refuse by its listing alone a file that may not come onto our disk."""
    arrival = Arrival(channel.municipality_code, remote.name.sequence, _mark(remote), b"", clock.now())
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        _refused(unit, channel, arrival, code)


def _refused(unit: Unit, channel: Channel, arrival: Arrival, code: Code) -> int:
    """Register a refusal that takes no place in the order, with its journal entry."""
    package_id = unit.packages.register_refused(arrival, code)
    entry = Entry(
        action=Action.PACKAGE_REFUSED, file=channel.file, actor=run_actor(), outcome=Outcome.REFUSED,
        municipality_code=channel.municipality_code, package=arrival.mark.name, package_id=package_id, code=code,
    )  # fmt: skip
    unit.journal.append(entry, arrival.received_at)
    return package_id


def _arrival(channel: Channel, remote: RemoteFile, path: Path) -> Arrival:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    return Arrival(channel.municipality_code, remote.name.sequence, _mark(remote), digest, clock.now())


def _mark(remote: RemoteFile) -> FileMark:
    return FileMark(str(remote.name), remote.size, remote.modified_at)


def _is_notice(name: PackageName, channel: Channel) -> bool:
    return name.kind is PackageKind.NOTICE and name.file is channel.file
