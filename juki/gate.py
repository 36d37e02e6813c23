"""The gate every act of a person passes: an assertion is checked, the operator looked up, a refusal recorded.

Decides:    the order of the checks, when an installation is closed to everybody but operators, what a refusal leaves.
Leaves:     tokens to `juki.assertions`, operators to `juki.operators`, the one use of an assertion to the journal.
Invariants: who is refused is refused before anything of the act is done; a refusal is in the log and counts towards
            locking; once two administrators are registered, nobody acts without an assertion, whatever file is gone.
Source:     assessment M7, design 7, ADR-0036.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from juki.assertions import Issuer, check_act, verified
from juki.columns import IdentityFile
from juki.dates import civil_date
from juki.errors import ConfigurationError, DeniedError
from juki.journal import Action, Entry, Outcome
from juki.operator_matrix import Access
from juki.operators import (
    Act,
    Acting,
    Assertion,
    Operator,
    Role,
    acting_as,
    counts_as_failure,
    refusal,
    refusal_of_second,
)
from juki.reason_text import holds_identifier
from juki.reasons import Code
from juki.store.roles import Duty
from juki.store.unit import open_unit

ENOUGH_ADMINISTRATORS = 2
"""With so many registered an installation is closed to everybody but operators; so many remain."""


PASSED: ContextVar[Acting | None] = ContextVar("passed", default=None)
"""Who passed the gate in this process and is acting now; a run that such a person starts does not pass it again."""


@dataclass(frozen=True, slots=True)
class Presented:
    """The tokens somebody acts on: his own, and that of who approves; empty where there is none."""

    assertion: str = ""
    approval: str = ""


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate of one installation: its register, the keys it believes, and whom it takes a refused person for."""

    url: str
    """Where the resident store is."""
    issuers: Sequence[Issuer]
    audience: str
    most_failures: int
    bystander: Acting
    """Who stands before the gate as far as the machine knows: the account, or the run."""

    def is_closed(self) -> bool:
        """Tell whether an act needs an operator: since there were two administrators."""
        with open_unit(self.url, IdentityFile.RESIDENT, Duty.AUDITOR) as unit:
            return unit.operators.ever_administrators() >= ENOUGH_ADMINISTRATORS

    def admit(self, presented: Presented, act: Act, access: Access, at: datetime) -> Acting:
        """Let an operator act, or refuse and record it.

        Raises: DeniedError with the code of the first thing that stands against it.
        """
        seen: list[Assertion] = []
        try:
            return self._admitted(presented, act, access, at, seen)
        except DeniedError as error:
            code = error.code
        self.note_refusal(act, code, at, seen[0] if seen else None)
        raise DeniedError(code, act.command)

    def note_refusal(self, act: Act, code: Code, at: datetime, assertion: Assertion | None) -> None:
        """Record that somebody was not let, and lock whoever was refused too often.

        `assertion` is None where its signature did not hold: then nobody knows who it was.
        """
        who = self.bystander
        if assertion is not None:
            who = Acting(f"operator:{assertion.operator_id}", assertion.terminal)
        self._note(who, act, code, at)

    def _note(self, who: Acting, act: Act, code: Code, at: datetime) -> None:
        with open_unit(self.url, IdentityFile.RESIDENT, Duty.ADMINISTRATOR) as unit:
            unit.journal.append(who.signed(_refused(act, code)), at)
            operator = unit.operators.find(who.operator_id, lock=True) if who.operator_id else None
            if operator is None or not counts_as_failure(code):
                return
            failed = replace(operator, failures=operator.failures + 1)
            if failed.failures >= self.most_failures:
                failed = replace(failed, locked_at=at)
                unit.journal.append(who.signed(_locked(failed, act)), at)
            unit.operators.write(failed)

    def note_start(self, who: Acting, act: Act, at: datetime, run: str = "") -> None:
        """Record that an operator starts a run, which uses his assertion up; a replay is refused and recorded.

        Raises: DeniedError(OPERATOR_ASSERTION_REPLAYED); ConfigurationError(COMMAND_ARGUMENT) where the target holds
                what could be a number of a person, whatever it was meant to be: the log is for ever.
        """
        if holds_identifier(act.target):
            raise ConfigurationError(Code.COMMAND_ARGUMENT, act.command)
        entry = Entry(
            action=Action.RUN_STARTED, file=IdentityFile.RESIDENT, outcome=Outcome.DONE,
            basis=f"{act.command} {act.target}".strip(), change=run,
        )  # fmt: skip
        try:
            with open_unit(self.url, IdentityFile.RESIDENT, Duty.ADMINISTRATOR) as unit:
                unit.journal.append(who.signed(entry), at)
        except DeniedError as error:
            code = error.code
        else:
            return
        self.note_replay(who, act, code, at)
        raise DeniedError(code, act.command)

    def note_replay(self, who: Acting, act: Act, code: Code, at: datetime) -> None:
        """Record what only the store could see: an assertion used before, an approval of one's own."""
        self._note(Acting(who.actor, who.terminal), act, code, at)

    def _admitted(
        self, presented: Presented, act: Act, access: Access, at: datetime, seen: list[Assertion]
    ) -> Acting:
        if not self.issuers:
            raise DeniedError(Code.OPERATOR_NO_ISSUER)
        if not presented.assertion:
            raise DeniedError(Code.OPERATOR_ASSERTION_MISSING)
        first = verified(presented.assertion, self.issuers, self.audience, at)
        seen.append(first)
        operator = self._permitted(first, act, access.roles, at)
        second = self._second(first, presented, act, access, at) if access.needs_second else None
        self._forget_failures(operator)
        return acting_as(operator, first, str(uuid4()), second)

    def _second(
        self, first: Assertion, presented: Presented, act: Act, access: Access, at: datetime
    ) -> Assertion:
        if not presented.approval:
            raise DeniedError(Code.OPERATOR_SECOND_MISSING)
        second = verified(presented.approval, self.issuers, self.audience, at)
        if (code := refusal_of_second(first, second)) is not None:
            raise DeniedError(code)
        self._permitted(second, act, access.seconds, at)
        return second

    def _permitted(self, assertion: Assertion, act: Act, roles: AbstractSet[Role], at: datetime) -> Operator:
        check_act(assertion, act)
        with open_unit(self.url, IdentityFile.RESIDENT, Duty.AUDITOR) as unit:
            operator = unit.operators.find(assertion.operator_id)
        code = refusal(operator, assertion, roles, civil_date(at))
        if code is not None or operator is None:
            raise DeniedError(code or Code.OPERATOR_UNKNOWN)
        return operator

    def _forget_failures(self, operator: Operator) -> None:
        if operator.failures:
            with open_unit(self.url, IdentityFile.RESIDENT, Duty.ADMINISTRATOR) as unit:
                unit.operators.write(replace(unit.operators.of(operator.operator_id), failures=0))


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
