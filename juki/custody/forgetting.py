"""Let go of what came in and is needed no more: kept requests, and refused files, each with an entry.

Decides:    the order: the file goes, then row and entry commit together; killed in between, the next run says so.
Leaves:     how long they are kept to `juki.holds.HoldTerms`, which are over to `juki.store.kept_requests`.
Invariants: no request goes while its provision is open or held, nor while an operator lets it be answered again: both
            take the lock of the registration. What does not go is named and tried again.
Source:     assessment M12, ADR-0032.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from juki.columns import IdentityFile
from juki.custody.custody import Custody
from juki.journal import Action, Entry, Outcome
from juki.package_id import PackageId
from juki.store.kept_requests import KeptRequest, KeptRequests
from juki.store.roles import Duty
from juki.store.unit import Unit
from juki.wire.refused_files import RefusedFile, RefusedFiles
from juki.wire.request_files import RequestFiles

_AT_ONCE = 1_000
"""Requests erased in one transaction."""


@dataclass(slots=True)
class Forgetting:
    """What one purge lets go of, at its reference time."""

    custody: Custody
    at: datetime
    requests: int = 0
    refused: int = 0
    failed: list[PackageId] = field(default_factory=list)
    """Requests that did not go."""
    refused_left: int = 0

    def plan(self, file: IdentityFile) -> None:
        """Count what a run would erase of one file once what is due is erased, and erase nothing."""
        with self.custody.unit(file, Duty.PURGER) as unit:
            kept = KeptRequests(file, unit.connection)
            over = kept.over(self._end, None, with_hold=self._goes_with_hold, ended_by=self.at)
        self.requests += len(over)
        self.refused += len(self._refused_of(file))

    def run(self, file: IdentityFile) -> None:
        """Erase what is over of one file."""
        while self._erase_requests(file) == _AT_ONCE:
            pass
        for kept in self._refused_of(file):
            self._erase_refused(kept)

    def _refused_of(self, file: IdentityFile) -> list[RefusedFile]:
        return [kept for kept in RefusedFiles(self.custody.home).kept_until(self._end) if kept.file is file]

    @property
    def _goes_with_hold(self) -> bool:
        return self.custody.terms.requests is None

    @property
    def _end(self) -> datetime:
        return self.custody.terms.requests_end(self.at)

    def _erase_requests(self, file: IdentityFile) -> int:
        with self.custody.unit(file, Duty.PURGER) as unit:
            unit.provisions.lock_registration()
            over = KeptRequests(file, unit.connection).over(
                self._end, _AT_ONCE, with_hold=self._goes_with_hold
            )
            gone = [one for one in over if self._is_gone(one.provision)]
            self._note(unit, gone)
        self.requests += len(gone)
        # Of a disk that refuses everything the same would be listed for ever.
        return len(over) if gone else 0

    def _is_gone(self, provision: PackageId) -> bool:
        try:
            RequestFiles(self.custody.home).remove(provision)
        except OSError:
            self.failed += [provision] if provision not in self.failed else []
            return False
        return True

    def _note(self, unit: Unit, gone: Sequence[KeptRequest]) -> None:
        done_at = max(self.custody.now(), self.at)
        KeptRequests(unit.file, unit.connection).removed([one.provision for one in gone], done_at)
        for one in gone:
            entry = self._entry(Action.REQUEST_ERASED, unit.file, one.recipient, provision=str(one.provision))
            unit.journal.append(entry, done_at)

    def _erase_refused(self, kept: RefusedFile) -> None:
        try:
            entry = self._entry(
                Action.QUARANTINE_ERASED,
                kept.file,
                kept.recipient,
                package=kept.path.name,
                digest=kept.sha256(),
            )
            with self.custody.unit(kept.file, Duty.PURGER) as unit:
                unit.journal.append(entry, max(self.custody.now(), self.at))
                kept.erase()
        except OSError:
            self.refused_left += 1
        else:
            self.refused += 1

    def _entry(
        self, action: Action, file: IdentityFile, recipient: str, *, provision: str = "", package: str = "",
        digest: str = "",
    ) -> Entry:  # fmt: skip
        entry = Entry(
            action=action, file=file, outcome=Outcome.DONE, recipient=recipient, provision=provision, package=package,
            changes_digest=digest,
        )  # fmt: skip
        return self.custody.acting.signed(entry)
