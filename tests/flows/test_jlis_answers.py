"""What comes as J-LIS's: acknowledgements and reports, taken in when they are what they claim, kept when not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from juki.columns import IdentityFile
from juki.jlis import MessageKind
from juki.jlis_manifests import Acknowledgement, MessageName
from juki.manifests import PackageVerdict
from juki.reasons import Code
from simulator import pki
from simulator.installation import PREFECTURE_CODE
from simulator.jlis import CODE, report_content
from simulator.sealing import Sealer, seal
from tasks import clock
from tests.flows.conftest import CODES, Town
from tests.forwarding_case import DIED, Telling

HERE, ELSEWHERE = CODES
RESIDENT = IdentityFile.RESIDENT
ACKNOWLEDGED = [("acknowledged",)]
DELIVERED = [("delivered",)]


@pytest.fixture(params=list(IdentityFile), ids=lambda file: file.value)
def told(request: pytest.FixtureRequest, town: Town) -> Iterator[Telling]:
    """A file of six people, told to J-LIS in one package that is not answered yet."""
    made = Telling.of(town, request.param)
    made.case.send(HERE, *made.people())
    assert made.forward().delivered == 1
    made.jlis.work(clock.now(), answers=False)
    yield made
    made.case.forget()


def digest(told: Telling, sequence: int = 1) -> str:
    """The SHA-256 of what J-LIS opened."""
    return told.ledger.applied[sequence]


def answer(told: Telling, **said: object) -> Acknowledgement:
    """A genuine acknowledgement, but for what is said otherwise."""
    genuine = Acknowledgement(
        PREFECTURE_CODE, told.file, CODE, 1, digest(told), PackageVerdict.ACCEPTED, "", clock.now()
    )
    return replace(genuine, **said)  # type: ignore[arg-type] # any key of the answer


def name(told: Telling, sequence: int = 1, kind: MessageKind = MessageKind.ACKNOWLEDGEMENT) -> MessageName:
    """The name of a file from J-LIS."""
    return MessageName(PREFECTURE_CODE, told.file, kind, sequence)


def refused(told: Telling, code: Code) -> None:
    """What was laid in is refused with its code, kept, logged, and nothing else has changed."""
    assert told.forward().answers == {code.value: 1}
    assert told.messages()[-1][1:] == ("refused", code.value)
    assert told.packages("state") == DELIVERED
    assert told.case.sql("SELECT kept IS NOT NULL FROM jlis_message ORDER BY message_id DESC LIMIT 1") == [
        (True,)
    ]
    assert told.actions()["jlis.message_refused"] == 1
    # Seen once: the next run leaves it alone, whoever left it there.
    assert told.forward().answers == {}


def test_a_genuine_acknowledgement_made_by_openssl_is_taken(told: Telling) -> None:
    """J-LIS needs nothing but the openssl program."""
    content, certificate = answer(told).line(), told.jlis.prefecture.prefecture.certificate
    sealed = seal(content, told.jlis.office.signer, certificate, Sealer.OPENSSL)
    (told.jlis.arrivals / str(name(told))).write_bytes(sealed)
    assert told.forward().answers == {"acknowledged": 1}
    assert told.packages("state") == ACKNOWLEDGED


def test_an_acknowledgement_signed_by_a_municipality_is_refused(told: Telling) -> None:
    """A genuine certificate of the same authority is not J-LIS's (M2)."""
    told.jlis.put(name(told), answer(told).line(), told.town.made.offices[HERE].signer)
    refused(told, Code.PACKAGE_SIGNER_UNREGISTERED)


def test_an_acknowledgement_by_an_unknown_authority_is_refused(told: Telling) -> None:
    """Anybody can name a certificate like J-LIS's."""
    forger = pki.issue(pki.make_root(), "演習用署名 jlis", pki.ec_key())
    told.jlis.put(name(told), answer(told).line(), forger)
    refused(told, Code.PACKAGE_CERTIFICATE_CHAIN)


def test_an_altered_acknowledgement_is_refused(told: Telling) -> None:
    """Any byte turned over on the way."""
    told.jlis.put(name(told), answer(told).line())
    path = told.jlis.arrivals / str(name(told))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    refused(told, Code.PACKAGE_ALTERED)


