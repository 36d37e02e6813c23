"""Whose record a journal entry is about: sealed for whoever holds the key of subjects, and keyed to be searched by.

Decides:    the two keys that are derived from the key of subjects, and the written form of both values.
Leaves:     which entries have a subject to the tasks, the entry to `juki.journal`.
Invariants: one key is never used for two things: sealing and index have subkeys of their own. The same person has the
            same index and never the same seal; a seal moved to an entry of another provision does not open.
Source:     design 5, RFC 5869 (HKDF), RFC 7693 (BLAKE2), ADR-0026.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from juki.columns import IdentityFile
from juki.numbers import SealingKey, bound_to, seal, unseal

_SALT = b"juki-renkei subjects"
_SEALING, _INDEX = b"sealing", b"index"
_INDEX_BYTES = 16
_INDEX_FORM = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, repr=False)
class Subjects:
    """The people of one provision, as its journal entries name them; both lists in one order.

    Shape: `sealed` in base64, `indexes` in lower-case hexadecimal: neither needs escaping in JSON.
    """

    sealed: Sequence[str]
    indexes: Sequence[str]

    def __len__(self) -> int:
        return len(self.sealed)


def subjects_of(file: IdentityFile, provision: str, codes: Sequence[bytes], key: SealingKey) -> Subjects:
    """Name people, by their 住民票コード, in the entries of a provision."""
    subkey, index_key = SealingKey(key.key_id, _derived(key.key, _SEALING)), _derived(key.key, _INDEX)
    # Whoever opens a seal does not know yet whose it is: it is bound to the provision, not to the code.
    bindings = _binding(file, provision, key.key_id) * len(codes)
    sealed = [base64.b64encode(one).decode("ascii") for one in seal(codes, bindings, subkey)]
    keyed = blake2b(digest_size=_INDEX_BYTES, key=index_key)
    return Subjects(sealed, [_index(code, keyed) for code in codes])


def subject_index(code: bytes, key: SealingKey) -> str:
    """Give what the entries about one person are found by."""
    return _index(code, blake2b(digest_size=_INDEX_BYTES, key=_derived(key.key, _INDEX)))


def is_subject_index(text: str) -> bool:
    """Tell whether a text could be such an index; a code or a name of a person is none."""
    return _INDEX_FORM.fullmatch(text) is not None


def opened_subject(file: IdentityFile, provision: str, sealed: str, key: SealingKey) -> bytes:
    """Open whom an entry is about.

    Raises: StoreError(CIPHER_ALTERED) when it was altered, moved, or sealed under another key.
    """
    (binding,) = _binding(file, provision, key.key_id)
    return unseal(
        base64.b64decode(sealed, validate=True), binding, SealingKey(key.key_id, _derived(key.key, _SEALING))
    )


def _binding(file: IdentityFile, provision: str, key_id: str) -> list[bytes]:
    return bound_to(file, "subject", [provision.encode("ascii")], key_id)


def _index(code: bytes, keyed: blake2b) -> str:
    """Go on from a state that has read the key: setting a key up costs more than a code."""
    index = keyed.copy()
    index.update(code)
    return index.hexdigest()


def _derived(key: bytes, info: bytes) -> bytes:
    """Derive a subkey of 32 bytes: HKDF with SHA-256, of which one block is enough."""
    pseudorandom = hmac.digest(_SALT, key, hashlib.sha256)
    return hmac.digest(pseudorandom, info + b"\x01", hashlib.sha256)
