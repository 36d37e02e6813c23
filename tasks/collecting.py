"""Ask a municipal CS for a snapshot and collect its parts, in any order, over as many runs as it takes.

Decides:    nothing of its own: `juki.snapshots` says which parts make the snapshot.
Invariants: nothing is compared before every part lies here, opened and bound; a part that is refused is logged and
            left out, whoever sent it; what was collected is used by the next run if this one ends. The CS is asked
            again in every run that does not find the snapshot there, with the instant of the first request.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta

from juki.errors import ContractError, ScannerError, SourceError
from juki.journal import Action, Outcome
from juki.order import Channel
from juki.reasons import Code
from juki.snapshot_requests import SnapshotRequest, Wants
from juki.snapshots import Answer, ArrivedPart, answer_to, is_wanted
from juki.store.reconciliations import Reconciliation
from juki.store.unit import open_unit
from juki.wire.package_files import PackageFiles
from juki.wire.sftp import ServerSession, connect
from juki.wire.snapshot_files import SnapshotFiles, StoredPart
from tasks import clock
from tasks.entries import channel_entry
from tasks.snapshots import open_part, request_of
from tasks.workshop import Workshop

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two looks into an outbox while a snapshot is awaited: more and more, up to the longest."""


@dataclass(slots=True)
class Collection:
    """The parts of one snapshot as they come in; `collect` gives the answer so far."""

    shop: Workshop
    reconciliation: Reconciliation
    used_sequence: int
    wants: Wants = Wants.SNAPSHOT
    parts: dict[bytes, ArrivedPart] = field(default_factory=dict)
    refusals: dict[bytes, Code] = field(default_factory=dict)
    deferred: bool = False

    @property
    def channel(self) -> Channel:
        """The channel whose snapshot it is."""
        return self.reconciliation.channel

    @property
    def files(self) -> SnapshotFiles:
        """Where the parts lie."""
        return SnapshotFiles.of(self.shop.home, self.channel)

    def collect(self) -> Answer:
        """Collect for as long as one run may wait; without the CS where everything is here already.

        Raises: SourceError when the CS can not be reached or is not the one it should be, ScannerError.
        """
        self.shop.scan_gate.check_ready(clock.machine_now())
        for stored in self._kept():
            self._take(stored, is_new=False)
        answer = self._answer()
        if answer.is_complete:
            return answer
        with connect(self.shop.endpoint(self.channel)) as session:
            return self._await(session)

    def reason(self, answer: Answer) -> Code:
        """Say why there is no snapshot: what a part was refused for tells more than that it is missing."""
        if self.refusals:
            return next(iter(self.refusals.values()))
        if self.deferred:
            return Code.CHANNEL_SPOOL_QUOTA
        return answer.unused[0].code if answer.unused else answer.code or Code.SNAPSHOT_NOT_ANSWERED

    def _kept(self) -> list[StoredPart]:
        """List what earlier runs have collected, rid of what one left that died before it could clear up."""
        stored = self.files.stored()
        kept = [part for part in stored if part.received_at >= self.reconciliation.requested_at]
        if len(kept) < len(stored):
            self.files.clear(keep=kept)
        return kept

    def _await(self, session: ServerSession) -> Answer:
        ends = time.monotonic() + self.shop.settings.snapshot_wait_seconds
        is_asked, pause = False, _FIRST_PAUSE
        while True:
            self._fetch(session)
            answer = self._answer()
            if answer.is_complete or (is_asked and time.monotonic() >= ends):
                return answer
            if not is_asked:
                self._ask(session)
                is_asked = True
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _ask(self, session: ServerSession) -> None:
        """Lay the request, and say so in the log (M8)."""
        request = self._request
        session.deliver(request.file_name, request.line())
        entry = channel_entry(self.channel, Action.SNAPSHOT_REQUESTED, package=request.file_name)
        with open_unit(self.shop.store_url(self.channel.file), self.channel.file) as unit:
            unit.journal.append(entry, clock.now())

    def _fetch(self, session: ServerSession) -> None:
        """Bring every part that may belong to the answer and is not here."""
        self.deferred, request = False, self._request
        for remote in session.outbox().packages:
            if not is_wanted(remote.name, request, self.used_sequence) or self.files.has(remote):
                continue
            if not self.files.has_room(remote, self.shop.quota.spool_bytes):
                self.deferred = True
                continue
            self.files.fetch(session, remote)
            self._take(self.files.admit(remote, clock.now()), is_new=True)

    def _take(self, stored: StoredPart, *, is_new: bool) -> None:
        """Open a part to know what it is; refuse it by its code, logged when it came just now.

        A new part that can not be scanned is given up again, so that the next run fetches and logs it as new.
        """
        sealed = self.files.read(stored.name, stored.sha256)
        if sealed is None:
            return
        try:
            self.shop.scan_gate.check(sealed, str(stored.name), clock.machine_now())
            opened = open_part(self.shop, self.channel, stored.name, sealed, stored.received_at)
            self.parts[stored.sha256] = opened.arrived
        except (SourceError, ContractError) as refusal:
            self.refusals[stored.sha256] = refusal.code
        except ScannerError:
            if is_new:
                self.files.drop(stored)
            raise
        if is_new and stored.sha256 in self.refusals:
            self._refuse(stored)

    def _refuse(self, stored: StoredPart) -> None:
        """Log a refusal; an infected part is kept besides, for its place here is cleared."""
        code = self.refusals[stored.sha256]
        if code is Code.PACKAGE_INFECTED:
            self.files.quarantine(stored, PackageFiles.of(self.shop.home, self.channel))
        entry = channel_entry(
            self.channel, Action.SNAPSHOT_REFUSED, Outcome.REFUSED, package=str(stored.name), code=code
        )
        with open_unit(self.shop.store_url(self.channel.file), self.channel.file) as unit:
            unit.journal.append(entry, clock.now())

    def _answer(self) -> Answer:
        skew = timedelta(seconds=self.shop.settings.snapshot_clock_skew_seconds)
        return answer_to(
            self._request, self.parts.values(), clock_skew=skew, used_sequence=self.used_sequence
        )

    @property
    def _request(self) -> SnapshotRequest:
        return request_of(self.shop, self.channel, self.wants, self.reconciliation.requested_at)
