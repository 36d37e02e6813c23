"""Small notices and known versions for tests of the core, without contract or store.

Numbers and codes here are short made-up words: the judging only compares them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from hashlib import blake2b

import numpy as np
import pyarrow as pa

from juki.columns import NOTICE_COLUMNS, RECORD_COLUMNS, IdentityFile
from juki.known import HOLDER_SCHEMA, NEWEST_SCHEMA, REPLACED_SCHEMA, Known, Notices, indexed, notices_of
from juki.notices import Kind, Reason
from juki.numbers import number_index

INDEX_KEY, DIGEST_KEY = b"i" * 32, b"d" * 32
HERE, ELSEWHERE = "352039", "352012"
NOTIFIED = "2026-03-25T10:00:00+09:00"
RECEIVED = datetime(2026, 4, 1, tzinfo=UTC)
"""After everything that these notices say was made."""

_DEFAULTS = {
    "notified_at": NOTIFIED, "kind": Kind.ENTRY.value, "reason": Reason.ENTERED_EX_OFFICIO.value,
    "event_date": "2026-03-20", "resident_code": "A", "name": "山口　花子", "birth_date": "19900101",
    "municipality_code": HERE, "address": "山口県山口市滝町1番1号", "is_foreign": "0", "is_abroad": "0",
    "name_gaiji": "0", "address_gaiji": "0",
}  # fmt: skip


def notice(**said: str) -> dict[str, str]:
    """Say only what matters; the rest is an ordinary entry."""
    return _DEFAULTS | said


def notices(
    rows: Sequence[Mapping[str, str]],
    file: IdentityFile = IdentityFile.RESIDENT,
    sender: str = HERE,
    first_no: int = 1,
    admitted: Sequence[bool] | None = None,
    received_at: datetime = RECEIVED,
) -> Notices:
    """Lay notices out as a package of one sender, numbered in order."""
    columns = {
        name: pa.array([row.get(name, "") for row in rows], pa.string()) for name in NOTICE_COLUMNS[file]
    }
    columns["notice_no"] = pa.array([str(first_no + position) for position in range(len(rows))])
    mask = np.array(admitted if admitted is not None else [True] * len(rows), dtype=np.bool_)
    made = notices_of(file, sender, pa.table(columns), mask, received_at, DIGEST_KEY)
    return indexed(made, np.arange(len(made)), INDEX_KEY)


def digest(row: Mapping[str, str], file: IdentityFile = IdentityFile.RESIDENT) -> bytes:
    """Digest a record as its canonical form says (columns joined by U+001F)."""
    line = "\x1f".join(row.get(name, "") for name in RECORD_COLUMNS[file])
    return blake2b(line.encode(), digest_size=16, key=DIGEST_KEY).digest()


def index(number: str) -> bytes | None:
    """Index a number; None where there is none."""
    return number_index(number.encode(), INDEX_KEY) if number else None


def newest(
    row: Mapping[str, str],
    sender: str = HERE,
    notice_no: int = 0,
    package_id: int = 1,
    file: IdentityFile = IdentityFile.RESIDENT,
    entered_at: str = "",
    own_last_kind: str = "",
) -> dict[str, object]:
    """Make a row of `Known.newest` of a notice that was applied before."""
    return {
        "resident_code": row["resident_code"], "sender_code": sender, "notice_no": notice_no,
        "package_id": package_id, "kind": row["kind"], "reason": row.get("reason", ""),
        "previous_resident_code": row.get("previous_resident_code", ""), "event_date": row["event_date"],
        "entered_at": _instant(entered_at or (row["notified_at"] if row["kind"] == "entry" else "")),
        "made_at": _instant(row["notified_at"]), "own_last_kind": own_last_kind,
        "received_on": date(2026, 3, 25),
        "is_foreign": row.get("is_foreign") == "1", "record_digest": digest(row, file),
        "number_index": index(row.get("individual_number", "")),
    }  # fmt: skip


def _instant(text: str) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def holder(number: str, code: str, *, stands: bool, is_newest: bool = True) -> dict[str, object]:
    """Make a row of `Known.holders`."""
    return {
        "number_index": index(number),
        "resident_code": code,
        "is_standing": stands,
        "is_newest": is_newest,
    }


def known(
    rows: Sequence[Mapping[str, object]] = (),
    replaced: Mapping[str, str] | None = None,
    holders: Sequence[Mapping[str, object]] = (),
) -> Known:
    """Lay out what a file knows; `replaced` names the new code of each replaced one."""
    return Known(
        pa.Table.from_pylist([dict(row) for row in rows], NEWEST_SCHEMA),
        pa.table([list((replaced or {}).keys()), list((replaced or {}).values())], schema=REPLACED_SCHEMA),
        pa.Table.from_pylist([dict(row) for row in holders], HOLDER_SCHEMA),
    )
