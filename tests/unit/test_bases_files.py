"""The prefecture's own files on legal bases: strict, signed by whoever decided, and seen in the version word."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

from config.bases import load_bases
from config.recipients import load_recipients
from juki.authority import Asked, Field, Granted, LegalBasis, Limits, NumberUse, Recipient, decide, unusable
from juki.bases import LegalBases
from juki.columns import IdentityFile
from juki.errors import ConfigurationError
from juki.home import Home
from juki.reasons import Code
from juki.recipients import RecipientKind

RESIDENT, FUHYO = IdentityFile
DAY = date(2026, 11, 24)
BY = {"decided_by": "総務部長", "decided_on": date(2026, 10, 1)}
SCHOLARSHIP: dict[str, object] = {
    "basis": "jorei-shogaku-1", "kind": "provide", "receiver": "教育委員会",
    "work": "奨学のための給付金の支給に関する事務", "article": "条例2条一号", "files": ["resident"],
    "valid_from": date(2026, 4, 1), **BY,
}  # fmt: skip
TAX_NUMBER: dict[str, object] = {
    "basis": "beppyo5-4-3", "number": "allowed", "article": "番号法9条1項、別表24の項",
    "effective_from": date(2026, 10, 1), **BY,
}  # fmt: skip
WITHDRAWAL: dict[str, object] = {
    "basis": "beppyo5-34",
    "effective_from": date(2026, 10, 1),
    "reason": "当県に該当する事務がない",
    **BY,
}


def _write(home: Home, name: str, **tables: dict[str, object]) -> None:
    home.create()
    lines = []
    for table, values in tables.items():
        lines.append(f"[[{table.rstrip('_')}]]")
        lines += [f"{key} = {_toml(value)}" for key, value in values.items() if value is not None]
    (home.root / name).write_text("\n".join(lines) + "\n", "utf-8")


def _toml(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False)


def _ordinances(home: Home, **tables: dict[str, object]) -> None:
    _write(home, "ordinance_bases.toml", **tables)


def _decisions(home: Home, **tables: dict[str, object]) -> None:
    _write(home, "basis_decisions.toml", **tables)


def _of(bases: LegalBases, code: str) -> LegalBasis:
    found = bases.of(code)
    assert found is not None
    return found


def test_without_files_the_statute_stands_alone_and_no_number_goes_out(home: Home) -> None:
    """A new installation can give out what the law says, and no number but where the law itself hands it over."""
    bases = load_bases(home)
    assert len(bases.bases) == 114
    assert all(one.version == bases.version for one in bases.bases)
    free = [one.code for one in bases.bases for file in one.files if one.may_use_number(file, DAY)]
    assert free == ["disclosure", "jlis"]
    assert bases.of("jorei-shogaku-1") is None


def test_work_of_an_ordinance_opens_what_the_ordinance_opens(home: Home) -> None:
    """Through the statute's door for ordinances: its article with the ordinance's beside, its fields, one file."""
    _ordinances(home, basis={**SCHOLARSHIP, "fields": ["name", "address"]})
    basis = _of(load_bases(home), "jorei-shogaku-1")
    (covered,) = basis.coverage
    assert (covered.file, covered.article) == (RESIDENT, "法30条の15②二、条例2条一号")
    assert covered.fields == {Field.NAME, Field.ADDRESS}
    assert (covered.number, covered.abroad_only) == (NumberUse.UNDECIDED, False)
    assert (basis.kind, basis.receiver) == (RecipientKind.PROVIDE, "教育委員会")
    assert [(one.decided_by, one.decided_on) for one in basis.decisions] == [("総務部長", date(2026, 10, 1))]


def test_number_by_an_ordinance_needs_its_article(home: Home) -> None:
    """番号法9条2項: the work must be named by an ordinance for that purpose too."""
    _ordinances(home, basis={**SCHOLARSHIP, "number": "allowed", "number_article": "番号条例3条"})
    basis = _of(load_bases(home), "jorei-shogaku-1")
    assert basis.may_use_number(RESIDENT, DAY)
    assert basis.coverage[0].number_article.endswith("番号条例3条")


def test_decided_number_goes_along_and_the_grant_names_the_new_version(home: Home) -> None:
    """The decision opens the number of exactly this basis, from its day on."""
    before = load_bases(home)
    _decisions(home, number=TAX_NUMBER)
    bases = load_bases(home)
    opened = [one.code for one in bases.bases if one.may_use_number(FUHYO, DAY)]
    assert opened == ["beppyo5-4-3"]
    tax = Recipient(
        "zeimu", "税務課", RecipientKind.TRANSFER, "税務課", frozenset({"beppyo5-4-3"}), Limits(1, 1, 1)
    )
    asked = Asked("zeimu", "beppyo5-4-3", FUHYO, (Field.NAME,), with_number=True)
    answer = decide(asked, bases.of("beppyo5-4-3"), tax, DAY)
    assert isinstance(answer, Granted)
    assert (answer.version, answer.with_number, answer.abroad_only) == (bases.version, True, True)
    assert bases.version != before.version


def test_withdrawn_basis_stays_known_and_tells_when_it_ended(home: Home) -> None:
    """It is refused as withdrawn, not as unknown: whoever asks learns that it was a decision."""
    _decisions(home, withdrawal=WITHDRAWAL)
    basis = _of(load_bases(home), "beppyo5-34")
    assert basis.withdrawn_from == date(2026, 10, 1)
    assert basis.decisions[0].ground == "当県に該当する事務がない"


@pytest.mark.parametrize(
    ("changes", "code", "key"),
    [
        ({"basis": "beppyo5-4-3"}, Code.CONFIG_INVALID, "basis[1].basis"),
        ({"basis": "jorei-"}, Code.CONFIG_INVALID, "basis[1].basis"),
        ({"kind": "jlis"}, Code.CONFIG_INVALID, "basis[1].kind"),
        ({"kind": "transfer"}, Code.CONFIG_INVALID, "basis[1]"),
        ({"receiver": "都道府県知事"}, Code.CONFIG_INVALID, "basis[1]"),
        ({"files": []}, Code.CONFIG_INVALID, "basis[1].files"),
        ({"files": ["resident", "resident"]}, Code.CONFIG_INVALID, "basis[1]"),
        ({"files": ["koseki"]}, Code.CONFIG_INVALID, "basis[1].files[1]"),
        ({"fields": ["resident_code"]}, Code.CONFIG_INVALID, "basis[1].fields[1]"),
        ({"fields": ["individual_number"]}, Code.CONFIG_INVALID, "basis[1].fields[1]"),
        ({"fields": ["is_abroad"]}, Code.CONFIG_INVALID, "basis[1]"),
        ({"number": "allowed"}, Code.CONFIG_INVALID, "basis[1]"),
        ({"number_article": "番号条例3条"}, Code.CONFIG_INVALID, "basis[1]"),
        ({"number": "yes"}, Code.CONFIG_INVALID, "basis[1].number"),
        ({"valid_from": None}, Code.CONFIG_MISSING, "basis[1].valid_from"),
        ({"valid_from": "2026-04-01"}, Code.CONFIG_INVALID, "basis[1].valid_from"),
        ({"valid_to": date(2026, 3, 31)}, Code.CONFIG_INVALID, "basis[1]"),
        ({"decided_by": None}, Code.CONFIG_MISSING, "basis[1].decided_by"),
        ({"decided_by": " "}, Code.CONFIG_INVALID, "basis[1].decided_by"),
        ({"decided_on": None}, Code.CONFIG_MISSING, "basis[1].decided_on"),
        ({"article": None}, Code.CONFIG_MISSING, "basis[1].article"),
        ({"with_code": True}, Code.CONFIG_UNKNOWN, "basis[1].with_code"),
    ],
)
def test_ordinance_at_fault_is_refused(home: Home, changes: dict[str, object], code: Code, key: str) -> None:
    """Nothing widens the statute's door, and nothing stands there that nobody decided."""
    _ordinances(home, basis={**SCHOLARSHIP, **changes})
    refused = _refused(home)
    assert refused.code is code
    assert refused.ref.startswith("ordinance_bases.toml: ") and key in refused.ref


