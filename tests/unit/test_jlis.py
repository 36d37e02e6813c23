"""What is told to J-LIS and answered: the pure part, case by case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from juki.columns import JLIS_COLUMNS, NOTICE_COLUMNS, IdentityFile
from juki.errors import ContractError
from juki.jlis import (
    Answered,
    DueRow,
    JlisFacts,
    JlisState,
    Sent,
    judge,
    judge_answer,
    rows_of_one_package,
)
from juki.jlis_manifests import JlisManifest, MessageName, read_updates, write_updates
from juki.manifests import PackageVerdict
from juki.reasons import Code

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ALERT, SECOND = timedelta(hours=24), timedelta(seconds=1)
YES, NO = PackageVerdict.ACCEPTED, PackageVerdict.REFUSED
DIGEST = "a" * 64


def updates(file: IdentityFile, count: int = 3, first: int = 1) -> pa.Table:
    """Updates with nothing in them but their numbers."""
    return pa.table(
        {
            name: pa.array(
                [str(first + row) if name == "update_no" else "x" for row in range(count)], pa.string()
            )
            for name in JLIS_COLUMNS[file]
        }
    )


@pytest.mark.parametrize(
    ("sent", "said", "verdict", "does"),
    [
        (None, DIGEST, YES, Answered(None, Code.JLIS_ANSWER_UNKNOWN)),
        (Sent(JlisState.SEALED, DIGEST, False), "b" * 64, YES, Answered(None, Code.JLIS_ANSWER_UNKNOWN)),
        (Sent(JlisState.SEALED, DIGEST, False), DIGEST, YES, Answered(JlisState.ACKNOWLEDGED)),
        (Sent(JlisState.SEALED, DIGEST, False), DIGEST, NO, Answered(JlisState.REFUSED, Code.JLIS_REFUSED)),
        (Sent(JlisState.SEALED, DIGEST, True), DIGEST, YES, Answered(JlisState.ACKNOWLEDGED)),
        (Sent(JlisState.DELIVERED, DIGEST, True), "b" * 64, YES, Answered(None, Code.JLIS_ANSWER_OTHER)),
        (Sent(JlisState.DELIVERED, DIGEST, True), DIGEST, YES, Answered(JlisState.ACKNOWLEDGED)),
        (Sent(JlisState.DELIVERED, DIGEST, True), DIGEST, NO, Answered(JlisState.REFUSED, Code.JLIS_REFUSED)),
        (Sent(JlisState.REFUSED, DIGEST, True), DIGEST, YES, Answered(JlisState.ACKNOWLEDGED)),
        (Sent(JlisState.ACKNOWLEDGED, DIGEST, True), DIGEST, YES, Answered(JlisState.ACKNOWLEDGED)),
        (Sent(JlisState.ACKNOWLEDGED, DIGEST, True), DIGEST, NO, Answered(None, Code.JLIS_ANSWER_AFTER)),
    ],
)
def test_an_answer_does_what_it_may_and_nothing_else(
    sent: Sent | None, said: str, verdict: PackageVerdict, does: Answered
) -> None:
    """Every state by every answer, written by hand."""
    assert judge_answer(sent, said, verdict) == does


@pytest.mark.parametrize(
    ("sizes", "chosen"),
    [([], []), ([3], [0]), ([3, 7], [0, 1]), ([3, 6, 1, 1], [0, 1, 2]), ([10, 1], [0]), ([25, 1], [0])],
)
def test_rows_of_the_outbox_fill_one_package_in_order(sizes: list[int], chosen: list[int]) -> None:
    """No row is taken that no longer fits in anything, none is left out that does."""
    due = [DueRow(number, size) for number, size in enumerate(sizes)]
    assert rows_of_one_package(due, 10) == chosen


def test_an_update_of_the_fuhyo_file_has_no_number_by_construction() -> None:
    """法30条の42: no number column at all, as no notice of the file has one."""
    assert not any("number" in name for name in JLIS_COLUMNS[FUHYO])
    assert JLIS_COLUMNS[FUHYO][2:] == NOTICE_COLUMNS[FUHYO]
    assert {"individual_number", "previous_individual_number"} < set(JLIS_COLUMNS[RESIDENT])


def test_columns_of_another_layout_are_not_written() -> None:
    """What is not told has no way into a package."""
    with pytest.raises(ValueError, match="columns"):
        write_updates("350001", FUHYO, 1, updates(RESIDENT), NOW)


@pytest.mark.parametrize("file", list(IdentityFile))
def test_the_same_updates_number_and_instant_are_the_same_bytes(file: IdentityFile) -> None:
    """What is acknowledged by its digest can be made again and compared."""
    manifest, content = write_updates("350001", file, 4, updates(file, first=11), NOW)
    assert write_updates("350001", file, 4, updates(file, first=11), NOW) == (manifest, content)
    assert (manifest.first_update_no, manifest.last_update_no, manifest.records) == (11, 13, 3)
    assert read_updates(manifest.name, content)[1].equals(updates(file, first=11))
    assert JlisManifest.parse(content.split(b"\n")[0] + b"\n") == manifest


@pytest.mark.parametrize("spoil", ["name", "digest", "numbers", "gap"])
def test_a_package_that_contradicts_itself_is_refused_by_who_reads_it(spoil: str) -> None:
    """A municipal vendor's mistake or ours: J-LIS must not apply half of it."""
    table = updates(RESIDENT)
    manifest, content = write_updates("350001", RESIDENT, 4, table, NOW)
    name = manifest.name
    if spoil == "name":
        name = JlisManifest(**{f: getattr(manifest, f) for f in manifest.__slots__} | {"sequence": 5}).name
    elif spoil == "digest":
        content = content[:-2] + b"y\n"
    elif spoil == "numbers":
        content = content.replace(b'"last_update_no":3', b'"last_update_no":4')
    else:
        twice = table.set_column(0, "update_no", pa.array(["1", "1", "3"], pa.string()))
        manifest, content = write_updates("350001", RESIDENT, 4, twice, NOW)
    with pytest.raises(ContractError):
        read_updates(name, content)


