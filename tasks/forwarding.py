"""Everything one file has to do with J-LIS in one run: form packages, take in answers, deliver.

Decides:    that answers come before deliveries, so that what was refused goes out again in the same run; that what
            one step can not do does not keep the others from what they can.
Invariants: one run at a time works a file. Packages are delivered in order, and one that can not be delivered holds
            up those behind it. Whoever is killed anywhere goes on where it was: the same package, once by its number.
Source:     法30条の7, 30条の42; ADR-0027.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from prefect import task

from juki.columns import IdentityFile
from juki.errors import JukiError
from juki.journal import Action
from juki.reasons import Code
from juki.store.jlis_packages import JlisPackages
from juki.store.roles import Duty
from juki.store.unit import forward_lock, open_unit
from juki.wire.folders import deliver
from tasks import clock
from tasks.boundary import ONCE, sealed
from tasks.jlis_answers import take_answers
from tasks.jlis_desk import JlisDesk
from tasks.jlis_forming import Formed, form_next

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ForwardSummary:
    """What a run did for one file: codes and counts, nothing else."""

    file: IdentityFile
    packages: int = 0
    updates: int = 0
    lost: int = 0
    unopened: int = 0
    delivered: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    """Files from J-LIS by what became of them: a state of a package, `report`, or the code of the refusal."""
    failure: Code | None = None

    @property
    def fault(self) -> Code | None:
        """Say why the run must be seen: what it could not do, or what can never be told as it was (法30条の7).

        The page of the morning tells a loss for some hours only, and it happens once: so the run ends failed.
        """
        never_told = {Code.JLIS_UPDATE_LOST: self.lost, Code.JLIS_NUMBER_UNOPENED: self.unopened}
        return self.failure or next((code for code, count in never_told.items() if count), None)


@task(name="機構への通知", task_run_name="{file}", **ONCE)
@sealed
def forward_file(file: IdentityFile) -> ForwardSummary:
    """Work one file; the first failure is in the summary, with what was done in spite of it."""
    desk = JlisDesk.open(file)
    with forward_lock(desk.url, file):
        failures = list[Code]()
        formed = list[Formed]()
        _tried(failures, partial(_form, file, formed))
        answers = _tried(failures, partial(take_answers, file)) or {}
        delivered = _tried(failures, partial(deliver_due, file)) or 0
    return ForwardSummary(
        file,
        sum(one.sequence is not None for one in formed),
        sum(one.updates for one in formed),
        sum(one.lost for one in formed),
        sum(one.unopened for one in formed),
        delivered,
        answers,
        failures[0] if failures else None,
    )


def deliver_due(file: IdentityFile) -> int:
    """Put what is due into the folder, in order; count it."""
    desk = JlisDesk.open(file)
    with open_unit(desk.url, file, Duty.PROVIDER) as unit:
        due = JlisPackages(file, unit.connection).due_deliveries()
    for sequence in due:
        _deliver(desk, sequence)
    return len(due)


def _form(file: IdentityFile, formed: list[Formed]) -> None:
    while (one := form_next(file)) is not None:
        formed.append(one)


def _deliver(desk: JlisDesk, sequence: int) -> None:
    """Deliver one package, then note it: whoever is killed in between delivers the same bytes again."""
    with open_unit(desk.url, desk.file, Duty.PROVIDER) as unit:
        content = JlisPackages(desk.file, unit.connection).sealed(sequence)
    name = desk.package_name(sequence)
    deliver(desk.delivery, name, content)
    with open_unit(desk.url, desk.file, Duty.PROVIDER) as unit:
        JlisPackages(desk.file, unit.connection).delivered(sequence, clock.now())
        unit.journal.append(desk.entry(Action.JLIS_DELIVERED, name), clock.now())


def _tried(failures: list[Code], step: Callable[[], T]) -> T | None:
    try:
        return step()
    except JukiError as failure:
        failures.append(failure.code)
    return None
