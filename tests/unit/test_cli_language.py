"""Help is in Japanese where the environment says so, and in English otherwise, whole in both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest
import typer

from juki.cli.app import BUILT_IN, PLUG_IN_GROUP, _app_of, build_app, plugged_in
from juki.cli.language import command_of, english, in_english, is_japanese

JAPANESE, ENGLISH = {"LANG": "ja_JP.UTF-8"}, {"LANG": "C.UTF-8"}
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_TERMS = re.compile("30条の[0-9]+|住民票コード")
"""What stays Japanese in an English sentence: articles, and terms of the law with kana in them."""


def _commands(environ: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """Every command and group with its words, the root included."""
    yield from _below("juki", command_of(build_app(), environ))
    for one in (*BUILT_IN, *plugged_in()):
        target = EntryPoint(one.name, one.target, PLUG_IN_GROUP).load()
        app = target if isinstance(target, typer.Typer) else _app_of(target)
        yield from _below(f"juki {one.name}", command_of(app, environ))


def _below(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield words, command
    for name, one in getattr(command, "commands", {}).items():
        yield from _below(f"{words} {name}", one)


def _helps(environ: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Every help text, of commands and of what they take."""
    for words, command in _commands(environ):
        yield words, command.help or ""
        for one in command.params:
            yield f"{words} {one.opts[0]}", one.help or ""


def _is_japanese(text: str) -> bool:
    return bool(_KANA.search(_TERMS.sub("", text)))


@pytest.mark.parametrize(
    ("environ", "answer"),
    [
        ({"LANG": "ja_JP.UTF-8"}, True),
        ({"LANG": "ja"}, True),
        ({"LANG": "C", "LC_MESSAGES": "ja_JP.UTF-8"}, True),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": ""}, True),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "en_US.UTF-8"}, False),
        ({"LC_CTYPE": "ja_JP.UTF-8"}, False),
        ({}, False),
    ],
    ids=["japan", "short", "messages", "empty-all", "all-wins", "america", "characters-only", "nothing"],
)
def test_the_first_variable_that_is_set_says_the_language(environ: dict[str, str], answer: bool) -> None:
    """As every other program of the machine decides it."""
    assert is_japanese(environ) is answer


def test_every_command_and_option_has_a_help_and_an_english_one() -> None:
    """A new sentence needs a line in juki/cli/english.tsv: the Japanese one, a tab, the English one."""
    missing = {where: text for where, text in _helps(JAPANESE) if not text or _is_japanese(in_english(text))}
    assert missing == {}
    assert [where for where, text in _helps(ENGLISH) if _is_japanese(text)] == []


def test_no_english_sentence_is_left_of_a_japanese_one_that_is_gone() -> None:
    """The table holds what is said, and nothing else."""
    said = {part for _, text in _helps(JAPANESE) for part in text.split("\n\n")}
    assert [japanese for japanese in english() if japanese not in said] == []
    assert all(text.strip() for text in english().values())


@pytest.mark.parametrize(
    ("environ", "said", "unsaid"),
    [
        (JAPANESE, ("使い方: ", "オプション:", "コマンド:", "この説明を示して終わる。"), ("Usage", "Options")),
        (ENGLISH, ("Usage: ", "Options:", "Commands:", "Show this message and exit."), ("使い方", "オプション")),
    ],
    ids=["japanese", "english"],
)  # fmt: skip
def test_help_is_in_one_language(
    environ: dict[str, str], said: tuple[str, ...], unsaid: tuple[str, ...], capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The words of the library go with ours."""
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", environ["LANG"])
    for arguments in (["--help"], ["difference", "--help"]):
        with pytest.raises(SystemExit):
            command_of(build_app())(arguments)
        printed = capsys.readouterr().out
        assert [word for word in said if word not in printed] == []
        assert [word for word in unsaid if word in printed] == []
