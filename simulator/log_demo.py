"""The demonstration's chapter on the operation log: a row is edited by SQL, the verifier names it, it is put back.

Decides:    what is done to the log, and what of it is told.
Leaves:     verifying to `verifier/juki_verify.py`, run as an auditor runs it, on an export with witness and key.
Invariants: a chapter is ok only if the log verified before, the edited row was named by its number and nothing else,
            a rewriting of all hashes was found between two checkpoints and was not signed, and the log verified again
            when everything was put back byte for byte.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console

from config.logs import log_keys, log_place
from config.settings import Settings, load_settings
from config.stores import admin_url
from juki.cli.installation import Installation
from juki.cli.log_actions import export
from juki.columns import IdentityFile
from juki.home import Home
from juki.merkle import Frontier, leaf_hash
from juki.oplog.signing import Signing, sign_log
from juki.oplog.verifying import verify_all
from juki.reasons import Code
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tasks import clock

FILE = IdentityFile.RESIDENT
VERIFIER = Path(__file__).parents[1] / "verifier" / "juki_verify.py"
_ROWS = "SELECT entry_no, entry, leaf_hash, frontier FROM journal WHERE entry_no >= %s ORDER BY entry_no"
_PUT = "UPDATE journal SET entry = %s, leaf_hash = %s, frontier = %s WHERE entry_no = %s"


@dataclass(slots=True)
class LogChapter:
    """What `demo-summary.json` says of the operation log."""

    ok: bool = False
    entries: int = 0
    checkpoints: int = 0
    verified_before: bool = False
    edited_entry: int = 0
    named_entry: int = 0
    rewritten_named: str = ""
    rewritten_not_signed: bool = False
    verified_after: bool = False


def run(home: Home, chapter: LogChapter) -> None:
    """Go through the chapter, on the log as the chapters before have left it."""
    settings = load_settings(home)
    for file in IdentityFile:
        _sign(home, settings, file)
    before = _verify(home, "before")
    chapter.entries, chapter.checkpoints = before["entries"], before["checkpoints"]
    chapter.verified_before = before["is_verified"]
    chapter.edited_entry = max(before["signed"] // 2, 1)
    (row, *_) = _rows(home, settings, chapter.edited_entry)
    _change(home, settings, [_edited(row)])
    found = _verify(home, "edited")["findings"]
    chapter.named_entry = found[0]["first"] if [one["code"] for one in found] == ["entry.edited"] else 0
    # Nothing may be added from here on: it would be hashed over what is forged.
    rows = [row, *_rows(home, settings, chapter.edited_entry + 1)]
    _change(home, settings, _rewritten(home, settings, chapter.edited_entry))
    chapter.rewritten_not_signed = not _sign(home, settings).is_new
    chapter.rewritten_named = _forked(home, settings)
    _change(home, settings, rows)
    chapter.verified_after = _verify(home, "after")["is_verified"] and _sign(home, settings).alarms == ()
    chapter.ok = (
        chapter.verified_before and chapter.verified_after and chapter.rewritten_not_signed
        and chapter.named_entry == chapter.edited_entry and _covers(chapter.rewritten_named, chapter.edited_entry)
    )  # fmt: skip


def tell(console: Console, chapter: LogChapter) -> None:
    """Say in a few lines what the chapter has shown."""
    console.print(
        f"  {FILE.japanese}の操作ログ {chapter.entries:,} 件とチェックポイント {chapter.checkpoints:,} 件を、"
        f"書き出して独立の検証プログラムで検証: {_word(chapter.verified_before)}"
    )
    console.print(
        f"  記録 {chapter.edited_entry:,} を SQL で書き換える → 検証プログラムは記録 {chapter.named_entry:,} を指摘"
    )
    refused = "署名しませんでした" if chapter.rewritten_not_signed else "署名してしまいました"
    named = chapter.rewritten_named or "なし"
    console.print(f"  ハッシュまですべて計算し直す → 署名と食い違う範囲 {named} を指摘し、{refused}")
    console.print(f"  元に戻して、もう一度検証: {_word(chapter.verified_after)}")


def _word(is_verified: bool) -> str:
    return "一致" if is_verified else "不一致"


def _covers(entries: str, number: int) -> bool:
    first, _, last = entries.partition("-")
    return bool(first) and int(first) <= number <= int(last or first)


def _forked(home: Home, settings: Settings) -> str:
    """Verify the log where it is, which adds nothing to it; name the entries that were rewritten."""
    with open_unit(admin_url(home, settings, FILE), FILE, Duty.AUDITOR) as unit:
        alarms = verify_all(unit, log_place(home, settings, FILE)).alarms
    (entries, *_) = [*(one.ref.split()[-1] for one in alarms if one.code is Code.JOURNAL_FORKED), ""]
    return entries


def _verify(home: Home, name: str) -> dict[str, Any]:
    """Export the log and verify it in a process of its own, with the witness, and the key from where it is kept."""
    folder = home.root / "log-demo" / name
    shutil.rmtree(folder, ignore_errors=True)
    export(Installation.open(), FILE, folder, clock.now())
    key = home.keys / "log_signing-1.vkey"
    command = [sys.executable, "-I", str(VERIFIER), str(folder), "--witness", str(home.witness)]
    done = subprocess.run(
        [*command, "--key", str(key), "--json"], capture_output=True, text=True, check=False
    )
    (told,) = json.loads(done.stdout)["logs"]
    shutil.rmtree(folder.parent)
    return dict(told)


def _sign(home: Home, settings: Settings, file: IdentityFile = FILE) -> Signing:
    key = log_keys(home, settings).signing_key
    return sign_log(admin_url(home, settings, file), log_place(home, settings, file), key, clock.now())


_Row = tuple[int, str, bytes, bytes]


def _rows(home: Home, settings: Settings, first: int) -> list[_Row]:
    with psycopg.connect(admin_url(home, settings, FILE)) as connection:
        return [
            (number, entry, bytes(leaf), bytes(tree))
            for number, entry, leaf, tree in connection.execute(_ROWS, (first,))
        ]


def _edited(row: _Row) -> _Row:
    """Let another actor have done it."""
    number, entry, leaf, tree = row
    said = json.loads(entry) | {"actor": "flow-run:somebody-else"}
    return number, json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")), leaf, tree


def _rewritten(home: Home, settings: Settings, first: int) -> list[_Row]:
    """Compute every hash and tree anew from an entry on, as somebody would who knows the format."""
    with open_unit(admin_url(home, settings, FILE), FILE, Duty.AUDITOR) as unit:
        tree = Frontier()
        for leaf in unit.journal_reader.leaves(first - 1):
            tree = tree.grown(leaf)
    rewritten = []
    for number, entry, _, _ in _rows(home, settings, first):
        leaf = leaf_hash(entry.encode())
        tree = tree.grown(leaf)
        rewritten.append((number, entry, leaf, tree.to_bytes()))
    return rewritten


def _change(home: Home, settings: Settings, rows: list[_Row]) -> None:
    """Put rows into the log as a superuser who has switched its guard off."""
    with psycopg.connect(admin_url(home, settings, FILE)) as connection:
        connection.execute("ALTER TABLE journal DISABLE TRIGGER journal_is_append_only")
        connection.cursor().executemany(
            _PUT, [(entry, leaf, tree, number) for number, entry, leaf, tree in rows]
        )
        connection.execute("ALTER TABLE journal ENABLE TRIGGER journal_is_append_only")
