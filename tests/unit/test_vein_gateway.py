"""The vein gateway: palm and one-time code, both or nothing, and what it signs."""

from __future__ import annotations

import base64
import json
import shutil
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from simulator.vein.assertions import Act, person_target
from simulator.vein.conformance import Expected, faults_of, faults_of_all
from simulator.vein.faults import Fault
from simulator.vein.gateway import MOST_FAILURES, Enrolled, Gateway, Presented
from simulator.vein.one_time import accepted_step, code_at, step_at
from simulator.vein.operators import MadeUpOperator
from simulator.vein.palms import Capture, palm_of
from simulator.vein.refusals import Refusal, VeinRefusedError

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=30)
APPROVE = Act("difference approve", "R12 R13")
CODE_OF_NOBODY = "00000000027"


@pytest.fixture(scope="module")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Gateway, Enrolled]:
    """A device on which op-1 was just enrolled, with the palm of the seed op-1."""
    gateway = Gateway(tmp_path_factory.mktemp("device") / "vein", "35").create_missing()
    return gateway, gateway.enrol("op-1", palm_of("op-1").captures(np.random.default_rng(1), 2), NOW)


@pytest.fixture
def gateway(first_day: tuple[Gateway, Enrolled], tmp_path: Path) -> Gateway:
    """A copy of the device for one test."""
    shutil.copytree(first_day[0].folder, tmp_path / "vein")
    return Gateway(tmp_path / "vein", "35")


@pytest.fixture
def enrolled(first_day: tuple[Gateway, Enrolled]) -> Enrolled:
    """What op-1 took home from the enrolment."""
    return first_day[1]


def _capture(seed: str = "op-1") -> Capture:
    return palm_of(seed).capture(np.random.default_rng(2), 0.2)


def _presented(enrolled: Enrolled, at: datetime = NOW) -> Presented:
    return Presented("op-1", _capture(), code_at(enrolled.otp_secret, at), "T-01")


def _refusal(gateway: Gateway, presented: Presented, act: Act = APPROVE, at: datetime = NOW) -> Refusal:
    with pytest.raises(VeinRefusedError) as raised:
        gateway.issue(presented, act, at)
    return raised.value.refusal


def _expected(gateway: Gateway, at: datetime = NOW) -> Expected:
    keys: dict[str | None, Any] = {
        kid: load_pem_public_key(pem) for kid, pem in gateway.keys.public().items()
    }
    return Expected(keys, gateway.audience, at)


def _claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def test_palm_and_code_give_an_assertion_of_the_act(gateway: Gateway, enrolled: Enrolled) -> None:
    """It conforms to the specification and says who, what, where and for how long."""
    token = gateway.issue(_presented(enrolled), APPROVE, NOW)
    assert faults_of(token, _expected(gateway)) == []
    claims = _claims(token)
    assert (claims["sub"], claims["terminal"], claims["amr"]) == ("op-1", "T-01", ["vein", "otp"])
    assert claims["act"] == {"command": "difference approve", "target": "R12 R13"}
    assert claims["exp"] - claims["iat"] == 120


def test_operators_of_exercises_get_three_assertions_in_half_a_minute(gateway: Gateway) -> None:
    """One for each code that is good then; the fourth is refused, and the next half minute has one again."""
    operator = MadeUpOperator.enrolled(gateway, "op-7", NOW)
    tokens = [operator.assertion(APPROVE, "T-01", NOW) for _ in range(3)]
    with pytest.raises(VeinRefusedError, match=r"vein\.not_authenticated"):
        operator.assertion(APPROVE, "T-01", NOW)
    tokens.append(operator.assertion(APPROVE, "T-01", LATER))
    assert faults_of_all(tokens, _expected(gateway, LATER)) == [[]] * 4


def test_every_wrong_factor_is_refused_alike(gateway: Gateway, enrolled: Enrolled) -> None:
    """Another's palm, a wrong code, both, or somebody unknown: one answer, so that no factor is found by itself."""
    right = _presented(enrolled)
    wrong = "000000" if right.otp != "000000" else "000001"
    presented = [
        replace(right, capture=_capture("op-2")),
        replace(right, otp=wrong),
        replace(right, capture=_capture("op-2"), otp=wrong),
        replace(right, operator="op-9"),
    ]
    assert {_refusal(gateway, one) for one in presented} == {Refusal.NOT_AUTHENTICATED}


def test_one_time_code_is_good_once(gateway: Gateway, enrolled: Enrolled) -> None:
    """A code seen over a shoulder, or an earlier one, opens nothing; the next one does."""
    gateway.issue(_presented(enrolled), APPROVE, NOW)
    assert _refusal(gateway, _presented(enrolled)) is Refusal.NOT_AUTHENTICATED
    assert gateway.issue(_presented(enrolled, LATER), APPROVE, LATER)