def test_two_bases_of_ordinances_can_not_share_a_code(home: Home) -> None:
    """A grant names its basis: it must be one."""
    _ordinances(home, basis=SCHOLARSHIP, basis_={**SCHOLARSHIP, "receiver": "公安委員会"})
    refused = _refused(home)
    assert (refused.code, refused.ref) == (Code.CONFIG_SHARED, "ordinance_bases.toml: basis[2].basis")


@pytest.mark.parametrize(
    ("changes", "code", "key"),
    [
        ({"basis": "beppyo5-99"}, Code.CONFIG_INVALID, "number[1].basis"),
        ({"basis": "statistics"}, Code.CONFIG_INVALID, "number[1].basis"),
        ({"basis": "consent"}, Code.CONFIG_INVALID, "number[1].basis"),
        ({"basis": "jlis"}, Code.CONFIG_INVALID, "number[1].basis"),
        ({"number": "undecided"}, Code.CONFIG_INVALID, "number[1].number"),
        ({"article": None}, Code.CONFIG_MISSING, "number[1].article"),
        ({"effective_from": date(2026, 9, 30)}, Code.CONFIG_INVALID, "number[1]"),
        ({"effective_from": None}, Code.CONFIG_MISSING, "number[1].effective_from"),
        ({"decided_by": None}, Code.CONFIG_MISSING, "number[1].decided_by"),
        ({"decided_on": None}, Code.CONFIG_MISSING, "number[1].decided_on"),
        ({"for": "everybody"}, Code.CONFIG_UNKNOWN, "number[1].for"),
    ],
)
def test_decision_on_a_number_at_fault_is_refused(
    home: Home, changes: dict[str, object], code: Code, key: str
) -> None:
    """Statistics, consent and what the statute says are nobody's to decide; no decision works backwards."""
    _decisions(home, number={**TAX_NUMBER, **changes})
    refused = _refused(home)
    assert refused.code is code
    assert refused.ref.startswith("basis_decisions.toml: ") and key in refused.ref


