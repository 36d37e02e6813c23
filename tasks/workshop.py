"""What a task needs to do its work: the home, the settings, the registrations, the keys, each opened once.

Decides:    nothing; it hands the values of the configuration to the core in the types the core has.
Invariants: lives within one process and is never a parameter, result or log line of Prefect.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from cryptography import x509

from config import registry, stores
from config.municipalities import Municipalities, load_municipalities
from config.places import known_municipality_codes
from config.settings import Settings, home_of, load_settings
from juki.columns import IdentityFile
from juki.home import Home
from juki.keys import FileKeys, Purpose
from juki.numbers import SealingKey
from juki.wire.certificates import Sender
from juki.wire.endpoint import Endpoint
from juki.wire.sealed import RecipientKeys
from juki.wire.signed import SigningIdentity


@dataclass(frozen=True)
class FileKeyring:
    """The active keys of one store."""

    number: SealingKey
    quarantine: SealingKey
    index: bytes
    digest: bytes


@dataclass(frozen=True)
class Workshop:
    """One installation, opened."""

    home: Home
    settings: Settings
    municipalities: Municipalities

    @classmethod
    def open(cls) -> Workshop:
        """Open the installation this process works for."""
        home = home_of()
        settings = load_settings(home)
        return cls(home, settings, load_municipalities(home, settings.prefecture_code))

    def store_url(self, file: IdentityFile) -> str:
        """Where the store of a file is."""
        return stores.admin_url(self.home, self.settings, file)

    def keyring(self, file: IdentityFile) -> FileKeyring:
        """The active keys of a store."""
        keys = FileKeys(self.home.keys)

        def active(purpose: Purpose) -> SealingKey:
            key_id = keys.active(file, purpose)
            return SealingKey(key_id, keys.key(key_id))

        return FileKeyring(
            number=active(Purpose.NUMBER),
            quarantine=active(Purpose.QUARANTINE),
            index=active(Purpose.INDEX).key,
            digest=active(Purpose.DIGEST).key,
        )