def test_failures_in_a_row_lock_until_the_administrator_lets_go(gateway: Gateway, enrolled: Enrolled) -> None:
    """Then even palm and code of the operator are refused; unlocking makes them good again."""
    stranger = replace(_presented(enrolled), capture=_capture("op-2"))
    for _ in range(MOST_FAILURES):
        assert _refusal(gateway, stranger) is Refusal.NOT_AUTHENTICATED
    assert _refusal(gateway, _presented(enrolled)) is Refusal.LOCKED
    gateway.unlock("op-1", NOW)
    assert gateway.issue(_presented(enrolled), APPROVE, NOW)


def test_tries_at_the_same_time_are_counted_one_by_one(gateway: Gateway, enrolled: Enrolled) -> None:
    """Many at once have no more tries than one after the other."""
    stranger = replace(_presented(enrolled), capture=_capture("op-2"))
    found: list[Refusal] = []
    tries = [
        threading.Thread(target=lambda: found.append(_refusal(gateway, stranger)))
        for _ in range(MOST_FAILURES + 2)
    ]
    for one in tries:
        one.start()
    for one in tries:
        one.join()
    assert sorted(found) == sorted([Refusal.NOT_AUTHENTICATED] * MOST_FAILURES + [Refusal.LOCKED] * 2)


