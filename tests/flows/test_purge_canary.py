"""A number lent out and purged by the real flows: afterwards it and the key of its hold are nowhere.

Nowhere is: the files of all databases after a checkpoint, the write-ahead log included; both stores and the records
of Prefect row by row; everything else of JUKI_HOME, keys, copies, logs and quarantine included; what was printed.
The search is shown to find the key while the hold is open. The held ciphertext stays in the write-ahead log: that is
why its key never was in a database (ADR-0028).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Mapping
from pathlib import Path

import psycopg

from config.stores import DATABASES, PREFECT_DATABASE
from juki.hold_keys import HoldKeys
from juki.home import Home
from juki.numbers import NONCE_BYTES
from juki.package_id import PackageId
from juki.store import embedded
from tests.canary import found_in, found_in_files, writings
from tests.flows.providing import FUHYO
from tests.flows.test_provide_run import SECONDS, Run, _dump, run
from tests.lineage_oracle import events_of, stages

__all__ = ["run"]

PROVISION = PackageId(FUHYO, 1)
EVERY_DATABASE = (*DATABASES.values(), PREFECT_DATABASE)


def files_holding(marks: Iterable[bytes], root: Path) -> set[str]:
    """Name every file below a folder that holds one of the marks, whole files looked through as they are."""
    wanted, found = list(marks), set()
    for path in (path for path in root.rglob("*") if path.is_file()):
        try:
            if path.stat().st_size == 0:
                continue
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                found |= {path.name} if any(content.find(mark) >= 0 for mark in wanted) else set()
        except FileNotFoundError:
            continue
    return found


def raw(marks: Mapping[str, str], key: bytes) -> list[bytes]:
    """Every way in which number and key could stand in a file of a database."""
    return [key, *(written for mark in marks.values() for written in writings(mark).values())]


def checkpoint(home: Home) -> None:
    """Write everything the server has in memory to its files."""
    for name in EVERY_DATABASE:
        with psycopg.connect(embedded.admin_url(home, name), autocommit=True) as connection:
            connection.execute("VACUUM")
            connection.execute("CHECKPOINT")


def places(one: Run, marks: Mapping[str, str], key: bytes) -> dict[str, set[str]]:
    """Search everywhere; name the places where anything was found, and what."""
    home = one.here.town.home
    checkpoint(home)
    folders = {path.name: path for path in (*home.root.iterdir(), one.folder) if path.is_dir()}
    del folders[home.postgres.name]
    files = [path for path in home.root.iterdir() if path.is_file()]
    texts = {
        "output": "".join(one.output).encode(), **{path.name: path.read_bytes() for path in files},
        **{f"rows of {name}": _dump(one.here.town, name) for name in EVERY_DATABASE},
    }  # fmt: skip
    found = {
        "files of the databases": files_holding(raw(marks, key), home.postgres),
        "the bare key": files_holding([key], home.root),
        **{name: found_in_files(folder, marks) for name, folder in folders.items()},
        **{name: found_in(text, marks) for name, text in texts.items()},
    }
    return {name: hits for name, hits in found.items() if hits}


def test_purged_number_and_the_key_of_its_hold_are_found_nowhere(run: Run) -> None:
    """What the recipient got is sealed for the recipient; with us nothing is left that could be read."""
    here, home = run.here, run.here.town.home
    number = here.people[0]["individual_number"]
    here.ask(here.by_four(0), file=FUHYO, fields=["name"], with_number=True)
    assert run.do("run")[0] == "done"
    (answer,) = here.answers()
    assert [line["individual_number"] for line in answer.lines] == [number]
    key = HoldKeys(home.holds).key(PROVISION).key
    marks = {"number": number, "key": key.hex()}
    ((held,),) = here.run_sql(FUHYO, "SELECT number_sealed FROM held_number")
    ciphertext = bytes(held)[2 + bytes(held)[1] + NONCE_BYTES :]
    found = places(run, marks, key)
    assert {place: {hit.split(":")[0] for hit in hits} for place, hits in found.items()} == {
        home.holds.name: {f"{PROVISION}.key"}
    }, "that the search has eyes: the key is found where it lies, and nowhere else"
    assert files_holding([ciphertext], home.postgres), "it sees what is in the files of the databases"

    here.run_sql(FUHYO, "UPDATE hold SET due_at = now()")
    assert run.do("purge")[0] == "done"
    rest, _ = run.process.communicate(timeout=SECONDS)
    run.output.append(rest)
    assert run.process.returncode == 0
    query = "SELECT purged_at IS NOT NULL, (SELECT count(*) FROM held_number) FROM hold"
    assert here.run_sql(FUHYO, query) == [(True, 0)]
    assert here.answers() == [], "what nobody fetched until the end is taken back"
    assert places(run, marks, key) == {}
    assert {job: stages(events_of(home), job) for job in ("provide", "purge")} == {
        "provide": ["START", "COMPLETE"], "purge": ["START", "COMPLETE"],
    }  # fmt: skip
    assert b"purge" in _dump(here.town, PREFECT_DATABASE), "Prefect kept its records elsewhere"
    assert files_holding([ciphertext], home.postgres), "what was sealed stays in the log ahead, unreadable"