def test_an_acknowledgement_of_a_package_never_delivered_is_refused(told: Telling) -> None:
    """An answer that was there before its package can not be one."""
    told.jlis.put(name(told, 2), answer(told, sequence=2).line())
    refused(told, Code.JLIS_ANSWER_UNKNOWN)


@pytest.mark.parametrize(("verdict", "state"), [("accepted", "acknowledged"), ("refused", "refused")])
def test_an_answer_that_comes_before_our_note_of_the_delivery_is_taken(
    told: Telling, verdict: str, state: str
) -> None:
    """A run died between the folder and its note: who names the content has had the package."""
    told.case.sql(
        "UPDATE jlis_package SET state = 'sealed', attempts = 0, delivered_at = NULL, last_delivered_at = NULL"
    )
    code = "" if verdict == "accepted" else "jlis.maintenance"
    told.jlis.put(name(told), answer(told, verdict=PackageVerdict(verdict), code=code).line())
    assert told.forward().answers == {state: 1}
    ((delivered_at, attempts),) = told.packages("delivered_at", "attempts")
    # What was refused is delivered again by the same run; both deliveries are noted and logged.
    deliveries = 1 if verdict == "accepted" else 2
    assert (delivered_at is not None, attempts) == (True, deliveries)
    assert told.actions()["jlis.delivered"] == 1 + deliveries


def test_an_acknowledgement_of_other_content_before_our_delivery_is_refused(told: Telling) -> None:
    """Nobody can have opened what was not handed over: only its very content shows that it was."""
    told.case.sql(
        "UPDATE jlis_package SET state = 'sealed', attempts = 0, delivered_at = NULL, last_delivered_at = NULL"
    )
    told.jlis.put(name(told), answer(told, package_sha256="0" * 64).line())
    refused(told, Code.JLIS_ANSWER_UNKNOWN)


def test_an_acknowledgement_under_the_name_of_another_sequence_is_refused(told: Telling) -> None:
    """Name and content must agree: an answer can not be moved to another package."""
    told.jlis.put(name(told, 2), answer(told).line())
    refused(told, Code.JLIS_MESSAGE_NAME)


def test_an_acknowledgement_of_the_other_file_is_refused(told: Telling) -> None:
    """The first package of the one file says nothing of the first of the other."""
    other = next(file for file in IdentityFile if file is not told.file)
    told.jlis.put(name(told), answer(told, file=other).line())
    refused(told, Code.JLIS_MESSAGE_NAME)


def test_an_acknowledgement_for_another_prefecture_is_refused(told: Telling) -> None:
    """J-LIS answers 47 prefectures that count alike."""
    other = MessageName("340006", told.file, MessageKind.ACKNOWLEDGEMENT, 1)
    told.jlis.put(other, answer(told, prefecture_code="340006").line())
    refused(told, Code.JLIS_MESSAGE_NAME)


def test_an_acknowledgement_of_other_content_is_refused(told: Telling) -> None:
    """Bound to what was opened: a package exchanged on the way is not acknowledged by accident."""
    told.jlis.put(name(told), answer(told, package_sha256="0" * 64).line())
    refused(told, Code.JLIS_ANSWER_OTHER)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}\n", b"not json\n", b'{"format":"juki-jlis-receipt/1"}\n'],
    ids=["empty", "object", "text", "keys"],
)
def test_an_ill_formed_acknowledgement_is_refused(told: Telling, content: bytes) -> None:
    """Signed by J-LIS and still not an answer."""
    told.jlis.put(name(told), content)
    refused(told, Code.JLIS_MESSAGE_FORM)


def test_something_after_the_line_of_an_acknowledgement_is_refused(told: Telling) -> None:
    """The whole content is the line: nothing unread is signed along with it."""
    told.jlis.put(name(told), answer(told).line() + b"more\n")
    refused(told, Code.JLIS_MESSAGE_FORM)


def test_a_refusal_without_a_code_is_no_answer(told: Telling) -> None:
    """Whoever does not take a package says why."""
    told.jlis.put(name(told), answer(told, verdict=PackageVerdict.REFUSED).line())
    refused(told, Code.JLIS_MESSAGE_FORM)


