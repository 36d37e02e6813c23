"""Settle the next package of a channel: apply it, answer it again, refuse it, or wait.

Decides:    nothing of its own: `juki.order` says what is next, the core what it does.
Invariants: a package changes the file, the register, the quarantine, the outbox and the journal in one
            transaction, or nothing. Whoever is killed anywhere finds the same next step when run again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from prefect import task

from juki.decisions import Effect
from juki.errors import ContractError, SourceError, StoreError
from juki.journal import Action, Outcome
from juki.order import Channel, Next, PackageState, Step, counts_from, next_step
from juki.reasons import Code
from juki.receipts import receipt_records
from juki.store.packages import Applied, Package
from juki.store.unit import Unit, open_unit
from juki.versions import Origin
from juki.wire.package_files import PackageFiles
from tasks import answers, clock
from tasks.applying import Carried, carry_out, record_changes
from tasks.boundary import UNIT_OF_WORK, sealed
from tasks.entries import package_entry
from tasks.opening import Opened, check_continues, check_notices, open_package
from tasks.workshop import Keyring, Workshop


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one package: codes and counts, nothing else."""

    sequence: int
    state: PackageState
    code: Code | None = None
    counts: dict[str, int] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)


@task(name="パッケージの処理", **UNIT_OF_WORK)
@sealed
def settle_next(channel: Channel) -> Settled | None:
    """Do the next step of a channel; None when there is nothing to do but wait."""
    shop = Workshop.open()
    upcoming, package = _upcoming(shop, channel)
    if package is None:
        return None
    content = PackageFiles.of(shop.home, channel).read(package.file_name, package.file_sha256)
    if content is None:
        return _settle_lost(shop, channel, package)
    applied = _applied(shop, channel, package) if upcoming.step is Step.ANSWER else None
    if applied is not None and applied.file_sha256 == package.file_sha256:
        # Byte for byte what was applied: its certificate need not be valid any more to be answered again.
        return _answer(shop, channel, package, applied, is_same=True)
    try:
        shop.scan_gate.check(content, package.file_name, clock.machine_now())
        opened = open_package(shop, channel, package, content)
        if applied is not None:
            is_same = applied.content_sha256 == opened.content_sha256
            return _answer(shop, channel, package, applied, is_same=is_same)
        return _apply(shop, channel, package, opened)
    except (SourceError, ContractError) as refusal:
        code = refusal.code
    return _refuse(shop, channel, package, code, is_told=applied is None)


def _upcoming(shop: Workshop, channel: Channel) -> tuple[Next, Package | None]:
    """Ask the register what is next; note a gap when there is one."""
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        progress = unit.packages.progress(channel.municipality_code)
        waiting = {one.sequence: one for one in unit.packages.waiting(channel.municipality_code)}
        is_stopped = unit.packages.is_stopped(channel.municipality_code)
        upcoming = next_step(progress.last_sequence, list(waiting), is_stopped=is_stopped)
        if upcoming.step is Step.WAIT:
            unit.packages.set_gap(channel.municipality_code, progress.gap_since or clock.now())
        elif upcoming.step is Step.IDLE and progress.gap_since is not None:
            # What waited behind the gap is gone: the next gap must not count from this one.
            unit.packages.set_gap(channel.municipality_code, None)
        package = waiting.get(upcoming.sequence) if upcoming.step in (Step.APPLY, Step.ANSWER) else None
    return upcoming, package


def _applied(shop: Workshop, channel: Channel, package: Package) -> Package | None:
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        return unit.packages.applied(channel.municipality_code, package.sequence)


def _apply(shop: Workshop, channel: Channel, package: Package, opened: Opened) -> Settled:
    """Check the records, judge them against the file, and write everything in one transaction."""
    keys = shop.keyring(channel.file)
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        shop.check_keys(unit)
        progress = unit.packages.progress(channel.municipality_code, lock=True)
        if package.sequence != progress.last_sequence + 1:
            # Another run applied it between our look and our lock: look again.
            raise StoreError(Code.STORE_CONFLICT, package.file_name, is_transient=True)
        check_continues(opened, progress.last_notice_no)
        notices, findings = check_notices(shop, channel, package, opened, keys)
        since = counts_from(package.received_at, progress.last_received_at)
        origin = Origin(channel.municipality_code, package.package_id, clock.civil_date(since))
        carried = carry_out(unit, notices, findings, origin, keys)
        unit.packages.advance(
            channel.municipality_code, package.sequence, opened.manifest.last_notice_no, since
        )
        settled = _record(shop, unit, channel, package, opened, carried, keys)
    PackageFiles.of(shop.home, channel).remove(package.file_name)
    return settled


