"""The command line on requests and provisions: what came, what became of it and why; never whom it was about."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from juki.journal import Action
from juki.reasons import Code
from tests.flows.conftest import Town
from tests.flows.providing import RESIDENT, Counter, counter


@pytest.fixture
def here(town: Town) -> Counter:
    """A town with people, and recipients that ask for them."""
    return counter(town)


def _json(here: Counter, *arguments: str, code: int = 0) -> Any:
    done = here.town.juki(*arguments, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def _paper(here: Counter, folder: Path, mode: int = 0o600, **changes: Any) -> Path:
    document = here.board.document(here.by_number(0), file=RESIDENT, at=datetime.now(UTC), **changes)
    path = folder / "request.json"
    path.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    path.chmod(mode)
    return path


def test_request_from_paper_is_sealed_registered_and_answered_like_any(here: Counter, tmp_path: Path) -> None:
    """Entered by an operator, whose id is in the log; of the paper nothing lies in clear."""
    entered = _json(here, "request", "enter", str(_paper(here, tmp_path)), "--by", "op-7")
    assert entered == {"id": "R1", "reason": None}
    kept = (here.town.home.requests / "R1.p7m").read_bytes()
    assert here.people[0]["individual_number"].encode() not in kept
    (entry,) = here.entries(Action.REQUEST_RECEIVED)
    assert (entry["actor"], entry["terminal"]) == ("operator:op-7", os.uname().nodename)
    here.work()
    (answer,) = here.answers()
    assert answer.lines[0]["name"] == here.people[0]["name"]
    (listed,) = _json(here, "request", "list")["requests"]
    assert (listed["method"], listed["entered_by"], listed["state"]) == ("operator", "op-7", "delivered")
    again = _json(
        here,
        "request",
        "enter",
        str(_paper(here, tmp_path, created_at=_created(here))),
        "--by",
        "op-7",
        code=2,
    )
    assert again["error"]["code"] == Code.REQUEST_NUMBER_REUSED.value


def _created(here: Counter) -> str:
    return "2026-01-01T00:00:00+09:00"


@pytest.mark.parametrize(
    ("by", "mode", "code"),
    [
        ("op 7", 0o600, Code.COMMAND_ARGUMENT), ("123456789018", 0o600, Code.COMMAND_ARGUMENT),
        ("op-7", 0o644, Code.DOCUMENT_PERMISSIONS),
    ],
)  # fmt: skip
def test_paper_others_can_read_or_nobody_answers_for_is_refused(
    here: Counter, tmp_path: Path, by: str, mode: int, code: Code
) -> None:
    """A file everybody can read has given the number away already."""
    said = _json(here, "request", "enter", str(_paper(here, tmp_path, mode)), "--by", by, code=2)
    assert said["error"]["code"] == code.value
    assert here.states() == []


def test_list_and_show_say_state_counts_and_why_not(here: Counter) -> None:
    """The sentence, the article and the next step of a refusal, for whoever has to explain it."""
    here.ask([*here.by_number(0), {"name_kana": "ダレモイナイ", "birth_date": "19000101"}])
    here.ask(here.by_number(0), basis="beppyo6-4", with_number=True)
    here.work()
    refused, given = _json(here, "provision", "list")["provisions"]
    assert (refused["reason"]["code"], refused["state"]) == (
        Code.PROVISION_NUMBER_NOT_ALLOWED.value,
        "refused",
    )
    assert given["counts"] == {"found": 1, "not_found": 1, "ambiguous": 0, "number_not_held": 0}
    assert [one["id"] for one in _json(here, "provision", "list", "--state", "refused")["provisions"]] == [
        "R2"
    ]
    shown = here.town.juki("provision", "show", "R2")
    assert Code.PROVISION_NUMBER_NOT_ALLOWED.message in shown.stdout and "番号法9条" in shown.stdout
    assert _json(here, "provision", "show", "R9", code=2)["error"]["code"] == Code.PROVISION_NOT_FOUND.value
    for name in ("individual_number", "name", "resident_code"):
        assert here.people[0][name] not in shown.stdout + json.dumps([refused, given], ensure_ascii=False)


def test_old_request_is_answered_again_as_a_provision_of_its_own(here: Counter) -> None:
    """By what the law and the file say now; the old one stands as it is."""
    here.ask(here.by_number(0), fields=["name"])
    assert (
        _json(here, "provision", "rerun", "R1", "--by", "op-7", code=2)["error"]["code"]
        == "provision.not_found"
    )
    here.take_in()
    unanswered = _json(here, "provision", "rerun", "R1", "--by", "op-7", code=2)
    assert unanswered["error"]["code"] == Code.PROVISION_NOT_ANSWERED.value
    here.work()
    here.run_sql(RESIDENT, "UPDATE current SET name = '改名　後' WHERE name = %s", [here.people[0]["name"]])
    assert _json(here, "provision", "rerun", "R1", "--by", "op-7") == {"id": "R2", "rerun_of": "R1"}
    here.work()
    old, new = here.answers()
    assert (old.lines[0]["name"], new.lines[0]["name"]) == (here.people[0]["name"], "改名　後")
    assert (new.manifest.sequence, new.manifest.request_no, new.manifest.provision_id) == (2, 1, "R2")
    assert _json(here, "provision", "show", "R2")["rerun_of"] == "R1"


def test_run_by_hand_says_what_it_did_and_that_there_was_nothing_more(here: Counter) -> None:
    """`juki provide` runs the flow; refused is something found, nothing to do is not."""
    here.ask(here.by_number(0))
    here.ask(here.by_number(1), basis="beppyo6-99")
    done = _json(here, "provide", code=1)
    assert [(one["id"], one["state"]) for one in done["provisions"]] == [
        ("R1", "delivered"),
        ("R2", "refused"),
    ]
    assert _json(here, "provide")["provisions"] == []
    status = here.town.juki("status").stdout
    assert f"[{Code.PROVISION_REFUSED_RECENTLY.value}]" in status
    assert f"R2 {Code.PROVISION_BASIS_UNKNOWN.value}" in status


def test_answer_that_can_not_be_handed_over_is_said_and_handed_over_later(here: Counter) -> None:
    """A medium that is not mounted: the answer is sealed and waits."""
    here.ask(here.by_number(0))
    aside = here.board.delivery.rename(here.board.delivery.with_name("aside"))
    try:
        with pytest.raises(Exception, match="folder"):
            here.work()
        assert here.states() == [("sealed", None)]
        assert f"[{Code.PROVISION_UNDELIVERED.value}]" in here.town.juki("status").stdout
    finally:
        aside.rename(here.board.delivery)
    here.work()
    assert len(here.answers()) == 1