def test_a_replayed_refusal_does_not_take_an_acknowledgement_back(told: Telling) -> None:
    """An old answer sealed anew for us is still the old answer."""
    no = answer(told, verdict=PackageVerdict.REFUSED, code="jlis.maintenance").line()
    told.jlis.put(name(told), no)
    assert told.forward().answers == {"refused": 1}
    told.jlis.work(clock.now())
    assert told.forward().answers == {"acknowledged": 1}
    told.jlis.put(name(told), no)
    assert told.forward().answers == {Code.JLIS_ANSWER_REPLAYED.value: 1}
    assert told.packages("state", "attempts") == [("acknowledged", 2)]


def test_a_replayed_refusal_does_not_make_us_deliver_for_ever(told: Telling) -> None:
    """The same refusal under a new envelope is not a second refusal."""
    no = answer(told, verdict=PackageVerdict.REFUSED, code="jlis.maintenance").line()
    for _ in range(3):
        told.jlis.put(name(told), no)
        told.forward()
    assert told.packages("state", "attempts") == [("delivered", 2)]


def test_a_refusal_after_the_acknowledgement_is_refused_and_seen(told: Telling) -> None:
    """J-LIS has confirmed it once; who says the opposite later has to be asked."""
    told.jlis.put(name(told), answer(told).line())
    told.forward()
    told.jlis.put(name(told), answer(told, verdict=PackageVerdict.REFUSED, code="jlis.lost").line())
    assert told.forward().answers == {Code.JLIS_ANSWER_AFTER.value: 1}
    assert told.packages("state") == ACKNOWLEDGED


def test_a_second_acknowledgement_of_a_package_changes_nothing(told: Telling) -> None:
    """J-LIS got it twice and says so twice."""
    for minutes in (0, 1):
        at = datetime.now(UTC) + timedelta(minutes=minutes)
        told.jlis.put(name(told), answer(told, created_at=at).line())
        told.forward()
    assert told.packages("state") == ACKNOWLEDGED
    assert [state for _, state, _ in told.messages()] == ["taken", "taken"]


def test_files_that_are_no_answers_are_left_alone(told: Telling) -> None:
    """Other names, links and what is too large are neither read nor registered."""
    told.jlis.put(name(told), answer(told).line())
    genuine = told.jlis.arrivals / str(name(told))
    genuine.rename(told.jlis.arrivals / "elsewhere.bin")
    genuine.symlink_to(told.jlis.arrivals / "elsewhere.bin")
    (told.jlis.arrivals / str(name(told, 2))).write_bytes(bytes(5 * 1024 * 1024))
    assert told.forward().answers == {}
    assert told.messages() == []
    assert told.packages("state") == DELIVERED


def test_our_own_outdated_revocation_list_refuses_nothing(told: Telling) -> None:
    """What we can not judge for want of our own list waits, and goes on when the list is renewed."""
    made = told.jlis.prefecture
    old = pki.revocation_list(made.root, [], datetime(2021, 1, 1, tzinfo=UTC))
    path = told.home.root / "exercise" / "pki" / "old.crl"
    path.write_bytes(old.public_bytes(pki.serialization.Encoding.PEM))
    registered = told.home.recipients_file
    text = registered.read_text("utf-8")
    registered.write_text(text + 'revocation_lists = ["exercise/pki/old.crl"]\n', encoding="utf-8")
    told.jlis.put(name(told), answer(told).line())
    try:
        assert told.forward().failure is Code.REVOCATION_LIST_OUTDATED
        assert told.messages() == []
    finally:
        registered.write_text(text, encoding="utf-8")
    assert told.forward().answers == {"acknowledged": 1}


# -- reports ----------------------------------------------------------------------------------------------


def differences(told: Telling) -> list[tuple[object, ...]]:
    """The differences, oldest first."""
    columns = "municipality_code, kind, columns, state, jlis_report_no"
    return told.case.sql(f"SELECT {columns} FROM difference ORDER BY resident_code, difference_id")


