"""Provisions as the flow that answers requests leaves them, without that flow: rows, kept packages, recipients.

One installation with two recipients whose folders are there, real stores, and people with numbers in the resident
file. `at` is the instant its clock is held at.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import psycopg
from cryptography.hazmat.primitives import serialization

from juki.columns import IdentityFile
from juki.custody.custody import Custody
from juki.holds import Hold
from juki.home import Home
from juki.identity import plan_changes
from juki.keys import FileKeys, Purpose
from juki.numbers import SealingKey
from juki.operators import Acting
from juki.package_id import PackageId
from juki.reasons import Code
from juki.store.roles import Duty
from juki.store.unit import open_unit
from juki.versions import Origin
from simulator import pki, recipients
from tests.conftest import Stores
from tests.notice_tables import HERE, notice, notices

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
START = datetime(2026, 4, 1, tzinfo=UTC)
HOLD, AFTER_RECEIPT = timedelta(hours=72), timedelta(hours=24)
RECIPIENTS = ("zeimu", "kyoiku")
SETTINGS = (
    "jlis_answer_alert_hours = 24",
    "gap_deadline_hours = 24", "contact_alert_hours = 24", "confirmed_alert_hours = 200",
    "snapshot_deadline_hours = 12", "hold_period_hours = 72", "hold_after_receipt_hours = 24",
)  # fmt: skip
_CODES = itertools.count(1)
BASIS = "beppyo5-1"
"""By which everything is provided here, numbers included: so it is decided in this installation."""


def check_digit(digits: str, weights: Sequence[int]) -> str:
    """Compute the last digit of a number or a code."""
    rest = sum(int(digit) * weight for digit, weight in zip(reversed(digits), weights, strict=False)) % 11
    return str(0 if rest <= 1 else 11 - rest)


def number_of(serial: int) -> str:
    """Make a number that passes its check; visibly made up."""
    digits = f"9{serial:010d}"
    return digits + check_digit(digits, [2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6])


def code_of(serial: int) -> str:
    """Make a code that passes its check."""
    digits = f"8{serial:09d}"
    return digits + check_digit(digits, [2, 3, 4, 5, 6, 7, 2, 3, 4, 5])


@cache
def _certificates() -> dict[str, bytes]:
    """Make the certificates that are registered, once a session: an authority and one for each recipient."""
    root = pki.make_root()
    made = {"root.crt": root.certificate}
    made |= {f"{code}.crt": pki.issue(root, code, pki.rsa_key()).certificate for code in RECIPIENTS}
    return {name: one.public_bytes(serialization.Encoding.PEM) for name, one in made.items()}


@dataclass(slots=True)
class Lender:
    """An installation that lends numbers out, and the hands that prepare it."""

    home: Home
    stores: Stores
    at: datetime = START
    registration: dict[str, dict[str, Any]] = field(default_factory=dict)
    refusal: Code | None = None
    """What the registrations of now say against handing anything over."""
    _serial: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    def __post_init__(self) -> None:
        """Create home, keys, settings, recipients and their folders."""
        self.home.create()
        keys = FileKeys(self.home.keys)
        for file, purpose in keys.missing():
            keys.create(file, purpose)
        self.home.settings_file.write_text("\n".join(SETTINGS), "utf-8")
        for recipient in RECIPIENTS:
            self.folder(recipient).mkdir(parents=True, exist_ok=True)
            self.folder(recipient, "arrivals").mkdir(parents=True, exist_ok=True)
        self.register()

    @property
    def environment(self) -> dict[str, str]:
        """What a process that works for this installation must find in its environment."""
        return {
            "JUKI_HOME": str(self.home.root), "JUKI_RESIDENT_URL": self.stores.resident_url,
            "JUKI_FUHYO_URL": self.stores.fuhyo_url,
        }  # fmt: skip

    def register(self) -> None:
        """Write recipients.toml; `registration` overrides what a test needs to be real."""
        parts = []
        for number, recipient in enumerate(RECIPIENTS):
            values = {
                "code": recipient, "name": recipient, "kind": "transfer", "receiver": "総務部",
                "signing_certificates": [f"{number:064d}"], "roots": ["root.crt"],
                "encryption_certificate": f"{recipient}.crt", "delivery": f"out/{recipient}",
                "arrivals": f"in/{recipient}", "bases": [BASIS],
            } | self.registration.get(recipient, {})  # fmt: skip
            lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
            parts.append("\n".join(["[[recipient]]", *lines, ""]))
        self.home.recipients_file.write_text("\n".join(parts), "utf-8")
        recipients.allow_numbers(self.home, [BASIS], date(2026, 1, 1))
        for name, pem in _certificates().items():
            path = self.home.root / name
            if not path.exists():
                path.write_bytes(pem)

    def folder(self, recipient: str, which: str = "delivery") -> Any:
        """Name a folder of a recipient."""
        return self.home.root / ("out" if which == "delivery" else "in") / recipient

    def custody(self, actor: str = "test") -> Custody:
        """Act in this installation by its held clock."""
        from config.settings import load_settings

        urls = {file: self.stores.url(file) for file in IdentityFile}
        terms = load_settings(self.home).hold_terms
        return Custody(
            self.home, urls, terms, self.folder, lambda: self.at, lambda hold, at: self.refusal, Acting(actor)
        )

    def pass_time(self, **how: float) -> None:
        """Let time pass."""
        self.at += timedelta(**how)

    # -- people -------------------------------------------------------------------------------------------

    def people(self, count: int, *, numbers: Sequence[str] = ()) -> list[str]:
        """Enter people into the resident file, with the numbers given or made up; return their codes."""
        serials = [next(_CODES) for _ in range(count)]
        codes = [code_of(serial) for serial in serials]
        held = list(numbers) or [number_of(serial) for serial in serials]
        rows = [
            notice(resident_code=code, individual_number=number)
            for code, number in zip(codes, held, strict=True)
        ]
        keys = FileKeys(self.home.keys)
        key_id = keys.active(RESIDENT, Purpose.NUMBER)
        with open_unit(self.stores.url(RESIDENT), RESIDENT) as unit:
            package = notices(rows, RESIDENT, HERE, serials[0])
            known = unit.identities.known(package)
            plan = plan_changes(package, known)
            origin = Origin(HERE, serials[0], date(2026, 3, 25))
            unit.identities.apply(package, known, plan, origin, SealingKey(key_id, keys.key(key_id)))
        return codes

    # -- provisions ---------------------------------------------------------------------------------------

    def approved(
        self, file: IdentityFile = FUHYO, recipient: str = "zeimu", *, with_number: bool = True, **values: Any
    ) -> PackageId:
        """Register a provision that the law gives and that is not sealed yet."""
        row = {
            "recipient": recipient, "request_no": next(self._serial), "method": "file",
            "request_sha256": hashlib.sha256(b"request").digest(), "basis": BASIS,
            "basis_version": "2026-06-01", "purpose": "test", "with_number": with_number, "lines": 1,
            "state": "approved", "received_at": self.at, "decided_at": self.at,
        } | values  # fmt: skip
        names = ", ".join(row)
        marks = ", ".join(f"%({name})s" for name in row)
        with psycopg.connect(self.stores.url(file)) as connection:
            statement = f"INSERT INTO provision ({names}) VALUES ({marks}) RETURNING provision_id"
            found = connection.execute(statement, row).fetchone()  # type: ignore[call-overload]
        assert found is not None
        return PackageId(file, found[0])

    def seal(self, provision: PackageId, content: bytes = b"sealed", numbers: int = 1) -> None:
        """Keep the package of an approved provision, and note it as sealed with its hold open."""
        custody = self.custody()
        key = custody.opened(provision, numbers)
        custody.copies.keep(provision, key, content)
        with psycopg.connect(self.stores.url(provision.file)) as connection:
            connection.execute(
                "UPDATE provision SET state = 'sealed', sealed_at = %s, package_sha256 = %s, package_bytes = %s,"
                " sequence = (SELECT coalesce(max(sequence), 0) + 1 FROM provision o"
                " WHERE o.recipient = provision.recipient) WHERE provision_id = %s",
                (self.at, hashlib.sha256(content).digest(), len(content), provision.number),
            )
        with custody.unit(provision.file, Duty.PROVIDER) as unit:
            unit.holds.open(provision.number, numbers, self.at, custody.terms.due_at(sealed_at=self.at))

    def sealed(self, file: IdentityFile = FUHYO, content: bytes = b"sealed", **how: Any) -> PackageId:
        """Register a provision up to its sealed package."""
        provision = self.approved(file, **how)
        self.seal(provision, content)
        return provision

    def delivered(self, file: IdentityFile = FUHYO, content: bytes = b"sealed", **how: Any) -> PackageId:
        """Register a provision up to its delivery."""
        from juki.custody.handing_over import deliver

        provision = self.sealed(file, content, **how)
        deliver(self.custody(), provision)
        return provision

    # -- looking ------------------------------------------------------------------------------------------

    def hold(self, provision: PackageId) -> Hold:
        """Read a hold."""
        return self.custody().hold(provision)

    def rows(self, file: IdentityFile, query: str) -> list[tuple[Any, ...]]:
        """Ask a store directly."""
        with psycopg.connect(self.stores.url(file)) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]

    def entries(self, file: IdentityFile, action: str = "") -> list[dict[str, Any]]:
        """Read the entries of the operation log, of one action or all."""
        said = [
            json.loads(entry) for (entry,) in self.rows(file, "SELECT entry FROM journal ORDER BY entry_no")
        ]
        return [one for one in said if not action or one["action"] == action]

    def is_kept(self, provision: PackageId) -> bool:
        """Tell whether anything of a provision is left: key, copy, rows."""
        custody = self.custody()
        query = f"SELECT count(*) FROM held_number WHERE provision_id = {provision.number}"
        rows = self.rows(FUHYO, query)[0][0] if provision.file is FUHYO else 0
        return bool(rows or custody.keys.exists(provision) or custody.copies.exists(provision))


@contextmanager
def working_for(lender: Lender) -> Iterator[None]:
    """Let this process work for an installation, at its held clock."""
    from tasks import clock

    before = {name: os.environ.get(name) for name in lender.environment}
    os.environ.update(lender.environment)
    try:
        with clock.held_at(lender.at):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
