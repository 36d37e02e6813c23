"""Alarms: which are the same, how they are said, and that what is said can be read again."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from flows.serving.exclusive import alone, own_port
from flows.serving.supervisor import SERVER, EndAskedError, Supervisor
from juki.alarms import Alarm, AlarmKind, alarm_of
from juki.columns import IdentityFile
from juki.errors import SourceError, StoreError
from juki.home import Home
from juki.notifications import Notifications
from juki.overview.site import SiteFacts, site_alarms
from juki.processes import began, identity_of, lives
from juki.reasons import Code
from juki.site import SiteFiles, SiteNote, SiteState
from juki.wire.site_api import SiteApi

AT = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
"""Noon in Japan."""
PURGE = Alarm(AlarmKind.PURGE_OVERDUE, "purge", AT)
CHANNEL = Alarm(
    AlarmKind.RECONCILIATION_FAILED, "reconcile:352039-fuhyo", AT, "flow-run:1", IdentityFile.FUHYO, "352039"
)
CODES = {
    AlarmKind.RUN_LATE: Code.ALARM_RUN_LATE,
    AlarmKind.RUN_CRASHED: Code.ALARM_RUN_CRASHED,
    AlarmKind.RUN_SILENT: Code.ALARM_RUN_SILENT,
    AlarmKind.RUN_FAILED: Code.ALARM_RUN_FAILED,
    AlarmKind.RECONCILIATION_FAILED: Code.ALARM_RECONCILIATION_FAILED,
    AlarmKind.PURGE_OVERDUE: Code.ALARM_PURGE_OVERDUE,
    AlarmKind.CHECKPOINT_STALE: Code.ALARM_CHECKPOINT_STALE,
    AlarmKind.SITE_RESTARTED: Code.ALARM_SITE_RESTARTED,
}


@pytest.mark.parametrize("kind", list(AlarmKind))
def test_every_kind_says_what_happened_and_what_to_do(kind: AlarmKind) -> None:
    """In Japanese, with its own code."""
    said = "\n".join(Alarm(kind, "purge", AT).lines)
    assert kind.code is CODES[kind]
    assert kind.code.message in said and kind.code.next_step in said and "12:00:00" in said


def test_the_day_of_an_alarm_is_that_of_japan() -> None:
    """Nine hours before midnight in London a new day begins here."""
    late, next_day = datetime(2026, 12, 1, 14, 59, tzinfo=UTC), datetime(2026, 12, 1, 15, 0, tzinfo=UTC)
    numbers = {Alarm(AlarmKind.RUN_LATE, "intake", at).number for at in (AT, late, next_day)}
    assert len(numbers) == 2
    assert Alarm(AlarmKind.RUN_LATE, "intake", next_day).day_began_at == next_day
    assert Alarm(AlarmKind.RUN_LATE, "intake", late).day_began_at == next_day - timedelta(days=1)


@pytest.mark.parametrize("alarm", [PURGE, CHANNEL])
def test_what_is_written_for_programs_reads_as_the_same_alarm(alarm: Alarm) -> None:
    """A letter that waits is posted as it was meant."""
    assert alarm_of(alarm.described()) == alarm


DUTY, CHIEF = "duty@pref.example", "chief@pref.example"


@dataclass(slots=True)
class Office:
    """Takes letters, but not for whom it does not know, and none of a kind it refuses."""

    nobody: frozenset[str] = frozenset()
    refused: AlarmKind | None = None
    taken: list[tuple[Alarm, str]] = field(default_factory=list)

    def __call__(self, alarm: Alarm, receivers: list[str]) -> list[str]:
        """Hand in a letter."""
        lacking = [one for one in receivers if one in self.nobody or alarm.kind is self.refused]
        self.taken += [(alarm, one) for one in receivers if one not in lacking]
        return lacking


def test_letters_wait_until_they_are_taken_and_are_taken_once(tmp_path: Path) -> None:
    """A mail server that is away loses nothing; told twice, it is one letter."""
    told, office = Notifications(tmp_path / "notifications"), Office()

    def away(_alarm: Alarm, _receivers: list[str]) -> list[str]:
        raise SourceError(Code.NOTIFICATION_UNDELIVERED, "smtp", is_transient=True)

    for _ in range(2):
        told.tell(PURGE, is_posted=True)
    told.tell(CHANNEL, is_posted=False)
    with pytest.raises(SourceError):
        told.post(away, [DUTY])
    assert told.waiting == 1
    assert told.post(office, [DUTY]) == 1
    assert told.post(office, [DUTY]) == 0
    assert (office.taken, told.waiting) == ([(PURGE, DUTY)], 0)
    assert len(told.lines_file.read_text("utf-8").splitlines()) == 3
    assert told.page_file.stat().st_mode & 0o077 == 0


def test_letter_waits_for_the_one_receiver_who_has_not_got_it(tmp_path: Path) -> None:
    """And goes to nobody else a second time; who is no longer told of alarms ends the wait."""
    told, office = Notifications(tmp_path), Office(nobody=frozenset({CHIEF}))
    told.tell(PURGE, is_posted=True)
    for _ in range(2):
        with pytest.raises(SourceError) as refused:
            told.post(office, [DUTY, CHIEF])
        assert (refused.value.code, told.waiting) == (Code.NOTIFICATION_REFUSED, 1)
        assert DUTY not in str(refused.value) and CHIEF not in str(refused.value)
    assert office.taken == [(PURGE, DUTY)]
    (letter,) = told.unsent.iterdir()
    assert letter.stat().st_mode & 0o077 == 0
    told.tell(PURGE, is_posted=True)
    office.nobody = frozenset()
    assert told.post(office, [DUTY, CHIEF]) == 1
    assert office.taken == [(PURGE, DUTY), (PURGE, CHIEF)]
    told.tell(CHANNEL, is_posted=True)
    office.nobody = frozenset({CHIEF})
    with pytest.raises(SourceError):
        told.post(office, [DUTY, CHIEF])
    assert (told.post(office, [DUTY]), told.waiting) == (0, 0)


def test_letter_that_is_refused_keeps_no_later_one(tmp_path: Path) -> None:
    """Nor does one at which the line breaks: the next time it is tried last."""
    told, office = Notifications(tmp_path), Office(refused=PURGE.kind)
    told.tell(PURGE, is_posted=True)
    told.tell(CHANNEL, is_posted=True)
    with pytest.raises(SourceError) as refused:
        told.post(office, [DUTY])
    assert (refused.value.ref, office.taken, told.waiting) == ("1/2", [(CHANNEL, DUTY)], 1)
    told.tell(CHANNEL, is_posted=True)
    tried = list[Alarm]()

    def breaking(alarm: Alarm, _receivers: list[str]) -> list[str]:
        tried.append(alarm)
        raise SourceError(Code.NOTIFICATION_UNDELIVERED, "smtp", is_transient=True)

    for _ in range(2):
        with pytest.raises(SourceError):
            told.post(breaking, [DUTY])
    assert tried == [PURGE, CHANNEL]


def test_nobody_waits_for_another_process_that_is_posting(tmp_path: Path) -> None:
    """An alarm run that hangs in the conversation with a mail server would keep the supervisor from everything."""
    told, office = Notifications(tmp_path), Office()
    told.tell(PURGE, is_posted=True)
    with (tmp_path / "post.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert told.post(office, [DUTY]) == 0
    assert (office.taken, told.waiting) == ([], 1)
    assert told.post(office, [DUTY]) == 1


def test_a_file_that_is_no_letter_stops_nobody(tmp_path: Path) -> None:
    """Half a file of a machine that lost its power can not be posted and does not keep the others."""
    told = Notifications(tmp_path)
    told.tell(PURGE, is_posted=True)
    (told.unsent / "half.json").write_text('{"kind": "run_')
    (told.unsent / "list.json").write_text("[]")
    assert told.post(Office(), [DUTY]) == 1
    assert told.waiting == 0


def test_a_folder_that_can_not_be_written_is_said_by_its_code(tmp_path: Path) -> None:
    """A file stands in the place of the folder."""
    (tmp_path / "notifications").write_text("")
    with pytest.raises(StoreError) as refused:
        Notifications(tmp_path / "notifications").tell(PURGE, is_posted=True)
    assert refused.value.code is Code.NOTIFICATION_UNWRITTEN


def test_a_later_process_under_the_same_number_is_another() -> None:
    """A number alone would let a stranger stand for a supervisor, or be ended in its place."""
    mine = identity_of(os.getpid())
    assert lives(mine)
    assert not lives(f"{os.getpid()}:1") and not lives("") and not lives(f"{os.getpid()}:")
    assert began(2**31 - 1) == ""


def _note(supervisor: str, **said: Any) -> SiteNote:
    return SiteNote(supervisor, 4200, AT.isoformat(), **{"beat": AT.isoformat()} | said)


def test_the_state_of_a_site_follows_from_who_wrote_it_down() -> None:
    """A supervisor that is no more watches over nothing, whatever it wrote."""
    mine = identity_of(os.getpid())
    well: dict[str, Any] = {"is_ready": True, "is_answering": True, "is_working": True}
    assert _judged(_note(mine)) == (SiteState.STARTING, None)
    assert _judged(_note(mine, is_ready=True)) == (SiteState.TROUBLED, Code.SITE_SILENT)
    assert _judged(_note(mine, **well)) == (SiteState.UP, None)
    assert _judged(_note(f"{os.getpid()}:1", **well)) == (SiteState.BROKEN, Code.SITE_BROKEN)


def _judged(note: SiteNote, at: datetime = AT) -> tuple[SiteState, Code | None]:
    return note.state_at(at), note.trouble_at(at)


def test_worker_that_does_not_answer_is_no_site_that_runs(tmp_path: Path) -> None:
    """The server answers, and yet no schedule runs; who asks by hand may go on asking it."""
    note = _note(identity_of(os.getpid()), is_ready=True, is_answering=True)
    assert _judged(note) == (SiteState.TROUBLED, Code.SITE_WORKER_SILENT)
    assert note.is_serving_at(AT)


def test_hung_supervisor_is_believed_no_longer_than_three_minutes() -> None:
    """It lives, and what it wrote last says that all is well; set back, the clock makes nobody believe it longer."""
    well: dict[str, Any] = {"is_ready": True, "is_answering": True, "is_working": True}
    note, minute = _note(identity_of(os.getpid()), **well), timedelta(minutes=1)
    assert _judged(note, AT + 2.9 * minute) == (SiteState.UP, None)
    for later in (3 * minute, 1000 * minute, -3 * minute):
        assert _judged(note, AT + later) == (SiteState.TROUBLED, Code.SITE_UNWATCHED)
        assert not note.is_serving_at(AT + later)
    assert _judged(replace(note, beat="")) == (SiteState.TROUBLED, Code.SITE_UNWATCHED)
    assert _judged(replace(note, failing=("runs",))) == (SiteState.TROUBLED, Code.SITE_UNWATCHED)


def test_start_that_does_not_end_is_told() -> None:
    """It goes on writing that it starts."""
    for minutes, code in ((10, None), (11, Code.SITE_NOT_STARTED)):
        at = AT + timedelta(minutes=minutes)
        note = _note(identity_of(os.getpid()), beat=at.isoformat())
        assert _judged(note, at) == (SiteState.STARTING, code)


def test_parts_that_are_started_again_and_again_are_an_alarm() -> None:
    """Three times within the hour; before that it may be chance."""
    facts = SiteFacts(SiteState.UP, restarted_lately=(AT, AT))
    assert site_alarms(facts) == []
    thrice = replace(facts, restarted_lately=(AT, AT - timedelta(minutes=9), AT))
    (alarm,) = site_alarms(thrice)
    assert (alarm.code, alarm.which) == (Code.ALARM_SITE_RESTARTED, ("3 回",))
    assert alarm.since == AT - timedelta(minutes=9)
    note = _note("", restarted=((AT - timedelta(hours=1)).isoformat(), AT.isoformat()))
    assert note.restarted_lately(AT) == (AT.isoformat(),)


def test_note_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Lists stay lists; that of an earlier version, which had fewer words, is one that is not believed."""
    files = SiteFiles(Home.at(tmp_path))
    files.home.create()
    note = _note(identity_of(os.getpid()), restarted=(AT.isoformat(),), failing=("runs",))
    files.write(note)
    assert files.note() == note
    earlier = {"supervisor": note.supervisor, "port": 4200, "since": note.since, "is_ready": True}
    files.note_file.write_text(json.dumps(earlier | {"is_answering": True}))
    assert files.state_at(AT) is SiteState.TROUBLED


