"""`juki rejection list` on real stores: where and why, never what."""

from __future__ import annotations

import pytest

from juki.home import Home
from juki.reasons import Code
from tests.conftest import Stores
from tests.console import COUNTS, FUHYO, UBE, YAMAGUCHI, Console


@pytest.fixture
def console(
    home: Home, module_stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Console:
    """An installation whose stores hold three packages with findings."""
    made = Console(home, module_stores, monkeypatch, capsys)
    made.contact_all()
    first, second = made.apply(1, counts=COUNTS), made.apply(1, UBE, counts=COUNTS)
    third = made.apply(1, file=FUHYO, counts=COUNTS)
    made.find(first, 2, Code.SEX_UNKNOWN, "sex")
    made.find(first, 3, Code.LOGIC_UNKNOWN_PERSON, "")
    made.find(second, 2, Code.SEX_UNKNOWN, "sex")
    made.find(third, 5, Code.ADDRESS_MISSING, "address", FUHYO)
    return made


def _found(console: Console, *arguments: str) -> list[tuple[str, int, str]]:
    data = console.juki("rejection", "list", "--json", *arguments).data
    return [(one["package"], one["line"], one["code"]) for one in data["rejections"]]


def test_every_finding_has_place_code_sentence_and_next_step(console: Console) -> None:
    """Exit code 1, because records were refused."""
    said = console.juki("rejection", "list", "--json")
    assert (said.code, said.data["total"], said.data["is_cut"]) == (1, 4, False)
    for one in said.data["rejections"]:
        assert one["file_name"].startswith(one["municipality_code"])
        assert one["message"] and one["next_step"] and one["line"] == one["notice_no"] + 1
    text = console.juki("rejection", "list").out
    for part in ("性別", "住所", "拒否", "注意", Code.SEX_UNKNOWN.message, Code.SEX_UNKNOWN.next_step):
        assert part in text


def test_list_can_be_narrowed(console: Console) -> None:
    """By municipality, file, code, package and severity."""
    sex, unknown = Code.SEX_UNKNOWN.value, Code.LOGIC_UNKNOWN_PERSON.value
    assert _found(console, "--municipality", UBE) == [("R2", 2, sex)]
    assert _found(console, "--file", "fuhyo") == [("F1", 5, Code.ADDRESS_MISSING.value)]
    assert _found(console, "--code", sex) == [("R2", 2, sex), ("R1", 2, sex)]
    assert _found(console, "--package", "R1") == [("R1", 2, sex), ("R1", 3, unknown)]
    assert _found(console, "--severity", "alert", "--municipality", YAMAGUCHI) == [("R1", 3, unknown)]
    assert _found(console, "--package", "R1", "--file", "fuhyo") == []


def test_alerts_alone_are_no_rejection(console: Console) -> None:
    """They are shown, with exit code 0."""
    said = console.juki("rejection", "list", "--severity", "alert")
    assert said.code == 0 and Code.LOGIC_UNKNOWN_PERSON.value in said.out


def test_list_that_is_cut_still_counts_all(console: Console) -> None:
    """The counts by code do not depend on the limit."""
    data = console.juki("rejection", "list", "--limit", "1", "--json").data
    assert (len(data["rejections"]), data["total"], data["is_cut"]) == (1, 4, True)
    assert sum(one["count"] for one in data["codes"]) == 4


def test_code_that_does_not_exist_is_an_error(console: Console) -> None:
    """A misspelt code must not read as nothing found."""
    said = console.juki("rejection", "list", "--code", "sex.unknwon", "--json")
    assert said.code == 2 and said.data["error"]["code"] == Code.COMMAND_ARGUMENT.value
