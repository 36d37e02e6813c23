"""Numbers are indexed when it is known whose are needed."""

from __future__ import annotations

import numpy as np

from juki.columns import IdentityFile
from juki.known import Notices, indexed, notices_of
from tests.notice_tables import DIGEST_KEY, INDEX_KEY, RECEIVED, notice, notices

NUMBERS = ("123456789018", "", "023456789013")


def _package(file: IdentityFile) -> Notices:
    said = [notice(individual_number=one, previous_individual_number=NUMBERS[0]) for one in NUMBERS]
    return notices(said, file)


def _without(whole: Notices) -> Notices:
    return notices_of(whole.file, whole.sender_code, whole.table, whole.admitted, RECEIVED, DIGEST_KEY)


def test_indexes_made_later_are_those_made_at_once() -> None:
    """All of them, and everything else of the notices stays."""
    whole = _package(IdentityFile.RESIDENT)
    later = indexed(_without(whole), np.arange(3), INDEX_KEY)
    assert later.number_indexes.tolist() == whole.number_indexes.tolist()
    assert later.previous_number_indexes.tolist() == whole.previous_number_indexes.tolist()
    assert later.digests.tolist() == whole.digests.tolist()


def test_only_the_numbers_asked_for_are_indexed() -> None:
    """The others stay without, and so does what they were made of."""
    whole = _package(IdentityFile.RESIDENT)
    before = _without(whole)
    later = indexed(before, np.array([2]), INDEX_KEY)
    nothing = bytes(16)
    assert later.number_indexes.tolist() == [nothing, nothing, whole.number_indexes[2].item()]
    assert later.previous_number_indexes.tolist()[:2] == [nothing, nothing]
    assert before.number_indexes.tolist() == [nothing] * 3


def test_the_fuhyo_file_has_no_numbers_to_index() -> None:
    """Nor the columns that would hold them."""
    before = _without(_package(IdentityFile.FUHYO))
    assert indexed(before, np.arange(3), INDEX_KEY) is before
