"""Ask at the terminal who is meant, where nobody has written it into a file: what is typed is in no argument.

Decides:    what is asked in which order: the code, else the number, else the four information.
Leaves:     whether an answer has its form to `juki.person_queries`.
Invariants: the number is not shown while it is typed; questions go to standard error, so that output stays data.
Source:     docs/formats/person.md.
"""

from __future__ import annotations

import json

import typer

from juki.columns import BY_NAME
from juki.person_queries import CODE_COLUMN, FORMAT
from juki.record_words import NUMBER_COLUMN

_FOUR = {
    "name_kana": "氏名の振り仮名", "birth_date": "生年月日（8文字、19700401）", "sex": "性別（1 男、2 女）",
    "address_prefix": "住所のはじめ",
}  # fmt: skip


def asked_at_terminal() -> bytes:
    """Ask who is meant and write the document; what is left empty is not said."""
    said = {}
    if code := _asked(BY_NAME[CODE_COLUMN].japanese):
        said[CODE_COLUMN] = code
    elif number := _asked(BY_NAME[NUMBER_COLUMN].japanese, is_hidden=True):
        said[NUMBER_COLUMN] = number
    else:
        said = {name: answer for name, question in _FOUR.items() if (answer := _asked(question))}
    position = _asked("順（複数いるとき）")
    chosen = {"position": int(position)} if position.isascii() and position.isdigit() else {}
    return json.dumps({"format": FORMAT, **said, **chosen}, ensure_ascii=False).encode("utf-8", "replace")


def _asked(question: str, *, is_hidden: bool = False) -> str:
    answer = typer.prompt(
        f"{question}（なければ空）", default="", show_default=False, err=True, hide_input=is_hidden
    )
    return str(answer).strip()
