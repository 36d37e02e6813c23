"""A counter: one installation with keys, a few made-up people with a history, and documents that say who is meant."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa

from config.store_keys import keys_at_hand
from juki.columns import NOTICE_COLUMNS, IdentityFile
from juki.identity import plan_changes
from juki.journal import Action, Entry, Outcome
from juki.keys import FileKeys, Purpose
from juki.known import indexed, notices_of
from juki.numbers import SealingKey
from juki.store.key_register import register_keys
from juki.store.unit import open_unit
from juki.subjects import subject_index
from juki.versions import Origin
from tests.console import FUHYO, RESIDENT, Console, Said
from tests.notice_tables import DIGEST_KEY, HERE, RECEIVED, notice
from tests.provision_rows import code_of, number_of

CODE, OTHER_CODE, NEW_CODE = code_of(1), code_of(2), code_of(3)
NUMBER, OTHER_NUMBER = number_of(1), number_of(2)
NAME, KANA, BORN = "萩城　𠮷郎", "ハギジョウ　ヨシロウ", "19700400"
OLD_ADDRESS, ADDRESS = "山口県萩市大字江向510番地", "山口県山口市滝町1番1号"
PURPOSE = "窓口での問合せ（受付簿 甲12）"
WHO = {"name_kana": KANA, "birth_date": BORN}
SAID = tuple(f"{name}={value}" for name, value in WHO.items())
"""The same person as a gateway is told."""


def refusal(said: Said) -> str:
    """Name the code a command was refused with, as people read it."""
    assert said.code == 2, said.out
    return said.err.partition("[")[2].partition("]")[0]


@dataclass(slots=True)
class Counter:
    """The command line, and what is held behind it."""

    console: Console
    folder: Path
    keys: FileKeys = field(init=False)
    _packages: int = 0

    def __post_init__(self) -> None:
        """Create keys and let the stores know them."""
        self.keys = FileKeys(self.console.home.keys)
        for file, purpose in self.keys.missing():
            self.keys.create(file, purpose)
        for file in IdentityFile:
            with psycopg.connect(self.console.stores.url(file)) as connection:
                connection.execute("TRUNCATE store_key")
            checks = keys_at_hand(self.console.home, file)
            register_keys(self.console.stores.url(file), file, checks, "test", datetime.now(UTC))

    def key(self, file: IdentityFile, purpose: Purpose) -> SealingKey:
        """Give an active key."""
        key_id = self.keys.active(file, purpose)
        return SealingKey(key_id, self.keys.key(key_id))

    def notify(self, file: IdentityFile = RESIDENT, **said: str) -> None:
        """Let one notice be applied as the intake applies it."""
        self._packages += 1
        row = notice(**said)
        columns = {name: pa.array([row.get(name, "")], pa.string()) for name in NOTICE_COLUMNS[file]}
        columns["notice_no"] = pa.array([str(self._packages)])
        made = notices_of(file, HERE, pa.table(columns), np.ones(1, dtype=np.bool_), RECEIVED, DIGEST_KEY)
        package = indexed(made, np.arange(1), self.key(file, Purpose.INDEX).key)
        with open_unit(self.console.stores.url(file), file) as unit:
            known = unit.identities.known(package)
            plan = plan_changes(package, known)
            origin = Origin(HERE, self._packages, date(2026, 3, 25))
            unit.identities.apply(package, known, plan, origin, self.key(file, Purpose.NUMBER))

    def enter(self, code: str = CODE, number: str = NUMBER, **said: str) -> None:
        """Enter a person who then moves within the prefecture's one municipality."""
        person = {
            "resident_code": code, "individual_number": number, "name": NAME, "name_kana": KANA,
            "birth_date": BORN, "sex": "1",
        } | said  # fmt: skip
        self.notify(**person | {"address": OLD_ADDRESS})
        self.notify(**person | {
            "kind": "correction", "reason": "転居", "address": ADDRESS, "notified_at": "2026-03-26T10:00:00+09:00",
        })  # fmt: skip

    def recode(self) -> None:
        """Let the first person be given another 住民票コード, which only the resident file hears of."""
        self.notify(
            kind="correction", reason="住民票コードの変更請求", resident_code=NEW_CODE, previous_resident_code=CODE,
            individual_number=NUMBER, name=NAME, name_kana=KANA, birth_date=BORN, sex="1", address=ADDRESS,
            notified_at="2026-03-27T10:00:00+09:00",
        )  # fmt: skip

    def provided_abroad(self, code: str) -> None:
        """Let the log of the fuhyo file say that somebody was provided by this code."""
        index = subject_index(code.encode(), self.key(FUHYO, Purpose.SUBJECT))
        entry = Entry(Action.PERSON_PROVIDED, FUHYO, Outcome.DONE, subject_index=index)
        with open_unit(self.console.stores.url(FUHYO), FUHYO) as unit:
            unit.journal.append(entry, datetime.now(UTC))

    def document(self, who: Mapping[str, object], *, mode: int = 0o600) -> str:
        """Write who is meant into a private file."""
        path = self.folder / f"{secrets.token_hex(8)}.json"
        path.write_text(json.dumps({"format": "juki-person/1", **who}, ensure_ascii=False), "utf-8")
        path.chmod(mode)
        return str(path)

    def ask(self, act: str, who: Mapping[str, object], *options: str, purpose: str = PURPOSE) -> Said:
        """Run `juki person`."""
        return self.console.juki("person", act, self.document(who), "--purpose", purpose, *options)

    def logged(self, file: IdentityFile = RESIDENT) -> list[dict[str, Any]]:
        """Read what the log says of people and disclosures."""
        wanted = ("person.", "disclosure.")
        return [one for one in self.console.entries(file) if one["action"].startswith(wanted)]


__all__ = ["FUHYO", "RESIDENT"]
