"""Where an office answers requests for snapshots: reads them, numbers the parts, lays them out, remembers the last.

Leaves:     the parts and their faults to `simulator.snapshots`.
Invariants: sequences run from 1 without gaps for each file and kind, over all answers. Parts stay in the outbox until
            the report on them has come or a newer request is answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from juki.columns import IdentityFile
from juki.errors import ContractError
from juki.packages import PackageKind, PackageName
from juki.snapshot_requests import SnapshotRequest, request_name
from simulator import snapshots
from simulator.drafts import Desk
from simulator.outbox import Outbox
from simulator.snapshots import Occasion, Sealed, SnapshotFault, Standing

_ANSWERS = (PackageKind.SNAPSHOT, PackageKind.DIGEST)
_REMEMBERED_BYTES = 16 * 1024**2
"""Larger answers are not kept for the fault that plays one again, so that a large prefecture stays small."""


@dataclass(slots=True)
class _Line:
    """The answers for one file and kind: the next sequence, what the last one laid out, and it itself if small."""

    next_sequence: int = 1
    as_of: datetime | None = None
    names: list[PackageName] = field(default_factory=list)
    kept: list[Sealed] = field(default_factory=list)


@dataclass(slots=True)
class Answering:
    """The answers of one office."""

    desk: Desk
    outbox: Outbox
    last_notice_no: dict[IdentityFile, int] = field(default_factory=lambda: dict.fromkeys(IdentityFile, 0))
    """The number of the last notice published, by file: the watermark."""
    _lines: dict[tuple[IdentityFile, PackageKind], _Line] = field(default_factory=dict)
    _withheld: list[Sealed] = field(default_factory=list)

    def answer(
        self, inbox: Path, file: IdentityFile, standing: Standing, at: datetime, part_records: int,
        fault: SnapshotFault | None,
    ) -> list[PackageName]:  # fmt: skip
        """Answer the prefecture's request to this office for a file and remove it; anything else is left alone."""
        path = inbox / request_name(self.desk.office.municipality_code, file)
        if not path.exists():
            return []
        said = path.read_bytes()
        request = self._request(path.name, said)
        if request is None:
            return []
        names = self._answer(request, standing, at, part_records, fault)
        # A newer one that came meanwhile is answered next.
        if path.read_bytes() == said:
            path.unlink()
        return names

    def heal(self) -> None:
        """Lay out the parts that were withheld."""
        withheld, self._withheld = self._withheld, []
        for name, data in withheld:
            self.outbox.lay(name, data)
            self._line(name.file, name.kind).names.append(name)

    def settle(self, file: IdentityFile, as_of: datetime) -> None:
        """Remove the parts of the answers of this instant: the prefecture has reported on them."""
        for kind in _ANSWERS:
            line = self._line(file, kind)
            if line.as_of == as_of:
                self._take_away(line)
                self._withheld = [
                    part for part in self._withheld if (part[0].file, part[0].kind) != (file, kind)
                ]

    def numbers(self, file: IdentityFile) -> dict[str, int]:
        """Tell where the numbers of a file have come to: the last notice, and the next answer of each kind."""
        answers = {kind.value: self._line(file, kind).next_sequence for kind in _ANSWERS}
        return {"notice": self.last_notice_no[file], **answers}

    def go_on_from(self, file: IdentityFile, numbers: Mapping[str, int]) -> None:
        """Go on where the numbers of a file had come to."""
        self.last_notice_no[file] = numbers["notice"]
        for kind in _ANSWERS:
            self._line(file, kind).next_sequence = numbers[kind.value]

    def _request(self, file_name: str, line: bytes) -> SnapshotRequest | None:
        """Read a request of our prefecture to us; None when it is anything else."""
        try:
            request = SnapshotRequest.parse(file_name, line)
        except ContractError:
            return None
        return request if request.requester == self.desk.prefecture.code else None

    def _answer(
        self, request: SnapshotRequest, standing: Standing, at: datetime, part_records: int,
        fault: SnapshotFault | None,
    ) -> list[PackageName]:  # fmt: skip
        """Lay out one answer, or what a fault leaves of it."""
        if fault is SnapshotFault.NEVER_ANSWERED:
            return []
        line = self._line(request.file, request.wants.kind)
        for kind in _ANSWERS:
            self._take_away(self._line(request.file, kind))
        if fault is SnapshotFault.REPLAYED:
            packages: Iterator[Sealed] = iter(line.kept)
        else:
            occasion = Occasion(
                request, standing, self.desk, at,
                self.last_notice_no[request.file], line.next_sequence, part_records,
            )  # fmt: skip
            packages = snapshots.answer(occasion, fault)
            line.as_of = at
        line.names, line.kept = [], []
        self._lay(line, packages, withholds_last=fault is SnapshotFault.PART_MISSING)
        return line.names

    def _lay(self, line: _Line, packages: Iterator[Sealed], *, withholds_last: bool) -> None:
        """Lay packages out one by one, each when the next is there, so that the last is known as the last."""
        size, pending = 0, next(packages, None)
        while pending is not None:
            name, data = pending
            pending = next(packages, None)
            line.next_sequence = max(line.next_sequence, name.sequence + 1)
            if pending is None and withholds_last:
                self._withheld.append((name, data))
                return
            size += len(data)
            line.kept = [*line.kept, (name, data)] if size <= _REMEMBERED_BYTES else []
            line.names.append(name)
            self.outbox.lay(name, data)

    def _take_away(self, line: _Line) -> None:
        for name in line.names:
            self.outbox.remove(name)

    def _line(self, file: IdentityFile, kind: PackageKind) -> _Line:
        return self._lines.setdefault((file, kind), _Line())
