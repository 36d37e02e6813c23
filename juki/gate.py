"""The gate every act of a person passes: an assertion is checked, the operator looked up, a refusal recorded.

Decides:    the order of the checks, when an installation is closed to everybody but operators, what a refusal leaves,
            that an act done has used its assertion up also where it changed nothing.
Leaves:     tokens to `juki.assertions`, operators to `juki.operators`, the one use of an assertion to the journal.
Invariants: who is refused is refused before anything of the act is done; a refusal is in the log, under the name of
            him whose assertion failed; only an act that was done makes earlier failures forgotten; nobody is locked
            by assertions of his that others found, nor the last administrator who may act by refusals. Once two
            administrators are registered, nobody acts without an assertion, whatever file is gone.
Source:     assessment M7, design 7, ADR-0036.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from juki.assertions import Issuer, check_act, check_fresh, signed_assertion
from juki.columns import IdentityFile
from juki.dates import civil_date
from juki.errors import ConfigurationError, DeniedError
from juki.journal import Action, Entry, Outcome
from juki.operator_matrix import Access
from juki.operators import (
    ENOUGH_ADMINISTRATORS,
    Act,
    Acting,
    Assertion,
    Operator,
    Role,
    acting_as,
    counts_as_failure,
    presented_by,
    refusal,
    refusal_of_second,
)
from juki.reason_text import holds_identifier
from juki.reasons import Code
from juki.store.roles import Duty
from juki.store.unit import Unit, open_unit

PASSED: ContextVar[Acting | None] = ContextVar("passed", default=None)
"""Who passed the gate in this process and is acting now; a run that such a person starts does not pass it again."""


@dataclass(frozen=True, slots=True)
class Presented:
    """The tokens somebody acts on: his own, and that of who approves; empty where there is none."""

    assertion: str = ""
    approval: str = ""


@dataclass(slots=True)
class _Looking:
    """Whose assertion is being looked at; nobody's where a signature does not hold."""

    at_hand: Assertion | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate of one installation: its register, the keys it believes, and whom it takes a refused person for."""

    urls: Mapping[IdentityFile, str]
    """Where the stores are; the register is in the resident store."""
    issuers: Sequence[Issuer]
    audience: str
    most_failures: int
    bystander: Acting
    """Who stands before the gate as far as the machine knows: the account, or the run."""
    is_overlooked: bool = False
    """What is presented is kept where others read it, so that one which was refused is used up with that."""

    def is_closed(self) -> bool:
        """Tell whether an act needs an operator: since there were two administrators."""
        with self._resident(Duty.AUDITOR) as unit:
            return unit.operators.ever_administrators() >= ENOUGH_ADMINISTRATORS

    def admit(self, presented: Presented, act: Act, access: Access, at: datetime) -> Acting:
        """Let an operator act, or refuse and record it.

        Raises: DeniedError with the code of the first thing that stands against it.
        """
        looking = _Looking()
        try:
            return self._admitted(presented, act, access, at, looking)
        except DeniedError as error:
            code = error.code
        self.note_refusal(act, code, at, looking.at_hand)
        raise DeniedError(code, act.command)

    def note_refusal(self, act: Act, code: Code, at: datetime, assertion: Assertion | None) -> None:
        """Record that somebody was not let, and lock whoever was refused too often.

        `assertion` is None where its signature did not hold: then nobody knows who it was.
        """
        self._note(presented_by(assertion, str(uuid4())) if assertion else self.bystander, act, code, at)

    def note_start(self, who: Acting, act: Act, at: datetime, run: str = "") -> None:
        """Record that an operator starts a run, which uses his assertion up; a replay is refused and recorded.

        Raises: DeniedError(OPERATOR_ASSERTION_REPLAYED); ConfigurationError(COMMAND_ARGUMENT) where the target holds
                what could be a number of a person, whatever it was meant to be: the log is for ever.
        """
        self._begun(who, act, at, _noted(Action.RUN_STARTED, act, run))

    def note_beginning(self, who: Acting, act: Act, at: datetime) -> None:
        """Record that an operator begins an act in both stores, or beyond them: his assertion is used up first.

        Raises: as `note_start`.
        """
        self._begun(who, act, at, _noted(Action.ACT_BEGUN, act))

    def note_done(self, who: Acting, act: Act, at: datetime) -> None:
        """Record the end of an act that was let: its assertion is used up, also where nothing was to be done."""
        used = who.authentication
        if used is None:
            return
        with self._resident() as unit:
            _forget_failures(unit, who)
            if unit.used_assertions.are_of(used):
                return
        with open_unit(self.urls[IdentityFile.FUHYO], IdentityFile.FUHYO, Duty.ADMINISTRATOR) as unit:
            if unit.used_assertions.are_of(used):
                return
        with self._resident() as unit:
            unit.journal.append(who.signed(_noted(Action.ACT_IDLE, act)), at)

    def note_replay(self, who: Acting, act: Act, code: Code, at: datetime) -> None:
        """Record what only the store could see: an assertion used before, an approval of one's own."""
        self._note(who.alone, act, code, at)

    def _begun(self, who: Acting, act: Act, at: datetime, entry: Entry) -> None:
        if holds_identifier(act.target):
            raise ConfigurationError(Code.COMMAND_ARGUMENT, act.command)
        try:
            with self._resident() as unit:
                _forget_failures(unit, who)
                unit.journal.append(who.signed(entry), at)
        except DeniedError as error:
            code = error.code
        else:
            return
        self.note_replay(who, act, code, at)
        raise DeniedError(code, act.command)

    def _note(self, who: Acting, act: Act, code: Code, at: datetime) -> None:
        """Record a refusal; an assertion used before, by whomever, counts no more."""
        with self._resident() as unit:
            unit.operators.lock_register()
            operator = unit.operators.find(who.operator_id, lock=True) if who.operator_id else None
            unit.journal.lock()
            is_active = operator is not None and operator.is_active(civil_date(at))
            used = who.authentication
            is_first = used is None or unit.used_assertions.are_of(used, or_unused=True)
            does_count = is_active and is_first and counts_as_failure(code)
            told = who if does_count and self.is_overlooked else replace(who, authentication=None)
            unit.journal.append(told.signed(_refused(act, code)), at)
            if operator is not None and does_count:
                self._count(unit, who, operator, act, at)

    def _count(self, unit: Unit, who: Acting, operator: Operator, act: Act, at: datetime) -> None:
        """Count a failure, and lock at the last one: not the last administrator, whom nobody could unlock."""
        failed = replace(operator, failures=operator.failures + 1)
        is_last = Role.ADMINISTRATOR in operator.roles and unit.operators.administrators(civil_date(at)) == 1
        if failed.failures >= self.most_failures and not is_last:
            failed = replace(failed, locked_at=at)
            unit.journal.append(who.signed(_locked(failed, act)), at)
        elif failed.failures == self.most_failures:
            spared = replace(
                _locked(failed, act), outcome=Outcome.REFUSED, code=Code.OPERATOR_FEW_ADMINISTRATORS
            )
            unit.journal.append(who.signed(spared), at)
        unit.operators.write(failed)

    def _admitted(
        self, presented: Presented, act: Act, access: Access, at: datetime, looking: _Looking
    ) -> Acting:
        if not self.issuers:
            raise DeniedError(Code.OPERATOR_NO_ISSUER)
        if not presented.assertion:
            raise DeniedError(Code.OPERATOR_ASSERTION_MISSING)
        first = self._read(presented.assertion, at, looking)
        operator = self._permitted(first, act, access.roles, at)
        second = self._second(first, presented, act, access, at, looking) if access.needs_second else None
        return acting_as(operator, first, str(uuid4()), second)

    def _second(
        self, first: Assertion, presented: Presented, act: Act, access: Access, at: datetime, looking: _Looking
    ) -> Assertion:  # fmt: skip
        if not presented.approval:
            raise DeniedError(Code.OPERATOR_SECOND_MISSING)
        second = self._read(presented.approval, at, looking)
        if (code := refusal_of_second(first, second)) is not None:
            raise DeniedError(code)
        self._permitted(second, act, access.seconds, at)
        return second

    def _read(self, token: str, at: datetime, looking: _Looking) -> Assertion:
        looking.at_hand = None
        looking.at_hand = found = signed_assertion(token, self.issuers, self.audience, at)
        check_fresh(found, at)
        return found

    def _permitted(self, assertion: Assertion, act: Act, roles: AbstractSet[Role], at: datetime) -> Operator:
        check_act(assertion, act)
        with self._resident(Duty.AUDITOR) as unit:
            operator = unit.operators.find(assertion.operator_id)
        code = refusal(operator, assertion, roles, civil_date(at))
        if code is not None or operator is None:
            raise DeniedError(code or Code.OPERATOR_UNKNOWN)
        return operator

    def _resident(self, duty: Duty = Duty.ADMINISTRATOR) -> AbstractContextManager[Unit]:
        return open_unit(self.urls[IdentityFile.RESIDENT], IdentityFile.RESIDENT, duty)


def _forget_failures(unit: Unit, who: Acting) -> None:
    operator = unit.operators.find(who.operator_id, lock=True) if who.operator_id else None
    if operator is not None and operator.failures and operator.locked_at is None:
        unit.operators.write(replace(operator, failures=0))


def _noted(action: Action, act: Act, run: str = "") -> Entry:
    """Say of an act what it acts on, unless that names a person or could."""
    is_told = not act.is_personal and not holds_identifier(act.target)
    basis = f"{act.command} {act.target}".strip() if is_told else act.command
    return Entry(action=action, file=IdentityFile.RESIDENT, outcome=Outcome.DONE, basis=basis, change=run)


def _refused(act: Act, code: Code) -> Entry:
    return Entry(
        action=Action.OPERATOR_REFUSED, file=IdentityFile.RESIDENT, outcome=Outcome.REFUSED, code=code,
        basis=act.command,
    )  # fmt: skip


def _locked(operator: Operator, act: Act) -> Entry:
    return Entry(
        action=Action.OPERATOR_LOCKED, file=IdentityFile.RESIDENT, outcome=Outcome.DONE, code=Code.OPERATOR_LOCKED,
        operator=operator.operator_id, basis=act.command, counts={"failures": operator.failures},
    )  # fmt: skip