@pytest.mark.parametrize(
    ("changes", "code", "key"),
    [
        ({"basis": "beppyo5-99"}, Code.CONFIG_INVALID, "withdrawal[1].basis"),
        ({"reason": None}, Code.CONFIG_MISSING, "withdrawal[1].reason"),
        ({"decided_by": None}, Code.CONFIG_MISSING, "withdrawal[1].decided_by"),
        ({"effective_from": None}, Code.CONFIG_MISSING, "withdrawal[1].effective_from"),
    ],
)
def test_withdrawal_at_fault_is_refused(home: Home, changes: dict[str, object], code: Code, key: str) -> None:
    """A withdrawal with a slip of the pen must not leave the basis in force in silence."""
    _decisions(home, withdrawal={**WITHDRAWAL, **changes})
    refused = _refused(home)
    assert (refused.code, refused.ref) == (code, f"basis_decisions.toml: {key}")


def test_the_same_thing_is_not_decided_twice(home: Home) -> None:
    """Two entries on one basis would hide the one the reader does not see."""
    for tables, key in (
        ({"number": TAX_NUMBER, "number_": {**TAX_NUMBER, "number": "never"}}, "number[2].basis"),
        ({"withdrawal": WITHDRAWAL, "withdrawal_": WITHDRAWAL}, "withdrawal[2].basis"),
    ):
        _decisions(home, **tables)
        assert _refused(home).ref == f"basis_decisions.toml: {key}"


def test_every_change_of_either_file_changes_the_version_word(home: Home) -> None:
    """Whoever reads a record of provision years later must be able to tell which table was meant."""
    versions = [load_bases(home).version]
    for changes in (
        {}, {"work": "別の事務"}, {"article": "条例2条二号"}, {"receiver": "公安委員会"}, {"fields": ["name"]},
        {"files": ["fuhyo"]}, {"number": "never"}, {"valid_from": date(2026, 4, 2)},
        {"valid_to": date(2027, 3, 31)}, {"decided_by": "課長"}, {"decided_on": date(2026, 10, 2)},
        {"basis": "jorei-shogaku-2"},
    ):  # fmt: skip
        _ordinances(home, basis={**SCHOLARSHIP, **changes})
        versions.append(load_bases(home).version)
    for changes in (
        {}, {"number": "never"}, {"article": "番号法9条"}, {"effective_from": date(2026, 10, 2)},
        {"decided_by": "課長"}, {"basis": "beppyo5-4-4"},
    ):  # fmt: skip
        _decisions(home, number={**TAX_NUMBER, **changes})
        versions.append(load_bases(home).version)
    for changes in ({}, {"reason": "別の理由"}, {"effective_from": date(2026, 10, 2)}, {"basis": "jlis"}):
        _decisions(home, withdrawal={**WITHDRAWAL, **changes})
        versions.append(load_bases(home).version)
    assert len(set(versions)) == len(versions)
    assert load_bases(home).version == versions[-1]
    assert all(one.isascii() and len(one) == 23 for one in versions)


def test_no_word_of_a_file_at_fault_comes_with_the_error(home: Home) -> None:
    """What stands in a file may be anybody's name: the key is told, the value is not."""
    _decisions(home, number={**TAX_NUMBER, "number": "長門花子"})
    refused = _refused(home)
    assert "長門" not in str(refused)
    assert refused.__context__ is None


def _refused(home: Home) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as refused:
        load_bases(home)
    return refused.value


def test_the_examples_of_the_documentation_are_taken_as_they_stand(home: Home) -> None:
    """Whoever copies them begins with files that are read, and that fit together."""
    page = (Path(__file__).parents[2] / "docs" / "formats" / "recipients.md").read_text("utf-8")
    _, *sections = page.split("\n## ")
    home.create()
    for section in sections[:3]:
        example = "\n".join(line[4:] for line in section.splitlines() if line.startswith("    "))
        text = re.sub(r'"<[^>]*>"', f'"{"ab" * 32}"', example)
        (home.root / section.split(":")[0]).write_text(text, "utf-8")
    bases, (body,) = load_bases(home), load_recipients(home).recipient
    assert {one.code for one in bases.bases if one.decisions} == {
        "jorei-shogaku-1", "beppyo5-4-3", "beppyo5-34",
    }  # fmt: skip
    assert [unusable(_of(bases, code), body.pure, DAY) for code in body.bases] == [None, None]
    assert body.pure.limits == Limits(10_000, 100, 5)
