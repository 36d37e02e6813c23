"""What `juki doctor` looks at: files, keys, certificates, disks, databases, witnesses, operators, site, mail.

Decides:    where each thing is looked for, and that a look that fails is itself a finding.
Leaves:     what is wrong to `juki.doctor`, rows to `juki.store.examination`.
Invariants: nothing is changed; no exception leaves a look, and of one that nobody foresaw only its kind is told.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from config.identities import recipient_keys, signing_identity
from config.issuers import load_issuers
from config.logs import log_keys
from config.municipalities import Municipalities
from config.notifying import mail_server
from config.recipients import load_recipients
from config.schedules import wanted_deployments
from config.settings import Settings
from config.store_keys import keys_at_hand
from config.stores import admin_url, is_embedded
from config.validities import (
    gateway_validities,
    municipality_validities,
    own_validities,
    recipient_validities,
)
from juki.columns import IdentityFile
from juki.credentials import Credentials
from juki.dates import civil_date
from juki.doctor import (
    Closed,
    Finding,
    Subject,
    Validity,
    judge_clock,
    judge_closed,
    judge_disk,
    judge_operators,
    judge_store,
    judge_validity,
)
from juki.errors import JukiError
from juki.home import Home
from juki.key_checks import compare_keys
from juki.keys import read_private
from juki.reasons import Code
from juki.schedules import judge_schedules
from juki.site import SiteFiles, SiteState
from juki.store.accounts import server_account
from juki.store.examination import Examination, examine
from juki.store.key_register import keys_of_store
from juki.store.roles import Duty
from juki.store.unit import open_unit
from juki.wire.site_api import SiteApi
from juki.wire.site_schedules import deployments_there

_MIB = 1024 * 1024


def looked(subject: Subject, ref: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Look, as far as it goes; what stops the look is told after what it found before."""
    code, where = None, ref
    try:
        yield from look()
    except JukiError as error:
        code, where = error.code, " ".join(filter(None, (ref, error.ref)))
    except Exception as error:  # noqa: BLE001 - a doctor that stops at the first wound finds no other
        code, where = Code.RUN_UNEXPECTED, f"{ref} {type(error).__name__}"
    if code is not None:
        yield Finding(subject, where, code)


