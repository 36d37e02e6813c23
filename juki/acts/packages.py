"""What a person may do with a package: let it wait again, put it aside, close its findings.

Decides:    when each is allowed, and the order in which files and register change.
Leaves:     the states to `juki.store.packages`, the files to `juki.wire.package_files`.
Invariants: nobody works the channel meanwhile (its lock is held); a change and its journal entry commit
            together; whoever is killed anywhere can do the same again; done twice, the second time changes
            nothing and says so.
Source:     spec/packages.md section 2, assessment M8.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from juki.acts.site import Site
from juki.errors import JukiError
from juki.journal import Action, Entry, Outcome
from juki.order import Channel, PackageState
from juki.package_id import PackageId
from juki.reason_text import checked_reason
from juki.reasons import Code
from juki.store.roles import Duty
from juki.store.status import Overview, PackageRecord
from juki.store.unit import Unit, channel_lock, open_unit
from juki.wire.package_files import PackageFiles


@dataclass(frozen=True, slots=True)
class Done:
    """What an action did: the package as it is now, and whether this call changed anything."""

    package: PackageRecord
    has_changed: bool


def retry_package(site: Site, package_id: PackageId, at: datetime) -> Done:
    """Let a package that was refused or put aside wait for its turn again, its file back from quarantine.

    Raises: JukiError with the code of what stands against it; SourceError(CHANNEL_BUSY) while a run works the
            channel.
    """
    url, found = site.urls[package_id.file], find_package(site, package_id)
    files = PackageFiles.of(site.home, found.channel)
    with (
        channel_lock(url, package_id.file, found.channel.municipality_code),
        acting_on(site, package_id) as unit,
    ):
        package = seen(unit, package_id)
        if package.state is PackageState.RECEIVED:
            return Done(package, has_changed=False)
        _check_retry(unit, package)
        # The file first: a file nobody waits for is harmless, a package without its file is not.
        if not files.bring_back(package_id.number, package.file_name):
            raise JukiError(Code.PACKAGE_FILE_MISSING, str(package_id))
        if files.read(package.file_name, bytes.fromhex(package.file_sha256)) is None:
            files.remove(package.file_name)
            raise JukiError(Code.PACKAGE_FILE_MISSING, str(package_id))
        unit.packages.reopen(package_id.number)
        unit.journal.append(entry_of(site, package, Action.PACKAGE_RETRIED, package.code), at)
        return Done(seen(unit, package_id), has_changed=True)


def release_package(site: Site, package_id: PackageId, reason: str, at: datetime) -> Done:
    """Put a package aside that stands in the way: the file stays in quarantine, what was applied stands.

    An incident, so that the channel goes on; a refused package that takes no place in the order; and one whose
    sequence is beyond the next, where a wrong number would make the channel wait for ever. The next one can not
    be put aside: the channel can not go on without it, and that must not be hidden; unless its municipality is
    no more.
    Raises: ConfigurationError(REASON_TEXT_FORM), JukiError(PACKAGE_NOT_INCIDENT), SourceError(CHANNEL_BUSY).
    """
    basis = checked_reason(reason)
    url, found = site.urls[package_id.file], find_package(site, package_id)
    with (
        channel_lock(url, package_id.file, found.channel.municipality_code),
        acting_on(site, package_id) as unit,
    ):
        package = seen(unit, package_id)
        if package.state is PackageState.RELEASED:
            return Done(package, has_changed=False)
        is_closed = found.channel.municipality_code in site.closed
        if not _may_be_put_aside(unit, package, is_closed=is_closed):
            raise JukiError(Code.PACKAGE_NOT_INCIDENT, str(package_id))
        if package.state is PackageState.RECEIVED:
            # What is left in the spool when this is killed is removed by the next run.
            _keep(PackageFiles.of(site.home, package.channel), package)
            unit.packages.withdraw(package_id.number, at)
        else:
            unit.packages.settle(package_id.number, PackageState.RELEASED, package.code, at)
        changed = seen(unit, package_id)
        unit.journal.append(entry_of(site, changed, Action.PACKAGE_RELEASED, changed.code, basis), at)
        return Done(changed, has_changed=True)


def close_package(site: Site, package_id: PackageId, reason: str, at: datetime) -> Done:
    """Note that the records refused of an applied package were dealt with; they stay in quarantine.

    Raises: ConfigurationError(REASON_TEXT_FORM), JukiError(PACKAGE_NOTHING_OPEN).
    """
    basis = checked_reason(reason)
    find_package(site, package_id)
    with acting_on(site, package_id) as unit:
        package = seen(unit, package_id)
        if package.closed_at is not None:
            return Done(package, has_changed=False)
        if package.state is not PackageState.APPLIED or not package.counts.get("rejected"):
            raise JukiError(Code.PACKAGE_NOTHING_OPEN, str(package_id))
        unit.packages.close(package_id.number, at)
        counts = {"rejected": package.counts["rejected"]}
        unit.journal.append(entry_of(site, package, Action.PACKAGE_CLOSED, None, basis, counts), at)
        return Done(seen(unit, package_id), has_changed=True)


def find_package(site: Site, package_id: PackageId) -> PackageRecord:
    """Find a package.

    Raises: JukiError(PACKAGE_NOT_FOUND).
    """
    with open_unit(site.urls[package_id.file], package_id.file, Duty.READER) as unit:
        return seen(unit, package_id)


def _may_be_put_aside(unit: Unit, package: PackageRecord, *, is_closed: bool) -> bool:
    if package.state is PackageState.CONFLICT:
        return True
    if package.state not in (PackageState.REFUSED, PackageState.RECEIVED):
        return False
    progress = unit.packages.progress(package.channel.municipality_code, lock=True)
    return is_closed or package.is_stray or package.sequence > progress.last_sequence + 1


def _keep(files: PackageFiles, package: PackageRecord) -> None:
    """Keep the file of a waiting package in quarantine, if the spool still has it."""
    if files.read(package.file_name, bytes.fromhex(package.file_sha256)) is not None:
        files.quarantine(package.package_id.number, package.file_name)


def _check_retry(unit: Unit, package: PackageRecord) -> None:
    municipality = package.channel.municipality_code
    if package.state not in (PackageState.REFUSED, PackageState.RELEASED):
        raise JukiError(Code.PACKAGE_NOT_REFUSED, str(package.package_id))
    if package.is_stray:
        raise JukiError(Code.PACKAGE_STRAY, str(package.package_id))
    if package.sequence <= unit.packages.progress(municipality, lock=True).last_sequence:
        raise JukiError(Code.PACKAGE_NOT_EXPECTED, str(package.package_id))
    if any(one.sequence == package.sequence for one in unit.packages.waiting(municipality)):
        raise JukiError(Code.PACKAGE_NEWER_WAITING, str(package.package_id))


def acting_on(site: Site, package_id: PackageId) -> AbstractContextManager[Unit]:
    """Open a transaction on the store of a package in the role of the administrator."""
    return open_unit(site.urls[package_id.file], package_id.file, Duty.ADMINISTRATOR)


def seen(unit: Unit, package_id: PackageId) -> PackageRecord:
    """Read a package within the transaction that changes it."""
    return _found(Overview(unit.file, unit.connection).package(package_id.number), package_id)


def _found(package: PackageRecord | None, package_id: PackageId) -> PackageRecord:
    if package is None:
        raise JukiError(Code.PACKAGE_NOT_FOUND, str(package_id))
    return package


def entry_of(
    site: Site, package: PackageRecord, action: Action, code: Code | None, basis: str = "",
    counts: Mapping[str, int] | None = None,
) -> Entry:  # fmt: skip
    """Write the journal entry of what somebody did with a package."""
    channel: Channel = package.channel
    entry = Entry(
        action=action, file=channel.file, outcome=Outcome.DONE, municipality_code=channel.municipality_code,
        package=package.file_name, package_id=package.package_id.number, code=code, basis=basis, counts=counts or {},
    )  # fmt: skip
    return site.acting.signed(entry)