def test_a_report_opens_a_difference_of_the_municipality_whose_record_it_is(told: Telling) -> None:
    """法30条の8: nothing of the file is changed; who holds the person is to be asked."""
    first, *_ = told.people()
    before = told.case.sql("SELECT c::text FROM current c ORDER BY 1")
    line = {"resident_code": first["resident_code"], "columns": "address name", "code": "jlis.differs"}
    told.jlis.report(told.file, [line], clock.now())
    assert told.forward().answers == {"report": 1}
    assert differences(told) == [(HERE, "differs", ["address", "name"], "open", 1)]
    assert told.case.sql("SELECT c::text FROM current c ORDER BY 1") == before
    basis = told.case.sql("SELECT entry::json ->> 'basis' FROM journal WHERE action = 'jlis.report_taken'")
    assert basis == [("法30条の8" if told.file is RESIDENT else "法30条の43",)]


def test_a_report_may_name_an_update_by_its_number(told: Telling) -> None:
    """J-LIS need not know whom an update was about to say that it can not be right."""
    *_, last = told.people()
    told.jlis.report(told.file, [{"update_no": "6", "code": "jlis.unknown_person"}], clock.now())
    told.forward()
    assert told.case.sql("SELECT resident_code, columns FROM difference") == [(last["resident_code"], [])]


def test_a_reported_person_we_erased_or_never_had_is_missing_here(told: Telling) -> None:
    """Erased: the municipality that erased says what is so. Unknown: nobody here can say, a person decides."""
    first, *_ = told.people()
    told.case.send(HERE, first | DIED)
    lines = [{"resident_code": code} for code in (first["resident_code"], "99999999999")]
    told.jlis.report(told.file, lines, clock.now())
    told.forward()
    assert sorted(row[:2] for row in differences(told)) == [(PREFECTURE_CODE, "missing"), (HERE, "missing")]


def test_a_reported_difference_is_settled_by_the_next_comparison(told: Telling) -> None:
    """The municipality is the only source: where it says what we say, the report is answered."""
    first, *_ = told.people()
    told.jlis.report(told.file, [{"resident_code": first["resident_code"], "columns": "name"}], clock.now())
    told.forward()
    told.case.reconcile(HERE)
    assert [row[3] for row in differences(told)] == ["settled"]


def test_a_reported_difference_that_is_one_is_repaired_like_any_other(told: Telling) -> None:
    """The comparison finds what J-LIS had reported, with the record a repair is made from."""
    first, *_ = told.people()
    told.case.sql("UPDATE current SET name = '改竄' WHERE resident_code = %s", first["resident_code"])
    told.jlis.report(told.file, [{"resident_code": first["resident_code"], "columns": "name"}], clock.now())
    told.forward()
    number = told.case.reconcile(HERE)
    assert told.case.repair(HERE, number).repaired == 1
    told.case.reconcile(HERE)
    assert [(row[1], row[3], row[4]) for row in differences(told)] == [("differs", "settled", 1)]


def test_a_report_reopens_what_was_accepted_and_leaves_what_is_open(told: Telling) -> None:
    """J-LIS says something new to who had let it be; a second open difference of one person is none."""
    first, *_ = told.people()
    line = {"resident_code": first["resident_code"], "columns": "name"}
    told.jlis.report(told.file, [line], clock.now())
    told.forward()
    told.case.sql("UPDATE difference SET state = 'accepted', reason = '確認済み'")
    told.jlis.report(told.file, [line, line | {"columns": "sex"}], clock.now())
    told.forward()
    assert differences(told) == [(HERE, "differs", ["name"], "open", 2)]


def test_a_replaced_code_in_a_report_names_the_person_as_we_know_them(town: Town) -> None:
    """J-LIS may speak of a code that was changed meanwhile."""
    made = Telling.of(town, RESIDENT)
    first, *_ = made.people(1)
    changed = {
        "kind": "correction", "reason": "住民票コードの変更請求", "resident_code": "24727059608",
        "previous_resident_code": first["resident_code"],
    }  # fmt: skip
    made.case.send(HERE, first, first | changed)
    made.told()
    made.jlis.report(RESIDENT, [{"resident_code": first["resident_code"]}], clock.now())
    made.forward()
    assert made.case.sql("SELECT resident_code, kind FROM difference") == [("24727059608", "differs")]


