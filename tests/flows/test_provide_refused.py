"""Requests that get nothing: each refusal by its name, journalled, with nothing in the delivery folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from juki.errors import JukiError
from juki.journal import Action
from juki.package_id import PackageId
from juki.reasons import Code
from simulator import pki, recipients
from tasks import clock
from tasks.boundary import PipelineError
from tasks.delivering import deliver_provision, resend_provision
from tasks.providing import answer_request
from tasks.purging import purge_due
from tests.flows.conftest import Town
from tests.flows.providing import FUHYO, RESIDENT, Counter, counter


@pytest.fixture
def here(town: Town) -> Counter:
    """A town with people, and recipients that ask for them."""
    return counter(town)


def refused(here: Counter, code: Code, file: Any = RESIDENT) -> None:
    """Hold that the one request was refused by a code, said so in the log, and that nothing leaves."""
    assert here.states(file) == [("refused", code.value)]
    decided = here.entries(Action.PROVISION_DECIDED, file)
    assert [(entry["outcome"], entry["code"]) for entry in decided][-1] == ("refused", code.value)
    assert here.entries(Action.PERSON_PROVIDED, file) == []
    assert list(here.board.delivery.iterdir()) == []
    assert list(here.town.home.provisions.iterdir()) == []


_ASKED: dict[str, tuple[dict[str, Any], Code]] = {
    "unknown basis": ({"basis": "beppyo6-99"}, Code.PROVISION_BASIS_UNKNOWN),
    "basis nobody registered it for": ({"basis": "beppyo6-5"}, Code.PROVISION_BASIS_NOT_PERMITTED),
    "a field that is none": ({"fields": ["household_head"]}, Code.PROVISION_FIELD_UNKNOWN),
    "a field of the other file": ({"fields": ["is_abroad"]}, Code.PROVISION_FIELD_BEYOND_BASIS),
    "the code": ({"fields": ["name", "resident_code"]}, Code.PROVISION_CODE_NOT_GIVEN),
    "number without a decision": ({"basis": "beppyo6-4", "with_number": True}, Code.PROVISION_NUMBER_NOT_ALLOWED),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "code"), _ASKED.values(), ids=_ASKED)
def test_request_the_law_does_not_open_is_refused(here: Counter, asked: dict[str, Any], code: Code) -> None:
    """One thing too many, and nothing of it is given; nobody is even looked for."""
    here.ask(here.by_number(0), **asked)
    here.work()
    refused(here, code)
    assert here.entries(Action.PEOPLE_SEARCHED) == []


def test_recipient_of_another_kind_is_refused(here: Counter) -> None:
    """別表第五 is for the governor's own departments: a board registered for it by mistake gets nothing."""
    described = replace(here.board.described, bases=("beppyo5-4-3",))
    recipients.register(here.town.home, [replace(here.board, described=described)])
    here.ask(here.by_number(0), basis="beppyo5-4-3")
    here.work()
    refused(here, Code.PROVISION_RECIPIENT_KIND)


def test_board_that_is_not_the_one_of_the_basis_is_refused(here: Counter) -> None:
    """別表第六 says which 執行機関: no other one, whatever it was registered for."""
    described = replace(here.board.described, bases=("beppyo6-1-2",))
    recipients.register(here.town.home, [replace(here.board, described=described)])
    here.ask(here.by_number(0), basis="beppyo6-1-2")
    here.work()
    refused(here, Code.PROVISION_RECEIVER_DIFFERS)


