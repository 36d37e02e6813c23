"""Answer one request: decide, look up, attach numbers, seal, keep.

Decides:    the order of the steps, and that it is decided twice: before anybody is looked for, and before the seal.
Leaves:     the decision to `juki.authority`, the search to `juki.search`, the crossing to `tasks.bridging`,
            what is kept to `juki.custody`, handing over to `tasks.delivering`.
Invariants: nothing leaves before the transaction that says whose data it is. Killed anywhere and run again: one
            provision, one package. A refusal is registered and journalled like a grant.
Source:     法30条の15, 30条の25, 30条の44の6; assessment M5, M8, M13; ADR-0026.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from prefect import task

from juki.authority import Granted, Refused
from juki.columns import IdentityFile
from juki.errors import ContractError, JukiError, SourceError
from juki.journal import Action, Entry, Outcome
from juki.opened_numbers import opened_numbers
from juki.package_id import PackageId
from juki.probing import findings_refused, lines_refused
from juki.provisions import LineOutcome, ProvisionState
from juki.reasons import Code
from juki.requests import Request
from juki.search import Answers, answers, sought
from juki.store.lookup import SEALED_COLUMN, Lookup
from juki.store.provisions import Provision
from juki.store.roles import Duty
from juki.store.unit import Unit, open_unit
from tasks import clock
from tasks.boundary import UNIT_OF_WORK, run_actor, sealed
from tasks.bridging import attach_numbers
from tasks.deciding import Counter, counter_of
from tasks.sealing import seal_answer
from tasks.workshop import Workshop

RESIDENT = IdentityFile.RESIDENT
_FINAL = frozenset({Code.BRIDGE_OTHER_CODES, Code.REQUEST_LOST, Code.PROVISION_RECIPIENT_UNKNOWN})
"""What no further run can mend: among it that other people are found now than the bridge was approved for."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one request: codes and counts, nothing else."""

    provision: PackageId
    state: ProvisionState
    code: Code | None = None
    counts: dict[str, int] = field(default_factory=dict)


@task(name="要求への回答", **UNIT_OF_WORK)
@sealed
def answer_request(provision: PackageId) -> Answered:
    """Answer a request as far as a sealed package that may be handed over, or refuse it."""
    shop = Workshop.open()
    with _unit(shop, provision.file) as unit:
        record = unit.provisions.by_id(provision.number)
    if record.state not in (ProvisionState.RECEIVED, ProvisionState.APPROVED):
        return Answered(provision, record.state, record.code)
    counter = counter_of(shop, record)
    try:
        return _answer(shop, counter)
    except (SourceError, ContractError) as refusal:
        refused = Refused(refusal.code, "")
    except JukiError as failure:
        if failure.code not in _FINAL:
            raise
        refused = Refused(failure.code, "")
    return _refuse(shop, counter, refused)


def _answer(shop: Workshop, counter: Counter) -> Answered:
    request = counter.opened(clock.now())
    decision = counter.decide(request, clock.now())
    if isinstance(decision, Refused):
        return _refuse(shop, counter, decision)
    approved = _approve(shop, counter, decision)
    if isinstance(approved, Refused):
        return _refuse(shop, counter, approved)
    found, code = _look_up(shop, counter, request, decision)
    if code is not None:
        return _refuse(shop, counter, Refused(code, decision.article), found)
    if decision.with_number:
        found = _with_numbers(shop, counter.record, found)
    again = counter.decide_again(request, clock.now())
    if isinstance(again, Refused):
        return _refuse(shop, counter, again)
    seal_answer(shop, counter, again, found)
    counts = {outcome.value: found.count(outcome) for outcome in LineOutcome}
    return Answered(counter.record.provision_id, ProvisionState.SEALED, None, counts)


def _approve(shop: Workshop, counter: Counter, granted: Granted) -> Granted | Refused:
    """Fix what is granted, unless it is more than a recipient may ask for in a day."""
    record, at = counter.record, clock.now()
    with _unit(shop, record.provision_id.file) as unit:
        code = lines_refused(counter.limits, unit.provisions.lately(record.recipient, at), record.lines)
        if code is not None:
            return Refused(code, granted.article)
        unit.provisions.approve(record.provision_id.number, granted, at)
        if record.state is ProvisionState.RECEIVED:
            counts = {"fields": len(granted.fields), "lines": record.lines}
            unit.journal.append(entry_of(record, Action.PROVISION_DECIDED, counts=counts), at)
    return granted


def _look_up(
    shop: Workshop, counter: Counter, request: Request, granted: Granted
) -> tuple[Answers, Code | None]:
    """Look everybody up at once, and hold what was found to the limits before any of it is used."""
    file, at = request.file, clock.now()
    columns = [field.value for field in granted.fields]
    if granted.with_number and file is RESIDENT:
        columns.append(SEALED_COLUMN)
    keys = sought(request.people, shop.keyring(file).index)
    with _unit(shop, file) as unit:
        shop.check_keys(unit)
        found = answers(len(request.people), Lookup(file, unit.cursor).hits(keys, columns))
        before = unit.provisions.lately(request.recipient, at, found.codes)
        code = findings_refused(counter.limits, before, found.count(LineOutcome.NOT_FOUND))
        counts = {outcome.value: found.count(outcome) for outcome in LineOutcome} | {"lines": len(found)}
        refused = Outcome.REFUSED if code else Outcome.DONE
        unit.journal.append(
            entry_of(counter.record, Action.PEOPLE_SEARCHED, refused, code=code, counts=counts), at
        )
    return found, code


def _with_numbers(shop: Workshop, record: Provision, found: Answers) -> Answers:
    """Give the people found their numbers: opened from the resident file, or fetched over the bridge."""
    rows = found.found
    codes = found.codes.take(rows).to_pylist()
    if record.provision_id.file is RESIDENT:
        texts = found.people.column(SEALED_COLUMN).combine_chunks().take(rows).to_pylist()
        sealed_numbers = list(map(bytes.fromhex, texts))
        numbers = opened_numbers(
            RESIDENT, [code.encode() for code in codes], sealed_numbers, shop.sealing_key
        )
        return found.with_numbers(numbers, rows)
    return found.with_numbers(attach_numbers(shop, record.provision_id, codes) if codes else [], rows)


def _refuse(shop: Workshop, counter: Counter, refused: Refused, found: Answers | None = None) -> Answered:
    """Note the refusal; what is kept already of a provision that will not be has come to its end."""
    record, at = counter.record, clock.now()
    with _unit(shop, record.provision_id.file) as unit:
        unit.provisions.refuse(record.provision_id.number, refused.code, refused.article or None, at, found)
        unit.holds.shorten(record.provision_id.number, at)
        entry = entry_of(record, Action.PROVISION_DECIDED, Outcome.REFUSED, code=refused.code)
        unit.journal.append(entry, at)
    return Answered(record.provision_id, ProvisionState.REFUSED, refused.code)


def entry_of(
    record: Provision, action: Action, outcome: Outcome = Outcome.DONE, *, code: Code | None = None,
    counts: dict[str, int] | None = None,
) -> Entry:  # fmt: skip
    """Write the entry of what a run did with a provision."""
    return Entry(
        action=action, file=record.provision_id.file, actor=run_actor(), outcome=outcome, basis=record.basis,
        code=code, counts=counts or {}, provision=str(record.provision_id), recipient=record.recipient,
    )  # fmt: skip


def _unit(shop: Workshop, file: IdentityFile) -> AbstractContextManager[Unit]:
    return open_unit(shop.store_url(file), file, Duty.PROVIDER)
