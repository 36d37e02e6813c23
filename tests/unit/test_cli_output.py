"""What commands print: tables for people, lines for pipes, JSON for programs, and codes for errors."""

from __future__ import annotations

import json
import sys

import pytest
import typer

from juki.cli import output
from juki.cli.app import _summary, build_app
from juki.cli.output import ExitCode, Result, Table, finish, show_error
from juki.errors import ConfigurationError
from juki.reasons import Code

RESULT = Result(
    {"rejected": 2},
    [Table("拒否", ("市町村", "件数"), [("山口市 [bold]", "2")])],
    ["次にすること: juki rejection list"],
    ExitCode.FOUND,
)


def _printed(capsys: pytest.CaptureFixture[str], *, as_json: bool) -> str:
    with pytest.raises(typer.Exit) as ended:
        finish(RESULT, as_json=as_json)
    assert ended.value.exit_code == ExitCode.FOUND
    return capsys.readouterr().out


def test_pipe_gets_tab_separated_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """grep, cut and awk can read it, and brackets stay as they are."""
    lines = _printed(capsys, as_json=False).splitlines()
    assert lines == ["# 拒否", "市町村\t件数", "山口市 [bold]\t2", "次にすること: juki rejection list"]


def test_terminal_gets_a_table_with_values_as_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Square brackets of a value are text, not markup."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    printed = _printed(capsys, as_json=False)
    assert "山口市 [bold]" in printed
    assert "次にすること: juki rejection list" in printed


def test_program_gets_the_data_as_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing else is printed beside it."""
    assert json.loads(_printed(capsys, as_json=True)) == {"rejected": 2}


@pytest.mark.parametrize("as_json", [True, False])
def test_error_has_code_sentence_place_and_next_step(
    capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    """People read it on standard error, programs on standard output; the exit code is 2 for both."""
    error = ConfigurationError(Code.CONFIG_MISSING, "gap_deadline_hours")
    assert show_error(error, as_json=as_json) == ExitCode.ERROR == 2
    printed = capsys.readouterr()
    text = printed.out if as_json else printed.err
    for part in (Code.CONFIG_MISSING.value, "gap_deadline_hours", Code.CONFIG_MISSING.next_step):
        assert part in text


def test_plug_in_is_described_without_being_imported() -> None:
    """The summary of a command comes from its source; a plug-in that is not there has none."""
    from importlib.metadata import EntryPoint

    here = EntryPoint("finish", f"{output.__name__}:finish", "juki.commands")
    assert _summary(here).startswith("Print a result in the form asked for")
    for absent in ("juki.absent:x", "absent.module:x"):
        assert _summary(EntryPoint("x", absent, "juki.commands")) == ""
    assert _summary(EntryPoint("x", f"{output.__name__}:absent", "juki.commands")) == ""


def test_unknown_command_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt command ends with 2, like every other error."""
    with pytest.raises(SystemExit) as ended:
        build_app()(["intaek"])
    assert ended.value.code == 2
    assert "intaek" in capsys.readouterr().err
