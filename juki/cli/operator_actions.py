"""What administrators do with the register of operators: each change by two of them, with its journal entry.

Decides:    which changes are allowed in which state, and that two administrators remain.
Leaves:     who may do it to `juki.operator_matrix`, the rows to `juki.store.operators`.
Invariants: a change and its journal entry commit together; the log says which roles, terminals and days an operator
            has from then on, and of what he is called a digest: a name that was exchanged shows, and no name is told.
            Whoever is changed does not have to agree.
Source:     assessment M7, ADR-0036.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from juki.cli.acting import acting
from juki.cli.installation import Installation
from juki.columns import IdentityFile
from juki.dates import civil_date
from juki.errors import ConfigurationError, JukiError
from juki.journal import Action, Entry, Outcome
from juki.operators import ENOUGH_ADMINISTRATORS, Operator, Role, checked_operator_id
from juki.reason_text import checked_reason
from juki.reasons import Code
from juki.store.roles import Duty
from juki.store.unit import Unit, open_unit

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an operator is to be from now on; None leaves it as it is."""

    name: str | None = None
    roles: Sequence[Role] | None = None
    terminals: Sequence[str] | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    is_endless: bool = False
    """The last day is taken away."""


def listed(installation: Installation) -> list[Operator]:
    """List all operators there ever were."""
    with open_unit(_url(installation), IdentityFile.RESIDENT, Duty.AUDITOR) as unit:
        return unit.operators.listed()


def register(
    installation: Installation, operator_id: str, wanted: Wanted, reason: str, at: datetime
) -> Operator:
    """Register an operator under an id that nobody ever had.

    Raises: ConfigurationError(COMMAND_ARGUMENT, REASON_TEXT_FORM), JukiError(OPERATOR_ID_TAKEN,
            OPERATOR_FEW_ADMINISTRATORS) where the installation would close with fewer than two who may act today.
    """
    blank = Operator(
        checked_operator_id(operator_id, "ID"), "", frozenset(), frozenset(), civil_date(at), None
    )  # fmt: skip
    new = checked(_with(blank, wanted))
    with open_unit(_url(installation), IdentityFile.RESIDENT, Duty.ADMINISTRATOR) as unit:
        unit.operators.lock_register()
        before = _Administrators.of(unit, at)
        unit.operators.register(new, at)
        before.check_remain(_Administrators.of(unit, at), operator_id)
        _journal(unit, Action.OPERATOR_REGISTERED, new, checked_reason(reason), at)
    return new


def change(
    installation: Installation, operator_id: str, wanted: Wanted, reason: str, at: datetime
) -> Operator:
    """Change name, roles, terminals or days of an operator.

    Raises: as `register`, and JukiError(OPERATOR_NOT_REGISTERED, OPERATOR_STATE, OPERATOR_FEW_ADMINISTRATORS).
    """
    return _changed(
        installation,
        operator_id,
        Action.OPERATOR_CHANGED,
        reason,
        at,
        lambda one: checked(_with(one, wanted)),
    )


def remove(installation: Installation, operator_id: str, reason: str, at: datetime) -> Operator:
    """Remove an operator for ever; his name stays for the old entries of the log.

    Raises: JukiError(OPERATOR_NOT_REGISTERED, OPERATOR_STATE, OPERATOR_FEW_ADMINISTRATORS).
    """
    return _changed(
        installation,
        operator_id,
        Action.OPERATOR_REMOVED,
        reason,
        at,
        lambda one: replace(one, removed_at=at),
    )


def lock(installation: Installation, operator_id: str, reason: str, at: datetime) -> Operator:
    """Stop an operator at once, which one person may do: a lost card does not wait for two.

    Raises: JukiError(OPERATOR_NOT_REGISTERED, OPERATOR_STATE); OPERATOR_FEW_ADMINISTRATORS for the last one who may
            act as administrator.
    """
    return _changed(
        installation, operator_id, Action.OPERATOR_LOCKED, reason, at,
        lambda one: replace(one, locked_at=one.locked_at or at), leaves_enough=False,
    )  # fmt: skip


def unlock(installation: Installation, operator_id: str, reason: str, at: datetime) -> Operator:
    """Let a locked operator act again.

    Raises: JukiError(OPERATOR_NOT_REGISTERED, OPERATOR_STATE).
    """

    def unlocked(one: Operator) -> Operator:
        if one.locked_at is None:
            raise JukiError(Code.OPERATOR_STATE, one.operator_id)
        return replace(one, locked_at=None, failures=0)

    return _changed(
        installation, operator_id, Action.OPERATOR_UNLOCKED, reason, at, unlocked, leaves_enough=False
    )


