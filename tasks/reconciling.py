"""整合処理 of one channel: ask, collect, compare, repair, compare again, report; digests first where answered.

Decides:    nothing of its own: what differs is found by `juki.store.comparison`, what may be repaired is said by
            `juki.differences`, what a repair does by the logical checks.
Invariants: each step is one transaction with its journal entry, and the register says how far the reconciliation
            has come, so that whoever is killed anywhere goes on from there. The channel is held while its file is
            compared and repaired, not while a snapshot is awaited: the intake goes on meanwhile.
Source:     measure M11; 法30条の6, 30条の41; ADR-0022, ADR-0023.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import IntEnum

import pyarrow as pa
from prefect import task

from config.settings import Period
from juki.differences import DigestOutcome, Mode, ReconciliationState, is_beyond
from juki.errors import ContractError, JukiError, StoreError
from juki.found import Found
from juki.journal import Action, Outcome
from juki.order import Channel
from juki.reasons import Code
from juki.snapshots import Answer
from juki.store.comparison import compare
from juki.store.difference_notes import Noted
from juki.store.reconciliations import Reconciliation
from juki.store.unit import Unit, open_unit, reconciliation_lock
from juki.wire.snapshot_files import SnapshotFiles
from tasks import clock
from tasks.boundary import UNIT_OF_WORK, PipelineError, run_actor, sealed
from tasks.collecting import Collection
from tasks.digesting import confirm_by_digests
from tasks.entries import channel_entry
from tasks.holding import check_comparable, held_channel
from tasks.progress import Progress, silent
from tasks.repairing import repair
from tasks.reporting import deliver_reports, report_of
from tasks.snapshots import check_snapshot_records, open_part, parse_part
from tasks.workshop import Workshop


@dataclass(frozen=True, slots=True)
class ReconciliationSummary:
    """Which reconciliation a run brought to its end; what it found is in the register."""

    channel: Channel
    reconciliation_id: int
    held_back: int = 0
    """Changes that were not made, because they are more than one run may make."""
    rows_theirs: int | None = None
    """Rows of the snapshot, and of our file as of it; not known where digests were enough."""
    rows_ours: int | None = None
    differences: int = 0
    repaired: int = 0
    left_out: int = 0
    """New differences beyond what one run keeps: the next run finds them again."""

    @classmethod
    def of(cls, ended: Reconciliation, left_out: int = 0) -> ReconciliationSummary:
        """Sum a reconciliation up as it ended."""
        return cls(
            ended.channel, ended.reconciliation_id, ended.beyond_bound or 0, ended.rows_theirs, ended.rows_ours,
            sum(ended.found.values()), ended.repaired or 0, left_out,
        )  # fmt: skip


@task(name="市町村の整合処理", task_run_name="{channel}", **UNIT_OF_WORK)
@sealed
def reconcile_channel(
    channel: Channel, mode: Mode, started_by: str = "", progress: Progress = silent
) -> ReconciliationSummary:
    """Reconcile one channel to its end, or go on with what an earlier run began.

    Raises: PipelineError with the code of what stands in the way; the reconciliation then stays open until its
            deadline, and the next run goes on.
    """
    shop = Workshop.open()
    with reconciliation_lock(shop.store_url(channel.file), channel.file, channel.municipality_code):
        work = _Work.begin(shop, channel, mode, started_by or run_actor())
        work.progress = progress
        try:
            summary = work.do()
            work.show(100)
            return summary
        except JukiError as error:
            failure = PipelineError(error.code, error.ref, error.is_transient)
            is_final = isinstance(error, ContractError) or error.code is Code.RECONCILIATION_STALE
        except PipelineError as error:
            failure, is_final = error, False
        work.failed(failure.code, is_final=is_final)
    raise failure


class _Percent(IntEnum):
    """How far a reconciliation has come, for whoever watches it; most of it is waiting for the answer."""

    ASKED = 5
    COLLECTED = 50
    COMPARED = 80
    ENDED = 95


@dataclass(frozen=True, slots=True)
class _Compared:
    """What a comparison found, and what of it a run may change."""

    found: Found
    noted: Noted
    rows: int
    """Of the larger side."""
    approved: int
    """How many changes were approved beyond the bound."""
    is_too_much: bool


@dataclass(slots=True)
class _Work:
    """One reconciliation being worked."""

    shop: Workshop
    channel: Channel
    registered: Reconciliation
    answer: Answer | None = None
    """The snapshot, once it is whole."""
    progress: Progress = silent

    @classmethod
    def begin(cls, shop: Workshop, channel: Channel, mode: Mode, started_by: str) -> _Work:
        """Register the reconciliation, or find the one that is open."""
        at = clock.now()
        deadline = at + shop.settings.hours(Period.SNAPSHOT_DEADLINE)
        shop.municipalities.of(channel.municipality_code)
        with open_unit(shop.store_url(channel.file), channel.file) as unit:
            shop.check_keys(unit)
            registered = unit.reconciliations.begin(channel.municipality_code, mode, at, deadline, started_by)
        return cls(shop, channel, registered)

    @property
    def number(self) -> int:
        """The number of the reconciliation."""
        return self.registered.reconciliation_id

    def do(self) -> ReconciliationSummary:
        """Go from wherever it is to its end."""
        if self._is_equal_by_digests():
            return self._end_without_snapshot()
        self.show(_Percent.ASKED)
        answer = self._collected()
        self.show(_Percent.COLLECTED)
        with held_channel(self.shop, self.channel):
            compared = self._compare(answer)
            self.show(_Percent.COMPARED)
            if not compared.found.is_equal and self._repaired(compared):
                self._compare(answer)
            ended = self._end()
            self.show(_Percent.ENDED)
        SnapshotFiles.of(self.shop.home, self.channel).clear()
        deliver_reports(self.shop, self.channel)
        if ended.numbers_unopened:
            raise PipelineError(Code.CIPHER_ALTERED, str(self.channel))
        return ReconciliationSummary.of(ended, compared.noted.left_out)

    def failed(self, code: Code, *, is_final: bool) -> None:
        """Note why the run could not go on; past its deadline, or with a snapshot of no use, it ends so."""
        with self._unit() as unit:
            now = unit.reconciliations.by_id(self.number)
            if now.finished_at is not None:
                return
            unit.reconciliations.noted(self.number, code)
            is_over = is_final or clock.now() >= now.deadline_at
            is_over &= now.state is ReconciliationState.REQUESTED
            if is_over:
                if self.answer is not None:
                    unit.reconciliations.withdraw(self.number, self.answer.last_sequence)
                unit.reconciliations.end(self.number, clock.now(), code)
                entry = channel_entry(self.channel, Action.RECONCILIATION_ENDED, Outcome.REFUSED, code=code)
                unit.journal.append(entry, clock.now())
        if is_over:
            SnapshotFiles.of(self.shop.home, self.channel).clear()

    def _collected(self) -> Answer:
        with self._unit() as unit:
            used = unit.reconciliations.used_sequence(self.channel.municipality_code)
        collection = Collection(self.shop, self.registered, used)
        answer = collection.collect()
        if not answer.is_complete:
            raise PipelineError(collection.reason(answer), str(self.channel))
        self.answer = answer
        return answer

    def _compare(self, answer: Answer) -> _Compared:
        """Compare, and keep what was found; a comparison needs a transaction that has asked nothing before."""
        keys, first = self.shop.keyring(self.channel.file), answer.first
        code, at = self.channel.municipality_code, clock.now()
        check_comparable(self.shop, self.channel, first.watermark)
        with self._unit() as unit:
            found = compare(unit, code, first.watermark, self._parts(answer), keys.index)
        # Whoever is equal to ours has passed the contract with us; only who is not has still to be held to it.
        broken = check_snapshot_records(self.shop, self.channel, answer.parts[0], found.records)
        bound, rows = self.shop.settings.reconcile_bound, max(found.rows_theirs, found.rows_ours)
        with self._unit() as unit:
            last = unit.reconciliations.last_to_change(code)
            approved = last.beyond_bound or 0 if last is not None and last.approved_at else 0

            def is_too_much(changes: int) -> bool:
                return is_beyond(changes, rows, bound) and changes > approved

            noted = unit.differences.note(
                self.number, code, first.watermark, at, found, keys.quarantine, is_cut=is_too_much,
                unfit=broken.first_errors(found.records.column("resident_code")),
            )  # fmt: skip
            self._register(unit, answer, found, broken.counts())
            counts = {
                "theirs": found.rows_theirs, "ours": found.rows_ours, "differences": len(found.differences),
                **({"left_out": noted.left_out} if noted.left_out else {}),
                **broken.codes(),
            }  # fmt: skip
            entry_no = unit.journal.append(
                channel_entry(self.channel, Action.FILES_COMPARED, counts=counts), at
            )
            unit.differences.entered(self.number, entry_no)
        return _Compared(found, noted, rows, approved, is_too_much(noted.changes))

    def _register(self, unit: Unit, answer: Answer, found: Found, broken: Mapping[Code, int]) -> None:
        """Note what was found first, and whether both are equal now."""
        now = unit.reconciliations.by_id(self.number)
        # Where the parts were lost in between, this is the first comparison with another snapshot.
        if now.state is not ReconciliationState.REQUESTED and now.as_of == answer.first.as_of:
            unit.reconciliations.confirmed(self.number, found)
            return
        snapshot = {
            "as_of": answer.first.as_of, "watermark": answer.first.watermark, "parts": answer.first.parts,
            "last_sequence": answer.last_sequence,
        }  # fmt: skip
        unit.reconciliations.compared(self.number, snapshot, found, clock.now(), broken)

    def _parts(self, answer: Answer) -> Iterator[pa.Table]:
        """Read the parts one by one, each opened and bound anew: the disk is not trusted either."""
        files, room = SnapshotFiles.of(self.shop.home, self.channel), _Percent.COMPARED - _Percent.COLLECTED
        for done, part in enumerate(answer.parts):
            self.show(_Percent.COLLECTED + room * done // len(answer.parts))
            sealed_part = files.read(part.name, part.file_sha256)
            if sealed_part is None:
                raise StoreError(Code.PACKAGE_SPOOL_LOST, str(part.name), is_transient=True)
            yield parse_part(open_part(self.shop, self.channel, part.name, sealed_part, part.received_at))

    def _repaired(self, compared: _Compared) -> bool:
        """Propose and repair as far as the mode goes; tell whether anything was changed.

        A run that was killed after the repair finds it done. Nothing is proposed of a snapshot by which more people
        would be changed than one run may: it may be cut short. What was stopped so passes once it was approved, up to
        the number that was approved.
        """
        code, mode = self.channel.municipality_code, self.registered.mode
        with self._unit() as unit:
            if mode is Mode.REPORT or unit.reconciliations.by_id(self.number).repaired is not None:
                return False
            if compared.is_too_much:
                self._hold_back(unit, compared.noted.changes, compared.rows)
                return False
            unit.differences.propose(code, self.registered.started_by)
        if mode is Mode.PROPOSE:
            return False
        is_approved = compared.noted.changes <= compared.approved
        done = repair.fn(self.channel, self.number, is_approved_beyond=is_approved)
        with self._unit() as unit:
            if done.beyond:
                self._hold_back(unit, done.beyond, compared.rows)
            else:
                unit.reconciliations.repaired(self.number, done.repaired, None)
        return done.repaired > 0

    def _hold_back(self, unit: Unit, changes: int, rows: int) -> None:
        """Note that nothing was proposed or changed, because it would have been too much."""
        unit.reconciliations.repaired(self.number, 0, changes)
        counts = {"changes": changes, "allowed": self.shop.settings.reconcile_bound.allowed(rows)}
        code = Code.RECONCILIATION_BEYOND_BOUND
        entry = channel_entry(
            self.channel, Action.REPAIRS_HELD_BACK, Outcome.REFUSED, code=code, counts=counts
        )
        unit.journal.append(entry, clock.now())

    def _end(self) -> Reconciliation:
        """Fix the report and end the reconciliation, in one transaction."""
        at = clock.now()
        with self._unit() as unit:
            unit.reconciliations.count_repairs(self.number)
            ended = unit.reconciliations.by_id(self.number)
            # What does not open is in no column that a snapshot compares: the records may be equal all the same.
            unopened = Code.CIPHER_ALTERED if ended.numbers_unopened else None
            code = Code.RECONCILIATION_BEYOND_BOUND if ended.beyond_bound else unopened
            unit.reconciliations.end(self.number, at, code, report_of(self.shop, unit, ended, at))
            counts = {"differences": sum(ended.found.values()), "repaired": ended.repaired or 0}
            outcome = Outcome.REFUSED if code else Outcome.DONE
            unit.journal.append(
                channel_entry(self.channel, Action.RECONCILIATION_ENDED, outcome, code=code, counts=counts),
                at,
            )
        return ended

    def _is_equal_by_digests(self) -> bool:
        """Ask for digests before the records, where the municipality answers them and was not asked yet."""
        registered, outcome = self.registered, self.registered.digests
        answers = self.shop.municipalities.of(self.channel.municipality_code).answers_digests
        if answers and outcome is None and registered.state is ReconciliationState.REQUESTED:
            outcome = confirm_by_digests(self.shop, registered, self._parts)
        return outcome is DigestOutcome.EQUAL

    def _end_without_snapshot(self) -> ReconciliationSummary:
        """End with a report as ever: digests have said all there is to say."""
        ended = self._end()
        SnapshotFiles.of(self.shop.home, self.channel).clear()
        deliver_reports(self.shop, self.channel)
        return ReconciliationSummary.of(ended)

    def show(self, percent: int) -> None:
        """Tell how far it has come."""
        self.progress(percent, 100)

    def _unit(self) -> AbstractContextManager[Unit]:
        return open_unit(self.shop.store_url(self.channel.file), self.channel.file)
