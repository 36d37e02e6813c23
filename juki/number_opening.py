"""Sealed numbers of many people opened at once, whatever keys they name.

Decides:    when something opened is a number, and that what does not open is no reason to stop.
Leaves:     the cipher to `juki.numbers`, where keys live to `juki.keys`, what becomes of a number to the caller.
Invariants: a ciphertext opens only as that of its own person, column and file. One comprehension a key; no opened
            number is kept here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from juki.columns import IdentityFile
from juki.errors import JukiError
from juki.numbers import SealingKey, bound_to, key_id_of, unseal_each

KeyOf = Callable[[str], SealingKey]
"""Gives the key a ciphertext names; JukiError when there is none."""

NUMBER_DIGITS = 12


@dataclass(slots=True, repr=False)
class NumberOpener:
    """Opens the numbers of one file; a key is read once."""

    file: IdentityFile
    key_of: KeyOf
    _keys: dict[bytes, SealingKey | None] = field(default_factory=dict)

    def opened(self, codes: Sequence[bytes], sealed: Sequence[bytes]) -> list[bytes | None]:
        """Open ciphertexts, those of one key at a time: empty where there is none, None where no number comes out.

        Shape: one resident_code and one ciphertext a person, side by side.
        """
        opened: list[bytes | None] = [None if one else b"" for one in sealed]
        by_header: defaultdict[bytes, list[int]] = defaultdict(list)
        for row, one in enumerate(sealed):
            if one:
                by_header[one[: 2 + int.from_bytes(one[1:2])]].append(row)
        for header, rows in by_header.items():
            key = self._key(header)
            if key is None:
                continue
            bindings = bound_to(self.file, "individual_number", [codes[row] for row in rows], key.key_id)
            found = unseal_each([sealed[row] for row in rows], bindings, key)
            for row, number in zip(rows, found, strict=True):
                opened[row] = number if number is not None and _is_number(number) else None
        return opened

    def _key(self, header: bytes) -> SealingKey | None:
        """Give the key a ciphertext names; none where it names no key of ours, whatever it claims."""
        if header not in self._keys:
            try:
                self._keys[header] = self.key_of(key_id_of(header))
            except JukiError:
                self._keys[header] = None
        return self._keys[header]


def _is_number(opened: bytes) -> bool:
    return len(opened) == NUMBER_DIGITS and opened.isdigit()
