"""From differences that are to be repaired to drafts: what is still so, and what is to be said of whom.

Decides:    nothing of its own: `juki.proposals` says what speaks against a repair.
Leaves:     the notices to `juki.proposals`, carrying them out to `tasks.repairing`.
Invariants: a stored number is opened only of a person who is to be retired, for the notice has to say it.
Source:     measure M11, ADR-0022.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from juki.columns import IdentityFile
from juki.differences import DifferenceKind, Mode
from juki.errors import StoreError
from juki.numbers import bound_to, key_id_of, number_index, unseal
from juki.proposals import Draft, Snapshot, Standing, ToRepair, says_the_same, stands_against
from juki.reasons import Code
from juki.store.difference_records import Repairable
from juki.store.unit import Unit
from tasks.workshop import Workshop


@dataclass(frozen=True, slots=True, repr=False)
class Drafted:
    """What can be repaired, why the rest can not, and whether a stored number was opened for it."""

    drafts: list[Draft] = field(default_factory=list)
    refused: dict[int, Code] = field(default_factory=dict)
    has_opened_numbers: bool = False


def draft_repairs(
    shop: Workshop, unit: Unit, snapshot: Snapshot, reconciliation_id: int, index_key: bytes
) -> Drafted:
    """Look again at everybody the comparison saw a difference of, and draft what is still to be put right."""
    due = unit.differences.to_repair(snapshot.sender_code, Mode.REPAIR, shop.sealing_key)
    now = unit.repairs.standing([one.resident_code for one in due.differences])
    drafted = Drafted(refused=dict.fromkeys(due.unreadable, Code.CIPHER_ALTERED))
    has_opened = False
    for asked, theirs in _with_records(due):
        if asked.reconciliation_id != reconciliation_id:
            continue
        standing = now.get(asked.resident_code)
        code = stands_against(asked, snapshot, standing)
        if code is None:
            record = theirs
            if record is None and standing is not None:
                record, is_opened = _our_record(shop, unit.file, asked, standing)
                has_opened |= is_opened
            draft = _draft(asked, record or {}, standing, index_key)
            is_put_right = asked.kind is DifferenceKind.DIFFERS and says_the_same(draft, standing)
            if not is_put_right:
                drafted.drafts.append(draft)
                continue
        drafted.refused[asked.difference_id] = code or Code.REPAIR_OVERTAKEN
    return Drafted(drafted.drafts, drafted.refused, has_opened)


def _with_records(due: Repairable) -> Iterator[tuple[ToRepair, dict[str, str] | None]]:
    """Pair each difference with what the municipality says of the person, if anything."""
    records = iter(due.records.to_pylist())
    for asked in due.differences:
        yield asked, None if asked.kind is DifferenceKind.EXTRA else next(records)


def _draft(asked: ToRepair, record: dict[str, str], standing: Standing | None, index_key: bytes) -> Draft:
    number = record.get("individual_number", "")
    claimed = number_index(number.encode(), index_key) if number else None
    return Draft(asked, record, standing.number_index if standing else None, claimed)


def _our_record(
    shop: Workshop, file: IdentityFile, asked: ToRepair, standing: Standing
) -> tuple[dict[str, str], bool]:
    """Say what stands of a person, the number opened; one that does not open any more is left out, with an alert.

    A deletion still says the items that stood on the record (施行令30条の5).
    """
    if file is IdentityFile.FUHYO:
        return standing.record, False
    number, is_opened = "", False
    if standing.number_sealed is not None:
        try:
            key = shop.sealing_key(key_id_of(standing.number_sealed))
            binding = bound_to(file, "individual_number", [asked.resident_code.encode()], key.key_id)
            number, is_opened = unseal(standing.number_sealed, binding[0], key).decode(), True
        except StoreError:
            number = ""
    return standing.record | {"individual_number": number}, is_opened
