"""An operation log with keys and witnesses, and a superuser who tampers with its rows."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import psycopg

from juki.checkpoints import origin_of
from juki.columns import IdentityFile
from juki.journal import Action, Entry, Outcome
from juki.log_keys import LogKeys
from juki.merkle import Frontier, leaf_hash
from juki.oplog.signing import Signing, sign_log
from juki.oplog.standing import LogPlace
from juki.oplog.verifying import Verified, verify_all, verify_news
from juki.store.roles import Duty
from juki.store.unit import open_unit
from juki.witnesses import Witness

FILE = IdentityFile.RESIDENT
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
ORIGINS = {file: origin_of("350001", file) for file in IdentityFile}


def load_verifier() -> ModuleType:
    """Load the verifier as the single file it is."""
    path = Path(__file__).parents[1] / "verifier" / "juki_verify.py"
    spec = importlib.util.spec_from_file_location("juki_verify", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["juki_verify"] = module
    spec.loader.exec_module(module)
    return module


def entry_of(number: int, file: IdentityFile = FILE) -> Entry:
    """An entry as the intake writes it."""
    return Entry(
        action=Action.PACKAGE_APPLIED, file=file, actor="flow-run:test", outcome=Outcome.DONE,
        municipality_code="352039", package=f"352039-resident-notice-{number:08}.p7m", package_id=number,
        counts={"records": 2},
    )  # fmt: skip


@dataclass(slots=True)
class LogCase:
    """One log on a real database."""

    url: str
    keys: LogKeys
    folders: Sequence[Path]

    @classmethod
    def at(cls, url: str, folder: Path, witnesses: int = 2) -> LogCase:
        """Make keys and witness folders."""
        keys = LogKeys(folder / "keys", list(ORIGINS.values()))
        keys.folder.mkdir()
        keys.create_missing()
        folders = [folder / f"witness-{number}" for number in range(1, witnesses + 1)]
        for one in folders:
            one.mkdir()
        return cls(url, keys, folders)

    @property
    def place(self) -> LogPlace:
        """What is known of the log outside the database."""
        origin = ORIGINS[FILE]
        keys = [key for key in self.keys.verifiers() if key.name == origin]
        return LogPlace(FILE, origin, keys, [Witness(folder, origin) for folder in self.folders])

    def append(self, count: int) -> None:
        """Add entries."""
        for _ in range(count):
            with open_unit(self.url, FILE) as unit:
                unit.journal.append(entry_of(unit.journal_reader.size() + 1), NOW)

    def sign(self) -> Signing:
        """Sign what is new."""
        return sign_log(self.url, self.place, self.keys.signing_key, NOW)

    def grow(self, *counts: int) -> None:
        """Add entries and sign, several times."""
        for count in counts:
            self.append(count)
            assert self.sign().alarms == ()

    def verify(self, *, news: bool = False) -> Verified:
        """Verify the log as an auditor."""
        with open_unit(self.url, FILE, Duty.AUDITOR) as unit:
            return (verify_news if news else verify_all)(unit, self.place)

    def found(self, *, news: bool = False) -> list[tuple[str, str]]:
        """Verify, and list what was found: code and place."""
        return [(alarm.code.value, alarm.ref) for alarm in self.verify(news=news).alarms]

    @contextmanager
    def superuser(self) -> Iterator[psycopg.Connection]:
        """Act as somebody who owns the database: the guard of the log is switched off meanwhile."""
        with psycopg.connect(self.url) as connection:
            connection.execute("ALTER TABLE journal DISABLE TRIGGER journal_is_append_only")
            yield connection
            connection.execute("ALTER TABLE journal ENABLE TRIGGER journal_is_append_only")

    def rewrite(self, connection: psycopg.Connection, first: int = 1) -> None:
        """Compute all hashes and trees anew from an entry on, as somebody would who knows the format."""
        rows = connection.execute("SELECT entry_no, entry FROM journal ORDER BY entry_no").fetchall()
        tree = Frontier()
        for number, entry in rows:
            leaf = leaf_hash(entry.encode())
            tree = tree.grown(leaf)
            if number >= first:
                connection.execute(
                    "UPDATE journal SET leaf_hash = %s, frontier = %s WHERE entry_no = %s",
                    (leaf, tree.to_bytes(), number),
                )
