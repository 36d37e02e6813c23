"""A long log for the benchmark, laid into a store in one piece, with the checkpoints it would have been given."""

from __future__ import annotations

from datetime import datetime, timedelta

import psycopg

from config.logs import log_keys
from config.settings import load_settings
from config.stores import admin_url
from juki.checkpoints import Checkpoint, origin_of, sign_checkpoint
from juki.columns import IdentityFile
from juki.home import Home
from juki.journal import Action, Entry, Outcome, canonical_bytes
from juki.merkle import Frontier, leaf_hash
from juki.witnesses import Witness

FILE = IdentityFile.RESIDENT


def fill(home: Home, entries: int, every: int, first_at: datetime, step: timedelta) -> None:
    """Write entries as the intake does, and sign every so many; what comes after the last of them is not signed."""
    settings = load_settings(home)
    origin, key = origin_of(settings.prefecture_code, FILE), log_keys(home, settings).signing_key()
    witness, tree, signed = Witness(home.witness, origin), Frontier(), []
    with psycopg.connect(admin_url(home, settings, FILE)) as connection:
        connection.execute("ALTER TABLE journal DISABLE TRIGGER journal_is_append_only")
        connection.execute("TRUNCATE journal, checkpoint")
        connection.execute("ALTER TABLE journal ENABLE TRIGGER journal_is_append_only")
        copying = "COPY journal (entry_no, entry, leaf_hash, frontier) FROM STDIN"
        with connection.cursor() as cursor, cursor.copy(copying) as copy:
            for number in range(1, entries + 1):
                content = canonical_bytes(_entry(number), number, first_at + number * step)
                tree = tree.grown(leaf := leaf_hash(content))
                copy.write_row((number, content.decode(), leaf, tree.to_bytes()))
                if number % every == 0 and number < entries:
                    note = sign_checkpoint(Checkpoint(origin, number, tree.root), key)
                    witness.write(number, note)
                    signed.append((number, tree.root, note.decode(), first_at, [witness.name]))
        insert = "INSERT INTO checkpoint VALUES (%s, %s, %s, %s, %s)"
        connection.cursor().executemany(insert, signed)


def _entry(number: int) -> Entry:
    return Entry(
        action=Action.PACKAGE_APPLIED, file=FILE, actor="flow-run:bench", outcome=Outcome.DONE,
        municipality_code="352039", package=f"352039-resident-notice-{number:08}.p7m", package_id=number,
        counts={"accepted": 10, "alerted": 0, "records": 10, "rejected": 0}, changes_digest="0" * 64,
    )  # fmt: skip
