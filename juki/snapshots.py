"""Which parts that arrived make the snapshot we asked for: complete, of one instant, and not an old one.

Decides:    which files of an outbox may belong to an answer, which parts form one snapshot, what is missing, and
            the code under which a part is of no use.
Leaves:     fetching to `juki.wire`, opening and binding to the tasks, how long to wait to the caller, every
            comparison of records to others.
Invariants: a snapshot is known by its `as_of`; its parts agree on watermark and number of parts, take consecutive
            sequences, and have one content each. What disagrees is not used at all: a snapshot put together from
            two would invent differences. The order of arrival and parts sent again change nothing.
Source:     spec/packages.md section 3, docs/formats/snapshot-request.md, ADR-0021.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from juki.code_order import is_ascending
from juki.errors import ContractError
from juki.packages import PackageName
from juki.reasons import Code
from juki.snapshot_manifests import PartManifest
from juki.snapshot_requests import SnapshotRequest


@dataclass(frozen=True, slots=True)
class ArrivedPart:
    """A part that was fetched, opened and bound; `file_sha256` is that of the sealed file."""

    name: PackageName
    manifest: PartManifest
    file_sha256: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class UnusedPart:
    """A part that is of no use, and why."""

    name: PackageName
    code: Code


@dataclass(frozen=True, slots=True)
class Answer:
    """What has come of a request so far.

    Shape: `parts` is the whole snapshot in the order of its parts, or empty; then `code` says what is lacking,
           and `missing` which parts of the newest snapshot begun (`of` how many) are still to come.
    """

    parts: tuple[ArrivedPart, ...] = ()
    code: Code | None = None
    missing: tuple[int, ...] = ()
    of: int = 0
    unused: tuple[UnusedPart, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether there is a snapshot to compare with."""
        return self.code is None

    @property
    def first(self) -> PartManifest:
        """What all parts say alike: the manifest of the first; only of a complete answer."""
        return self.parts[0].manifest

    @property
    def last_sequence(self) -> int:
        """The sequence after which the next snapshot begins; only of a complete answer."""
        return self.parts[-1].manifest.sequence


def is_wanted(name: PackageName, request: SnapshotRequest, used_sequence: int = 0) -> bool:
    """Tell by its name whether a file may be part of the answer: nothing else need be fetched.

    `used_sequence` is the last one of a snapshot that was used; what bears it or an earlier one is left alone,
    so that a snapshot can not be played again.
    """
    asked = (request.municipality_code, request.file, request.wants.kind)
    return (name.municipality_code, name.file, name.kind) == asked and name.sequence > used_sequence


def answer_to(
    request: SnapshotRequest, arrived: Iterable[ArrivedPart], *, clock_skew: timedelta, used_sequence: int = 0
) -> Answer:
    """Find the newest complete snapshot that answers a request.

    Units: `clock_skew` is how far the clocks of municipality and prefecture may differ.
    """
    wanted = [part for part in arrived if is_wanted(part.name, request, used_sequence)]
    codes = [_code_of(part, request, clock_skew) for part in wanted]
    unused = [UnusedPart(part.name, code) for part, code in zip(wanted, codes, strict=True) if code]
    timely = [part for part, code in zip(wanted, codes, strict=True) if code is None]
    begun = []
    for snapshot in _by_instant(timely):
        if _agree(snapshot):
            begun.append(snapshot)
        else:
            unused += [UnusedPart(part.name, Code.SNAPSHOT_INCONSISTENT) for part in snapshot]
    return _newest(begun, tuple(unused))


def _newest(begun: Sequence[list[ArrivedPart]], unused: tuple[UnusedPart, ...]) -> Answer:
    """Choose among consistent snapshots, oldest first: the newest complete one, or say what is lacking."""
    complete = [snapshot for snapshot in begun if not _missing(snapshot)]
    if complete:
        return Answer(_in_order(complete[-1]), unused=unused)
    if begun:
        of = begun[-1][0].manifest.parts
        return Answer((), Code.SNAPSHOT_INCOMPLETE, _missing(begun[-1]), of, unused)
    is_inconsistent = any(part.code is Code.SNAPSHOT_INCONSISTENT for part in unused)
    code = Code.SNAPSHOT_INCONSISTENT if is_inconsistent else Code.SNAPSHOT_NOT_ANSWERED
    return Answer((), code, unused=unused)


def check_order(name: PackageName, resident_codes: pa.ChunkedArray, after: str = "") -> str:
    """Refuse codes that do not ascend within a part or from the part before; return the last one.

    A code that occurs twice is in order: two records of one person are a difference, not a broken package. What is
    returned is a person's code: it is for the check of the next part, and for nothing that is written anywhere.

    Raises: ContractError(SNAPSHOT_NOT_SORTED).
    """
    codes = resident_codes.combine_chunks()
    if not is_ascending(codes, after):
        raise ContractError(Code.SNAPSHOT_NOT_SORTED, str(name))
    return str(codes[-1]) if len(codes) else after


def _code_of(part: ArrivedPart, request: SnapshotRequest, clock_skew: timedelta) -> Code | None:
    """Say why a part can not be of the answer, by its instant."""
    as_of = part.manifest.as_of
    if as_of < request.requested_at - clock_skew:
        return Code.SNAPSHOT_STALE
    # Dated ahead it would answer requests that are still to be made.
    return Code.SNAPSHOT_AHEAD if as_of > part.received_at + clock_skew else None


def _by_instant(parts: Iterable[ArrivedPart]) -> list[list[ArrivedPart]]:
    """Put together what was made at one instant, the oldest first, in the order of arrival."""
    found: dict[datetime, list[ArrivedPart]] = {}
    for part in sorted(parts, key=lambda one: one.received_at):
        found.setdefault(part.manifest.as_of, []).append(part)
    return [found[as_of] for as_of in sorted(found)]


def _agree(snapshot: Sequence[ArrivedPart]) -> bool:
    """Tell whether parts can be of one snapshot."""
    manifests = [part.manifest for part in snapshot]
    said = {(one.watermark, one.parts, one.sequence - one.part) for one in manifests}
    contents = {(one.part, one.records, one.sha256) for one in manifests}
    return len(said) == 1 and len(contents) == len({one.part for one in manifests})


def _missing(snapshot: Sequence[ArrivedPart]) -> tuple[int, ...]:
    there = {part.manifest.part for part in snapshot}
    return tuple(part for part in range(1, snapshot[0].manifest.parts + 1) if part not in there)


def _in_order(snapshot: Iterable[ArrivedPart]) -> tuple[ArrivedPart, ...]:
    """Order by part; of one sent again the last to arrive, for that is the file that lies here."""
    chosen = {part.manifest.part: part for part in snapshot}
    return tuple(chosen[part] for part in sorted(chosen))
