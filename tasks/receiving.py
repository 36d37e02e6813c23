"""Fetch what is new in the outbox of a municipality into the spool, and register it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from prefect import task

from juki.order import Channel, FileMark, new_files
from juki.store.packages import Arrival
from juki.store.unit import open_unit
from juki.wire.package_files import PackageFiles
from juki.wire.sftp import ServerSession, connect
from juki.wire.spool import RemoteFile
from tasks import clock
from tasks.boundary import UNIT_OF_WORK, sealed
from tasks.opening import is_notice
from tasks.workshop import Workshop


@task(name="受信", **UNIT_OF_WORK)
@sealed
def fetch_packages(channel: Channel) -> int:
    """Bring the new packages of a channel into the spool and say how many there were."""
    shop = Workshop.open()
    with connect(shop.endpoint(channel)) as session:
        new = _new_files(shop, channel, session)
        for remote in new:
            _register(shop, channel, remote, session.fetch(remote, PackageFiles.of(shop.home, channel).spool))
    return len(new)


def _new_files(shop: Workshop, channel: Channel, session: ServerSession) -> list[RemoteFile]:
    listed = [remote for remote in session.outbox().packages if is_notice(remote.name, channel)]
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        unit.packages.contacted(channel.municipality_code, clock.now())
        registered = unit.packages.marks(channel.municipality_code)
    wanted = set(new_files([_mark(remote) for remote in listed], registered))
    return [remote for remote in listed if _mark(remote) in wanted]


def _register(shop: Workshop, channel: Channel, remote: RemoteFile, path: Path) -> None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    arrival = Arrival(channel.municipality_code, remote.name.sequence, _mark(remote), digest, clock.now())
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        unit.packages.register(arrival)


def _mark(remote: RemoteFile) -> FileMark:
    return FileMark(str(remote.name), remote.size, remote.modified_at)