def checked(operator: Operator) -> Operator:
    """Hold what is to be registered to its form.

    Raises: ConfigurationError(COMMAND_ARGUMENT) naming the option at fault.
    """
    faults = {
        "--name": not 1 <= len(operator.name) <= _LONGEST_NAME or not operator.name.isprintable(),
        "--role": not operator.roles,
        "--terminal": not operator.terminals,
        "--valid-to": operator.valid_to is not None and operator.valid_to < operator.valid_from,
    }
    if any(faults.values()):
        raise ConfigurationError(Code.COMMAND_ARGUMENT, ", ".join(name for name in faults if faults[name]))
    for terminal in operator.terminals:
        checked_operator_id(terminal, "--terminal")
    return operator


def _with(operator: Operator, wanted: Wanted) -> Operator:
    return replace(
        operator,
        name=operator.name if wanted.name is None else wanted.name.strip(),
        roles=operator.roles if wanted.roles is None else frozenset(wanted.roles),
        terminals=operator.terminals if wanted.terminals is None else frozenset(wanted.terminals),
        valid_from=wanted.valid_from or operator.valid_from,
        valid_to=None if wanted.is_endless else wanted.valid_to or operator.valid_to,
    )


@dataclass(frozen=True, slots=True)
class _Administrators:
    """How many may act today, how many of them also in a month, and whether that closes the installation."""

    active: int
    lasting: int
    is_closed: bool

    @classmethod
    def of(cls, unit: Unit, at: datetime) -> _Administrators:
        """Count them; the register is locked."""
        today, register = civil_date(at), unit.operators
        is_closed = register.ever_administrators() >= ENOUGH_ADMINISTRATORS
        return cls(register.administrators(today), register.lasting_administrators(today), is_closed)

    def check_remain(self, after: _Administrators, operator_id: str) -> None:
        """Hold a change to leaving enough: closed with fewer nobody acts any more, opened again everybody does.

        Who acts today and not in a month is not enough to close with, nor is anybody's end brought so near; where it
        came near by itself, nothing else is held up by it.
        Raises: JukiError(OPERATOR_FEW_ADMINISTRATORS).
        """
        if self.is_closed or after.is_closed:
            lasting = min(ENOUGH_ADMINISTRATORS, self.lasting) if self.is_closed else ENOUGH_ADMINISTRATORS
            is_enough = after.active >= ENOUGH_ADMINISTRATORS and after.lasting >= lasting
        else:
            is_enough = after.active >= self.active
        if not is_enough:
            raise JukiError(Code.OPERATOR_FEW_ADMINISTRATORS, operator_id)


def _changed(
    installation: Installation, operator_id: str, action: Action, reason: str, at: datetime,
    become: Callable[[Operator], Operator], *, leaves_enough: bool = True,
) -> Operator:  # fmt: skip
    basis = checked_reason(reason)
    with open_unit(_url(installation), IdentityFile.RESIDENT, Duty.ADMINISTRATOR) as unit:
        unit.operators.lock_register()
        found = unit.operators.of(operator_id)
        if found.removed_at is not None:
            raise JukiError(Code.OPERATOR_STATE, operator_id)
        before, new = _Administrators.of(unit, at), become(found)
        unit.operators.write(new)
        after = _Administrators.of(unit, at)
        if leaves_enough:
            before.check_remain(after, operator_id)
        elif after.active < min(before.active, 1):
            # With nobody left, nobody could let anybody act again.
            raise JukiError(Code.OPERATOR_FEW_ADMINISTRATORS, operator_id)
        _journal(unit, action, new, basis, at)
    return new


def _journal(unit: Unit, action: Action, operator: Operator, basis: str, at: datetime) -> None:
    entry = Entry(
        action=action, file=IdentityFile.RESIDENT, outcome=Outcome.DONE, basis=basis,
        operator=operator.operator_id, change=_said(operator),
    )  # fmt: skip
    unit.journal.append(acting().signed(entry), at)


def _said(operator: Operator) -> str:
    """Write roles, terminals, days and the digest of the name as the log keeps them.

    The digest is of id and name: names of staff are no secret to whoever guesses them, and equal names do not show.
    """
    days = f"{operator.valid_from.isoformat()}/{operator.valid_to.isoformat() if operator.valid_to else ''}"
    return " ".join(
        (
            "roles=" + ",".join(sorted(operator.roles)),
            "terminals=" + ",".join(sorted(operator.terminals)),
            days,
            f"name={name_digest(operator)}",
        )
    )


def name_digest(operator: Operator) -> str:
    """Tell a name from another one without telling it, 32 hexadecimal digits."""
    said = f"{operator.operator_id}\0{operator.name}".encode()
    return hashlib.blake2b(said, digest_size=16, person=b"juki operator").hexdigest()


def _url(installation: Installation) -> str:
    return installation.store_url(IdentityFile.RESIDENT)
