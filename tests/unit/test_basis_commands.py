"""`juki basis` and `juki recipient`: what an operator can see before anybody asks for anything."""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from juki.cli import main
from juki.cli.basis_commands import today_in_japan
from juki.credentials import Credentials
from juki.home import Home
from juki.reasons import Code

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ORDINANCE = """[[basis]]
basis = "jorei-shogaku-1"
kind = "provide"
receiver = "教育委員会"
work = "奨学のための給付金の支給に関する事務"
article = "条例2条一号"
files = ["resident"]
fields = ["address", "name"]
valid_from = {valid_from}
valid_to = {valid_to}
decided_by = "総務部長"
decided_on = 2026-03-01
"""
DECISION = """[[number]]
basis = "beppyo5-4-3"
number = "allowed"
article = "番号法9条1項"
effective_from = 2026-10-01
decided_by = "総務部長"
decided_on = 2026-09-01

[[withdrawal]]
basis = "beppyo5-34"
effective_from = 2026-10-01
reason = "当県に該当する事務がない"
decided_by = "総務部長"
decided_on = 2026-09-01
"""
RECIPIENT = """[[recipient]]
code = "{code}"
name = "{name}"
kind = "{kind}"
receiver = "{receiver}"
signing_certificates = ["{digest}"]
roots = ["{root}"]
encryption_certificate = "{certificate}"
delivery = "delivery/{code}"
arrivals = "arrivals/{code}"
bases = [{bases}]
"""


