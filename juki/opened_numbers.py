"""The numbers of people who were found, opened for an answer that may hold them.

Leaves:     who may get a number to `juki.authority`, sealing to `juki.numbers`.
Invariants: one cipher object a key, however many people; a number that does not open as its person's stops
            everything, since it was altered or moved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from juki.columns import IdentityFile
from juki.errors import StoreError
from juki.numbers import SealingKey, bound_to, key_id_of, unseal_each
from juki.reasons import Code


def opened_numbers(
    file: IdentityFile, codes: Sequence[bytes], sealed: Sequence[bytes], key_of: Callable[[str], SealingKey]
) -> list[bytes]:
    """Open one number for each person; b"" where there is none.

    Raises: StoreError(CIPHER_ALTERED), and what `key_of` raises for a key that is not at hand.
    """
    opened = [b""] * len(sealed)
    key_ids = [key_id_of(one) if one else "" for one in sealed]
    for key_id in set(key_ids) - {""}:
        rows = [row for row, named in enumerate(key_ids) if named == key_id]
        key = key_of(key_id)
        bindings = bound_to(file, "individual_number", [codes[row] for row in rows], key_id)
        for row, number in zip(rows, unsealed_all([sealed[row] for row in rows], bindings, key), strict=True):
            opened[row] = number
    return opened


def unsealed_all(sealed: Sequence[bytes], bindings: Sequence[bytes], key: SealingKey) -> list[bytes]:
    """Open values that were sealed under one key, all of them or none.

    Raises: StoreError(CIPHER_ALTERED).
    """
    return [one if one is not None else _altered() for one in unseal_each(sealed, bindings, key)]


def _altered() -> bytes:
    raise StoreError(Code.CIPHER_ALTERED)
