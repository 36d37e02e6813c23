"""What a task needs to do its work: home, settings, registrations and keys, in the types the core has.

Decides:    nothing; it carries the values of the configuration to the core.
Invariants: lives within one process; never a parameter, a result or a log line of Prefect.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pyarrow as pa

from config import stores
from config.identities import endpoint_of, sender_of
from config.municipalities import Municipalities, load_municipalities
from config.places import known_municipality_codes
from config.scanning import scan_gate_of
from config.settings import Settings, home_of, load_settings
from config.store_keys import keys_at_hand
from juki.columns import IdentityFile
from juki.home import Home
from juki.key_checks import compare_keys
from juki.keys import FileKeys, Purpose
from juki.numbers import SealingKey
from juki.order import Channel
from juki.quota import Quota
from juki.rules import CheckDigitPolicy, RecordContext
from juki.store.key_register import KeyRegister
from juki.store.unit import Unit
from juki.wire.endpoint import Endpoint
from juki.wire.envelope import Sender
from juki.wire.scan_gate import ScanGate

_MIB = 1024**2


class Received(Protocol):
    """What records came in, as far as checking them needs: a fetched package, or a repair of our own."""

    @property
    def file_name(self) -> str:
        """The name by which it is registered."""

    @property
    def received_at(self) -> datetime:
        """The instant at which it was here."""


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """The active keys of one store."""

    number: SealingKey
    quarantine: SealingKey
    index: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Workshop:
    """One installation, opened."""

    home: Home
    settings: Settings
    municipalities: Municipalities

    @classmethod
    def open(cls) -> Workshop:
        """Open the installation this process works for.

        Raises: ConfigurationError naming what is missing or wrong.
        """
        # Arrow's own allocator gives large blocks back and gets them anew, page by page, for every package.
        pa.set_memory_pool(pa.system_memory_pool())
        home = home_of()
        settings = load_settings(home)
        return cls(home, settings, load_municipalities(home, settings.prefecture_code))

    def store_url(self, file: IdentityFile) -> str:
        """Tell where the store of a file is."""
        return stores.admin_url(self.home, self.settings, file)

    def check_keys(self, unit: Unit) -> None:
        """Refuse to work a store with keys that are not its own.

        Raises: ConfigurationError(KEY_MISSING, KEY_OTHER, KEY_UNREGISTERED, KEY_PERMISSIONS).
        """
        registered = KeyRegister(unit.file, unit.connection).registered()
        compare_keys(unit.file, registered, keys_at_hand(self.home, unit.file, registered))

    def keyring(self, file: IdentityFile) -> Keyring:
        """Read the active keys of a store."""
        keys = FileKeys(self.home.keys)

        def active(purpose: Purpose) -> SealingKey:
            return self.sealing_key(keys.active(file, purpose))

        return Keyring(
            number=active(Purpose.NUMBER),
            quarantine=active(Purpose.QUARANTINE),
            index=active(Purpose.INDEX).key,
            digest=active(Purpose.DIGEST).key,
        )

    def sealing_key(self, key_id: str) -> SealingKey:
        """Read the key a ciphertext names, active or not."""
        return SealingKey(key_id, FileKeys(self.home.keys).key(key_id))

    def endpoint(self, channel: Channel) -> Endpoint:
        """Tell where the CS of a channel is and how to log in there."""
        return endpoint_of(self.home, self.settings, self.municipalities.of(channel.municipality_code))

    @property
    def quota(self) -> Quota:
        """Tell how much one channel may hold: half of its municipality's share, for both are worked at once."""
        spool, quarantine = self.settings.spool_quota_mib, self.settings.quarantine_quota_mib
        return Quota(spool * _MIB // len(IdentityFile), quarantine * _MIB // len(IdentityFile))

    @property
    def scan_gate(self) -> ScanGate:
        """Tell what every inbound file passes before it is opened."""
        return scan_gate_of(self.settings)

    def sender(self, channel: Channel) -> Sender:
        """Tell whose signature a package of a channel must bear."""
        return sender_of(self.home, self.municipalities.of(channel.municipality_code))

    def record_context(self, channel: Channel, package: Received) -> RecordContext:
        """Tell the rules what they must know besides the records of a package."""
        return self.context_of(channel, package.file_name, package.received_at)

    def context_of(self, channel: Channel, file_name: str, received_at: datetime) -> RecordContext:
        """Tell the rules what they must know besides records that are in no package of the register."""
        return RecordContext(
            sender_code=channel.municipality_code,
            package=file_name,
            received_at=received_at,
            known_municipalities=known_municipality_codes(),
            resident_code_check=CheckDigitPolicy(self.settings.resident_code_check),
        )
