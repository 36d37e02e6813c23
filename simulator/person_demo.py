"""The demonstration's chapter on seeing and disclosing: one made-up person is found, looked at, and told on paper.

Decides:    who is looked for: somebody whose data was given to a recipient before, so that the paper has to say so.
Leaves:     looking and printing to the product's own commands.
Invariants: a chapter is ok only if the reading and the birth date led to that person, the number stayed masked, the
            text taken out of the PDF again is the record, the recipient and the view stand on it, both logs tell of
            it, and a document is not made twice over.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from rich.console import Console

from juki.cli.disclose_action import Printed, disclose
from juki.cli.disclosure_actions import receive
from juki.cli.installation import Installation
from juki.cli.person_actions import Asked, Seen, asked_for, find, show
from juki.cli.person_document import PersonDocument
from juki.columns import IdentityFile
from juki.dates import civil_date
from juki.errors import JukiError
from juki.home import Home
from juki.keys import write_private
from juki.reasons import Code
from simulator.recipients import RECIPIENTS

FILE = IdentityFile.RESIDENT
_PURPOSE = "演習: 本人からの問合せ"
_SOMEBODY = """
    SELECT c.resident_code, c.name_kana, c.birth_date, c.sex, c.address FROM provided p
    JOIN current c USING (resident_code) WHERE c.kind <> 'deletion' ORDER BY p.provision_id, p.line LIMIT 1
"""
_ENTRIES = """
    SELECT action, count(*) FROM journal WHERE action LIKE 'person.%' OR action LIKE 'disclosure.%' GROUP BY action
"""


@dataclass(slots=True)
class PersonChapter:
    """What `demo-summary.json` says of seeing and disclosing people."""

    ok: bool = False
    found: int = 0
    versions: int = 0
    number_masked: bool = False
    pdf: str = ""
    pages: int = 0
    text_is_the_record: bool = False
    names_the_recipient: bool = False
    names_the_view: bool = False
    second_document_refused: bool = False
    entries: dict[str, int] | None = None


def run(home: Home, chapter: PersonChapter) -> None:
    """Go through the chapter."""
    folder = home.root / "disclosure-demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    installation = Installation.open()
    source = _asked(installation, folder)
    who = PersonDocument(source)
    asked = asked_for(who, FILE, _PURPOSE)
    chapter.found = find(installation, asked, _now()).total
    seen = show(installation, asked, _now())
    chapter.versions, chapter.number_masked = len(seen.versions), set(seen.numbers) <= {None, ""}
    request = receive(installation, who.query, civil_date(_now()), _now(), not_held=False).request
    made = disclose(installation, request.number, folder, _now())
    Path(source).unlink()
    _read(installation, chapter, made, asked)
    chapter.second_document_refused = _refuses_again(installation, request.number, folder)
    chapter.entries = _entries(installation)
    chapter.ok = (
        chapter.found == 1 and chapter.number_masked and chapter.text_is_the_record and chapter.names_the_recipient
        and chapter.names_the_view and chapter.second_document_refused
        and chapter.entries.get("person.disclosed") == 1
    )  # fmt: skip


def tell(console: Console, chapter: PersonChapter) -> None:
    """Say in a few lines what the chapter has shown; nothing of the person."""
    masked = "個人番号は示さず" if chapter.number_masked else "個人番号が見えてしまい"
    console.print(
        f"  四情報で {chapter.found} 人を探し当て、記録 {chapter.versions} 版を見る（{masked}、目的は操作ログへ）"
    )
    same = "記録と一致" if chapter.text_is_the_record else "記録と不一致"
    console.print(f"  開示の書面（{chapter.pages} ページの PDF）を作り、文字を取り出して突合: {same}")
    given = "載っています" if chapter.names_the_recipient and chapter.names_the_view else "載っていません"
    console.print(f"  誰に提供し、誰が見たかも書面に{given}。書面: {chapter.pdf}")


def _asked(installation: Installation, folder: Path) -> str:
    """Write down whom to look for as somebody at a counter would, by what they say of themselves."""
    with psycopg.connect(installation.store_url(FILE)) as connection:
        row = connection.execute(_SOMEBODY).fetchone()
    if row is None:
        raise RuntimeError("nobody was given to anybody")
    _, kana, born, sex, address = row
    document = {
        "format": "juki-person/1", "name_kana": kana, "birth_date": born, "sex": sex, "address_prefix": address,
    }  # fmt: skip
    path = folder / "who.json"
    said = {name: value for name, value in document.items() if value}
    write_private(path, json.dumps(said, ensure_ascii=False).encode("utf-8"))
    return str(path)


def _read(installation: Installation, chapter: PersonChapter, made: Printed, asked: Asked) -> None:
    """Take the text out of the document again and hold it to what a provider sees of the person."""
    import pypdfium2

    document = pypdfium2.PdfDocument(made.pdf)
    text = "".join(page.get_textpage().get_text_range() for page in document).replace("\r\n", "")
    chapter.pdf, chapter.pages = str(made.pdf), len(document)
    document.close()
    whole = Asked(asked.file, asked.query, asked.purpose, "演習: 書面との突合")
    chapter.text_is_the_record = _holds(text, show(installation, whole, _now()))
    chapter.names_the_recipient = any(one.name in text for one in RECIPIENTS)
    chapter.names_the_view = _PURPOSE in text


def _holds(text: str, seen: Seen) -> bool:
    values = [
        str(one.values[name] or "") for one in seen.versions for name in ("name", "name_kana", "address")
    ]
    return all(value in text for value in (*values, *(number or "" for number in seen.numbers)))


def _refuses_again(installation: Installation, number: int, folder: Path) -> bool:
    try:
        disclose(installation, number, folder, _now())
    except JukiError as refused:
        return refused.code is Code.DISCLOSURE_FOLDER
    return False


def _entries(installation: Installation) -> dict[str, int]:
    with psycopg.connect(installation.store_url(FILE)) as connection:
        return dict(connection.execute(_ENTRIES).fetchall())


def _now() -> datetime:
    return datetime.now(UTC)