class Desk:
    """A terminal before a home."""

    def __init__(
        self, home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.home, self._monkeypatch, self._capsys = home, monkeypatch, capsys
        monkeypatch.setenv("JUKI_HOME", str(home.root))

    def juki(self, *arguments: str) -> tuple[int, str, str]:
        """Run the command line as the process would; return exit code, output and errors."""
        self._monkeypatch.setattr(sys, "argv", ["juki", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = self._capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    def data(self, *arguments: str) -> Any:
        """Run a command and read what it says to programs."""
        return json.loads(self.juki(*arguments, "--json")[1])

    def file(self, name: str, text: str) -> None:
        """Write a file of the configuration."""
        self.home.create()
        (self.home.root / name).write_text(text, "utf-8")


@pytest.fixture
def desk(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """A terminal before a home that does not exist yet."""
    return Desk(home, monkeypatch, capsys)


def _recipient(code: str, bases: str, certificate: str, **other: str) -> str:
    values = {
        "code": code, "name": "税務課", "kind": "transfer", "receiver": "総務部税務課",
        "digest": hashlib.sha256(code.encode()).hexdigest(),
        "root": certificate, "certificate": certificate, "bases": bases,
    }  # fmt: skip
    return RECIPIENT.format(**(values | other))


def test_bases_are_listed_before_anything_is_set_up(desk: Desk) -> None:
    """All 114, in the order of the tables; nothing is created by looking."""
    code, out, _ = desk.juki("basis", "list")
    assert code == 0
    assert "beppyo6-3\t別表第六 三\t提供\t教育委員会\t本人・附票\t未定（不可）\t有効" in out.splitlines()
    assert "114 件" in out
    assert not desk.home.root.exists()


def test_list_of_bases_is_narrowed_by_kind_number_and_word(desk: Desk) -> None:
    """110 items are more than anyone reads: a word of the work finds those meant."""
    desk.file("basis_decisions.toml", DECISION)
    assert [one["basis"] for one in desk.data("basis", "list", "--kind", "jlis")["bases"]] == ["jlis"]
    open_ = desk.data("basis", "list", "--number", "allowed")["bases"]
    assert [one["basis"] for one in open_] == ["beppyo5-4-3", "disclosure", "jlis"]
    assert [one["basis"] for one in desk.data("basis", "list", "--word", "旅券法")["bases"]] == ["beppyo5-6"]
    assert desk.data("basis", "list", "--word", "監査委員")["bases"][0]["basis"] == "beppyo6-1-2"
    assert desk.juki("basis", "list", "--word", "これはない")[1].startswith("0 件")


def test_basis_is_shown_with_articles_fields_and_who_decided_what(desk: Desk) -> None:
    """What an auditor asks: the words of the law, what it opens, who opened the number and when."""
    desk.file("basis_decisions.toml", DECISION)
    code, out, _ = desk.juki("basis", "show", "beppyo5-4-3")
    assert code == 0
    for words in (
        "地方税法その他の地方税に関する法律", "法30条の15①一", "法30条の44の6①一", "国外転出者",
        "個人番号を利用する\t2026-10-01\t番号法9条1項\t総務部長\t2026-09-01",
    ):  # fmt: skip
        assert words in out
    shown = desk.data("basis", "show", "beppyo5-4-3")
    assert shown["files"]["fuhyo"]["number"] == "allowed"
    assert shown["files"]["fuhyo"]["fields"][:2] == ["name", "name_kana"]
    assert shown["decisions"][0]["decided_by"] == "総務部長"
    withdrawn = desk.data("basis", "show", "beppyo5-34")
    assert (withdrawn["withdrawn_from"], withdrawn["code"]) == ("2026-10-01", "provision.basis_withdrawn")


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [(-9, -1, "provision.basis_expired"), (-9, 0, None), (0, 9, None), (1, 9, "provision.basis_not_yet")],
)
def test_basis_shows_whether_it_holds_today(desk: Desk, first: int, last: int, code: str | None) -> None:
    """By the civil date in Japan, as a request would be decided today."""
    days = {"valid_from": _day(first), "valid_to": _day(last)}
    desk.file("ordinance_bases.toml", ORDINANCE.format(**days))
    shown = desk.data("basis", "show", "jorei-shogaku-1")
    assert shown["code"] == code
    assert (shown["valid_from"], shown["valid_to"]) == (str(_day(first)), str(_day(last)))
    assert shown["files"]["resident"]["fields"] == ["name", "address"]


def _day(shift: int) -> date:
    return today_in_japan() + timedelta(days=shift)


def test_unknown_basis_and_recipient_are_told_without_what_was_typed(desk: Desk) -> None:
    """Whatever stands on the command line may be anybody's number."""
    for noun, code in (
        ("basis", Code.PROVISION_BASIS_UNKNOWN),
        ("recipient", Code.PROVISION_RECIPIENT_UNKNOWN),
    ):
        exit_code, out, err = desk.juki(noun, "show", "123456789018")
        assert (exit_code, out) == (2, "")
        assert code.value in err and "123456789018" not in err


def test_file_at_fault_is_named_by_its_key(desk: Desk) -> None:
    """Every command that needs the table says the same, so that nobody provides by half a table."""
    desk.file("basis_decisions.toml", DECISION.replace("beppyo5-4-3", "beppyo5-99"))
    for command in (("basis", "list"), ("recipient", "list")):
        code, _, err = desk.juki(*command)
        assert code == 2
        assert "basis_decisions.toml: number[1].basis" in err


def test_registered_recipient_in_order_is_listed_and_shown(desk: Desk) -> None:
    """Exit code 0: each basis can be used today, each certificate can be read."""
    desk.home.create()
    Credentials(desk.home.keys).create_missing("350001", NOW)
    desk.file("recipients.toml", _recipient("zeimu", '"beppyo5-4-3", "consent"', "keys/prefecture.crt"))
    code, out, _ = desk.juki("recipient", "list")
    assert code == 0
    assert "zeimu\t税務課\t移転\t総務部税務課\t2\t0\t読める" in out
    code, out, _ = desk.juki("recipient", "show", "zeimu")
    assert code == 0
    assert "beppyo5-4-3\t別表第五 四の三\t有効" in out
    shown = desk.data("recipient", "show", "zeimu")
    assert shown["bases"] == {"beppyo5-4-3": None, "consent": None}
    assert shown["delivery"] == str(desk.home.root / "delivery" / "zeimu")
    assert (shown["daily_lines"], shown["daily_misses"], shown["daily_same_person"]) == (10_000, 100, 5)


def test_registration_that_would_only_be_refused_is_told_before_anybody_asks(desk: Desk) -> None:
    """A basis that is not there, of another kind or body, out of term; a certificate that is no certificate."""
    desk.file("basis_decisions.toml", DECISION)
    bases = '"beppyo5-99", "beppyo6-3", "beppyo5-34", "beppyo5-1"'
    body = _recipient("kansa", '"beppyo6-3"', "pki/absent.pem", kind="provide", receiver="監査委員")
    desk.file("recipients.toml", _recipient("zeimu", bases, "pki/none.pem") + body)
    code, out, _ = desk.juki("recipient", "list")
    assert code == 1
    for fault in (
        Code.PROVISION_BASIS_UNKNOWN, Code.PROVISION_RECIPIENT_KIND, Code.PROVISION_BASIS_WITHDRAWN,
        Code.PROVISION_RECEIVER_DIFFERS, Code.CONFIG_INVALID,
    ):  # fmt: skip
        assert f"[{fault.value}]" in out
    found = {one["recipient"]: one for one in desk.data("recipient", "list")["recipients"]}
    assert found["zeimu"]["bases"] == {
        "beppyo5-99": "provision.basis_unknown", "beppyo6-3": "provision.recipient_kind",
        "beppyo5-34": "provision.basis_withdrawn", "beppyo5-1": None,
    }  # fmt: skip
    assert found["kansa"]["certificates_at_fault"] == "absent.pem"
    assert desk.juki("recipient", "show", "kansa")[0] == 1
