"""One unit of work: one transaction on one store, in the role of one duty.

Decides:    that everything a step changes, and the journal entry that says so, commit together.
Leaves:     what is written to the modules whose views it opens.
Invariants: an error inside rolls everything back and leaves as a StoreError without text (or as itself if it
            is ours). A commit whose outcome is unknown is looked up by the state of the package when the step
            is run again, never assumed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

import psycopg
from sqlalchemy import Connection, func, select

from juki.columns import IdentityFile
from juki.errors import SourceError
from juki.reasons import Code
from juki.store.bulk import cursor_of
from juki.store.checkpoints import CheckpointRegister
from juki.store.differences import Differences
from juki.store.disclosures import DisclosureRegister
from juki.store.engine import engine_now, sealed_errors
from juki.store.erasing import Erasing
from juki.store.holds import Holds
from juki.store.identities import Identities
from juki.store.journal import Journal
from juki.store.journal_reading import JournalReader
from juki.store.media import Media
from juki.store.operators import Operators, UsedAssertions
from juki.store.packages import PackageRegister
from juki.store.provisions import Provisions
from juki.store.reconciliations import Reconciliations
from juki.store.rejections import Rejections
from juki.store.repairs import Repairs
from juki.store.roles import Duty
from juki.store.tables import TABLES

_CHANNEL_LOCKS = 0x6368
_RECONCILIATION_LOCKS = 0x7263
_FORWARD_LOCKS = 0x6677
_PROVIDE_LOCKS = 0x7072


@dataclass(frozen=True, slots=True)
class Unit:
    """The views of one store that share one transaction."""

    file: IdentityFile
    connection: Connection

    @property
    def cursor(self) -> psycopg.Cursor:
        """A cursor of the driver on the same transaction, for COPY."""
        return cursor_of(self.connection)

    @property
    def identities(self) -> Identities:
        """The identity file."""
        return Identities(self.file, self.cursor)

    @property
    def packages(self) -> PackageRegister:
        """Packages and channels."""
        return PackageRegister(self.file, self.connection)

    @property
    def rejections(self) -> Rejections:
        """Findings and quarantined records."""
        return Rejections(self.file, self.cursor)

    @property
    def reconciliations(self) -> Reconciliations:
        """The register of reconciliations."""
        return Reconciliations(self.file, self.connection)

    @property
    def repairs(self) -> Repairs:
        """The identity file under repair."""
        return Repairs(self.file, self.cursor)

    @property
    def differences(self) -> Differences:
        """What differs from the municipalities."""
        return Differences(self.file, self.connection)

    @property
    def provisions(self) -> Provisions:
        """The register of provisions."""
        return Provisions(self.file, self.connection)

    @property
    def holds(self) -> Holds:
        """What is kept of provisions, and until when."""
        return Holds(self.file, self.connection)

    @property
    def erasing(self) -> Erasing:
        """The versions whose keeping is over."""
        return Erasing(self.file, self.connection)

    @property
    def media(self) -> Media:
        """The media data is handed over on."""
        return Media(self.file, self.connection)

    @property
    def journal(self) -> Journal:
        """The operation log."""
        return Journal(self.file, self.connection)

    @property
    def operators(self) -> Operators:
        """The register of operators, which is in the resident store."""
        return Operators(self.connection)

    @property
    def used_assertions(self) -> UsedAssertions:
        """The assertions that were used in this store."""
        return UsedAssertions(self.file, self.connection)

    @property
    def disclosures(self) -> DisclosureRegister:
        """The register of requests for disclosure, which is in the resident store."""
        return DisclosureRegister(self.connection)

    @property
    def checkpoints(self) -> CheckpointRegister:
        """What was signed of the operation log."""
        return CheckpointRegister(self.file, self.connection)

    @property
    def journal_reader(self) -> JournalReader:
        """The operation log, for reading."""
        return JournalReader(self.file, self.connection)

    def put_in_outbox(
        self, package_id: int, changes: int, at: datetime, notice_nos: list[int] | None = None
    ) -> None:
        """Note that J-LIS has to be told of what a package, or some notices of it, changed (法30条の7, 30条の42)."""
        if changes:
            row = {
                "package_id": package_id, "changes": changes, "created_at": at, "notice_nos": notice_nos,
            }  # fmt: skip
            self.connection.execute(TABLES[self.file].outbox.insert(), row)


@contextmanager
def open_unit(url: str, file: IdentityFile, duty: Duty = Duty.INTAKE) -> Iterator[Unit]:
    """Open a transaction; commit when the block ends well, roll back otherwise.

    Raises: StoreError for whatever the database says, transient when trying again may help.
    """
    with sealed_errors(), engine_now(url, file, duty).begin() as connection:
        yield Unit(file, connection)


@contextmanager
def channel_lock(url: str, file: IdentityFile, municipality_code: str) -> Iterator[None]:
    """Hold a channel for one run; whoever dies lets go, because the lock lives with the connection.

    Raises: SourceError(CHANNEL_BUSY) when another run holds it.
    """
    with _held(url, file, municipality_code, _CHANNEL_LOCKS, Code.CHANNEL_BUSY):
        yield


@contextmanager
def reconciliation_lock(url: str, file: IdentityFile, municipality_code: str) -> Iterator[None]:
    """Hold the reconciliation of a channel for one run, while the intake may go on.

    Raises: SourceError(RECONCILIATION_BUSY) when another run holds it.
    """
    with _held(url, file, municipality_code, _RECONCILIATION_LOCKS, Code.RECONCILIATION_BUSY):
        yield


@contextmanager
def forward_lock(url: str, file: IdentityFile) -> Iterator[None]:
    """Hold the notices of a file to J-LIS for one run, so that every number is given once.

    Raises: SourceError(JLIS_BUSY) when another run holds them.
    """
    with _held(url, file, file.value, _FORWARD_LOCKS, Code.JLIS_BUSY, Duty.PROVIDER):
        yield


@contextmanager
def provide_lock(url: str, file: IdentityFile) -> Iterator[None]:
    """Hold the answering of requests from one file for one run.

    Raises: SourceError(PROVISION_BUSY) when another run holds it.
    """
    with _held(url, file, file.value, _PROVIDE_LOCKS, Code.PROVISION_BUSY, Duty.PROVIDER):
        yield


@contextmanager
def _held(
    url: str, file: IdentityFile, held_for: str, locks: int, busy: Code, duty: Duty = Duty.INTAKE
) -> Iterator[None]:
    key = crc32(f"{file.value}|{held_for}".encode()) - 2**31
    with sealed_errors(), engine_now(url, file, duty).connect() as connection:
        held = connection.execute(select(func.pg_try_advisory_lock(locks, key))).scalar_one()
        connection.commit()
        if not held:
            raise SourceError(busy, held_for)
        yield
