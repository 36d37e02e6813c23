"""Whether the keys at hand are those a store was installed with, told without showing any of them.

Decides:    what a store remembers of a key, and when keys do not fit a store.
Leaves:     keeping what is remembered to `juki.store.key_register`, reading the keys to `config.store_keys`.
Invariants: nothing from which a key can be got: a check value is HMAC-SHA-256 under the key itself, over a text
            no other use of the key has, cut to 16 bytes. A key has 256 random bits, so it can not be guessed back.
Source:     RFC 2104, design 4, ADR-0014.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from juki.columns import IdentityFile
from juki.errors import ConfigurationError
from juki.reasons import Code

CHECK_BYTES = 16
_LABEL = "juki-key-check/1|"


def check_value(key_id: str, key: bytes) -> bytes:
    """Compute what a store remembers of a key; bound to its id, so that two keys can not change places."""
    return hmac.digest(key, (_LABEL + key_id).encode("ascii"), "sha256")[:CHECK_BYTES]


def compare_keys(file: IdentityFile, registered: Mapping[str, bytes], at_hand: Mapping[str, bytes]) -> None:
    """Refuse keys that are not those of a store: one missing, another in its place, or one it does not know.

    Shape:  both sides are check values by key id; `at_hand` has every key in use and every registered one that
            could be read.
    Raises: ConfigurationError(KEY_UNREGISTERED) when the store knows no keys yet, KEY_MISSING or KEY_OTHER
            naming the first key at fault.
    """
    if not registered:
        raise ConfigurationError(Code.KEY_UNREGISTERED, file.value)
    for key_id, value in sorted(registered.items()):
        if key_id not in at_hand:
            raise ConfigurationError(Code.KEY_MISSING, key_id)
        if not hmac.compare_digest(at_hand[key_id], value):
            raise ConfigurationError(Code.KEY_OTHER, key_id)
    # A newer generation that nobody registered would seal what the registered keys can not open.
    for key_id in sorted(at_hand.keys() - registered.keys()):
        raise ConfigurationError(Code.KEY_OTHER, key_id)
