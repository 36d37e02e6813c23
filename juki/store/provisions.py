"""The register of provisions: which request is answered by which, how far it has come, what came of its lines.

Decides:    the statements by which a provision goes on; what a recipient was answered in the last hours.
Leaves:     who may get what to `juki.authority`, what is kept until when to `juki.store.holds`.
Invariants: a request has one provision, another only when it was asked to run again; answers to one recipient are
            counted without gaps, for the number is drawn under a lock that is held until commit.
Source:     design 3, assessment M13, ADR-0026.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, Connection, Row, Table, func, select, text

from juki.authority import Granted
from juki.columns import IdentityFile
from juki.errors import StoreError
from juki.package_id import PackageId
from juki.probing import WINDOW, Lately
from juki.provisions import TRIES_BEFORE_ALARM, LineOutcome, Method, ProvisionState
from juki.reasons import Code, known_code
from juki.search import Answers
from juki.store.bulk import copy_in, cursor_of
from juki.store.tables import TABLES

_REGISTER_LOCK = 0x70727267
"""One registration at a time ("prrg"), so that what is swept was left by nobody alive."""
_SEQUENCE_LOCK = 0x70727371
"""One sealing at a time ("prsq"), so that sequences have no gaps."""
_ANSWERED = """
    SELECT coalesce(sum(lines), 0), coalesce(sum(not_found), 0) FROM provision
    WHERE recipient = :recipient AND (sealed_at > :since OR (decided_at > :since AND not_found IS NOT NULL))
"""
# What was looked for and then refused counts as well: the refusal itself tells something of who is there.
_ASKED_NOW = "CREATE TEMPORARY TABLE asked_now (resident_code text, times bigint) ON COMMIT DROP"
_SAME_PERSON = """
    SELECT coalesce(max(a.times + coalesce(b.times, 0)), 0) FROM asked_now a LEFT JOIN (
        SELECT p.resident_code, count(*) AS times FROM provided p JOIN provision v USING (provision_id)
        WHERE v.recipient = :recipient AND v.sealed_at > :since AND p.resident_code IS NOT NULL
        GROUP BY p.resident_code
    ) b USING (resident_code)