@dataclass(frozen=True, slots=True)
class Looks:
    """The looks at one installation whose settings could be read."""

    home: Home
    settings: Settings
    clock: Callable[[], datetime]

    def permissions(self) -> Iterator[Finding]:
        """Look at who may look into our folders and keys."""
        for path in (self.home.root, *dict.fromkeys((*self.home.own_folders, self.home.outbox))):
            yield from self._closed(path)
        for folder in (self.home.keys, self.home.holds):
            for path in sorted(folder.glob("*")):
                yield from self._closed(path)
        for name in ("password", "encryption-key", "site-key"):
            path = self.home.prefect / name
            yield from self._closed(path)

    def _closed(self, path: Path) -> Iterator[Finding]:
        """Judge one, unless it is not there (yet, or any more): keys of holds are erased while we look."""
        with contextlib.suppress(FileNotFoundError):
            found = path.stat()
            is_server = path == self.home.postgres
            owner = self._server_owner() if is_server else os.geteuid()
            # Root lends the embedded server another account, which has to pass through the home.
            may_pass = path == self.home.root and os.geteuid() == 0
            ref = str(path.relative_to(self.home.root.parent))
            yield judge_closed(Closed(ref, found.st_mode, found.st_uid, owner, may_pass))

    def _server_owner(self) -> int:
        return server_account(self.home.postgres / "data").uid

    def keys(self) -> Iterator[Finding]:
        """Look whether our own keys are there and belong to our certificates."""
        recipient_keys(self.home)
        yield Finding(Subject.KEYS, "prefecture.key")
        signing_identity(self.home)
        yield Finding(Subject.KEYS, "prefecture_signing.key")
        read_private(Credentials(self.home.keys).sftp_key)
        yield Finding(Subject.KEYS, "sftp_client.key")
        keys = log_keys(self.home, self.settings)
        keys.signing_key()
        keys.verifiers()
        yield Finding(Subject.KEYS, "log_signing")

    def validities(self, municipalities: Municipalities) -> Iterator[Finding]:
        """Look until when the certificates of everybody hold; one that can not be read hides no other."""
        yield from self._validity("prefecture", partial(own_validities, self.home))
        for office in municipalities.municipality:
            yield from self._validity(office.code, partial(municipality_validities, self.home, office))
        yield from self._validity("issuers.toml", partial(gateway_validities, self.home, self.clock()))
        yield from looked(Subject.SETTINGS, "recipients.toml", self._recipients)

    def _recipients(self) -> Iterator[Finding]:
        for one in load_recipients(self.home).recipient:
            yield from self._validity(one.code, partial(recipient_validities, self.home, one))
        yield Finding(Subject.SETTINGS, "recipients.toml")

    def _validity(self, ref: str, read: Callable[[], Iterable[Validity]]) -> Iterator[Finding]:
        now = self.clock()
        return looked(Subject.VALIDITY, ref, lambda: (judge_validity(one, now) for one in read()))

    def disks(self) -> Iterator[Finding]:
        """Look at the room for our files, and for the data of the embedded server where it lies elsewhere."""
        places = [self.home.root, *([self.home.postgres] if is_embedded(self.settings) else [])]
        by_disk = {path.stat().st_dev: path for path in reversed(places)}
        for path in by_disk.values():
            free = shutil.disk_usage(path).free
            yield judge_disk(path.name, free, self.settings.disk_free_alert_mib * _MIB)

    def store(self, file: IdentityFile) -> Iterator[Finding]:
        """Look at one database: its clock, what it is, and whether it knows the keys that are here."""
        url = admin_url(self.home, self.settings, file)
        with examine(url, file) as found:
            yield self._clock_of(file, found)
            yield from judge_store(file.value, found.fitness())
        registered = keys_of_store(url, file) or {}
        yield from looked(Subject.KEYS, file.value, lambda: self._fitting(file, registered))
        if file is IdentityFile.RESIDENT:
            yield from looked(Subject.OPERATORS, "operator", lambda: self._operators(url))

    def _clock_of(self, file: IdentityFile, found: Examination) -> Finding:
        # The first question pays for the way: the second is the one that counts.
        found.clock()
        before = self.clock()
        theirs = found.clock()
        return judge_clock(file.value, before, theirs, self.clock())

    def _fitting(self, file: IdentityFile, registered: dict[str, bytes]) -> Iterator[Finding]:
        compare_keys(file, registered, keys_at_hand(self.home, file, registered))
        yield Finding(Subject.KEYS, file.value)

    def _operators(self, url: str) -> list[Finding]:
        today = civil_date(self.clock())
        with open_unit(url, IdentityFile.RESIDENT, Duty.AUDITOR) as unit:
            registered = [one for one in unit.operators.listed() if one.removed_at is None]
            active, lasting = (
                unit.operators.administrators(today),
                unit.operators.lasting_administrators(today),
            )
        return judge_operators(active, lasting, len(registered), len(load_issuers(self.home)))

    def witnesses(self) -> Iterator[Finding]:
        """Look whether each witness can be written to, and lies outside the database."""
        databases = list(self._data_folders())
        for folder in self.settings.witnesses(self.home):
            inside = any(folder.resolve().is_relative_to(one) for one in databases)
            code = Code.WITNESS_BESIDE_DATABASE if inside else None
            if not (folder.is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK)):
                code = Code.WITNESS_UNREACHABLE
            yield Finding(Subject.WITNESS, folder.name, code)

    def _data_folders(self) -> Iterator[Path]:
        """List where databases lie on this machine; a store that does not answer is told by its own look."""
        yield self.home.postgres.resolve()
        for file in IdentityFile:
            try:
                with examine(admin_url(self.home, self.settings, file), file) as found:
                    folder = found.data_folder()
            except JukiError:
                folder = None
            if folder is not None:
                yield folder.resolve()

    def site(self) -> Iterator[Finding]:
        """Look whether schedules run, and where they do, whether they are those that were decided."""
        files = SiteFiles(self.home)
        note, now = files.note(), self.clock()
        state = note.state_at(now) if note else SiteState.DOWN
        yield Finding(Subject.SITE, state.value, note.trouble_at(now) if note else Code.SITE_DOWN)
        if note and note.is_serving_at(now):
            api = SiteApi(note.port, files.credentials())
            yield from judge_schedules(wanted_deployments(), deployments_there(api))

    def mail(self) -> Iterator[Finding]:
        """Look whether the password of the mail server can be read and said; nobody is asked."""
        server = mail_server(self.settings)
        yield Finding(Subject.MAIL, server.host if server else "off")


def now_utc() -> datetime:
    """Read the clock of this machine."""
    return datetime.now(UTC)