@pytest.mark.parametrize(
    "text",
    ["350001-resident-jlis-receipt-00000000.p7m", "350001-resident-receipt-00000001.p7m", "x", "",
     "350001-resident-jlis-report-1.p7m", "350001-RESIDENT-jlis-report-00000001.p7m"],
)  # fmt: skip
def test_other_names_are_not_of_jlis(text: str) -> None:
    """One exact form."""
    assert MessageName.parse(text) is None


def test_a_name_reads_as_it_is_written() -> None:
    """Form and parse are inverse."""
    text = "350001-fuhyo-jlis-report-00000012.p7m"
    assert str(MessageName.parse(text)) == text


@pytest.mark.parametrize(
    ("facts", "codes"),
    [
        ({}, []),
        ({"waiting": 3, "waiting_since": NOW - ALERT}, []),
        ({"waiting": 3, "waiting_since": NOW - ALERT - SECOND}, [Code.JLIS_WAITING]),
        ({"undelivered": 1}, [Code.JLIS_UNDELIVERED]),
        ({"unanswered": 1, "unanswered_since": NOW - ALERT}, []),
        ({"unanswered": 1, "unanswered_since": NOW - ALERT - SECOND}, [Code.JLIS_UNANSWERED]),
        ({"refused": 1}, [Code.JLIS_REFUSED]),
        ({"messages_refused": 1}, [Code.JLIS_MESSAGE_REFUSED]),
        ({"lost": 1}, [Code.JLIS_UPDATE_LOST]),
        ({"unopened": 1}, [Code.JLIS_NUMBER_UNOPENED]),
        ({"reported": 1}, [Code.JLIS_REPORTED]),
    ],
)
def test_what_needs_attention_has_its_code_from_its_second_on(
    facts: dict[str, object], codes: list[Code]
) -> None:
    """The period is decided by the prefecture; it is over a second after its end."""
    found = judge(JlisFacts(RESIDENT, **facts), ALERT, NOW, is_registered=True)  # type: ignore[arg-type]
    assert [one.code for one in found] == codes


def test_updates_without_a_registered_jlis_need_attention_at_once() -> None:
    """The law knows no installation without J-LIS."""
    facts = JlisFacts(RESIDENT, waiting=1, waiting_since=NOW)
    assert [one.code for one in judge(facts, ALERT, NOW, is_registered=False)] == [Code.JLIS_UNREGISTERED]
    assert judge(JlisFacts(RESIDENT), ALERT, NOW, is_registered=False) == []
