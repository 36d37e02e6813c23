"""What somebody tries at the gate with real assertions: again, for another, too late, until nobody is left."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from juki.cli import acting
from juki.home import Home
from tests.conftest import Stores
from tests.console import FUHYO, RESIDENT, UBE, Console
from tests.gateway import PAIR, Desk, entries, refusal_of, state_of

CLERK = "op-7"
_DIFFERENCE = (
    "INSERT INTO difference (municipality_code, kind, resident_code, columns, state, watermark, first_seen_at,"
    " last_seen_at, first_reconciliation_id, last_reconciliation_id)"
    " VALUES (%s, 'missing', '99999999999', '{}', 'open', 1, now(), now(), 1, 1)"
)


@pytest.fixture
def desk(
    tmp_path: Path, stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Desk:
    """An installation with two administrators and one who may reconcile."""
    made = Desk(Console(Home.at(tmp_path / "home"), stores, monkeypatch, capsys), tmp_path)
    made.register(CLERK, "reconciler")
    return made


def locking(operator: str) -> list[str]:
    """The words that stop an operator."""
    return ["operator", "lock", operator, "--reason", "x"]


def removing(operator: str) -> list[str]:
    """The words that need a second administrator."""
    return ["operator", "remove", operator, "--reason", "x"]


def wrong(desk: Desk, operator: str, times: int) -> None:
    """Let an operator present assertions for something else."""
    for _ in range(times):
        refusal_of(desk, *locking(CLERK), *desk.one(operator, "operator lock", "op-x"))


# -- used once --------------------------------------------------------------------------------------------


def test_assertion_of_an_act_that_changed_nothing_is_used_up(desk: Desk) -> None:
    """Nothing was to be proposed: the log says who came for it, and the same assertion is worth nothing after."""
    used = desk.one(CLERK, "difference propose", f"{UBE} resident")
    asked = ["difference", "propose", "--municipality", UBE, "--file", "resident"]
    assert desk.console.juki(*asked, "--json", *used).data == {"changed": 0}
    last = entries(desk)[-1]
    assert (last["action"], last["actor"]) == ("act.idle", f"operator:{CLERK}")
    assert last["basis"] == f"difference propose {UBE} resident"
    with psycopg.connect(desk.console.stores.url(RESIDENT)) as connection:
        connection.execute(_DIFFERENCE, (UBE,))
    assert refusal_of(desk, *asked, *used) == "operator.assertion_replayed"
    with psycopg.connect(desk.console.stores.url(RESIDENT)) as connection:
        assert connection.execute("SELECT state FROM difference").fetchall() == [("open",)]


def test_assertion_used_in_one_store_does_not_work_in_the_other(desk: Desk) -> None:
    """An act that found something in the second store only is over for the first one too."""
    used, asked = desk.one(CLERK, "difference propose", UBE), ["difference", "propose", "--municipality", UBE]
    with psycopg.connect(desk.console.stores.url(FUHYO)) as connection:
        connection.execute(_DIFFERENCE, (UBE,))
    assert desk.console.juki(*asked, "--json", *used).data == {"changed": 1}
    begun, done = entries(desk)[-1], entries(desk, FUHYO)[-1]
    assert (begun["action"], done["action"]) == ("act.begun", "differences.proposed")
    assert begun["assertions"] == done["assertions"]
    with psycopg.connect(desk.console.stores.url(RESIDENT)) as connection:
        connection.execute(_DIFFERENCE, (UBE,))
    assert refusal_of(desk, *asked, *used) == "operator.assertion_replayed"
    with psycopg.connect(desk.console.stores.url(RESIDENT)) as connection:
        assert connection.execute("SELECT state FROM difference").fetchall() == [("open",)]


def test_act_that_failed_may_be_tried_again_with_its_assertion(desk: Desk) -> None:
    """Nothing was done and nothing written: the operator is as fresh as he was."""
    used = desk.one(CLERK, "difference approve", "R1")
    for _ in range(2):
        assert refusal_of(desk, "difference", "approve", "R1", *used) == "difference.unknown"


def test_replay_makes_no_failure_forgotten_and_counts_none(desk: Desk) -> None:
    """Whoever found a used assertion neither locks its operator with it nor helps him."""
    used = desk.one(PAIR[0], "operator lock", CLERK)
    assert desk.console.juki(*locking(CLERK), *used).code == 0
    wrong(desk, PAIR[0], 2)
    for _ in range(4):
        assert refusal_of(desk, *locking(CLERK), *used) == "operator.assertion_replayed"
        assert entries(desk)[-1]["actor"] == f"operator:{PAIR[0]}"
    assert (state_of(desk, PAIR[0])["failures"], state_of(desk, PAIR[0])["is_active"]) == (2, True)


# -- whose it was -----------------------------------------------------------------------------------------


def test_wrong_assertions_of_the_second_do_not_lock_the_first(desk: Desk) -> None:
    """Each is put on the one whose assertion it was; one that nobody signed, on nobody."""
    desk.register("op-8", "administrator")
    for _ in range(5):
        approval = ["--approval", desk.file("op-8", "operator remove", "op-x")]
        used = desk.one(PAIR[0], "operator remove", CLERK)
        assert refusal_of(desk, *removing(CLERK), *used, *approval) == "operator.assertion_act"
    assert (state_of(desk, PAIR[0])["failures"], state_of(desk, "op-8")["is_active"]) == (0, False)
    token = Path(desk.file(PAIR[1], "operator remove", CLERK))
    token.write_text(token.read_text("ascii").strip()[:-8] + "AAAAAAAA", "ascii")
    used = desk.one(PAIR[0], "operator remove", CLERK)
    code = refusal_of(desk, *removing(CLERK), *used, "--approval", str(token))
    assert (code, entries(desk)[-1]["actor"].split(":")[0]) == (
        "operator.assertion_signature", "local-administrator",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("claims", "code", "actor", "failures"),
    [
        ({"amr": ["vein"]}, "operator.assertion_factors", f"operator:{PAIR[0]}", 1),
        ({"at": datetime(2026, 1, 1, tzinfo=UTC)}, "operator.assertion_expired", f"operator:{PAIR[0]}", 0),
        ({"aud": "juki-renkei:01"}, "operator.assertion_audience", "local-administrator", 0),
    ],
    ids=["one factor", "old", "of another system"],
)
def test_well_signed_assertion_names_its_operator(
    desk: Desk, claims: dict[str, Any], code: str, actor: str, failures: int
) -> None:
    """One factor counts; an old one may be in others' hands; that of another system is of somebody else."""
    used = desk.one(PAIR[0], "operator lock", CLERK, **claims)
    assert refusal_of(desk, *locking(CLERK), *used) == code
    assert entries(desk)[-1]["actor"].startswith(actor)
    assert state_of(desk, PAIR[0])["failures"] == failures


