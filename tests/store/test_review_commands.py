"""Reviews of the operation log on real stores: nothing left out, nothing twice, and who may acknowledge what."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from juki.columns import IdentityFile
from juki.dates import JAPAN
from juki.errors import ConfigurationError
from juki.home import Home
from juki.journal import Action, Entry, Outcome
from juki.operators import Acting
from juki.oplog.reviewing import acknowledge, all_reviews, do_review, review_again
from juki.reasons import Code
from juki.review import FindingKind, ReviewLimits
from juki.review_record import done_entry
from juki.store.review_reading import ReviewReader
from juki.store.roles import Duty
from juki.store.unit import open_unit
from tests.conftest import Stores
from tests.console import FUHYO, RESIDENT, Console
from tests.gateway import Desk

NIGHT = datetime(2026, 11, 24, 23, 0, tzinfo=JAPAN)
REVIEWED = datetime(2026, 11, 30, 7, 0, tzinfo=JAPAN)
INDEX = "5eedcafe" * 8
SEALED = "sealed-subject-of-somebody"
RUN = Acting("flow-run:weekly")
AUDITORS = ("op-8", "op-9")
DAY = timedelta(days=1)


@pytest.fixture
def console(
    home: Home, module_stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Console:
    """An installation without operators and with empty logs."""
    return Console(home, module_stores, monkeypatch, capsys)


def urls(console: Console) -> dict[IdentityFile, str]:
    """Where the two logs are."""
    return {file: console.stores.url(file) for file in IdentityFile}


def add(
    console: Console, at: datetime = NIGHT, who: str = "operator:op-7", file: IdentityFile = RESIDENT,
    action: Action = Action.PROVISION_RESENT, **said: Any,
) -> None:  # fmt: skip
    """Write an entry of an operator at night, unless it is to be another."""
    entry = Entry(action=action, file=file, outcome=Outcome.DONE, actor=who, terminal="T-07", **said)
    with open_unit(console.stores.url(file), file, Duty.AUDITOR) as unit:
        unit.journal.append(entry, at)


def review(console: Console, at: datetime = REVIEWED, who: Acting = RUN, **how: bool) -> Any:
    """Review what is new."""
    return do_review(urls(console), ReviewLimits(), who, at, **how)


def test_every_entry_is_in_exactly_one_review_whichever_log_it_is_in(console: Console) -> None:
    """Also one whose clock says that it was written before the last review."""
    add(console)
    add(console, file=FUHYO)
    first = review(console)
    add(console, NIGHT - DAY)
    add(console, REVIEWED + 15 * timedelta(hours=1), file=FUHYO)
    second, third = review(console, REVIEWED + 7 * DAY), review(console, REVIEWED + 14 * DAY)
    assert [one.entries for one in first.findings] == [("F1", "R1")]
    # The review itself is the second entry of its log.
    assert sorted(one.entries for one in second.findings) == [("F2",), ("R3",)]
    assert third.findings == () and (first.review.seen, second.review.seen, third.review.seen) == (2, 2, 0)
    stretches = [one.stretch for one in all_reviews(urls(console))]
    for file, spans in ((RESIDENT, [(1, 1), (2, 3), (4, 4)]), (FUHYO, [(1, 1), (2, 2), (3, 2)])):
        assert [(one.first[file], one.last[file]) for one in stretches] == spans


def test_same_run_tried_again_gives_the_review_it_has_done(console: Console) -> None:
    """A run that died after its commit shows the same page; another run reviews what is new."""
    add(console)
    once, again = (review(console, REVIEWED + no * DAY, is_run=True) for no in range(2))
    assert once == again and len(all_reviews(urls(console))) == 1
    assert review(console, REVIEWED + DAY, Acting("flow-run:next"), is_run=True).review.seen == 0


def test_two_reviews_at_once_share_nothing(console: Console) -> None:
    """One waits for the other and goes on where it ended."""
    add(console)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda no: review(console, REVIEWED, Acting(f"flow-run:{no}")), range(2)))
    assert sorted(len(one.findings) for one in both) == [0, 1]
    one, other = (review.stretch for review in all_reviews(urls(console)))
    assert other.first[RESIDENT] == one.last[RESIDENT] + 1


def test_what_machines_do_does_not_leave_the_database(console: Console) -> None:
    """Runs write most of the log; a review reads what people did and every refusal."""
    for no in range(3):
        add(console, who=f"flow-run:{no}")
    add(console, who="flow-run:9", action=Action.OPERATOR_REFUSED, code=Code.OPERATOR_SYSTEM_ACT)
    done = review(console)
    assert done.review.seen == 1 and done.findings == ()


def test_reviews_are_found_by_their_index(console: Console) -> None:
    """The status page asks for them; it must not read a million entries for a handful."""
    review(console)
    with open_unit(console.stores.resident_url, RESIDENT, Duty.AUDITOR) as unit:
        unit.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        query = "EXPLAIN SELECT entry FROM journal WHERE action IN ('review.done', 'review.acknowledged')"
        plan = "\n".join(row[0] for row in unit.connection.exec_driver_sql(query + " ORDER BY entry_no"))
        assert "journal_review_idx" in plan
        assert len(ReviewReader(RESIDENT, unit.connection).records()) == 1


def test_findings_are_listed_shown_and_acknowledged(console: Console) -> None:
    """Part of them, then the rest; each step is in the log with its reason."""
    add(console)
    add(console, NIGHT + DAY)
    number = str(review(console).review.number)
    listed = console.juki("review", "list", "--json")
    assert (listed.code, listed.data["open"]) == (1, 2)
    said = console.juki("review", "show", number, "--json")
    assert said.code == 1 and [one["entries"] for one in said.data["findings"]] == [["R1"], ["R2"]]
    assert {(one["operator"], tuple(one["terminals"])) for one in said.data["findings"]} == {
        ("op-7", ("T-07",))
    }
    page = console.juki("review", "show", number)
    assert "夜間の操作" in page.out and "op-7" in page.out and "T-07" in page.out and "R1" in page.out
    said = console.juki("review", "acknowledge", number, "2", "--reason", "当番表と一致", "--json")
    assert (said.code, said.data["open"]) == (1, [1])
    said = console.juki("review", "acknowledge", number, "--reason", "残りも確認")
    assert said.code == 0 and "未確認 0 件" in said.out
    assert console.juki("review", "list").code == 0
    done, shown, _, part, rest = console.entries()[2:]
    assert done["action"] == "review.done" and done["counts"]["night"] == 2
    assert (shown["action"], shown["basis"]) == ("log.searched", "review")
    assert [(one["basis"], one["change"]) for one in (part, rest)] == [
        ("当番表と一致", "2"),
        ("残りも確認", "1"),
    ]
    assert part["changes_digest"] == done["changes_digest"]


def test_review_by_hand_finds_what_is_new_and_says_so_by_its_exit_code(console: Console) -> None:
    """Without operators the account of the machine acts, and that is a finding too."""
    said = console.juki("review", "run", "--json")
    assert (said.code, said.data["found"]) == (0, 0)
    said = console.juki("review", "run", "--json")
    kinds = [one["kind"] for one in said.data["findings"]]
    assert said.code == 1 and FindingKind.LOCAL_ACCOUNT.value in kinds


def test_what_is_not_there_or_done_already_is_refused(console: Console) -> None:
    """No such review, no such finding, one acknowledged before, a reason that is none."""
    add(console)
    number = str(review(console).review.number)
    for arguments in ((number, "2"), ("999",)):
        said = console.juki("review", "acknowledge", *arguments, "--reason", "x", "--json")
        assert (said.code, said.data["error"]["code"]) == (2, Code.REVIEW_UNKNOWN.value)
    assert console.juki("review", "show", "1", "--json").data["error"]["code"] == Code.REVIEW_UNKNOWN.value
    assert console.juki("review", "acknowledge", number, "--reason", " ").code == 2
    assert console.juki("review", "acknowledge", number, "--reason", "x").code == 0
    said = console.juki("review", "acknowledge", number, "1", "--reason", "x", "--json")
    assert said.data["error"]["code"] == Code.REVIEW_UNKNOWN.value
    assert [one["action"] for one in console.entries()].count("review.acknowledged") == 1


def test_findings_nobody_acknowledges_in_time_are_an_alarm_on_the_status_page(console: Console) -> None:
    """After the days of the settings, until the auditor has looked."""
    add(console)
    now = console.now
    early = review(console, now - 13 * DAY).review.number
    alarms = console.juki("status", "--json").data["alarms"]
    assert Code.REVIEW_UNACKNOWLEDGED.value not in {one["code"] for one in alarms}
    add(console)
    late = do_review(urls(console), ReviewLimits(), Acting("flow-run:2"), now - 15 * DAY).review.number
    said = console.juki("status", "--json")
    (alarm,) = [one for one in said.data["alarms"] if one["code"] == Code.REVIEW_UNACKNOWLEDGED.value]
    assert said.code == 1 and alarm["which"] == [f"点検 {late} 指摘 1 件"]
    console.juki("review", "acknowledge", str(late), "--reason", "確認した")
    alarms = console.juki("status", "--json").data["alarms"]
    assert Code.REVIEW_UNACKNOWLEDGED.value not in {one["code"] for one in alarms} and early < late


def test_findings_that_are_not_those_of_then_are_told_and_acknowledged_only_together(
    console: Console,
) -> None:
    """Other rules, or another log: a number would name something else than what was looked into."""
    add(console)
    add(console, NIGHT + DAY)
    done = review(console)
    forged = done_entry(done.review.stretch, done.review.limits, 2, done.findings[:1])
    with open_unit(console.stores.resident_url, RESIDENT, Duty.AUDITOR) as unit:
        number = unit.journal.append(RUN.signed(forged), REVIEWED)
    assert (
        not review_again(urls(console), number).is_same
        and review_again(urls(console), done.review.number).is_same
    )
    said = console.juki("review", "show", str(number), "--json")
    assert said.data["is_same"] is False and said.data["alarm"]["code"] == Code.REVIEW_DIFFERS.value
    assert Code.REVIEW_DIFFERS.value in console.juki("review", "show", str(number)).out
    whole = acknowledge(urls(console), number, frozenset(), "確認した", RUN, REVIEWED + DAY)
    assert not whole.review.open


def test_one_of_several_findings_that_can_not_be_told_apart_is_not_acknowledged(console: Console) -> None:
    """Only all of them together are."""
    for no in range(3):
        add(console, NIGHT + no * DAY)
    done = review(console)
    forged = done_entry(done.review.stretch, done.review.limits, 2, done.findings[:2])
    with open_unit(console.stores.resident_url, RESIDENT, Duty.AUDITOR) as unit:
        number = unit.journal.append(RUN.signed(forged), REVIEWED)
    with pytest.raises(ConfigurationError) as caught:
        acknowledge(urls(console), number, frozenset({1}), "確認した", RUN, REVIEWED + DAY)
    assert caught.value.code is Code.REVIEW_DIFFERS


def test_auditor_does_not_acknowledge_what_was_found_of_himself(console: Console, tmp_path: Path) -> None:
    """A colleague does; a clerk does not see findings at all."""
    desk = Desk(console, tmp_path)
    for one in AUDITORS:
        desk.register(one, "auditor")
    desk.register("op-5", "clerk")
    add(console, who=f"operator:{AUDITORS[0]}")
    done = review(console)
    number, findings = str(done.review.number), done.findings
    (own,) = [str(no) for no, one in enumerate(findings, 1) if one.operator == AUDITORS[0]]

    def said(operator: str, command: str, *target: str, **more: str) -> dict[str, Any]:
        words = [
            *command.split(),
            *target,
            *(word for name, value in more.items() for word in (f"--{name}", value)),
        ]
        proof = desk.one(operator, command, " ".join(target))
        return dict(console.juki(*words, *proof, "--json").data)

    refused = said(AUDITORS[0], "review acknowledge", number, own, reason="x")
    assert refused["error"]["code"] == Code.REVIEW_OWN_FINDING.value
    assert console.entries()[-1]["code"] == Code.REVIEW_OWN_FINDING.value
    assert said("op-5", "review show", number)["error"]["code"] == Code.OPERATOR_ROLE.value
    assert (
        said("op-1", "review acknowledge", number, own, reason="x")["error"]["code"]
        == Code.OPERATOR_ROLE.value
    )
    assert int(own) not in said(AUDITORS[1], "review acknowledge", number, own, reason="x")["open"]
    last = console.entries()[-1]
    assert (last["actor"], last["action"]) == (f"operator:{AUDITORS[1]}", "review.acknowledged")
    assert len(last["assertions"]) == 1


def test_review_tells_nothing_of_a_person(console: Console) -> None:
    """Neither the sealed subject nor the whole keyed index is in what is printed or written."""
    for no in range(5):
        add(
            console, NIGHT + no * DAY, action=Action.PERSON_PROVIDED, subject=SEALED, subject_index=INDEX,
            number_accessed=True,
        )  # fmt: skip
    before = len(console.entries())
    number = str(review(console).review.number)
    told = [
        console.juki("review", *words).out
        for words in (["list"], ["show", number], ["show", number, "--json"])
    ]
    told += [json.dumps(one) for one in console.entries()[before:]]
    assert not [one for one in told if SEALED in one or INDEX in one]
