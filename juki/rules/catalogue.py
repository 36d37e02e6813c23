"""The list of all rules on records: which code, on which column, found by which function.

Decides:    what is checked on which layout of which file. A rule applies wherever its columns exist.
Leaves:     running the rules to `validations`, meaning and severity of a code to `juki.reasons`.
Invariants: one line per code and column; the order of evaluation is the order of the codes, then of the
            columns here. A rule answers with one mask over all records, whether one is bad or all are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from juki.columns import IdentityFile, Layout, columns_of
from juki.reasons import Code
from juki.rules import events, identifiers, persons, places
from juki.rules.characters import CharacterClass
from juki.rules.identifiers import CODE, MUNICIPALITY, NUMBER
from juki.rules.view import Mask, Records


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `failing` marks the records that break it; `reads` are further columns it needs."""

    code: Code
    column: str
    failing: Callable[[Records], Mask]
    reads: tuple[str, ...] = ()
    only: IdentityFile | None = None

    def applies_to(self, layout: Layout, file: IdentityFile) -> bool:
        """Tell whether the layout has what the rule speaks of."""
        columns = columns_of(layout, file)
        return self.only in (None, file) and {self.column, *self.reads} <= set(columns)


_CODES = ("resident_code", "previous_resident_code")
_NUMBERS = ("individual_number", "previous_individual_number")
_TEXTS = ("name", "former_name", "alias", "address")
_KANA = ("name_kana", "former_name_kana")
_FLAGS = ("is_foreign", "is_abroad")
_GAIJI = (("name_gaiji", "name"), ("address_gaiji", "address"))
_CLASSES = (
    (Code.TEXT_CONTROL, CharacterClass.CONTROL),
    (Code.TEXT_HANGUL, CharacterClass.HANGUL),
    (Code.TEXT_PRIVATE_USE, CharacterClass.PRIVATE_USE),
    (Code.TEXT_NO_CHARACTER, CharacterClass.NO_CHARACTER),
)


def _event_rules() -> tuple[Rule, ...]:
    return (
        Rule(Code.NOTICE_NO_FORM, "notice_no", events.is_malformed_notice_no),
        Rule(Code.NOTIFIED_AT_FORM, "notified_at", events.is_malformed_instant),
        Rule(Code.NOTIFIED_AT_FUTURE, "notified_at", events.is_notified_in_future),
        Rule(Code.KIND_UNKNOWN, "kind", events.is_unknown_kind),
        Rule(Code.REASON_UNKNOWN, "reason", events.is_unknown_reason),
        Rule(Code.REASON_OTHER_KIND, "reason", events.is_reason_of_other_kind, reads=("kind",)),
        Rule(Code.EVENT_DATE_MISSING, "event_date", events.lacks_event_date),
        Rule(Code.EVENT_DATE_FORM, "event_date", events.is_malformed_event_date),
        Rule(Code.EVENT_DATE_UNREAL, "event_date", events.is_unreal_event_date),
        Rule(Code.EVENT_DATE_FUTURE, "event_date", events.is_event_in_future, reads=("notified_at",)),
    )


def _identifier_rules() -> tuple[Rule, ...]:
    return (
        Rule(
            Code.RESIDENT_CODE_MISSING,
            "resident_code",
            partial(identifiers.is_missing, column="resident_code"),
        ),
        *(_form(Code.RESIDENT_CODE_FORM, column, CODE) for column in _CODES),
        *(_zero(Code.RESIDENT_CODE_ZERO, column, CODE) for column in _CODES),
        *(
            Rule(Code.RESIDENT_CODE_CHECK_DIGIT, column, partial(identifiers.has_suspect_code, column=column))
            for column in _CODES
        ),
        *(
            Rule(
                Code.RESIDENT_CODE_REFUSED_DIGIT, column, partial(identifiers.has_refused_code, column=column)
            )
            for column in _CODES
        ),
        Rule(
            Code.INDIVIDUAL_NUMBER_MISSING,
            "individual_number",
            identifiers.lacks_new_number,
            reads=("reason",),
        ),
        *(_form(Code.INDIVIDUAL_NUMBER_FORM, column, NUMBER) for column in _NUMBERS),
        *(_zero(Code.INDIVIDUAL_NUMBER_ZERO, column, NUMBER) for column in _NUMBERS),
        *(_digit(Code.INDIVIDUAL_NUMBER_CHECK_DIGIT, column, NUMBER) for column in _NUMBERS),
    )


