"""Operators (操作者): who they are, what they prove before an act, and whether they may do it.

Decides:    the roles (操作者ID), whether a registered operator with a checked assertion may do an act, and who two
            people are enough for what one may not do alone.
Leaves:     the token to `juki.assertions`, which command needs which role to `juki.operator_matrix`, the register and
            the one use of an assertion to `juki.store`.
Invariants: roles come from our register, never from the token; whoever is locked, removed or outside his days acts no
            more, whatever he holds; nobody approves himself.
Source:     assessment M7, M9, design 7, ADR-0036.
"""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from juki.errors import ConfigurationError
from juki.journal import Authentication, Entry
from juki.reasons import Code

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_FEWEST_DIGITS_OF_A_PERSON = 11
_PREFIX = "operator:"
ENOUGH_ADMINISTRATORS = 2
"""With so many registered an installation is closed to everybody but operators; so many remain."""
SOON = timedelta(days=30)
"""Whose days end sooner is not counted among the administrators who remain."""


class Role(StrEnum):
    """What an operator is for; one operator may have several."""

    VIEWER = "viewer"
    CLERK = "clerk"
    RECONCILER = "reconciler"
    PROVIDER = "provider"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"

    @property
    def japanese(self) -> str:
        """The word for reports."""
        return _JAPANESE[self]


_JAPANESE = {
    Role.VIEWER: "閲覧者",
    Role.CLERK: "受入担当",
    Role.RECONCILER: "整合担当",
    Role.PROVIDER: "提供担当",
    Role.AUDITOR: "監査者",
    Role.ADMINISTRATOR: "管理者",
}


@dataclass(frozen=True, slots=True)
class Act:
    """A command and what it acts on; `is_personal` when that names a person, so that a token must not carry it."""

    command: str
    target: str = ""
    is_personal: bool = False


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a gateway attests, its signature and its times already checked."""

    issuer: str
    operator_id: str
    jti: str
    factors: frozenset[str]
    command: str
    target: str
    terminal: str
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Operator:
    """One registered operator; `valid_to` is the last day. The name is of a member of staff, and never in the log."""

    operator_id: str
    name: str
    roles: frozenset[Role]
    terminals: frozenset[str]
    valid_from: date
    valid_to: date | None
    failures: int = 0
    locked_at: datetime | None = None
    removed_at: datetime | None = None

    def is_active(self, today: date) -> bool:
        """Tell whether this is a day on which the operator may act at all."""
        is_within = self.valid_from <= today and (self.valid_to is None or today <= self.valid_to)
        return is_within and self.removed_at is None and self.locked_at is None

    def lasts(self, today: date) -> bool:
        """Tell whether the operator may act today, and for as long as it takes to find another one."""
        return self.is_active(today) and (self.valid_to is None or self.valid_to >= today + SOON)


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts, at which terminal, on which assertions: what every journal entry of an act is signed with.

    Without `authentication` it is the system (a run) or the local administrator of an installation that has no
    operators yet.
    """

    actor: str
    terminal: str = ""
    authentication: Authentication | None = None
    approver: str = ""
    roles: frozenset[Role] = frozenset()

    @property
    def operator_id(self) -> str:
        """Who it is, if it is an operator."""
        return self.actor.removeprefix(_PREFIX) if self.actor.startswith(_PREFIX) else ""

    @property
    def alone(self) -> Acting:
        """The same without whoever agreed: what is said then is of this person only."""
        used = self.authentication
        own = Authentication(used.act_id, used.assertions[:1]) if used is not None else None
        return replace(self, authentication=own, approver="")

    def signed(self, entry: Entry) -> Entry:
        """Put who acts into an entry."""
        return replace(
            entry, actor=self.actor, terminal=self.terminal, authentication=self.authentication,
            approver=self.approver,
        )  # fmt: skip


def presented_by(assertion: Assertion, act_id: str) -> Acting:
    """Say whose assertion it is, where he is not let."""
    return Acting(
        actor=f"{_PREFIX}{assertion.operator_id}", terminal=assertion.terminal,
        authentication=Authentication(act_id, (assertion.jti,)),
    )  # fmt: skip


def acting_as(
    operator: Operator, assertion: Assertion, act_id: str, second: Assertion | None = None
) -> Acting:
    """Say who acts, once `refusal` has found nothing against it."""
    used = (assertion.jti,) if second is None else (assertion.jti, second.jti)
    return Acting(
        actor=f"{_PREFIX}{operator.operator_id}", terminal=assertion.terminal,
        authentication=Authentication(act_id, used),
        approver=f"{_PREFIX}{second.operator_id}" if second else "", roles=operator.roles,
    )  # fmt: skip


def refusal(operator: Operator | None, assertion: Assertion, roles: Set[Role], today: date) -> Code | None:
    """Say why an operator may not act, if so; the first reason in the order a supervisor would ask.

    `roles` are those the act is open to; which act the assertion is for was checked with its token.
    """
    if operator is None:
        return Code.OPERATOR_UNKNOWN
    if operator.locked_at is not None:
        return Code.OPERATOR_LOCKED
    if not operator.is_active(today):
        return Code.OPERATOR_NOT_VALID
    if assertion.terminal not in operator.terminals:
        return Code.OPERATOR_TERMINAL
    return None if operator.roles & roles else Code.OPERATOR_ROLE


def refusal_of_second(first: Assertion, second: Assertion) -> Code | None:
    """Say why a second assertion is not that of another person."""
    is_same = second.operator_id == first.operator_id or second.jti == first.jti
    return Code.OPERATOR_SELF_APPROVAL if is_same else None


def counts_as_failure(code: Code) -> bool:
    """Tell whether a refusal counts towards locking whose assertion it was.

    One that says only that the operator is not (or not any more) there to act locks nobody, nor does an assertion
    that is old or was used: whoever finds it where it was left could lock its operator with it.
    """
    return code not in _NO_FAILURES


_NO_FAILURES = frozenset(
    {
        Code.OPERATOR_UNKNOWN,
        Code.OPERATOR_LOCKED,
        Code.OPERATOR_NOT_VALID,
        Code.OPERATOR_ASSERTION_EXPIRED,
        Code.OPERATOR_ASSERTION_REPLAYED,
    }
)


def is_operator_id(text: str) -> bool:
    """Tell whether a text has the form of an id (照合ID), and can not be a number of a person."""
    is_number = sum(letter.isdigit() for letter in text) >= _FEWEST_DIGITS_OF_A_PERSON
    return _ID.fullmatch(text) is not None and not is_number


def checked_operator_id(text: str, ref: str) -> str:
    """Return an id (照合ID) as it goes into the register and the operation log.

    Raises: ConfigurationError(COMMAND_ARGUMENT) for another form, or what could be a number of a person.
    """
    if not is_operator_id(text):
        raise ConfigurationError(Code.COMMAND_ARGUMENT, ref)
    return text