@pytest.mark.parametrize(
    "line",
    [
        {"resident_code": "24727059608", "update_no": "1"}, {}, {"resident_code": "1234"},
        {"resident_code": "24727059608", "columns": "honseki"}, {"update_no": "0"}, {"update_no": "7"},
        {"resident_code": "24727059608", "columns": "resident_code"},
        {"resident_code": "24727059608", "code": "氏名"},
    ],
    ids=["both", "neither", "form", "column", "zero", "never told", "key", "code"],
)  # fmt: skip
def test_a_report_with_one_bad_line_opens_nothing(told: Telling, line: dict[str, str]) -> None:
    """Half a report would look like a whole one."""
    first, *_ = told.people()
    told.jlis.report(told.file, [{"resident_code": first["resident_code"]}, line], clock.now())
    refused(told, Code.JLIS_REPORT_LINE)
    assert differences(told) == []


def test_a_report_forged_by_a_municipality_is_refused(told: Telling) -> None:
    """Nobody but J-LIS may say that J-LIS knows of an error."""
    first, *_ = told.people()
    content = report_content(told.file, 1, [{"resident_code": first["resident_code"]}], clock.now())
    told.jlis.put(name(told, 1, MessageKind.REPORT), content, told.town.made.offices[HERE].signer)
    refused(told, Code.PACKAGE_SIGNER_UNREGISTERED)
    assert differences(told) == []


def test_a_replayed_report_opens_nothing_again(told: Telling) -> None:
    """A report taken in and dealt with does not come back by being laid there once more."""
    first, *_ = told.people()
    content = report_content(told.file, 1, [{"resident_code": first["resident_code"]}], clock.now())
    told.jlis.put(name(told, 1, MessageKind.REPORT), content)
    told.forward()
    told.case.reconcile(HERE)
    told.jlis.put(name(told, 1, MessageKind.REPORT), content)
    assert told.forward().answers == {Code.JLIS_ANSWER_REPLAYED.value: 1}
    assert [row[3] for row in differences(told)] == ["settled"]


def test_another_report_under_the_number_of_one_taken_is_refused(told: Telling) -> None:
    """A number is one report: the other is somebody's mistake or worse."""
    first, second, *_ = told.people()
    for person in (first, second):
        content = report_content(told.file, 1, [{"resident_code": person["resident_code"]}], clock.now())
        told.jlis.put(name(told, 1, MessageKind.REPORT), content)
        done = told.forward()
    assert done.answers == {Code.JLIS_REPORT_REUSED.value: 1}
    assert len(differences(told)) == 1


@pytest.mark.parametrize("spoil", ["digest", "count", "columns"])
def test_a_report_that_contradicts_itself_is_refused(told: Telling, spoil: str) -> None:
    """Its manifest and its lines must agree, and nothing beside the columns is read."""
    first, *_ = told.people()
    content = report_content(told.file, 1, [{"resident_code": first["resident_code"]}], clock.now())
    line, csv = content.split(b"\n", 1)
    if spoil == "digest":
        content = line + b"\n" + csv.replace(b"resident_code", b"resident_code", 1) + b"\n"
    elif spoil == "count":
        content = line.replace(b'"records":1', b'"records":2') + b"\n" + csv
    else:
        other = csv.replace(b"code\n", b"name\n", 1)
        digests = [hashlib.sha256(part).hexdigest().encode() for part in (csv, other)]
        content = line.replace(*digests) + b"\n" + other
    told.jlis.put(name(told, 1, MessageKind.REPORT), content)
    refused(told, Code.JLIS_MESSAGE_FORM)


def test_what_is_refused_is_kept_within_a_bound(told: Telling, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who fills the folder does not fill the store; the digest is kept always."""
    monkeypatch.setattr("juki.store.jlis_messages.MAX_KEPT_BYTES", 10)
    told.jlis.put(name(told), b"{}\n")
    told.forward()
    assert told.case.sql("SELECT kept, length(file_sha256), code FROM jlis_message") == [
        (None, 32, Code.JLIS_MESSAGE_FORM.value)
    ]
