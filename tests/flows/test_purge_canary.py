"""A marked number, lent out and purged by the real flow: afterwards it and the key of its hold are nowhere.

Nowhere is: the files of both databases after a checkpoint, the write-ahead log, JUKI_HOME with keys, copies and
quarantine, Prefect's database and logs, what the process printed. The search is raw bytes over whole files, and is
shown to find the key while the hold is open. The held ciphertext stays in the write-ahead log: that is why its key
never was in a database (ADR-0028).
"""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from juki.custody.handing_over import deliver
from juki.home import Home
from juki.numbers import NONCE_BYTES
from juki.wire.envelope import open_envelope, seal_envelope
from simulator import pki
from tasks.bridging import attach_numbers
from tasks.workshop import Workshop
from tests.conftest import Stores
from tests.lineage_oracle import events_of, stages
from tests.provision_rows import FUHYO, Lender, working_for

NUMBER = "943210987659"
"""No other test has it; made up, and valid where that matters to nobody here."""
SECONDS = 300


def holding(marks: Iterable[bytes], *roots: Path) -> dict[str, list[bytes]]:
    """Name every file below some folders that holds one of the marks."""
    found: dict[str, list[bytes]] = {}
    for path in (path for root in roots for path in root.rglob("*") if path.is_file()):
        try:
            if path.stat().st_size == 0:
                continue
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                hits = [mark for mark in marks if content.find(mark) >= 0]
        except FileNotFoundError:
            continue
        if hits:
            found[path.name] = hits
    return found


def checkpoint(stores: Stores) -> None:
    """Write everything the server has in memory to its files."""
    for url in (stores.resident_url, stores.fuhyo_url):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM")
            connection.execute("CHECKPOINT")


@pytest.fixture(scope="module")
def recipient(tmp_path_factory: pytest.TempPathFactory) -> pki.Pki:
    """Somebody to seal for."""
    return pki.build(tmp_path_factory.mktemp("pki"), ["352039"])


def test_purged_number_and_the_key_of_its_hold_are_found_nowhere(
    home: Home, stores: Stores, server_home: Home, recipient: pki.Pki
) -> None:
    """What the recipient got is sealed for the recipient; with us nothing is left that could be read."""
    lender = Lender(home, stores, at=datetime.now(UTC) - timedelta(hours=73))
    (code,) = lender.people(1, numbers=[NUMBER])
    provision = lender.approved()
    with working_for(lender):
        assert attach_numbers(Workshop.open(), provision, [code]) == [NUMBER.encode()]
    office = recipient.offices["352039"]
    package = seal_envelope(
        f"request_line,individual_number\n1,{NUMBER}\n".encode(),
        signer=recipient.prefecture.signing(), recipient_certificate=office.receiver.certificate,
    )  # fmt: skip
    lender.seal(provision, package)
    deliver(lender.custody(), provision)
    key = lender.custody().keys.key(provision).key
    ((held,),) = lender.rows(FUHYO, "SELECT number_sealed FROM held_number")
    marks = [
        NUMBER.encode(),
        NUMBER.encode("utf-16-le"),
        NUMBER.encode().hex().encode(),
        key,
        key.hex().encode(),
    ]
    places = (home.root, server_home.root)
    checkpoint(stores)
    assert holding(marks, *places) == {f"{provision}.key": [key.hex().encode()]}
    ciphertext = bytes(held)[2 + bytes(held)[1] + NONCE_BYTES :]
    assert holding([ciphertext], server_home.root), "the search sees what is in the files of the database"

    delivered = lender.folder("zeimu") / lender.hold(provision).file_name
    sent = delivered.read_bytes()
    printed = _purge(lender)
    checkpoint(stores)
    assert lender.hold(provision).purged_at is not None
    assert not lender.is_kept(provision)
    assert holding(marks, *places) == {}
    assert not any(mark in printed for mark in marks)
    assert stages(events_of(home), "purge") == ["START", "COMPLETE"]
    assert not delivered.exists(), "what nobody fetched until the end is taken back"
    sender = recipient.prefecture_as_sender("350001")
    opened = open_envelope(sent, recipient=[office.receiver.recipient()], sender=sender, at=datetime.now(UTC))
    assert NUMBER.encode() in opened
    assert holding([ciphertext], server_home.postgres), (
        "what was sealed stays in the write-ahead log, unreadable"
    )


def _purge(lender: Lender) -> bytes:
    """Run the real flow in a process of its own; return what it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("JUKI_", "PREFECT_"))}
    done = subprocess.run(
        [sys.executable, "-m", "tests.flows.purge_run"], env=clean | lender.environment, capture_output=True,
        timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert any((lender.home.prefect).rglob("*.db")), "Prefect kept its records elsewhere"
    return done.stdout + done.stderr