"""
_OPEN = (ProvisionState.RECEIVED.value, ProvisionState.APPROVED.value)


@dataclass(frozen=True, slots=True)
class Asking:
    """What is registered of a request as it comes in: nothing of the people it is about but their count."""

    recipient: str
    request_no: int
    method: Method
    sha256: bytes
    basis: str
    purpose: str
    consent_document: str | None
    lines: int
    received_at: datetime
    entered_by: str | None = None


@dataclass(frozen=True, slots=True)
class Provision:
    """One provision as it is registered."""

    provision_id: PackageId
    recipient: str
    request_no: int
    rerun_of: PackageId | None
    method: Method
    entered_by: str | None
    request_sha256: bytes
    basis: str
    basis_version: str | None
    article: str | None
    purpose: str
    consent_document: str | None
    fields: tuple[str, ...]
    with_number: bool
    lines: int
    state: ProvisionState
    code: Code | None
    received_at: datetime
    decided_at: datetime | None
    sealed_at: datetime | None
    delivered_at: datetime | None
    counts: Mapping[LineOutcome, int]
    sequence: int | None
    package_sha256: bytes | None
    package_bytes: int | None
    resent: int
    receipt_at: datetime | None
    tries: int
    """Runs that could not go on with it since it last went on."""
    failure: Code | None
    request_removed_at: datetime | None


@dataclass(frozen=True, slots=True)
class SealedPackage:
    """What is noted of a package when it is sealed."""

    sequence: int
    sha256: bytes
    size_bytes: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Provisions:
    """The register of one store, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    @property
    def _table(self) -> Table:
        return TABLES[self.file].provision

    # -- coming in ----------------------------------------------------------------------------------------

    def lock_registration(self) -> None:
        """Be the only one to register requests until commit."""
        self.connection.execute(select(func.pg_advisory_xact_lock(_REGISTER_LOCK)))

    def registered(self) -> list[PackageId]:
        """Name all provisions there are."""
        found = self.connection.execute(select(self._table.c.provision_id)).scalars()
        return [PackageId(self.file, number) for number in found]

    def register(self, asking: Asking, rerun_of: int | None = None) -> PackageId:
        """Register a request, or one that is to be answered once more, and give it its number."""
        row = {
            "recipient": asking.recipient, "request_no": asking.request_no, "rerun_of": rerun_of,
            "method": asking.method.value, "entered_by": asking.entered_by, "request_sha256": asking.sha256,
            "basis": asking.basis, "purpose": asking.purpose, "consent_document": asking.consent_document,
            "lines": asking.lines, "state": ProvisionState.RECEIVED.value, "received_at": asking.received_at,
        }  # fmt: skip
        statement = self._table.insert().values(row).returning(self._table.c.provision_id)
        return PackageId(self.file, int(self.connection.execute(statement).scalar_one()))

    def of_request(self, recipient: str, request_no: int) -> Provision | None:
        """Find the provision that answers a request, not counting those that ran again."""
        columns = self._table.c
        found = self._listed(
            columns.recipient == recipient, columns.request_no == request_no, columns.rerun_of.is_(None)
        )
        return found[0] if found else None

    # -- being answered -----------------------------------------------------------------------------------

    def open_ones(self) -> list[PackageId]:
        """Name the provisions that are to be answered, in the order they came."""
        query = select(self._table.c.provision_id).where(self._table.c.state.in_(_OPEN))
        return self._ids(query.order_by(self._table.c.provision_id))

    def undelivered(self) -> list[PackageId]:
        """Name the provisions that are sealed and not delivered, in the order they came."""
        query = select(self._table.c.provision_id).where(self._table.c.state == ProvisionState.SEALED.value)
        return self._ids(query.order_by(self._table.c.provision_id))

    def approve(self, number: int, granted: Granted, at: datetime) -> None:
        """Note what is granted, and by which article of which version."""
        self._update(
            number, state=ProvisionState.APPROVED.value, fields=[field.value for field in granted.fields],
            with_number=granted.with_number, basis_version=granted.version, article=granted.article, decided_at=at,
        )  # fmt: skip

    def refuse(
        self, number: int, code: Code, article: str | None, at: datetime, found: Answers | None = None
    ) -> None:
        """Note that nothing is given, and why; with what was found, where people had been looked for."""
        values: dict[str, Any] = {
            "state": ProvisionState.REFUSED.value,
            "code": code.value,
            "decided_at": at,
            "with_number": False,
        }
        if found is not None:
            values |= {outcome.value: found.count(outcome) for outcome in LineOutcome}
        self._update(number, **values, fields=[], article=article)

    def seal(self, number: int, answers: Answers, package: SealedPackage) -> None:
        """Note a sealed package with what came of each line, and whose data it holds."""
        counts = {outcome.value: answers.count(outcome) for outcome in LineOutcome}
        self._update(
            number, state=ProvisionState.SEALED.value, sealed_at=package.at, sequence=package.sequence,
            package_sha256=package.sha256, package_bytes=package.size_bytes, tries=0, failure=None, **counts,
        )  # fmt: skip
        rows = {
            "provision_id": pa.repeat(pa.scalar(number), len(answers)),
            "line": pa.array(range(1, len(answers) + 1), pa.int32()),
            "outcome": answers.outcomes,
            "resident_code": pc.if_else(pc.equal(answers.codes, ""), None, answers.codes),
        }
        copy_in(cursor_of(self.connection), "provided", pa.table(rows))

    def could_not_go_on(self, number: int, code: Code) -> None:
        """Count a run that could not go on with a provision that is neither refused nor delivered, and why."""
        columns = self._table.c
        still = columns.state.in_([*_OPEN, ProvisionState.SEALED.value])
        self.connection.execute(
            self._table.update()
            .where(columns.provision_id == number, still)
            .values(tries=columns.tries + 1, failure=code.value)
        )

    def tried_often(self) -> list[Provision]:
        """List the provisions that are still open after as many tries as need somebody, the newest first."""
        columns = self._table.c
        still = columns.state.in_([*_OPEN, ProvisionState.SEALED.value])
        return self._listed(still, columns.tries >= TRIES_BEFORE_ALARM)

    def next_sequence(self, recipient: str) -> int:
        """Draw the next place among the packages of a recipient; nobody else does until commit."""
        self.connection.execute(select(func.pg_advisory_xact_lock(_SEQUENCE_LOCK)))
        last = select(func.coalesce(func.max(self._table.c.sequence), 0)).where(
            self._table.c.recipient == recipient
        )
        return int(self.connection.execute(last).scalar_one()) + 1

    def lately(self, recipient: str, at: datetime, codes: pa.Array | None = None) -> Lately:
        """Count what a recipient was answered in the last 24 hours; with the people asked for now, "" for nobody."""
        asked = {"recipient": recipient, "since": at - WINDOW}
        lines, misses = self.connection.execute(text(_ANSWERED), asked).one()
        if codes is None:
            return Lately(int(lines), int(misses))
        counted = pc.value_counts(codes.filter(pc.not_equal(codes, "")))
        self.connection.execute(text(_ASKED_NOW))
        now = {"resident_code": counted.field("values"), "times": counted.field("counts")}
        copy_in(cursor_of(self.connection), "asked_now", pa.table(now))
        same = self.connection.execute(text(_SAME_PERSON), asked).scalar_one()
        return Lately(int(lines), int(misses), int(same))

    # -- looking ------------------------------------------------------------------------------------------

    def by_id(self, number: int, *, lock: bool = False) -> Provision:
        """Read one provision; StoreError(PROVISION_NOT_FOUND) when there is none."""
        found = self._listed(self._table.c.provision_id == number, lock=lock)
        if not found:
            raise StoreError(Code.PROVISION_NOT_FOUND, str(PackageId(self.file, number)))
        return found[0]

    def listed(
        self, limit: int, *, recipient: str = "", state: ProvisionState | None = None
    ) -> list[Provision]:
        """List provisions, the newest first."""
        wanted: list[ColumnElement[bool]] = []
        if recipient:
            wanted.append(self._table.c.recipient == recipient)
        if state is not None:
            wanted.append(self._table.c.state == state.value)
        return self._listed(*wanted, limit=limit)

    def sealed_ones(self) -> tuple[int, datetime | None]:
        """Count the provisions that are sealed and not handed over, and tell since when the oldest is."""
        columns = self._table.c
        query = select(func.count(), func.min(columns.sealed_at))
        row = self.connection.execute(query.where(columns.state == ProvisionState.SEALED.value)).one()
        return int(row[0]), row[1]

    def refused_since(self, since: datetime) -> int:
        """Count the requests refused since an instant."""
        columns = self._table.c
        wanted = (columns.state == ProvisionState.REFUSED.value, columns.decided_at > since)
        return int(self.connection.execute(select(func.count()).where(*wanted)).scalar_one())

    def _ids(self, query: Any) -> list[PackageId]:
        return [PackageId(self.file, number) for number in self.connection.execute(query).scalars()]

    def _listed(
        self, *wanted: ColumnElement[bool], limit: int | None = None, lock: bool = False
    ) -> list[Provision]:
        query = select(self._table).where(*wanted).order_by(self._table.c.provision_id.desc()).limit(limit)
        rows = self.connection.execute(query.with_for_update() if lock else query)
        return [_provision(self.file, row) for row in rows]

    def _update(self, number: int, **values: Any) -> None:
        """Change a provision that is still to be answered; whoever was faster has ended it, and that stands."""
        changed = self.connection.execute(
            self._table.update()
            .where(self._table.c.provision_id == number, self._table.c.state.in_(_OPEN))
            .values(values)
        )
        if changed.rowcount != 1:
            raise StoreError(Code.STORE_CONFLICT, str(PackageId(self.file, number)), is_transient=True)