def _text_rules() -> tuple[Rule, ...]:
    return (
        *(
            Rule(code, column, partial(persons.has_class, column=column, kind=kind))
            for code, kind in _CLASSES
            for column in _TEXTS
        ),
        *(
            Rule(Code.TEXT_STRAY_SELECTOR, column, partial(persons.has_stray_selector, column=column))
            for column in _TEXTS
        ),
        *(
            Rule(Code.TEXT_TOO_LONG, column, partial(persons.is_too_long, column=column))
            for column in (*_TEXTS, *_KANA)
        ),
        *(
            Rule(Code.KANA_CHARACTER, column, partial(persons.has_other_than_katakana, column=column))
            for column in _KANA
        ),
    )


def _person_rules() -> tuple[Rule, ...]:
    return (
        Rule(Code.FORMER_NAME_KANA_ALONE, "former_name_kana", persons.is_former_kana_alone),
        Rule(Code.FORMER_NAME_OF_FOREIGNER, "former_name", persons.is_former_name_of_foreigner),
        Rule(Code.ALIAS_OF_JAPANESE, "alias", persons.is_alias_of_japanese),
        Rule(Code.BIRTH_DATE_MISSING, "birth_date", partial(identifiers.is_missing, column="birth_date")),
        Rule(Code.BIRTH_DATE_FORM, "birth_date", persons.is_illegal_birth_date),
        Rule(Code.BIRTH_DATE_FUTURE, "birth_date", persons.is_born_in_future),
        Rule(Code.SEX_UNKNOWN, "sex", persons.is_unknown_sex),
        *(
            Rule(Code.FLAG_FORM, column, partial(persons.is_malformed_flag, column=column))
            for column in _FLAGS
        ),
    )


def _place_rules() -> tuple[Rule, ...]:
    column = "municipality_code"
    resident, fuhyo = IdentityFile.RESIDENT, IdentityFile.FUHYO
    return (
        Rule(Code.MUNICIPALITY_MISSING, column, places.lacks_municipality),
        _form(Code.MUNICIPALITY_FORM, column, MUNICIPALITY),
        _digit(Code.MUNICIPALITY_CHECK_DIGIT, column, MUNICIPALITY),
        Rule(Code.MUNICIPALITY_NOT_SENDER, column, places.is_of_other_municipality, only=resident),
        Rule(Code.MUNICIPALITY_UNKNOWN, column, places.is_unknown_municipality, only=fuhyo),
        Rule(Code.ADDRESS_MISSING, "address", places.lacks_address),
        *(
            Rule(
                Code.PLACE_ABROAD, place, partial(places.has_place_abroad, column=place), reads=("is_abroad",)
            )
            for place in (column, "address")
        ),
    )


def _agreement_rules() -> tuple[Rule, ...]:
    return (
        *(
            Rule(Code.GAIJI_FORM, column, partial(persons.is_malformed_count, column=column))
            for column, _ in _GAIJI
        ),
        *(
            Rule(
                Code.GAIJI_COUNT,
                column,
                partial(persons.disagrees_with_gaiji, column=column, counted=counted),
                reads=(counted,),
            )
            for column, counted in _GAIJI
        ),
        Rule(
            Code.PREVIOUS_CODE_UNEXPECTED,
            "previous_resident_code",
            identifiers.has_unexpected_previous_code,
            reads=("kind",),
        ),
        _same(Code.PREVIOUS_CODE_SAME, "previous_resident_code", "resident_code"),
        Rule(
            Code.PREVIOUS_NUMBER_UNEXPECTED,
            "previous_individual_number",
            identifiers.has_unexpected_previous_number,
            reads=("reason",),
        ),
        _same(Code.PREVIOUS_NUMBER_SAME, "previous_individual_number", "individual_number"),
    )


def _form(code: Code, column: str, identifier: identifiers.Identifier) -> Rule:
    return Rule(code, column, partial(identifiers.is_malformed, column=column, identifier=identifier))


def _zero(code: Code, column: str, identifier: identifiers.Identifier) -> Rule:
    return Rule(code, column, partial(identifiers.is_zero, column=column, identifier=identifier))


def _digit(code: Code, column: str, identifier: identifiers.Identifier) -> Rule:
    return Rule(code, column, partial(identifiers.has_wrong_digit, column=column, identifier=identifier))


def _same(code: Code, previous: str, current: str) -> Rule:
    failing = partial(identifiers.repeats_the_new, previous=previous, current=current)
    return Rule(code, previous, failing, reads=(current,))


RULES: tuple[Rule, ...] = (
    *_event_rules(),
    *_identifier_rules(),
    *_text_rules(),
    *_person_rules(),
    *_place_rules(),
    *_agreement_rules(),
)
"""Every rule on a record, in the order of evaluation."""


def rules_of(layout: Layout, file: IdentityFile) -> tuple[Rule, ...]:
    """Name the rules a layout is held to; a snapshot shares the rules on records with the notice."""
    return tuple(rule for rule in RULES if rule.applies_to(layout, file))
