"""`juki disclosure` and `juki disclose`: asked, printed, read again, answered in time, corrected, and in the log."""

from __future__ import annotations

import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pypdfium2
import pytest

from juki.custody.handing_over import deliver, note_receipt, resend
from juki.custody.purging import Purge
from juki.dates import civil_date
from juki.errors import JukiError
from juki.home import Home
from juki.journal import Action, Entry, Outcome
from juki.keys import Purpose
from juki.package_id import PackageId
from juki.reasons import Code
from juki.store.jlis_packages import JlisPackages, SealedPackage, ToldRow
from juki.store.roles import Duty
from juki.store.unit import open_unit
from juki.subjects import subjects_of
from tests.conftest import Stores
from tests.console import FUHYO, RESIDENT, Console
from tests.gateway import Desk
from tests.person_case import (
    ADDRESS,
    BORN,
    CODE,
    KANA,
    NAME,
    NUMBER,
    OLD_ADDRESS,
    OTHER_CODE,
    OTHER_NUMBER,
    PURPOSE,
    SAID,
    WHO,
    Counter,
    refusal,
)
from tests.provision_rows import Lender

TODAY = civil_date(datetime.now(UTC))


@pytest.fixture
def counter(
    home: Home, module_stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Counter:  # fmt: skip
    """A counter with one person whom both files hold."""
    counter = Counter(Console(home, module_stores, monkeypatch, capsys), tmp_path)
    counter.enter()
    counter.notify(
        FUHYO, resident_code=CODE, name=NAME, name_kana=KANA, birth_date=BORN, address="", is_abroad="1"
    )
    return counter


def ask(counter: Counter, *options: str, ago: int = 0) -> str:
    """Take a request of the person in; return its number."""
    day = str(TODAY - timedelta(days=ago))
    said = counter.console.juki(
        "disclosure", "receive", counter.document(WHO), "--received-on", day, *options, "--json"
    )
    assert said.code == 0, said.out
    return str(said.data["id"])


def text_of(pdf: str) -> str:
    """Take the text out of a PDF, line ends and page feet apart."""
    document = pypdfium2.PdfDocument(pdf)
    text = "".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return text.replace("\r\n", "")


def test_document_says_what_both_files_hold_and_who_was_given_or_saw_it(counter: Counter) -> None:
    """Everything of the record and of the log can be read out of the PDF again, and out of the HTML."""
    counter.ask("show", WHO)
    key = counter.key(RESIDENT, Purpose.SUBJECT)
    entry = Entry(
        Action.PERSON_PROVIDED, RESIDENT, Outcome.DONE, "flow-run:1", basis="beppyo6-3", recipient="kyoiku",
        provision="R1",
    )  # fmt: skip
    with open_unit(counter.console.stores.resident_url, RESIDENT) as unit:
        unit.journal.append_many(
            entry, subjects_of(RESIDENT, "R1", [CODE.encode()], key), counter.console.now
        )
        stranger = subjects_of(RESIDENT, "R2", [OTHER_CODE.encode()], key)
        unit.journal.append_many(Entry(
            Action.PERSON_PROVIDED, RESIDENT, Outcome.DONE, basis="b", recipient="other", provision="R2",
        ), stranger, counter.console.now)  # fmt: skip
    number = ask(counter)
    said = counter.console.juki("disclose", number, "--to", str(counter.folder), "--json")
    assert said.code == 0, said.out
    printed = {"pdf": text_of(said.data["pdf"]), "html": Path(said.data["html"]).read_text("utf-8")}
    for text in printed.values():
        for value in (
            NAME,
            KANA,
            ADDRESS,
            OLD_ADDRESS,
            NUMBER,
            CODE,
            "国外転出者",
            "山口県知事",
            "公印",
            number,
        ):
            assert value in text
        for word in (
            "kyoiku",
            PURPOSE,
            "援助に関する事務",
            "閲覧",
            "1970年04月日不詳",
            "転居",
            "提供・移転",
            "第30条の32第2項",
        ):
            assert word in text
        assert "other" not in text
    assert "1 / 3" in printed["pdf"] and "script" not in printed["html"]
    for name in ("pdf", "html"):
        assert stat.S_IMODE(Path(said.data[name]).stat().st_mode) == 0o600


def accesses(counter: Counter) -> list[list[str]]:
    """Make the document, and read the table of who was given or saw the record out of it."""
    said = counter.console.juki("disclose", ask(counter), "--to", str(counter.folder), "--json")
    assert said.code == 0, said.out
    page = Path(said.data["html"]).read_text("utf-8")
    table = page[page.index("提供・閲覧の記録</h2>") :]
    return [re.findall("<td>(.*?)</td>", row) for row in re.findall("<tr>(.*?)</tr>", table)[1:]]


def test_document_says_what_became_of_each_provision(counter: Counter) -> None:
    """Sealed, refused or lapsed before it left, taken back unfetched: none of these was given to anybody."""
    console = counter.console
    lender = Lender(console.home, console.stores, at=console.now)
    key = counter.key(RESIDENT, Purpose.SUBJECT)

    def provided(name: str, provision: PackageId) -> PackageId:
        entry = Entry(
            Action.PERSON_PROVIDED, RESIDENT, Outcome.DONE, basis=name, recipient="zeimu", provision=str(provision)
        )  # fmt: skip
        with open_unit(console.stores.resident_url, RESIDENT) as unit:
            subjects = subjects_of(RESIDENT, str(provision), [CODE.encode()], key)
            unit.journal.append_many(entry, subjects, lender.at)
        return provision

    def fetch(provision: PackageId) -> None:
        (lender.folder("zeimu") / lender.hold(provision).file_name).unlink()

    provided("lapsed", lender.sealed(RESIDENT))
    refused = provided("refused", lender.sealed(RESIDENT))
    lender.refusal = Code.PROVISION_BASIS_WITHDRAWN
    with pytest.raises(JukiError):
        deliver(lender.custody(), refused)
    lender.refusal = None
    provided("unfetched", lender.delivered(RESIDENT))
    fetch(provided("fetched", lender.delivered(RESIDENT)))
    received = provided("copied", lender.delivered(RESIDENT))
    note_receipt(lender.custody(), received, lender.at)
    again = provided("asked for again", lender.delivered(RESIDENT))
    resend(lender.custody(), again)
    lender.folder("zeimu").rename(lender.folder("zeimu").with_name("away"))
    Purge(lender.custody(), lender.at + timedelta(hours=72), timedelta(hours=1)).run()
    lender.folder("zeimu").with_name("away").rename(lender.folder("zeimu"))
    late = Purge(lender.custody(), lender.at + timedelta(hours=72), timedelta(hours=1)).run()
    assert late.left == ()
    provided("waiting", lender.sealed(RESIDENT))
    provided("given now", lender.delivered(RESIDENT))
    assert {row[3]: row[1] for row in accesses(counter) if row[2] == "zeimu"} == {
        "lapsed": "送付なし（失効）", "refused": "送付なし（失効）", "unfetched": "受領なし（送付後に取戻し）",
        "fetched": "提供・移転", "copied": "提供・移転", "asked for again": "提供・移転", "waiting": "未送付",
        "given now": "提供・移転",
    }  # fmt: skip


def test_document_says_which_changes_jlis_was_told_of(counter: Counter) -> None:
    """Of both files (法30条の7, 30条の42), once each package is delivered and not before."""
    at = counter.console.now
    for file, packages in ((RESIDENT, (1, 2)), (FUHYO, (3,))):
        for number in packages:
            with open_unit(counter.console.stores.url(file), file) as unit:
                unit.put_in_outbox(number, 1, at)
        with open_unit(counter.console.stores.url(file), file, Duty.PROVIDER) as unit:
            register = JlisPackages(file, unit.connection)
            for place, row in enumerate(register.due()[0], 1):
                number = packages[place - 1]
                register.add(SealedPackage(place, place, place, 0, "", "", b"sealed", at))
                assert register.told([ToldRow(row.outbox_no, place, place, number, 0, True)], at) == 0
            register.delivered(1, at)
    told = [row[1:] for row in accesses(counter) if row[1] == "変更の通知"]
    jlis = "地方公共団体情報システム機構"
    # The second change of the resident record is sealed, and not delivered yet.
    assert sorted(told) == [
        ["変更の通知", jlis, "住民基本台帳法第30条の42", "なし"],
        ["変更の通知", jlis, "住民基本台帳法第30条の7", "取扱いあり"],
    ]


def test_document_is_in_both_logs_before_it_is_there_and_replaces_none(counter: Counter) -> None:
    """With what was disclosed and that the number was; nothing of the person."""
    number = ask(counter)
    folder = ("--to", str(counter.folder))
    assert refusal(counter.console.juki("disclose", number, "--to", "/nowhere")) == "disclosure.folder"
    assert counter.console.juki("disclose", number, *folder).code == 0
    assert refusal(counter.console.juki("disclose", number, *folder)) == "disclosure.folder"
    for file in (RESIDENT, FUHYO):
        (entry,) = [one for one in counter.logged(file) if one["action"] == "person.disclosed"]
        assert (entry["provision"], entry["number_accessed"]) == (number, file is RESIDENT)
        assert entry["counts"]["versions"] == (2 if file is RESIDENT else 1) and entry["subject_index"]
        assert NAME not in str(counter.logged(file)) and CODE not in str(counter.logged(file))


def test_character_the_font_lacks_stops_the_document_and_is_not_named(counter: Counter) -> None:
    """Rather than a blank in somebody's name; nothing is written and nothing is in the log."""
    counter.enter(OTHER_CODE, OTHER_NUMBER, name="葛\U000e01ef城　花子", name_kana="カツラギ　ハナコ")
    who = counter.document({"resident_code": OTHER_CODE})
    number = counter.console.juki("disclosure", "receive", who, "--json").data["id"]
    refused = counter.console.juki("disclose", number, "--to", str(counter.folder))
    assert (
        refusal(refused) == "disclosure.character" and "（氏名）" in refused.err and "葛" not in refused.err
    )
    assert not list(counter.folder.glob("kaiji*"))
    assert "person.disclosed" not in {one["action"] for one in counter.logged()}


def test_font_that_is_none_is_refused_by_name(counter: Counter) -> None:
    """Before anybody's record is read."""
    number = ask(counter)
    font = counter.folder / "font.otf"
    font.write_bytes(b"no font")
    with counter.console.home.settings_file.open("a", encoding="utf-8") as settings:
        settings.write(f'\ndisclosure_font = "{font}"\n')
    refused = counter.console.juki("disclose", number, "--to", str(counter.folder))
    assert refusal(refused) == "disclosure.font" and "font.otf" in refused.err


def test_thirty_days_are_on_the_status_page_until_it_is_answered(counter: Counter) -> None:
    """Before and after the last day; an extension told in time moves it."""
    counter.console.contact_all()
    late, soon, fresh = ask(counter, ago=30), ask(counter, ago=29), ask(counter)

    def alarms() -> dict[str, list[str]]:
        found = counter.console.juki("status", "--json").data["alarms"]
        return {one["code"]: [which.partition("（")[0] for which in one["which"]] for one in found}

    assert alarms() == {"disclosure.overdue": [late], "disclosure.due_soon": [soon]}
    listed = counter.console.juki("disclosure", "list")
    assert listed.code == 1 and fresh in listed.out and NAME not in listed.out
    until, told = str(TODAY + timedelta(days=20)), str(TODAY)
    days = ("--until", until, "--notified-on", told, "--reason", "照会に時間を要するため")
    assert refusal(counter.console.juki("disclosure", "extend", late, *days)) == "disclosure.date"
    assert counter.console.juki("disclosure", "extend", soon, *days, "--json").data["due_on"] == until
    counter.console.juki("disclose", late, "--to", str(counter.folder))
    counter.console.juki("disclosure", "close", late, "--decision", "disclosed", "--reason", "窓口で交付")
    assert alarms() == {}
    changed = [
        one["action"]
        for one in counter.logged()
        if one["action"] in ("disclosure.extended", "disclosure.closed")
    ]
    assert changed == ["disclosure.extended", "disclosure.closed"]


def test_correction_follows_a_disclosure_and_is_tracked_to_its_answer(counter: Counter) -> None:
    """Only who was told what is held may ask that it be corrected (法30条の35)."""
    number, juki = ask(counter, ago=31), counter.console.juki
    assert refusal(juki("disclosure", "correction", number)) == "disclosure.state"
    early = ("--decision", "disclosed", "--reason", "窓口で交付")
    assert refusal(juki("disclosure", "close", number, *early)) == "disclosure.state"
    juki("disclose", number, "--to", str(counter.folder))
    assert juki("disclosure", "close", number, *early).code == 0
    day = str(TODAY - timedelta(days=30))
    asked = juki("disclosure", "correction", number, "--received-on", day, "--json").data
    assert (asked["follows"], asked["due_on"], asked["alarm"]["code"]) == (
        number, None, "disclosure.correction_unanswered",
    )  # fmt: skip
    refused = juki("disclosure", "close", asked["id"], "--decision", "disclosed", "--reason", "x")
    assert refusal(refused) == "disclosure.decision"
    assert refusal(juki("disclose", asked["id"], "--to", str(counter.folder))) == "disclosure.state"
    assert (
        juki(
            "disclosure", "close", asked["id"], "--decision", "not_corrected", "--reason", "市町村の回答"
        ).code
        == 0
    )
    assert juki("disclosure", "show", asked["id"], "--json").data["alarm"] is None
    received = [one for one in counter.logged() if one["action"] == "disclosure.received"]
    assert (
        len({one["subject_index"] for one in received}) == 1
        and len({one["subject"] for one in received}) == 2
    )
    assert refusal(juki("disclosure", "show", "D999")) == "disclosure.not_found"


def test_somebody_nobody_holds_is_told_so_and_never_by_a_slip(counter: Counter) -> None:
    """法30条の32第1項括弧書; whoever takes the request in says that it is no mistyped reading."""
    who, juki = counter.document({"resident_code": OTHER_CODE}), counter.console.juki
    assert refusal(juki("disclosure", "receive", who)) == "person.not_found"
    assert refusal(juki("disclosure", "receive", counter.document(WHO), "--not-held")) == "disclosure.state"
    number = juki("disclosure", "receive", who, "--not-held", "--json").data["id"]
    said = juki("disclose", number, "--to", str(counter.folder), "--json").data
    assert said["versions"] == 0 and "保存していません" in text_of(said["pdf"])
    told = juki("disclosure", "close", number, "--decision", "disclosed", "--reason", "郵送")
    assert refusal(told) == "disclosure.state", "its document says that nothing is held"
    assert juki("disclosure", "close", number, "--decision", "not_held", "--reason", "郵送").code == 0


def test_stranger_of_the_same_name_is_not_taken_for_who_asks(counter: Counter) -> None:
    """Who lives abroad stands in the fuhyo file alone; a resident has the same reading and birth date."""
    juki = counter.console.juki
    counter.notify(
        FUHYO,
        resident_code=OTHER_CODE,
        name="別　海外",
        name_kana=KANA,
        birth_date=BORN,
        address="",
        is_abroad="1",
    )
    asked = ("disclosure", "receive", counter.document(WHO))
    assert refusal(juki(*asked)) == "person.several"
    taken = juki("disclosure", "receive", counter.document({"resident_code": OTHER_CODE}), "--json").data
    assert taken["person"]["name"] == "別　海外"
    assert NAME in juki("disclosure", "receive", counter.document({"resident_code": CODE})).out
    assert "person" not in juki("disclosure", "show", taken["id"], "--json").data


def test_request_of_a_day_to_come_is_refused(counter: Counter) -> None:
    """And a day that is none."""
    who = counter.document(WHO)
    to_come = str(TODAY + timedelta(days=1))
    assert (
        "[disclosure.date]"
        in counter.console.juki("disclosure", "receive", who, "--received-on", to_come).err
    )
    assert (
        refusal(counter.console.juki("disclosure", "receive", who, "--received-on", "x"))
        == "command.argument"
    )


def test_provider_takes_in_and_discloses_each_with_one_assertion_and_a_viewer_does_not(
    counter: Counter,
) -> None:
    """One act in both stores rests on the same assertion, which no other act can use again."""
    desk, juki = Desk(counter.console, counter.folder), counter.console.juki
    for operator, role in (("op-3", "viewer"), ("op-5", "provider")):
        desk.register(operator, role)
    folder = str(counter.folder)
    asked = ("disclosure", "receive", counter.document(WHO), "--json")

    def attested(operator: str) -> list[str]:
        return desk.one(operator, "disclosure receive", " ".join(SAID), is_personal=True)

    assert juki(*asked, *attested("op-3")).data["error"]["code"] == "operator.role"
    number = juki(*asked, *attested("op-5")).data["id"]
    used = desk.one("op-5", "disclose", f"{number} {folder}")
    assert juki("disclose", number, "--to", folder, *used).code == 0
    for file in (RESIDENT, FUHYO):
        (entry,) = [one for one in counter.logged(file) if one["action"] == "person.disclosed"]
        assert entry["actor"] == "operator:op-5" and len(entry["assertions"]) == 1
    (counter.folder / f"kaiji-{number}.pdf").unlink()
    (counter.folder / f"kaiji-{number}.html").unlink()
    assert refusal(juki("disclose", number, "--to", folder, *used)) == "operator.assertion_replayed"
    assert not list(counter.folder.glob("kaiji*"))
