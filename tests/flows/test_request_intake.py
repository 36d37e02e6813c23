"""Requests in a folder: each is reached, none is read again to be known again, and none that is stuck is unseen."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from juki.cli.installation import Installation
from juki.journal import Action
from juki.overview.alarm import Alarm
from juki.overview.provisions import provision_alarms
from juki.provisions import TRIES_BEFORE_ALARM
from juki.reasons import Code
from juki.wire import folders
from juki.wire.refused_files import RefusedFiles, RefusedKind
from tasks import provision_runs
from tasks.delivering import deliver_provision
from tasks.providing import answer_request
from tests.flows.conftest import Town
from tests.flows.providing import RESIDENT, Counter, counter


@pytest.fixture
def here(town: Town) -> Counter:
    """A town with people, and recipients that ask for them."""
    return counter(town)


def alarms() -> dict[Code, Alarm]:
    """What the status says of provisions now."""
    return {one.code: one for one in provision_alarms(Installation.open().watched, datetime.now(UTC))}


def test_file_that_was_dealt_with_is_not_read_again(here: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lies there, for it is the recipient's; known by name, size and time, and laid anew by its digest."""
    here.ask(here.by_number(0))
    here.take_in()
    read, real = list[str](), folders.read

    def counted(folder: Path, name: str, limit_bytes: int) -> bytes | None:
        read.append(name)
        return real(folder, name, limit_bytes)

    monkeypatch.setattr(folders, "read", counted)
    assert (here.take_in().registered, read) == (0, [])
    (path,) = here.board.arrivals.iterdir()
    path.touch()
    assert (dict(here.take_in().codes), read) == ({}, [path.name])
    assert (dict(here.take_in().codes), read) == ({}, [path.name])
    assert len(here.entries(Action.REQUEST_RECEIVED)) == 1


def test_mark_of_a_file_that_is_gone_is_dropped(here: Counter) -> None:
    """Marks do not grow with the years."""
    here.ask(here.by_number(0))
    here.take_in()
    seen = here.town.home.requests / "seen/requests/kyoiku"
    assert len(list(seen.iterdir())) == 1
    for path in here.board.arrivals.iterdir():
        path.unlink()
    here.take_in()
    assert list(seen.iterdir()) == []


def test_more_requests_than_one_run_takes_are_all_reached(
    here: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest names first; what lies there dealt with does not hide what lies behind it."""
    monkeypatch.setattr(folders, "MAX_ARRIVALS", 2)
    for place in range(5):
        here.ask(here.by_number(place))
    assert [(taken.registered, taken.more) for taken in (here.take_in() for _ in range(4))] == [
        (2, 3), (2, 1), (1, 0), (0, 0),
    ]  # fmt: skip
    asked = here.run_sql(RESIDENT, "SELECT request_no FROM provision ORDER BY provision_id")
    assert asked == [(1,), (2,), (3,), (4,), (5,)]


@pytest.fixture
def cramped(here: Counter, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Room for ten refused files; the folder they lie in."""
    monkeypatch.setenv("JUKI_RECIPIENT_QUARANTINE_FILES", "10")
    folder = RefusedFiles(here.town.home).folder(RefusedKind.REQUESTS, "kyoiku")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fill(folder: Path, count: int) -> None:
    """Let refused files lie there."""
    for number in range(count):
        name = f"{number:016x}-request.form-kyoiku-resident-request-{number + 1:08d}.p7m"
        (folder / name).write_bytes(b"refused")


@pytest.mark.parametrize(("count", "code"), [(7, None), (8, "filling"), (9, "filling"), (10, "full")])
def test_room_for_refused_files_is_said_before_it_is_used_up(
    here: Counter, cramped: Path, count: int, code: str | None
) -> None:
    """Somebody can ask the recipient before its requests are left lying."""
    fill(cramped, count)
    said = {Code.RECIPIENT_QUARANTINE_FILLING, Code.RECIPIENT_QUARANTINE_FULL} & set(alarms())
    assert said == ({Code(f"recipient.quarantine_{code}")} if code else set())


def test_requests_of_a_recipient_that_used_its_room_up_wait_and_nothing_is_dropped(
    here: Counter, cramped: Path
) -> None:
    """A flood of noise stops its sender, loses nothing, and ends when what is kept has come to its end."""
    fill(cramped, 10)
    here.ask(here.by_number(0))
    taken = here.take_in()
    assert (taken.registered, dict(taken.failures)) == (0, {Code.RECIPIENT_QUARANTINE_FULL.value: 1})
    assert len(list(cramped.iterdir())) == 10
    next(cramped.iterdir()).unlink()
    assert here.take_in().registered == 1


def test_flood_of_noise_never_takes_more_than_its_room(here: Counter, cramped: Path) -> None:
    """However many files are laid in at once."""
    fill(cramped, 8)
    for number in range(1, 6):
        (here.board.arrivals / f"kyoiku-resident-request-{number:08d}.p7m").write_bytes(b"noise")
    assert here.take_in().codes.total() == 2
    assert here.take_in().codes.total() == 0
    assert len(list(cramped.iterdir())) == 10


def test_provision_no_run_goes_on_with_is_an_alarm_and_no_more_once_it_goes_on(
    here: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An altered sealed number is no refusal of the request; tried for ever, it must be seen by somebody."""
    monkeypatch.setattr(provision_runs, "answer_request", answer_request.fn)
    monkeypatch.setattr(provision_runs, "deliver_provision", deliver_provision.fn)
    code = here.people[0]["resident_code"]
    ((sealed,),) = here.run_sql(
        RESIDENT, "SELECT number_sealed FROM current WHERE resident_code = %s", [code]
    )
    altered = bytes(sealed)[:-1] + bytes([sealed[-1] ^ 1])

    def put(value: Any) -> None:
        here.run_sql(
            RESIDENT, "UPDATE current SET number_sealed = %s WHERE resident_code = %s", [value, code]
        )

    put(altered)
    here.ask(here.by_four(0), fields=["name"], with_number=True)
    here.take_in()
    for tries in range(1, TRIES_BEFORE_ALARM + 1):
        assert Code.PROVISION_TRIED_OFTEN not in alarms()
        assert dict(provision_runs.work_provisions.fn(RESIDENT).failures) == {Code.CIPHER_ALTERED.value: 1}
        said = here.run_sql(RESIDENT, "SELECT tries, failure FROM provision")
        assert said == [(tries, Code.CIPHER_ALTERED.value)]
    assert alarms()[Code.PROVISION_TRIED_OFTEN].which == (f"R1 cipher.altered（{TRIES_BEFORE_ALARM} 回）",)
    put(bytes(sealed))
    assert provision_runs.work_provisions.fn(RESIDENT).delivered == 1
    assert Code.PROVISION_TRIED_OFTEN not in alarms()
    assert here.run_sql(RESIDENT, "SELECT tries, failure FROM provision") == [(0, None)]