def test_half_a_note_is_a_broken_site_and_secrets_are_made_once(tmp_path: Path) -> None:
    """A machine that lost its power in the middle of writing; a password that changed would lock everybody out."""
    files = SiteFiles(Home.at(tmp_path))
    files.home.create()
    assert files.state_at(AT) is SiteState.DOWN
    files.note_file.write_text('{"supervisor": "1')
    assert files.state_at(AT) is SiteState.BROKEN
    files.forget()
    assert files.state_at(AT) is SiteState.DOWN
    assert files.credentials() == files.credentials() != files.encryption_key() == files.encryption_key()
    assert files.password_file.stat().st_mode & 0o777 == 0o600


def test_there_is_one_supervisor_a_home_and_one_server_a_port(tmp_path: Path) -> None:
    """The second is told so instead of failing later."""
    files = SiteFiles(Home.at(tmp_path))
    files.home.create()
    with alone(files), pytest.raises(StoreError) as second, alone(files):
        raise AssertionError
    assert second.value.code is Code.SITE_RUNNING
    with alone(files):
        pass
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(StoreError) as refused:
        own_port(taken.getsockname()[1])
    assert refused.value.code is Code.SITE_PORT_TAKEN


def test_a_server_that_is_not_there_is_said_by_one_code() -> None:
    """Nothing of what the library says, nothing of the password."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    api = SiteApi(port, "juki:s3cret", 1)
    assert not api.is_answering()
    with pytest.raises(SourceError) as silent:
        api.post("/flow_runs/filter")
    assert (silent.value.code, silent.value.is_transient) == (Code.SITE_SILENT, True)
    assert "s3cret" not in f"{silent.value} {api!r}"


def test_a_server_that_ends_at_once_is_a_site_that_was_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said within a moment instead of after ten minutes, with where to look."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"JUKI_{name.upper()}", raising=False)
    home = Home.at(tmp_path)
    home.create()
    supervisor = Supervisor.of(home, Settings())
    supervisor.children[SERVER] = subprocess.Popen(["false"])
    supervisor.children[SERVER].wait()
    with pytest.raises(StoreError) as refused:
        supervisor._wait_for(lambda: False)
    assert refused.value.code is Code.SITE_NOT_STARTED
    supervisor.stopping.set()
    with pytest.raises(EndAskedError):
        supervisor._wait_for(lambda: False)


def test_round_of_posting_has_an_end_and_the_next_goes_on(tmp_path: Path) -> None:
    """A slow mail server and many letters would keep the supervisor from everything else."""
    told, posted = Notifications(tmp_path), list[str]()

    def slow(alarm: Alarm, _: list[str]) -> list[str]:
        posted.append(alarm.about)
        return []

    for number in range(20):
        told.tell(Alarm(AlarmKind.RUN_LATE, f"intake-{number}", AT), is_posted=True)
    rounds = [told.post(slow, ["duty@pref.example"]) for _ in range(4)]
    assert rounds == [8, 8, 4, 0] and len(set(posted)) == 20