def test_try_that_is_broken_off_is_used_up(
    gateway: Gateway, enrolled: Enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killing the device between comparison and count gives no free tries."""
    with monkeypatch.context() as broken:
        broken.setattr(
            "simulator.vein.templates.matches", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        for _ in range(MOST_FAILURES):
            with pytest.raises(KeyboardInterrupt):
                gateway.issue(_presented(enrolled), APPROVE, NOW)
    assert _refusal(gateway, _presented(enrolled)) is Refusal.LOCKED


def test_revoked_template_is_refused_also_when_put_back(gateway: Gateway, enrolled: Enrolled) -> None:
    """The file of a revoked template is worth nothing, before and after the same palm is enrolled anew."""
    sealed = gateway.folder / "operators" / "op-1.sealed"
    old = sealed.read_bytes()
    gateway.revoke("op-1", NOW)
    assert _refusal(gateway, _presented(enrolled)) is Refusal.NOT_AUTHENTICATED
    sealed.write_bytes(old)
    assert _refusal(gateway, _presented(enrolled)) is Refusal.NOT_AUTHENTICATED
    anew = gateway.enrol("op-1", palm_of("op-1").captures(np.random.default_rng(3), 2), NOW)
    assert gateway.issue(_presented(anew), APPROVE, NOW)
    sealed.write_bytes(old)
    assert _refusal(gateway, _presented(enrolled, LATER), at=LATER) is Refusal.NOT_AUTHENTICATED


def test_record_of_another_or_altered_is_refused(gateway: Gateway, enrolled: Enrolled) -> None:
    """Records are bound to their 照合ID: one's own put in the place of another's opens nothing."""
    gateway.enrol("op-2", palm_of("op-2").captures(np.random.default_rng(4), 2), NOW)
    mine, theirs = (gateway.folder / "operators" / f"{name}.sealed" for name in ("op-1", "op-2"))
    theirs.write_bytes(mine.read_bytes())
    as_other = replace(_presented(enrolled), operator="op-2")
    assert _refusal(gateway, as_other) is Refusal.RECORD_DAMAGED
    mine.write_bytes(mine.read_bytes()[:-1])
    assert _refusal(gateway, _presented(enrolled)) is Refusal.RECORD_DAMAGED
    gateway.revoke("op-1", NOW)
    assert _refusal(gateway, _presented(enrolled)) is Refusal.NOT_AUTHENTICATED


def test_enrolment_needs_captures_of_one_palm_and_no_standing_one(
    gateway: Gateway, enrolled: Enrolled
) -> None:
    """Nobody is enrolled over somebody, and not from captures that do not agree, nor from a single one."""
    draws = np.random.default_rng(5)
    for operator, captures, refusal in (
        ("op-1", palm_of("op-1").captures(draws, 2), Refusal.ALREADY_ENROLLED),
        ("op-2", [_capture("op-2"), _capture("op-3")], Refusal.POOR_CAPTURES),
        ("op-2", [_capture("op-2")], Refusal.POOR_CAPTURES),
        ("op-2", [], Refusal.POOR_CAPTURES),
    ):
        with pytest.raises(VeinRefusedError) as raised:
            gateway.enrol(operator, captures, NOW)
        assert raised.value.refusal is refusal
    with pytest.raises(VeinRefusedError, match=r"vein\.not_enrolled"):
        gateway.revoke("op-2", NOW)
    with pytest.raises(VeinRefusedError, match=r"vein\.not_enrolled"):
        gateway.unlock("op-2", NOW)


@pytest.mark.parametrize(
    "operator", ["", "../op-1", ".op", "ｏｐ", "op 1", "op-1\n", CODE_OF_NOBODY, "a" * 41]
)
def test_bad_operator_id_is_refused_before_anything_is_read(gateway: Gateway, operator: str) -> None:
    """No path, no person's number, nothing that looks like another."""
    assert _refusal(gateway, Presented(operator, _capture(), "000000", "T-01")) is Refusal.FORM
    assert (gateway.folder / "events.jsonl").read_text("ascii").count("\n") == 1


def test_act_out_of_form_is_refused(gateway: Gateway, enrolled: Enrolled) -> None:
    """Words of a command, a printable target, a terminal's name."""
    presented = _presented(enrolled)
    for act in (
        Act("", "R1"),
        Act("rm -rf", "R1"),
        Act("export", "R1\nR2"),
        Act("export", "R" * 2_400),
        Act("export", "例" * 800),
    ):
        assert _refusal(gateway, presented, act) is Refusal.FORM
    assert _refusal(gateway, replace(presented, terminal="T 01")) is Refusal.FORM


@pytest.mark.parametrize(
    "target", [CODE_OF_NOBODY, "０００００００００２７", "R1 0000-0000-0270", "0000 0000 0270"]
)
def test_person_in_the_clear_is_refused(gateway: Gateway, enrolled: Enrolled, target: str) -> None:
    """A command about a person names them by a salted hash, never by a number."""
    assert _refusal(gateway, _presented(enrolled), Act("person show", target)) is Refusal.PERSONAL_TARGET


def test_person_stands_in_no_assertion_and_no_event(gateway: Gateway, enrolled: Enrolled) -> None:
    """What is bound is the text as the product will compute it again from the jti."""
    act = Act("person show", CODE_OF_NOBODY, is_about_person=True)
    token = gateway.issue(_presented(enrolled), act, NOW)
    claims = _claims(token)
    assert claims["act"]["target"] == person_target(CODE_OF_NOBODY, claims["jti"])
    assert CODE_OF_NOBODY not in json.dumps(claims) + (gateway.folder / "events.jsonl").read_text("ascii")
    assert faults_of(token, _expected(gateway)) == []


def test_next_key_signs_and_the_last_one_still_counts(gateway: Gateway, enrolled: Enrolled) -> None:
    """A rotation interrupts nobody: what was just issued is believed until it expires."""
    before = gateway.issue(_presented(enrolled), APPROVE, NOW)
    assert gateway.keys.rotate() == "vein-gateway-1-2"
    after = gateway.issue(_presented(enrolled, LATER), APPROVE, LATER)
    assert faults_of_all([before, after], _expected(gateway, LATER)) == [[], []]
    only_old = {"vein-gateway-1-1": load_pem_public_key(gateway.keys.public()["vein-gateway-1-1"])}
    assert faults_of(after, Expected(only_old, gateway.audience, LATER)) == [Fault.KEY_ID]  # type: ignore[arg-type]


def test_everything_of_the_device_is_the_owners_alone(gateway: Gateway, enrolled: Enrolled) -> None:
    """Files 0600 in folders 0700, and no capture, template or secret in the clear anywhere."""
    gateway.issue(_presented(enrolled), APPROVE, NOW)
    files = [path for path in gateway.folder.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in [gateway.folder, *gateway.folder.glob("*/")]} == {0o700}
    content = b"".join(path.read_bytes() for path in files)
    assert enrolled.otp_secret not in content
    assert enrolled.otp_secret.hex().encode() not in content
    assert b"offset" not in content
    assert enrolled.otp_secret.hex() not in repr(enrolled)


def test_events_tell_what_happened_without_a_value(gateway: Gateway, enrolled: Enrolled) -> None:
    """Enrolment, refusal and assertion, with operator and terminal."""
    _refusal(gateway, replace(_presented(enrolled), capture=_capture("op-2")))
    gateway.issue(_presented(enrolled), APPROVE, NOW)
    lines = [json.loads(line) for line in (gateway.folder / "events.jsonl").read_text("ascii").splitlines()]
    assert [line["event"] for line in lines] == [
        "operator.enrolled",
        "vein.not_authenticated",
        "assertion.issued",
    ]
    assert {line["operator"] for line in lines} == {"op-1"}
    assert lines[-1].keys() == {"at", "event", "operator", "terminal", "jti"}


def test_gateway_without_a_proper_name_is_refused(tmp_path: Path) -> None:
    """Neither a prefecture that is none nor a name no assertion may have."""
    for prefecture, name in (("35", ".g"), ("48", "g"), ("350001", "g"), ("35", "a b"), ("35", "")):
        with pytest.raises(VeinRefusedError, match=r"vein\.form"):
            Gateway(tmp_path, prefecture, name).create_missing()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (2000000000, "279037")],
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    """The published values of appendix B (SHA-1), their last six digits."""
    assert code_at(b"12345678901234567890", datetime.fromtimestamp(seconds, UTC)) == code


def test_code_is_good_one_step_early_or_late_and_no_more() -> None:
    """Clocks differ by half a minute; a code of a minute ago was read by somebody else."""
    secret = b"12345678901234567890"
    steps = [
        accepted_step(secret, code_at(secret, NOW + timedelta(seconds=30 * off)), NOW, 0)
        for off in range(-2, 3)
    ]
    now = step_at(NOW)
    assert steps == [None, now - 1, now, now + 1, None]
    assert accepted_step(secret, "", NOW, 0) is accepted_step(secret, "１２３４５６", NOW, 0) is None