_AS_THEY_ARE = (
    "recipient", "request_no", "entered_by", "basis", "basis_version", "article", "purpose", "consent_document",
    "with_number", "lines", "received_at", "decided_at", "sealed_at", "delivered_at", "sequence", "package_bytes",
    "resent", "receipt_at", "tries", "request_removed_at",
)  # fmt: skip


def _provision(file: IdentityFile, row: Row[Any]) -> Provision:
    said = row._asdict()
    return Provision(
        provision_id=PackageId(file, said["provision_id"]),
        rerun_of=PackageId(file, said["rerun_of"]) if said["rerun_of"] else None,
        method=Method(said["method"]),
        request_sha256=bytes(said["request_sha256"]),
        fields=tuple(said["fields"]),
        state=ProvisionState(said["state"]),
        code=known_code(said["code"]) if said["code"] else None,
        failure=known_code(said["failure"]) if said["failure"] else None,
        counts=_counts(said),
        package_sha256=bytes(said["package_sha256"]) if said["package_sha256"] else None,
        **{name: said[name] for name in _AS_THEY_ARE},
    )


def _counts(said: Mapping[str, Any]) -> dict[LineOutcome, int]:
    """Count the lines by outcome; nothing where none were answered."""
    outcomes: Sequence[LineOutcome] = list(LineOutcome)
    return {one: said[one.value] for one in outcomes if said[one.value] is not None}
