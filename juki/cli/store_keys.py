"""The keys a command needs to look somebody up in one store, held to those the store was installed with.

Invariants: with other keys nobody would be found and no entry be found again, without a word: so they are compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from config.store_keys import keys_at_hand
from juki.cli.installation import Installation
from juki.key_checks import compare_keys
from juki.keys import FileKeys, Purpose
from juki.numbers import SealingKey
from juki.store.key_register import KeyRegister
from juki.store.unit import Unit


@dataclass(frozen=True, slots=True, repr=False)
class StoreKeys:
    """What searches, opens and names people of one store."""

    index: bytes
    subject: SealingKey
    key_of: Callable[[str], SealingKey]


def keys_of(installation: Installation, unit: Unit) -> StoreKeys:
    """Read the keys of a store.

    Raises: ConfigurationError(KEY_MISSING, KEY_OTHER, KEY_UNREGISTERED, KEY_PERMISSIONS).
    """
    keys, file = FileKeys(installation.home.keys), unit.file
    registered = KeyRegister(file, unit.connection).registered()
    compare_keys(file, registered, keys_at_hand(installation.home, file, registered))

    def key_of(key_id: str) -> SealingKey:
        return SealingKey(key_id, keys.key(key_id))

    subject = key_of(keys.active(file, Purpose.SUBJECT))
    return StoreKeys(keys.key(keys.active(file, Purpose.INDEX)), subject, key_of)
