"""docs/operation-log.md says of every event what it records, and nothing that no entry has."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from juki.journal import Action, Entry

_ROOT = Path(__file__).parents[2]
_PAGE = (_ROOT / "docs" / "operation-log.md").read_text("utf-8")
_ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in _PAGE.splitlines()
    if line.startswith("| `")
]
SAID = {row[0].strip("`"): frozenset(re.findall(r"`([a-z_]+)`", row[2])) for row in _ROWS}
"""What each event says besides what all say."""
_FIELDS = {field.name for field in fields(Entry)}


def test_every_event_is_on_the_page_once() -> None:
    """A new action without a row, or a row without an action, turns this red."""
    assert sorted(row[0].strip("`") for row in _ROWS) == sorted(action.value for action in Action)


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row[0].strip("`"))
def test_what_an_event_says_is_a_field_of_an_entry(row: list[str]) -> None:
    """A renamed field does not stay on the page."""
    assert len(row) == 3 and row[1]
    said = re.findall(r"`([a-z_]+)`", row[2])
    assert (said or row[2] == "nothing") and set(said) <= _FIELDS


def test_what_is_built_as_an_entry_has_the_fields_the_page_names() -> None:
    """The entries of this log's own commands, as they are written."""
    from juki.cli.log_actions import _entry
    from juki.columns import IdentityFile

    entry = _entry(Action.LOG_SEARCHED, IdentityFile.RESIDENT, {"found": 1}, "actor", "ab" * 16)
    extra = {
        "municipality_code",
        "package",
        "package_id",
        "basis",
        "counts",
        "changes_digest",
        "subject_index",
    }
    filled = {name for name in extra if getattr(entry, name)}
    assert filled == SAID["log.searched"]