_ORDINANCE = """
[[basis]]
basis = "jorei-1"
kind = "provide"
receiver = "教育委員会"
article = "演習県条例第1条"
work = "演習の事務"
files = ["resident"]
number = "never"
valid_from = {first}
valid_to = {last}
decided_by = "演習の決裁"
decided_on = 2026-01-01
"""


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        (date(2026, 2, 1), date(2026, 6, 30), Code.PROVISION_BASIS_EXPIRED),
        (date(2099, 1, 1), date(2099, 12, 31), Code.PROVISION_BASIS_NOT_YET),
    ],
)
def test_basis_out_of_its_time_is_refused(here: Counter, first: date, last: date, code: Code) -> None:
    """The day in Japan on which the answer is given counts."""
    here.town.home.ordinance_bases_file.write_text(_ORDINANCE.format(first=first, last=last), "utf-8")
    try:
        described = replace(here.board.described, bases=("jorei-1",))
        recipients.register(here.town.home, [replace(here.board, described=described)])
        here.ask(here.by_number(0), basis="jorei-1", fields=["name"])
        here.work()
        refused(here, code)
    finally:
        here.town.home.ordinance_bases_file.unlink()


_WITHDRAWAL = """
[[withdrawal]]
basis = "beppyo6-3"
effective_from = {day}
reason = "演習の廃止"
decided_by = "演習の決裁"
decided_on = {day}
"""


def _withdraw(here: Counter) -> None:
    day = clock.civil_date(clock.now())
    with here.town.home.basis_decisions_file.open("a", encoding="utf-8") as file:
        file.write(_WITHDRAWAL.format(day=day.isoformat()))


def _unregister(here: Counter) -> None:
    recipients.register(here.town.home, [here.offices["zeimu"]])


def _revoke(here: Counter, *identities: pki.Identity) -> None:
    made = here.town.made
    listed = pki.revocation_list(made.root, [one.certificate for one in identities], datetime.now(UTC))
    path = here.town.home.root / "exercise/pki/recipients.crl"
    path.write_bytes(listed.public_bytes(serialization.Encoding.PEM))
    recipients.register(here.town.home, here.offices.values(), revocation_list=str(path))


