"""In which language help is given: Japanese where the environment says so, else English.

Decides:    what the environment says (LC_ALL, LC_MESSAGES, LANG, in this order, as POSIX has it), and the words of
            help that the library gives in English whatever the language.
Leaves:     what is said in English to `english.tsv`, one line a sentence, read only when help is not in Japanese.
Invariants: the commands are written in Japanese; a sentence without a line in the table stays as it is written.
            Results, messages and reports are Japanese in every language: only help changes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

_TABLE = Path(__file__).with_name("english.tsv")
_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
_WORDS = {
    "Usage: ": "使い方: ",
    "\nOptions:\n": "\nオプション:\n",
    "\nArguments:\n": "\n引数:\n",
    "\nCommands:\n": "\nコマンド:\n",
    "Show this message and exit.": "この説明を示して終わる。",
    "[default: ": "[既定: ",
    "[required]": "[必須]",
}
"""What the library writes around our sentences."""


class _Japanese(typer.Context):
    """A context whose help has no English words of the library."""

    def get_help(self) -> str:
        """Give the help of the command in Japanese."""
        text = super().get_help()
        for english, japanese in _WORDS.items():
            text = text.replace(english, japanese)
        return text


def is_japanese(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the first of the variables that is set names Japanese."""
    said = next((value for name in _VARIABLES if (value := environ.get(name))), "")
    return said.lower().startswith("ja")


def command_of(app: typer.Typer, environ: Mapping[str, str] = os.environ) -> Any:
    """Make a command line of an app, its help in the language of the environment."""
    command = get_command(app)
    (_speak_japanese if is_japanese(environ) else _speak_english)(command)
    return command


@lru_cache(maxsize=1)
def english() -> Mapping[str, str]:
    """Read the table: Japanese sentence to English one."""
    lines = _TABLE.read_text("utf-8").splitlines()[1:]
    return {japanese: said for japanese, _, said in (line.partition("\t") for line in lines)}


def in_english(text: str) -> str:
    """Say a help text in English, paragraph by paragraph."""
    return "\n\n".join(english().get(part, part) for part in text.split("\n\n"))


def _speak_japanese(command: Any) -> None:
    command.context_class = _Japanese
    for one in getattr(command, "commands", {}).values():
        _speak_japanese(one)


def _speak_english(command: Any) -> None:
    """Replace every help text below a command; a list of commands shows the first paragraph whole."""
    if command.help:
        command.help = in_english(command.help)
        command.short_help = command.help.split("\n\n")[0].rstrip(".")
    for one in command.params:
        if getattr(one, "help", None):
            one.help = in_english(one.help)
    for one in getattr(command, "commands", {}).values():
        _speak_english(one)
