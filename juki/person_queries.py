"""Who is meant at our own desk: one person, sought by 住民票コード, by number or by the four information.

Decides:    the form of `juki-person/1`, the document that says it, so that nothing of it stands in an argument.
Leaves:     what a name or a number may look like to `juki.people_sought`, the looking to `juki.store`.
Invariants: one way of three, every key of it, no other key, none twice; no error carries a byte of the document.
Source:     docs/formats/person.md, ADR-0037.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn

from juki.codes import RESIDENT_CODE_WIDTH
from juki.columns import IdentityFile
from juki.errors import ContractError
from juki.people_sought import FOUR_COLUMNS, NUMBER_COLUMN, People, as_columns, people_of
from juki.reasons import Code
from juki.strict_json import read_json

FORMAT = "juki-person/1"
MAX_QUERY_BYTES = 16 * 1024
CODE_COLUMN = "resident_code"
MOST_HITS = 50
"""So many are shown; whoever fits the four information is hardly ever more than a few."""
_FRAME = frozenset({"format", "position"})
_ORDER = (CODE_COLUMN, NUMBER_COLUMN, *FOUR_COLUMNS, "position")


class Way(StrEnum):
    """By what somebody was sought: the operation log keeps the word, never the value."""

    RESIDENT_CODE = "resident_code"
    NUMBER = "individual_number"
    FOUR_INFORMATION = "four_information"


@dataclass(frozen=True, slots=True, repr=False)
class PersonQuery:
    """One person sought; `position` chooses among several who fit, from 1, and 0 chooses nobody.

    `said` is the document in words, `key=value`, in the order of docs/formats/person.md whatever its own order.

    Shape: `people` is empty where the code is given, else one line.
    """

    way: Way
    resident_code: str
    people: People
    position: int
    said: tuple[str, ...]

    @property
    def is_by_number(self) -> bool:
        """Tell whether a 個人番号 was dealt with to find them."""
        return self.way is Way.NUMBER


def parse_query(document: bytes) -> PersonQuery:
    """Read who is meant.

    Raises: ContractError(PERSON_QUERY_FORM).
    """
    given = _object(document)
    if given.get("format") != FORMAT:
        _refuse()
    position = given.get("position", 0)
    if type(position) is not int or not 0 <= position <= MOST_HITS or ("position" in given and not position):
        _refuse()
    who = {name: value for name, value in given.items() if name not in _FRAME}
    if who.keys() == {CODE_COLUMN}:
        code, nobody = _code(who[CODE_COLUMN]), as_columns({NUMBER_COLUMN: []})
        return PersonQuery(Way.RESIDENT_CODE, code, nobody, position, _in_words(given))
    way = Way.NUMBER if NUMBER_COLUMN in who else Way.FOUR_INFORMATION
    return PersonQuery(way, "", _people(who), position, _in_words(given))


def check_file(query: PersonQuery, file: IdentityFile) -> None:
    """Refuse a number for the file that has none.

    Raises: ContractError(PERSON_NUMBER_ON_FUHYO).
    """
    if query.is_by_number and file is IdentityFile.FUHYO:
        raise ContractError(Code.PERSON_NUMBER_ON_FUHYO)


def _people(who: Mapping[str, object]) -> People:
    try:
        people = people_of([{"line": 1, **who}])
    except ContractError:
        people = None
    return people if people is not None else _refuse()


def _in_words(given: Mapping[str, object]) -> tuple[str, ...]:
    """Write what the keys say, once it is known that they say nothing else."""
    return tuple(f"{name}={given[name]}" for name in _ORDER if name in given)


def _code(value: object) -> str:
    is_code = (
        isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == RESIDENT_CODE_WIDTH
    )
    return str(value) if is_code else _refuse()


def _object(document: bytes) -> dict[str, Any]:
    if len(document) > MAX_QUERY_BYTES:
        _refuse()
    try:
        value = read_json(document, integers_only=False)
    except ValueError:
        value = None
    return value if isinstance(value, dict) and "line" not in value else _refuse()


def _refuse() -> NoReturn:
    raise ContractError(Code.PERSON_QUERY_FORM)