# -- who is left ------------------------------------------------------------------------------------------


def test_locked_operator_is_not_locked_again(desk: Desk) -> None:
    """His wrong assertions are refused and logged; since when he is locked stays as it was."""
    wrong(desk, CLERK, 5)
    locked_at = state_of(desk, CLERK)["locked_at"]
    before = len(entries(desk))
    wrong(desk, CLERK, 3)
    assert [one["action"] for one in entries(desk)[before:]] == ["operator.refused"] * 3
    assert (state_of(desk, CLERK)["locked_at"], state_of(desk, CLERK)["failures"]) == (locked_at, 5)


def test_refusals_do_not_lock_the_last_administrator(desk: Desk) -> None:
    """Nobody could ever act again: it is logged that he should have been, and the status page says who is left."""
    assert desk.console.juki(*locking(PAIR[0]), *desk.one(PAIR[1], "operator lock", PAIR[0])).code == 0
    wrong(desk, PAIR[1], 6)
    spared = [one for one in entries(desk) if one["code"] == "operator.few_administrators"]
    assert [(one["action"], one["outcome"], one["operator"]) for one in spared] == [
        ("operator.locked", "refused", PAIR[1])
    ]
    assert state_of(desk, PAIR[1])["is_active"]
    (alarm,) = [
        one
        for one in desk.console.juki("status", "--json").data["alarms"]
        if one["code"] == "operator.installation_open"
    ]
    assert alarm["which"] == [f"{PAIR[0]} 停止中", f"{PAIR[1]} 認証の失敗 6 回"]


def test_end_of_an_administrator_that_comes_soon_is_not_set(desk: Desk) -> None:
    """With today as the last day one would be left tomorrow; an end that was set is taken away again."""
    today = datetime.now(UTC) + timedelta(hours=9)
    for days in (0, 29):
        soon = (today + timedelta(days=days)).date().isoformat()
        asked = ["operator", "change", PAIR[1], "--valid-to", soon, "--reason", "x"]
        agreed = desk.two("operator change", f"{PAIR[1]} --valid-to={soon}")
        assert refusal_of(desk, *asked, *agreed) == "operator.few_administrators"
    for last in ((today + timedelta(days=60)).date().isoformat(), "none"):
        asked = ["operator", "change", PAIR[1], "--valid-to", last, "--reason", "x"]
        assert (
            desk.console.juki(*asked, *desk.two("operator change", f"{PAIR[1]} --valid-to={last}")).code == 0
        )
    assert state_of(desk, PAIR[1])["valid_to"] is None


def test_end_of_an_administrator_that_came_near_is_told(desk: Desk) -> None:
    """Nothing else is held up by it, and the status page says whose it is."""
    soon = (datetime.now(UTC) + timedelta(days=10)).date()
    with psycopg.connect(desk.console.stores.url(RESIDENT)) as connection:
        connection.execute("UPDATE operator SET valid_to = %s WHERE operator_id = %s", (soon, PAIR[1]))
    desk.register("op-8", "viewer")
    alarms = desk.console.juki("status", "--json").data["alarms"]
    (alarm,) = [one for one in alarms if one["code"] == "operator.administrators_ending"]
    assert alarm["which"] == [PAIR[0], f"{PAIR[1]} {soon.isoformat()} まで"]


# -- in time ----------------------------------------------------------------------------------------------


def test_assertion_that_ends_while_it_is_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fresh is judged when the token is there, not when the command began to wait for it."""
    waited = [timedelta(0)]

    class Clock(datetime):
        """A clock that a slow standard input moves on."""

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + waited[0]

    class SlowInput(io.StringIO):
        """Somebody who types for ten minutes."""

        def read(self, size: int | None = -1) -> str:
            waited[0] = timedelta(minutes=10)
            return super().read(size)

    token = desk.gateway.token(PAIR[0], "operator lock", CLERK)
    monkeypatch.setattr(acting, "datetime", Clock)
    monkeypatch.setattr(sys, "stdin", SlowInput(token))
    assert refusal_of(desk, *locking(CLERK), "--assertion", "-") == "operator.assertion_expired"
    assert state_of(desk, CLERK)["is_active"]
