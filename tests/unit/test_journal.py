"""What an entry of the operation log says, byte for byte."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

from juki.columns import IdentityFile
from juki.journal import Action, Entry, Outcome, canonical_bytes
from juki.reasons import Code

AT = datetime(2026, 3, 25, 20, 0, 0, 1, timezone(timedelta(hours=9)))
ENTRY = Entry(
    Action.PACKAGE_REFUSED, IdentityFile.FUHYO, Outcome.REFUSED, "flow-run:1", municipality_code="352039",
    package="352039-fuhyo-notice-00000001.p7m", package_id=3, code=Code.PACKAGE_BINDING, counts={"b": 2, "a": 1},
)  # fmt: skip
CANONICAL = (
    '{"action":"package.refused","actor":"flow-run:1","basis":"","changes_digest":"","code":"package.binding",'
    '"counts":{"a":1,"b":2},"entry_no":7,"file":"fuhyo","format":"juki-journal/1","municipality_code":"352039",'
    '"number_accessed":false,"outcome":"refused","package":"352039-fuhyo-notice-00000001.p7m","package_id":3,'
    '"recorded_at":"2026-03-25T11:00:00.000001+00:00","terminal":""}'
)


def test_the_canonical_form_never_changes() -> None:
    """Old entries must hash as they did: keys sorted, no spaces, UTC to the microsecond."""
    assert canonical_bytes(ENTRY, 7, AT).decode() == CANONICAL


def test_the_number_of_an_entry_is_part_of_it() -> None:
    """So two entries can not be swapped unnoticed."""
    assert canonical_bytes(ENTRY, 7, AT) != canonical_bytes(ENTRY, 8, AT)


def test_the_same_instant_in_another_zone_is_the_same_entry() -> None:
    """Time is an instant, not a way of writing it."""
    assert canonical_bytes(ENTRY, 7, AT) == canonical_bytes(ENTRY, 7, AT.astimezone(UTC))


def test_a_reason_in_japanese_stays_readable() -> None:
    """An auditor reads the log without a decoder."""
    entry = Entry(Action.PACKAGE_RELEASED, IdentityFile.RESIDENT, Outcome.DONE, "x", basis="市町村に確認済み")
    assert json.loads(canonical_bytes(entry, 1, AT))["basis"] == "市町村に確認済み"
    assert "市町村に確認済み".encode() in canonical_bytes(entry, 1, AT)
