"""Whole records under the quarantine key: what a municipality said and the file does not hold as a version.

Decides:    the sealed form of a record and what it is bound to: file, use and place.
Leaves:     which records are kept and for how long to `juki.store.rejections` and `juki.store.differences`.
Invariants: a ciphertext moved to another place, use or file does not open.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pyarrow as pa

from juki.columns import IdentityFile
from juki.numbers import SealingKey, bound_to, key_id_of, seal, unseal


def seal_records(
    file: IdentityFile, use: str, places: Sequence[str], records: pa.Table, key: SealingKey
) -> list[bytes]:
    """Seal records of text one by one, each bound to its place."""
    values = [json.dumps(record, ensure_ascii=False).encode() for record in records.to_pylist()]
    return seal(values, _bindings(file, use, places, key), key)


def open_record(
    file: IdentityFile, use: str, place: str, sealed: bytes, key_of: Callable[[str], SealingKey]
) -> dict[str, str]:
    """Open one sealed record.

    Raises: StoreError(CIPHER_ALTERED) when it was altered or moved.
    """
    key = key_of(key_id_of(sealed))
    record: dict[str, str] = json.loads(unseal(sealed, _bindings(file, use, [place], key)[0], key))
    return record


def _bindings(file: IdentityFile, use: str, places: Sequence[str], key: SealingKey) -> list[bytes]:
    return bound_to(file, use, [place.encode() for place in places], key.key_id)
