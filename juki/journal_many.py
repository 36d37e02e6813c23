"""Many journal entries that differ in their number and in whom they are about, written from one template.

Decides:    how their bytes are made without serialising each; nothing of what they say.
Leaves:     the entry and its bytes to `juki.journal`, whose they are to `juki.subjects`.
Invariants: the bytes are those of `canonical_bytes` for each entry by itself (a test compares them).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from juki.journal import Entry, canonical_bytes
from juki.subjects import Subjects

_NUMBER, _SUBJECT, _INDEX = '"entry_no":', '"subject":"', '"subject_index":"'
"""Where the parts that differ begin, in canonical order; in a value every quote is escaped, so each occurs once."""


def canonical_texts(entry: Entry, subjects: Subjects, first_no: int, recorded_at: datetime) -> list[str]:
    """Write an entry once for each subject, numbered from `first_no`."""
    written = canonical_bytes(replace(entry, subject="0", subject_index="0"), 0, recorded_at).decode()
    before, number, rest = written.partition(f"{_NUMBER}0")
    middle, subject, rest = rest.partition(f"{_SUBJECT}0")
    between, index, after = rest.partition(f"{_INDEX}0")
    if not (number and subject and index):
        raise ValueError("the entry has no place for what differs")
    head, seam, joint = before + _NUMBER, middle + _SUBJECT, between + _INDEX
    numbers = range(first_no, first_no + len(subjects))
    return [
        f"{head}{entry_no}{seam}{sealed}{joint}{keyed}{after}"
        for entry_no, sealed, keyed in zip(numbers, subjects.sealed, subjects.indexes, strict=True)
    ]
