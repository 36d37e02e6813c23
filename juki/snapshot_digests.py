"""The digest of a record, by which two files are compared without sending the records (`juki-digest/1`).

Decides:    the canonical form of a record and its digest, the one definition for both sides.
Leaves:     what a difference means to the comparison.
Invariants: unkeyed, because a municipality must be able to compute it with a CSV and openssl; whoever holds it can
            guess at the record. So it is personal: only in sealed packages, never stored, logged or shown.
Source:     docs/formats/digest.md, ADR-0021.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from juki.errors import ContractError
from juki.packages import PackageName
from juki.reasons import Code

SEPARATOR = "\x1f"
"""U+001F between the values: a control character, which no value of a record may hold."""

_FORM = "^[0-9a-f]{64}$"


def record_digest_hex(table: pa.Table, columns: Sequence[str]) -> pa.StringArray:
    """Compute the digest of each record: SHA-256 of its values in UTF-8, in this order, with U+001F between.

    Shape: text without nulls in; 64 lower-case hexadecimal digits per record out. `columns` are the
           RECORD_COLUMNS of the file.
    """
    values = [table.column(name).combine_chunks() for name in columns]
    lines = pc.binary_join_element_wise(*values, SEPARATOR).cast(pa.binary())
    return pa.array([hashlib.sha256(line).hexdigest() for line in lines.to_pylist()], pa.string())


def check_digests(name: PackageName, digests: pa.ChunkedArray) -> None:
    """Refuse a part with anything that is no digest (SNAPSHOT_DIGEST_FORM)."""
    if not pc.all(pc.match_substring_regex(digests, _FORM), min_count=0).as_py():
        raise ContractError(Code.SNAPSHOT_DIGEST_FORM, str(name))