_BETWEEN: dict[str, tuple[Callable[[Counter], None], Code]] = {
    "basis withdrawn": (_withdraw, Code.PROVISION_BASIS_WITHDRAWN),
    "registration taken away": (_unregister, Code.PROVISION_RECIPIENT_UNKNOWN),
    "signing certificate revoked": (lambda here: _revoke(here, here.board.signer), Code.PACKAGE_CERTIFICATE_REVOKED),
    "encryption certificate revoked": (
        lambda here: _revoke(here, here.board.receiver), Code.PACKAGE_CERTIFICATE_REVOKED,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("befalls", "code"), _BETWEEN.values(), ids=_BETWEEN)
def test_what_is_withdrawn_after_the_request_came_in_stops_it(
    here: Counter, befalls: Callable[[Counter], None], code: Code
) -> None:
    """What was in order when it was asked is not what counts."""
    here.ask(here.by_number(0), fields=["name"])
    here.take_in()
    befalls(here)
    here.work()
    refused(here, code)


@pytest.mark.parametrize(("befalls", "code"), _BETWEEN.values(), ids=_BETWEEN)
def test_what_is_withdrawn_while_people_are_looked_up_stops_it_before_the_seal(
    here: Counter, befalls: Callable[[Counter], None], code: Code, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is decided again when everything is found, by what is registered then."""
    from tasks import providing

    real = providing._with_numbers

    def then(*given: Any) -> Any:
        befalls(here)
        return real(*given)

    monkeypatch.setattr(providing, "_with_numbers", then)
    here.ask(here.by_number(0), fields=["name"], with_number=True)
    here.work()
    refused(here, code)
    assert len(here.entries(Action.PEOPLE_SEARCHED)) == 1


@pytest.mark.parametrize(("befalls", "code"), _BETWEEN.values(), ids=_BETWEEN)
def test_what_is_withdrawn_after_the_seal_keeps_the_package_from_leaving(
    here: Counter, befalls: Callable[[Counter], None], code: Code
) -> None:
    """A folder may be out of reach for days: what counts is the day on which it leaves; then its hold ends."""
    here.ask(here.by_number(0), fields=["name"], with_number=True)
    here.take_in()
    (provision,) = here.listed("received")
    answer_request.fn(provision)
    befalls(here)
    with pytest.raises(PipelineError) as stopped:
        deliver_provision.fn(provision)
    assert stopped.value.code is code
    assert list(here.board.delivery.iterdir()) == []
    tried = here.entries(Action.PROVISION_DELIVERED)
    assert [(entry["outcome"], entry["code"]) for entry in tried] == [("refused", code.value)]
    with pytest.raises(PipelineError) as ended:
        deliver_provision.fn(provision)
    assert ended.value.code is Code.HOLD_TERM_REACHED
    assert purge_due.fn().erased == (provision,)
    assert here.states() == [("lapsed", None)]


def test_signer_of_the_request_revoked_after_the_delivery_stops_a_re_send(here: Counter) -> None:
    """Whoever asked can not have asked again with what was taken from them."""
    here.ask(here.by_number(0), fields=["name"])
    here.work()
    (provision,) = here.listed("delivered")
    befalls, code = _BETWEEN["signing certificate revoked"]
    befalls(here)
    with pytest.raises(PipelineError) as stopped:
        resend_provision.fn(provision)
    assert stopped.value.code is code


def test_package_whose_request_is_lost_does_not_leave(here: Counter) -> None:
    """Who asked can not be asked any more: nothing leaves on trust."""
    here.ask(here.by_number(0), fields=["name"])
    here.take_in()
    (provision,) = here.listed("received")
    answer_request.fn(provision)
    (here.town.home.requests / f"{provision}.p7m").unlink()
    with pytest.raises(PipelineError) as stopped:
        deliver_provision.fn(provision)
    assert stopped.value.code is Code.REQUEST_LOST
    assert list(here.board.delivery.iterdir()) == []


def test_basis_withdrawn_after_the_delivery_stops_a_re_send(here: Counter) -> None:
    """Sending again is providing again, as far as the law of the day goes."""
    here.ask(here.by_number(0), fields=["name"])
    here.work()
    (provision,) = here.listed("delivered")
    _withdraw(here)
    with pytest.raises(PipelineError) as stopped:
        resend_provision.fn(provision)
    assert stopped.value.code is Code.PROVISION_BASIS_WITHDRAWN
    assert here.entries(Action.PROVISION_RESENT)[0]["outcome"] == "refused"


def test_same_request_again_is_a_repeat_and_changes_nothing(here: Counter) -> None:
    """Sealed anew, under its old number: answered already."""
    here.ask(here.by_number(0), created_at="2026-11-23T09:00:00+09:00")
    here.work()
    here.ask(here.by_number(0), created_at="2026-11-23T09:00:00+09:00", request_no=1)
    taken = here.work()
    assert (taken.registered, dict(taken.codes)) == (0, {Code.REQUEST_REPEATED.value: 1})
    assert len(here.answers()) == 1
    last = here.entries(Action.REQUEST_RECEIVED)[-1]
    assert (last["outcome"], last["code"], last["provision"]) == ("done", Code.REQUEST_REPEATED.value, "R1")


def test_other_content_under_a_used_number_is_refused_and_kept(here: Counter) -> None:
    """Whoever took the number of an answered request gets nothing for it."""
    here.ask(here.by_number(0))
    here.work()
    here.ask(here.by_number(1), request_no=1)
    taken = here.work()
    assert dict(taken.codes) == {Code.REQUEST_NUMBER_REUSED.value: 1}
    assert len(here.answers()) == 1
    assert here.entries(Action.REQUEST_RECEIVED)[-1]["outcome"] == "refused"
    (kept,) = _quarantined(here)
    assert Code.REQUEST_NUMBER_REUSED.value in kept


def _quarantined(here: Counter) -> list[str]:
    folder = here.town.home.quarantine / "requests" / "kyoiku"
    return [path.name for path in folder.iterdir()] if folder.exists() else []


NAME = "kyoiku-resident-request-00000001.p7m"


def _signed_by_another(here: Counter) -> None:
    document = here.board.document(here.by_number(0), file=RESIDENT, at=datetime.now(UTC))
    here.board.lay(NAME, json.dumps(document).encode(), signer=here.offices["zeimu"].signer)


def _of_another_recipient(here: Counter) -> None:
    document = here.board.document(here.by_number(0), file=RESIDENT, at=datetime.now(UTC), recipient="zeimu")
    here.board.lay(NAME, json.dumps(document).encode())


def _of_another_prefecture(here: Counter) -> None:
    here.ask(here.by_number(0), prefecture="340006")


def _of_another_file(here: Counter) -> None:
    document = here.board.document(here.by_four(0), file=FUHYO, at=datetime.now(UTC))
    here.board.lay(NAME, json.dumps(document).encode())


def _malformed(here: Counter) -> None:
    here.ask([{"individual_number": "1"}])


def _not_json(here: Counter) -> None:
    here.board.lay(NAME, b"name,birth_date\n")


def _not_sealed(here: Counter) -> None:
    (here.board.arrivals / NAME).write_bytes(b"{}")


_HOSTILE: dict[str, tuple[Callable[[Counter], None], Code]] = {
    "signed by another recipient": (_signed_by_another, Code.PACKAGE_SIGNER_UNREGISTERED),
    "for another recipient": (_of_another_recipient, Code.REQUEST_BINDING),
    "for another prefecture": (_of_another_prefecture, Code.REQUEST_BINDING),
    "named for the other file": (_of_another_file, Code.REQUEST_BINDING),
    "malformed": (_malformed, Code.REQUEST_FORM),
    "no JSON": (_not_json, Code.REQUEST_FORM),
    "not sealed": (_not_sealed, Code.PACKAGE_ENVELOPE),
}


@pytest.mark.parametrize(("lays", "code"), _HOSTILE.values(), ids=_HOSTILE)
def test_hostile_file_is_refused_once_logged_and_kept_as_it_came(
    here: Counter, lays: Callable[[Counter], None], code: Code
) -> None:
    """What is no request of this recipient is nobody's; the file goes on lying there and is not looked at again."""
    lays(here)
    taken = here.work()
    assert (taken.registered, dict(taken.codes), dict(taken.failures)) == (0, {code.value: 1}, {})
    assert here.states() == []
    (entry,) = here.entries(Action.REQUEST_RECEIVED)
    assert (entry["outcome"], entry["code"], entry["recipient"]) == ("refused", code.value, "kyoiku")
    (kept,) = _quarantined(here)
    assert code.value in kept and kept.endswith(".p7m")
    assert (dict(here.work().codes), len(here.entries(Action.REQUEST_RECEIVED))) == ({}, 1)


def test_outdated_revocation_list_of_ours_lets_requests_wait(here: Counter) -> None:
    """That our list is old is not the recipient's fault: nothing is refused, and it goes on when it is renewed."""
    made, path = here.town.made, here.town.home.root / "exercise/pki/recipients.crl"
    old = pki.revocation_list(made.root, [], datetime.now(UTC) - timedelta(days=60))
    path.write_bytes(old.public_bytes(serialization.Encoding.PEM))
    recipients.register(here.town.home, here.offices.values(), revocation_list=str(path))
    here.ask(here.by_number(0))
    assert dict(here.work().failures) == {Code.REVOCATION_LIST_OUTDATED.value: 1}
    _revoke(here)
    assert here.work().registered == 1
    assert len(here.answers()) == 1


def test_request_lost_after_it_was_registered_is_refused(here: Counter) -> None:
    """Nothing is answered from memory."""
    here.ask(here.by_number(0))
    here.take_in()
    (here.town.home.requests / "R1.p7m").unlink()
    here.work()
    refused(here, Code.REQUEST_LOST)


def test_answering_what_is_not_registered_names_it(here: Counter) -> None:
    """A number nobody gave stops with its code."""
    with pytest.raises(Exception, match=r"provision\.not_found") as failed:
        answer_request.fn(PackageId(RESIDENT, 77))
    assert not isinstance(failed.value, JukiError)


def _limits(here: Counter, **limits: int) -> None:
    described = replace(here.board.described, limits=limits)
    recipients.register(here.town.home, [replace(here.board, described=described)])


def test_too_many_people_in_a_day_are_refused_and_the_limit_itself_passes(here: Counter) -> None:
    """Asked for in pieces it is as much."""
    _limits(here, daily_lines=5)
    for places in ((0, 1, 2), (3, 4), (5,)):
        here.ask(here.by_number(*places))
        here.work()
    assert here.states() == [
        ("delivered", None),
        ("delivered", None),
        ("refused", Code.PROVISION_LIMIT_LINES.value),
    ]
    with clock.held_at(datetime.now(UTC) + timedelta(hours=24, seconds=5)):
        here.ask(here.by_number(5))
        here.work()
    assert here.states()[-1] == ("delivered", None)


def test_thousands_of_misses_are_probing(here: Counter) -> None:
    """Whoever tries numbers learns nothing from the request that goes beyond the limit."""
    _limits(here, daily_misses=2)
    nobody = [{"name_kana": "ダレモイナイ", "birth_date": f"1900010{day}"} for day in range(1, 5)]
    for places in (nobody[:2], [*here.by_number(0), nobody[2]]):
        here.ask(places)
        here.work()
    assert here.states() == [("delivered", None), ("refused", Code.PROVISION_LIMIT_MISSES.value)]
    assert [entry["outcome"] for entry in here.entries(Action.PEOPLE_SEARCHED)] == ["done", "refused"]
    assert here.entries(Action.PERSON_PROVIDED) == []


def test_refused_guesses_count_and_a_hit_among_them_tells_nothing(here: Counter) -> None:
    """Beyond the limit a guess that hits is refused like one that misses: silence would be an answer."""
    _limits(here, daily_misses=2)
    for day in range(1, 5):
        here.ask([{"name_kana": "ダレモイナイ", "birth_date": f"1900010{day}"}])
        here.work()
    here.ask(here.by_number(0))
    here.work()
    limit = ("refused", Code.PROVISION_LIMIT_MISSES.value)
    assert here.states() == [("delivered", None)] * 2 + [limit] * 3
    assert here.entries(Action.PERSON_PROVIDED) == []


def test_request_under_the_number_zero_is_no_request(here: Counter) -> None:
    """Numbers count from 1; a file of another name is counted and keeps no run from its end."""
    here.ask(here.by_number(0), fields=["name"])
    (path,) = here.board.arrivals.glob("*.p7m")
    path.rename(path.with_name("kyoiku-resident-request-00000000.p7m"))
    taken = here.take_in()
    assert (taken.registered, dict(taken.failures)) == (0, {})


def test_same_person_again_and_again_is_probing(here: Counter) -> None:
    """By whatever way the person was named, over requests and within one."""
    _limits(here, daily_same_person=3)
    for people in (here.by_number(0, 0), here.by_four(0), here.by_number(1, 0)):
        here.ask(people)
        here.work()
    assert here.states()[:2] == [("delivered", None)] * 2
    assert here.states()[2] == ("refused", Code.PROVISION_LIMIT_SAME_PERSON.value)


def test_limits_are_counted_for_each_file_by_itself(here: Counter) -> None:
    """Neither store reads the other: what was asked of one leaves the limit of the other whole."""
    here.move_abroad(0)
    _limits(here, daily_lines=1)
    for _ in range(2):
        here.ask(here.by_number(0))
        here.ask(here.by_four(0), file=FUHYO, fields=["name"])
        here.work()
    once = [("delivered", None), ("refused", Code.PROVISION_LIMIT_LINES.value)]
    assert [here.states(file) for file in (RESIDENT, FUHYO)] == [once, once]
