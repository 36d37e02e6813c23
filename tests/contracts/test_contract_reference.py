"""docs/contracts.md says what the contracts say, and what it says of blanks is so."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import fields
from pathlib import Path

import pytest
from contract_records import BOUNDARIES, Where, found_in, good_record

import juki
from juki.columns import BY_NAME, IdentityFile
from juki.decisions import DECISIONS
from juki.reasons import Code, Scope, Severity
from juki.requests import OPTIONAL_KEYS, REQUIRED_KEYS
from juki.rules import RULES
from validations.reference import DOCUMENTS, contracts_page
from validations.reference_forms import FORMS, KEYS, PARTS, REQUEST_KEYS, REQUIRED

_PAGE = Path(__file__).parents[2] / "docs" / "contracts.md"
_COLUMNS = [(where, column) for where in BOUNDARIES for column in good_record(*where)]


def test_committed_page_of_contracts_is_current() -> None:
    """Run `python -m validations.reference > docs/contracts.md` after changing a column, a check or a format."""
    assert _PAGE.read_text("utf-8") == contracts_page()


@pytest.mark.parametrize(("where", "column"), _COLUMNS, ids=str)
def test_a_column_may_be_blank_exactly_where_the_page_says_so(where: Where, column: str) -> None:
    """The page speaks of a record of an ordinary event: a move in, of somebody who lives in Japan."""
    (found,) = found_in(*where, good_record(*where, **{column: ""}))
    is_refused = any(code.severity is Severity.ERROR for code, _ in found)
    assert is_refused is FORMS[column].filled_in(where.file).startswith(REQUIRED)


def test_every_check_and_every_decision_is_on_the_page() -> None:
    """A sender finds each code that can come back, with the column it is on."""
    page = contracts_page()
    assert [rule for rule in RULES if f"| `{rule.column}` | `{rule.code.value}` |" not in page] == []
    told = {code for code in Code if f"`{code.value}`" in page}
    decided = {cell.code for file in IdentityFile for cell in DECISIONS[file].values() if cell.code}
    assert decided <= told
    assert {code for code in Code if code.scope in (Scope.RECORD, Scope.PACKAGE, Scope.REQUEST)} <= told


def test_every_format_is_on_the_page() -> None:
    """A new class with a FORMAT is a new boundary."""
    names = [one.name for one in pkgutil.iter_modules(juki.__path__, "juki.") if one.name != "juki.__main__"]
    classes = [one for name in names for one in vars(importlib.import_module(name)).values()]
    formats = {one.FORMAT for one in classes if isinstance(one, type) and hasattr(one, "FORMAT")}
    assert formats == {document.form.FORMAT for document in DOCUMENTS}


def test_no_form_is_told_of_what_is_not_there() -> None:
    """A column, key or part that is gone leaves the page."""
    keys = {field.name for document in DOCUMENTS for field in fields(document.form)} | {*REQUEST_KEYS}
    assert keys == KEYS.keys()
    assert FORMS.keys() == BY_NAME.keys()
    parts = {name for document in DOCUMENTS for name in document.columns}
    assert parts - BY_NAME.keys() <= PARTS.keys() <= parts
    assert {*REQUEST_KEYS, "format"} == REQUIRED_KEYS | OPTIONAL_KEYS
