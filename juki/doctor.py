"""Whether the machine under an installation is fit: what was looked at, and what is wrong with it (`juki doctor`).

Decides:    the bounds (clocks, disk, ends of validity, the oldest server) and which code each judgement leads to.
Leaves:     looking to `juki.cli.doctor_looks`, `config.validities` and `juki.store.examination`.
Invariants: values in, findings out; a finding names a file, a folder, a role or a registration, never a person.
Source:     ADR-0002, ADR-0004, ADR-0030, ADR-0036, measures M7, M8, M9.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from juki.operators import ENOUGH_ADMINISTRATORS
from juki.reasons import Code, Severity

CLOCK_ALERT, CLOCK_ERROR = timedelta(seconds=5), timedelta(seconds=60)
"""Beyond half a minute assertions are refused already (`juki.assertions.SKEW`)."""
CERTIFICATE_ALERT = timedelta(days=30)
LIST_ALERT = timedelta(days=2)
"""Revocation lists live a week or less: thirty days would always alarm."""
OLDEST_SERVER = 15
_SHORT_SHARE = 10
"""A tenth of the room that is little is too little: one package of a large town would not fit."""


class Subject(StrEnum):
    """What is looked at, in the order of the screen."""

    SETTINGS = "settings"
    PERMISSIONS = "permissions"
    KEYS = "keys"
    VALIDITY = "validity"
    DISK = "disk"
    CLOCK = "clock"
    STORE = "store"
    WITNESS = "witness"
    OPERATORS = "operators"
    SITE = "site"
    MAIL = "mail"

    @property
    def japanese(self) -> str:
        """The words on screens."""
        return _JAPANESE[self]


_JAPANESE = {
    Subject.SETTINGS: "設定と登録", Subject.PERMISSIONS: "ファイルの権限", Subject.KEYS: "鍵",
    Subject.VALIDITY: "証明書などの期限", Subject.DISK: "ディスクの空き", Subject.CLOCK: "時計",
    Subject.STORE: "データベースの版と権限", Subject.WITNESS: "チェックポイントの保管先",
    Subject.OPERATORS: "操作者と認証装置", Subject.SITE: "予定（Prefect）", Subject.MAIL: "警報のメール",
}  # fmt: skip


class State(StrEnum):
    """How something was found."""

    OK = "ok"
    ALERT = "alert"
    ERROR = "error"

    @property
    def japanese(self) -> str:
        """The word on screens."""
        return {"ok": "良好", "alert": "注意", "error": "誤り"}[self.value]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; without a code it is as it should be."""

    subject: Subject
    ref: str
    """What it is: a file, a folder, a store, a registration."""
    code: Code | None = None

    @property
    def state(self) -> State:
        """How it was found."""
        if self.code is None:
            return State.OK
        return State.ERROR if self.code.severity is Severity.ERROR else State.ALERT


def worst(findings: Iterable[Finding]) -> State:
    """Sum up: the worst state; something that was not looked at is not in order."""
    ranks = list(State)
    return max((one.state for one in findings), key=ranks.index, default=State.ERROR)


@dataclass(frozen=True, slots=True)
class Closed:
    """A file or folder only its owner may look into, as it was found."""

    ref: str
    mode: int
    owner: int
    wanted_owner: int
    may_pass: bool = False
    """Whether others may go through without looking: the home of an installation run by root."""


def judge_closed(found: Closed) -> Finding:
    """Find what others may look into, or what is somebody else's."""
    opened = found.mode & (0o066 if found.may_pass else 0o077)
    wrong = bool(opened) or found.owner != found.wanted_owner
    return Finding(Subject.PERMISSIONS, found.ref, Code.HOME_NOT_PRIVATE if wrong else None)


def judge_clock(ref: str, before: datetime, theirs: datetime, after: datetime) -> Finding:
    """Hold this clock, read before and after, to that of a database; the way there and back counts for nothing."""
    apart = max(before - theirs, theirs - after)
    if apart >= CLOCK_ERROR:
        return Finding(Subject.CLOCK, ref, Code.CLOCK_FAR_APART)
    return Finding(Subject.CLOCK, ref, Code.CLOCK_APART if apart >= CLOCK_ALERT else None)


def judge_disk(ref: str, free_bytes: int, little_bytes: int) -> Finding:
    """Find where there is little room, and where there is too little."""
    if free_bytes * _SHORT_SHARE < little_bytes:
        return Finding(Subject.DISK, ref, Code.DISK_SHORT)
    return Finding(Subject.DISK, ref, Code.DISK_LOW if free_bytes < little_bytes else None)


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until when something holds that has to be renewed in time; open where nobody has set an end."""

    ref: str
    begins_at: datetime
    ends_at: datetime | None
    is_revocation_list: bool = False


def judge_validity(found: Validity, now: datetime) -> Finding:
    """Find what does not hold now, and what will soon hold no more."""
    is_over = found.ends_at is not None and found.ends_at < now
    if is_over or now < found.begins_at:
        code = Code.REVOCATION_LIST_OUTDATED if found.is_revocation_list else Code.CERTIFICATE_NOT_VALID
        return Finding(Subject.VALIDITY, found.ref, code)
    notice = LIST_ALERT if found.is_revocation_list else CERTIFICATE_ALERT
    is_near = found.ends_at is not None and found.ends_at - now < notice
    return Finding(Subject.VALIDITY, found.ref, Code.CERTIFICATE_EXPIRING if is_near else None)


@dataclass(frozen=True, slots=True)
class Fitness:
    """What a database says of itself; `missing` and `surplus` are rights as `role privilege object`."""

    server_major: int
    revision: str
    newest_revision: str
    missing: Sequence[str]
    surplus: Sequence[str]


def judge_store(ref: str, found: Fitness) -> list[Finding]:
    """Find an old server, another schema, and roles that may more or less than their duty.

    Rights are told of the present schema only: those of another one differ because it does.
    """
    is_old = found.server_major < OLDEST_SERVER
    findings = [
        Finding(Subject.STORE, f"{ref} PostgreSQL {found.server_major}", _if(is_old, Code.STORE_SERVER_OLD))
    ]
    is_other = found.revision != found.newest_revision
    findings.append(
        Finding(Subject.STORE, f"{ref} {found.revision or '-'}", _if(is_other, Code.STORE_SCHEMA))
    )
    if not is_other:
        rights = [*(f"- {one}" for one in found.missing), *(f"+ {one}" for one in found.surplus)]
        told = [Finding(Subject.STORE, f"{ref} {one}", Code.STORE_RIGHTS) for one in rights]
        findings += told or [Finding(Subject.STORE, f"{ref} roles")]
    return findings


def judge_operators(
    active_administrators: int, lasting_administrators: int, registered: int, gateway_keys: int
) -> list[Finding]:
    """Find an installation that is open to whoever has an account, and one in which nobody can act, or soon."""
    few = few_administrators(active_administrators, lasting_administrators)
    mute = Code.OPERATOR_NO_ISSUER if registered and not gateway_keys else None
    return [Finding(Subject.OPERATORS, "operator", few), Finding(Subject.OPERATORS, "issuers.toml", mute)]


def few_administrators(active: int, lasting: int) -> Code | None:
    """Say that there are too few administrators today, or that there will be within a month."""
    if active < ENOUGH_ADMINISTRATORS:
        return Code.OPERATOR_INSTALLATION_OPEN
    return _if(lasting < ENOUGH_ADMINISTRATORS, Code.OPERATOR_ADMINISTRATORS_ENDING)


def _if(is_so: bool, code: Code) -> Code | None:
    return code if is_so else None
