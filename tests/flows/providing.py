"""A recipient before the counter of the town: people in both files, requests, answers, runs without the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import psycopg

from config.stores import DATABASES
from juki.columns import IdentityFile
from juki.journal import Action
from juki.kana import search_key
from juki.package_id import PackageId
from juki.store import embedded
from juki.store.roles import Duty
from juki.store.unit import open_unit
from simulator import recipients
from simulator.recipients import Answer, RecipientOffice
from tasks.delivering import deliver_provision
from tasks.providing import answer_request
from tasks.requesting import TakenIn, take_in_requests
from tasks.workshop import Workshop
from tests.flows.conftest import Town

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
DECIDED = date(2026, 1, 1)


@dataclass(slots=True)
class Counter:
    """The town's prefecture and the recipients that ask it."""

    town: Town
    offices: dict[str, RecipientOffice]
    people: list[dict[str, Any]] = field(default_factory=list)

    @property
    def board(self) -> RecipientOffice:
        """The 教育委員会."""
        return self.offices["kyoiku"]

    def ask(self, people: Sequence[dict[str, str]], file: IdentityFile = RESIDENT, **changes: Any) -> None:
        """Let the board ask for some people."""
        self.board.ask(people, file=file, at=datetime.now(UTC), **changes)

    def by_number(self, *places: int) -> list[dict[str, str]]:
        """Name some people of the town by number."""
        return [{"individual_number": self.people[place]["individual_number"]} for place in places]

    def by_four(self, *places: int) -> list[dict[str, str]]:
        """Name some people of the town by reading and birth date."""
        return [{name: self.people[place][name] for name in ("name_kana", "birth_date")} for place in places]

    def move_abroad(self, place: int, code: str = "") -> None:
        """Put a person of the town into the fuhyo file as 国外転出者."""
        person = self.people[place]
        row = {
            "notified_at": datetime.now(UTC), "kind": "entry", "resident_code": code or person["resident_code"],
            "name": person["name"], "name_kana": person["name_kana"], "birth_date": person["birth_date"],
            "sex": person["sex"], "is_abroad": True, "name_gaiji": 0, "address_gaiji": 0, "record_digest": b"d",
            "sender_code": "352039", "notice_no": 900 + place, "package_id": 1, "received_on": DECIDED,
            "search_key": search_key(person["name_kana"]),
        }  # fmt: skip
        names, marks = ", ".join(row), ", ".join(f"%({name})s" for name in row)
        self.run_sql(FUHYO, f"INSERT INTO current ({names}) VALUES ({marks})", row)

    def run_sql(self, file: IdentityFile, statement: str, values: Any = None) -> list[tuple[Any, ...]]:
        """Ask or change one store behind the back of everything."""
        with psycopg.connect(embedded.admin_url(self.town.home, DATABASES[file])) as connection:
            cursor = connection.execute(statement, values)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def take_in(self) -> TakenIn:
        """Take in what lies in the folders."""
        return take_in_requests.fn()

    def work(self) -> TakenIn:
        """Do what a run does, without the engine around the steps."""
        taken = self.take_in()
        for provision in self.listed("received", "approved"):
            answer_request.fn(provision)
        for provision in self.listed("sealed"):
            deliver_provision.fn(provision)
        return taken

    def listed(self, *states: str) -> list[PackageId]:
        """Name the provisions in some states, of both files."""
        query, asked = "SELECT provision_id FROM provision WHERE state = ANY(%s) ORDER BY 1", [list(states)]
        return [
            PackageId(file, number) for file in IdentityFile for (number,) in self.run_sql(file, query, asked)
        ]  # fmt: skip

    def states(self, file: IdentityFile = RESIDENT) -> list[tuple[Any, ...]]:
        """State and code of each provision of a file."""
        return self.run_sql(file, "SELECT state, code FROM provision ORDER BY provision_id")

    def answers(self) -> list[Answer]:
        """What the board finds in its delivery folder, opened by the openssl program."""
        return self.board.answers(by_openssl=True)

    def entries(self, action: Action, file: IdentityFile = RESIDENT) -> list[dict[str, Any]]:
        """The journal entries of one action, once the whole log verifies."""
        with open_unit(Workshop.open().store_url(file), file, Duty.AUDITOR) as unit:
            unit.journal.verify()
        query = "SELECT entry::jsonb FROM journal WHERE action = %s ORDER BY entry_no"
        return [entry for (entry,) in self.run_sql(file, query, [action.value])]


def counter(town: Town, count: int = 10) -> Counter:
    """Set the counter up: some people in the resident file, two recipients, numbers allowed for the first basis."""
    town.publish(0, count)
    assert town.work() == 0
    offices = recipients.build(town.home, town.made)
    recipients.register(town.home, offices.values())
    recipients.allow_numbers(town.home, ["beppyo6-3"], DECIDED)
    for folder in (
        town.home.requests,
        town.home.holds,
        town.home.provisions,
        town.home.root / "exercise/recipients",
    ):
        for path in folder.rglob("*"):
            if path.is_file():
                path.unlink()
    # Numbers begin anew, and nothing of an earlier provision of such a number may be left.
    for file, beside in ((RESIDENT, "crossing"), (FUHYO, "held_number")):
        with psycopg.connect(embedded.admin_url(town.home, DATABASES[file])) as connection:
            connection.execute(f"TRUNCATE provision, {beside} RESTART IDENTITY")  # type: ignore[arg-type]
    return Counter(town, offices, town.tables["352039"].slice(0, count).to_pylist())
