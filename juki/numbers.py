"""Field encryption of 個人番号 and of quarantined records, and the keyed index by which a number is found.

Decides:    how a value is sealed, what it is bound to, and how it can be looked up without being readable.
Leaves:     where keys live to `juki.keys`, which role may open what to the stores.
Invariants: every ciphertext names its algorithm and key; the same value never seals to the same bytes; a
            ciphertext moved to another person, column or file does not open; an index can not be guessed
            back without its key (10^11 numbers are few, so a bare hash would be readable).
Source:     NIST SP 800-38D (AES-GCM), RFC 2104 (HMAC), RFC 7693 (BLAKE2), design 4, ADR-0004.

The loops here are one comprehension around one cryptographic call each: there is no vectorised AES-GCM, HMAC
or BLAKE2b, and at 1 to 2 microseconds a value they are not what the time goes to.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from numpy.typing import NDArray

from juki.columns import IdentityFile
from juki.errors import StoreError
from juki.reasons import Code

ALGORITHM_AES_256_GCM = b"\x01"
NONCE_BYTES = 12
INDEX_BYTES = 16
DIGEST_BYTES = 16
NUMBER_BODY_DIGITS = 11
"""The digits before the check digit; they must be unique over all numbers ever used (番号法施行令6条)."""

Index = NDArray[np.void]
"""One 16-byte value per record, dtype V16; all zero where the record has none."""


@dataclass(frozen=True, slots=True)
class SealingKey:
    """One AES-256 key with the id every ciphertext carries."""

    key_id: str
    key: bytes

    def __repr__(self) -> str:
        """Name the key, never show it."""
        return f"SealingKey({self.key_id})"


def bound_to(file: IdentityFile, column: str, resident_codes: Sequence[bytes], key_id: str) -> list[bytes]:
    """Make the additional data that ties each value to its file, column, person and key."""
    prefix = f"{file.value}|{column}|".encode()
    suffix = f"|{key_id}".encode()
    return [prefix + code + suffix for code in resident_codes]


def seal(values: Sequence[bytes], bindings: Sequence[bytes], key: SealingKey) -> list[bytes]:
    """Seal values one by one: algorithm, key id, nonce, ciphertext and tag in one string of bytes."""
    header = ALGORITHM_AES_256_GCM + bytes([len(key.key_id)]) + key.key_id.encode("ascii")
    nonces = os.urandom(NONCE_BYTES * len(values))
    encrypt = AESGCM(key.key).encrypt
    return [
        header + nonce + encrypt(nonce, value, binding)
        for value, binding, nonce in zip(
            values,
            bindings,
            (nonces[i : i + NONCE_BYTES] for i in range(0, len(nonces), NONCE_BYTES)),
            strict=True,
        )
    ]


def key_id_of(sealed: bytes) -> str:
    """Read which key a ciphertext names.

    Raises: StoreError(CIPHER_ALTERED) when it is not one of ours.
    """
    if len(sealed) < 2 or sealed[:1] != ALGORITHM_AES_256_GCM or len(sealed) < 2 + sealed[1]:
        raise StoreError(Code.CIPHER_ALTERED)
    return sealed[2 : 2 + sealed[1]].decode("ascii", "replace")


def unseal(sealed: bytes, binding: bytes, key: SealingKey) -> bytes:
    """Open one sealed value.

    Raises: StoreError(CIPHER_ALTERED) when it was altered, moved, or sealed under another key.
    """
    start = 2 + len(key.key_id)
    if key_id_of(sealed) != key.key_id:
        raise StoreError(Code.CIPHER_ALTERED)
    try:
        return AESGCM(key.key).decrypt(
            sealed[start : start + NONCE_BYTES], sealed[start + NONCE_BYTES :], binding
        )
    except InvalidTag:
        raise StoreError(Code.CIPHER_ALTERED) from None


def unseal_each(sealed: Sequence[bytes], bindings: Sequence[bytes], key: SealingKey) -> list[bytes | None]:
    """Open values that name this key one by one; None for what was altered, cut or moved."""
    start, decrypt = 2 + len(key.key_id), AESGCM(key.key).decrypt
    body = start + NONCE_BYTES

    def opened(value: bytes, binding: bytes) -> bytes | None:
        try:
            return decrypt(value[start:body], value[body:], binding)
        except (InvalidTag, ValueError):
            return None

    return [opened(value, binding) for value, binding in zip(sealed, bindings, strict=True)]


def number_index(number: bytes, key: bytes) -> bytes:
    """Index one 個人番号: HMAC-SHA-256 over its first 11 digits, cut to 16 bytes.

    The check digit follows from the first 11, so two valid numbers share an index only when they are equal.
    """
    return _index(number, HMAC(key, SHA256()))


def _index(number: bytes, keyed: HMAC) -> bytes:
    """Go on from a state that has read the key: setting a key up costs more than a number."""
    mac = keyed.copy()
    mac.update(number[:NUMBER_BODY_DIGITS])
    return mac.finalize()[:INDEX_BYTES]


def number_indexes(numbers: pa.Array, key: bytes) -> Index:
    """Index a column of numbers; the zero index stands for a record without a number."""
    present = pc.not_equal(numbers, "")
    values = pc.cast(numbers.filter(present), pa.binary()).to_pylist()
    keyed = HMAC(key, SHA256())
    indexes = np.zeros(len(numbers), dtype=f"V{INDEX_BYTES}")
    packed = b"".join([_index(value, keyed) for value in values])
    indexes[present.to_numpy(zero_copy_only=False)] = np.frombuffer(packed, dtype=f"V{INDEX_BYTES}")
    return indexes


def record_digests(records: pa.Table, columns: Sequence[str], key: bytes) -> Index:
    """Digest each record in its canonical form: keyed BLAKE2b-128 over its columns joined by U+001F.

    Keyed, because the record holds the number; U+001F can not occur in a record that passed its contract.
    """
    lines = pc.binary_join_element_wise(
        *(pc.cast(combined(records, name), pa.binary()) for name in columns), b"\x1f"
    ).to_pylist()
    keyed = blake2b(digest_size=DIGEST_BYTES, key=key)
    packed = b"".join([_digest(line, keyed) for line in lines])
    return np.frombuffer(packed, dtype=f"V{DIGEST_BYTES}")


def _digest(line: bytes, keyed: blake2b) -> bytes:
    digest = keyed.copy()
    digest.update(line)
    return digest.digest()


def combined(records: pa.Table, name: str) -> pa.Array:
    """Give one column as a single array."""
    column = records.column(name)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
