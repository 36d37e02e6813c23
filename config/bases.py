"""All legal bases in force on an installation: the statute's, those of ordinances, and what was decided on them.

Decides:    how the three are put together, and that a decision is on a basis it can change.
Leaves:     the forms of the files to `config.ordinances`, what a decision does to a basis to `juki.bases`.
Invariants: the statute comes first and is never changed but by withdrawal and by what it left undecided; no two
            bases share a code. The version word changes whenever any of the files says something else.
"""

from __future__ import annotations

from dataclasses import replace

from config.legal_bases.statute import openings, statute_bases, text_of_law
from config.ordinances import (
    BasisDecisions,
    NumberDecision,
    OrdinanceBasis,
    Withdrawal,
    load_basis_decisions,
    load_ordinance_bases,
)
from juki.bases import Coverage, Decided, LegalBases, LegalBasis, NumberUse
from juki.errors import ConfigurationError
from juki.home import Home
from juki.reasons import Code
from juki.recipients import RecipientKind


def load_bases(home: Home) -> LegalBases:
    """Read all bases of an installation; those of the statute where the prefecture has no file of its own.

    Raises: ConfigurationError naming the keys at fault.
    """
    table = {one.code: one for one in statute_bases()}
    for place, ordinance in enumerate(load_ordinance_bases(home).basis, 1):
        if ordinance.basis in table:
            raise _at_fault(home.ordinance_bases_file.name, "basis", place, Code.CONFIG_SHARED)
        table[ordinance.basis] = ordinance_basis(ordinance)
    decisions = load_basis_decisions(home)
    _decide_numbers(home, table, decisions)
    _withdraw(home, table, decisions)
    return LegalBases.of_table(text_of_law().version, table.values())


def ordinance_basis(ordinance: OrdinanceBasis) -> LegalBasis:
    """Make a basis of the work of an ordinance: through the statute's door for ordinances, and no wider."""
    parts = [one for one in openings()[f"jorei-{ordinance.kind}"] if one.file in ordinance.files]
    return LegalBasis(
        code=ordinance.basis,
        title=ordinance.article,
        kind=RecipientKind(ordinance.kind),
        receiver=ordinance.receiver,
        work=ordinance.work,
        coverage=tuple(_narrowed(one.coverage(ordinance.number), ordinance) for one in parts),
        needs_consent=False,
        valid_from=ordinance.valid_from,
        valid_to=ordinance.valid_to,
        decisions=(_registered(ordinance),),
    )


def _narrowed(covered: Coverage, ordinance: OrdinanceBasis) -> Coverage:
    fields = covered.fields if ordinance.fields is None else covered.fields & frozenset(ordinance.fields)
    by = f"、{ordinance.number_article}" if ordinance.number_article else ""
    return replace(
        covered,
        article=f"{covered.article}、{ordinance.article}",
        fields=fields,
        number_article=covered.number_article + by,
    )


def _registered(ordinance: OrdinanceBasis) -> Decided:
    day = ordinance.valid_from
    return Decided("registered", day, ordinance.article, ordinance.decided_by, ordinance.decided_on)


def _decide_numbers(home: Home, table: dict[str, LegalBasis], decisions: BasisDecisions) -> None:
    for place, one in enumerate(decisions.number, 1):
        basis = table.get(one.basis)
        if basis is None or not basis.is_number_undecided:
            raise _at_fault(home.basis_decisions_file.name, "number", place)
        decided = _decided(f"number {one.number}", one, one.article)
        table[one.basis] = basis.with_number_decided(NumberUse(one.number), decided)


def _withdraw(home: Home, table: dict[str, LegalBasis], decisions: BasisDecisions) -> None:
    for place, one in enumerate(decisions.withdrawal, 1):
        basis = table.get(one.basis)
        if basis is None or basis.withdrawn_from is not None:
            raise _at_fault(home.basis_decisions_file.name, "withdrawal", place)
        table[one.basis] = basis.withdrawn(_decided("withdrawn", one, one.reason))


def _decided(what: str, one: NumberDecision | Withdrawal, ground: str) -> Decided:
    return Decided(what, one.effective_from, ground, one.decided_by, one.decided_on)


def _at_fault(file: str, key: str, place: int, code: Code = Code.CONFIG_INVALID) -> ConfigurationError:
    return ConfigurationError(code, f"{file}: {key}[{place}].basis")
