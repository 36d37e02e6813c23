"""The judgements of `juki doctor`: where each bound lies, to the second and to the byte."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from juki.doctor import (
    Closed,
    Finding,
    Fitness,
    State,
    Subject,
    Validity,
    judge_clock,
    judge_closed,
    judge_disk,
    judge_operators,
    judge_store,
    judge_validity,
    worst,
)
from juki.reasons import Code

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.mark.parametrize("sign", [1, -1], ids=["ahead", "behind"])
def test_clock_is_judged_by_what_the_way_can_not_explain(sign: int) -> None:
    """A database that answers slowly is not one whose clock is wrong."""
    bounds = {4.999: None, 5: Code.CLOCK_APART, 59.999: Code.CLOCK_APART, 60: Code.CLOCK_FAR_APART}
    for seconds, code in bounds.items():
        assert judge_clock("", NOW, NOW + sign * seconds * SECOND, NOW).code is code
    assert judge_clock("", NOW, NOW + 45 * SECOND, NOW + 90 * SECOND).code is None
    assert judge_clock("", NOW, NOW - 5 * SECOND, NOW + 90 * SECOND).code is Code.CLOCK_APART


def test_room_is_little_below_what_was_asked_for_and_short_below_a_tenth() -> None:
    """At the bound itself all is well."""
    judged = [judge_disk("", free, 1000).code for free in (1000, 999, 100, 99, 0)]
    assert judged == [None, Code.DISK_LOW, Code.DISK_LOW, Code.DISK_SHORT, Code.DISK_SHORT]


def test_end_is_near_within_its_notice_and_over_after_it() -> None:
    """Certificates are renewed in weeks, lists in days."""
    ends = (31 * DAY, 30 * DAY - SECOND, SECOND, -SECOND)
    for is_list, codes in (
        (False, [None, Code.CERTIFICATE_EXPIRING, Code.CERTIFICATE_EXPIRING, Code.CERTIFICATE_NOT_VALID]),
        (True, [None, None, Code.CERTIFICATE_EXPIRING, Code.REVOCATION_LIST_OUTDATED]),
    ):
        judged = [judge_validity(Validity("", NOW - DAY, NOW + end, is_list), NOW).code for end in ends]
        assert judged == codes
    assert judge_validity(Validity("", NOW + SECOND, None), NOW).code is Code.CERTIFICATE_NOT_VALID
    assert judge_validity(Validity("", NOW, None), NOW).code is None


@pytest.mark.parametrize("mode", [0o700, 0o600, 0o400])
@pytest.mark.parametrize("opened", [0o040, 0o020, 0o010, 0o004, 0o002, 0o001])
def test_any_bit_for_others_is_found(mode: int, opened: int) -> None:
    """Only passing through, and only through the home of root, is let."""
    assert judge_closed(Closed("", mode, 7, 7)).code is None
    assert judge_closed(Closed("", mode | opened, 7, 7)).code is Code.HOME_NOT_PRIVATE
    is_passing = opened in (0o010, 0o001)
    assert (judge_closed(Closed("", mode | opened, 7, 7, may_pass=True)).code is None) is is_passing
    assert judge_closed(Closed("", mode, 8, 7)).code is Code.HOME_NOT_PRIVATE


def test_server_older_than_the_oldest_we_know_is_found() -> None:
    """And its rights are still told."""
    found = judge_store("resident", Fitness(14, "0013", "0013", ["r SELECT t"], ["r DELETE t"]))
    assert [(one.code, one.ref) for one in found if one.code] == [
        (Code.STORE_SERVER_OLD, "resident PostgreSQL 14"),
        (Code.STORE_RIGHTS, "resident - r SELECT t"),
        (Code.STORE_RIGHTS, "resident + r DELETE t"),
    ]
    assert all(one.code is None for one in judge_store("", Fitness(15, "0013", "0013", [], [])))


def test_rights_of_another_schema_are_not_told() -> None:
    """They differ because the tables do."""
    found = judge_store("fuhyo", Fitness(18, "", "0013", ["r SELECT t"], []))
    assert [(one.code, one.ref) for one in found if one.code] == [(Code.STORE_SCHEMA, "fuhyo -")]


@pytest.mark.parametrize(
    ("administrators", "lasting", "registered", "gateway_keys", "codes"),
    [
        (0, 0, 0, 0, {Code.OPERATOR_INSTALLATION_OPEN}),
        (1, 1, 3, 1, {Code.OPERATOR_INSTALLATION_OPEN}),
        (2, 1, 3, 1, {Code.OPERATOR_ADMINISTRATORS_ENDING}),
        (2, 2, 2, 0, {Code.OPERATOR_NO_ISSUER}),
        (2, 2, 2, 1, set()),
    ],
)
def test_operators_and_gateways_belong_together(
    administrators: int, lasting: int, registered: int, gateway_keys: int, codes: set[Code]
) -> None:
    """An installation without operators is open, or will be without; one without gateways is shut to all."""
    found = judge_operators(administrators, lasting, registered, gateway_keys)
    assert {one.code for one in found if one.code} == codes


def test_what_nobody_looked_at_is_not_in_order() -> None:
    """An empty list of findings is no good news."""
    alert, error = (Finding(Subject.DISK, "", code) for code in (Code.DISK_LOW, Code.DISK_SHORT))
    assert worst([]) is State.ERROR
    assert worst([Finding(Subject.DISK, ""), alert]) is State.ALERT
    assert worst([error, alert]) is State.ERROR