def _record(
    shop: Workshop, unit: Unit, channel: Channel, package: Package, opened: Opened, carried: Carried, keys: Keyring,
) -> Settled:  # fmt: skip
    """Write what goes with the changes: findings, quarantine, register, receipt, outbox, journal."""
    at, package_id, manifest = clock.now(), package.package_id, opened.manifest
    notices, findings, counts = carried.notices, carried.findings, carried.counts
    unit.rejections.add(package_id, notices, findings)
    unit.rejections.keep(package_id, notices, carried.where(Effect.REJECT), keys.quarantine)
    records = receipt_records(notices.table.column("notice_no"), carried.verdicts, findings)
    receipt = answers.accepted(shop, channel, opened, records, at)
    applied = Applied(
        opened.content_sha256, manifest.created_at, manifest.first_notice_no, manifest.last_notice_no, counts
    )
    unit.packages.settle_applied(package_id, applied, receipt, at)
    record_changes(unit, package_entry(channel, package, Action.PACKAGE_APPLIED), carried)
    return Settled(package.sequence, PackageState.APPLIED, None, counts, carried.codes)


def _answer(
    shop: Workshop, channel: Channel, package: Package, applied: Package, *, is_same: bool
) -> Settled:
    """Settle a package of an applied sequence: a repeat is answered again, other content is an incident."""
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        if is_same:
            settled = Settled(package.sequence, PackageState.REPEATED, Code.PACKAGE_REPEATED)
            unit.packages.settle(package.package_id, settled.state, settled.code, clock.now())
            unit.packages.answer_again(applied.package_id)
            entry = package_entry(channel, package, Action.PACKAGE_REPEATED, code=settled.code)
        else:
            settled = Settled(package.sequence, PackageState.CONFLICT, Code.PACKAGE_CONTENT_DIFFERS)
            PackageFiles.of(shop.home, channel).quarantine(package.package_id, package.file_name)
            unit.packages.settle(package.package_id, settled.state, settled.code, clock.now())
            entry = package_entry(
                channel, package, Action.PACKAGE_CONFLICT, Outcome.REFUSED, code=settled.code
            )
        unit.journal.append(entry, clock.now())
    PackageFiles.of(shop.home, channel).remove(package.file_name)
    return settled


def _refuse(shop: Workshop, channel: Channel, package: Package, code: Code, *, is_told: bool) -> Settled:
    """Refuse a package as a whole, keep it in quarantine and answer so.

    A broken file under an applied sequence is not told: the receipt of what was applied must stand.
    """
    files = PackageFiles.of(shop.home, channel)
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        files.quarantine(package.package_id, package.file_name)
        receipt = answers.refused(shop, channel, package, code, clock.now()) if is_told else None
        unit.packages.settle(package.package_id, PackageState.REFUSED, code, clock.now(), receipt)
        entry = package_entry(channel, package, Action.PACKAGE_REFUSED, Outcome.REFUSED, code=code)
        unit.journal.append(entry, clock.now())
    files.remove(package.file_name)
    return Settled(package.sequence, PackageState.REFUSED, code)


def _settle_lost(shop: Workshop, channel: Channel, package: Package) -> Settled:
    """Let a package be fetched again whose file the spool lost, or holds another one for."""
    code = Code.PACKAGE_SPOOL_LOST
    with open_unit(shop.store_url(channel.file), channel.file) as unit:
        unit.packages.settle(package.package_id, PackageState.REPLACED, code, clock.now())
        entry = package_entry(channel, package, Action.PACKAGE_REPLACED, code=code)
        unit.journal.append(entry, clock.now())
    PackageFiles.of(shop.home, channel).remove(package.file_name)
    return Settled(package.sequence, PackageState.REPLACED, code)
