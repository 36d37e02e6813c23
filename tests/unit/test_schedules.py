"""The schedules of a server beside those that were decided: whatever differs is named, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from config.places import yamaguchi_municipalities
from config.schedules import deployments_file, wanted_deployments
from juki.errors import ConfigurationError
from juki.reasons import Code
from juki.schedules import Deployed, Schedule, judge_schedules, uncovered

NIGHTLY = Schedule("2 1 * * *", "Asia/Tokyo", True, {"mode": "修復まで"})
RESERVED = Schedule("0 0 1 1 *", "Asia/Tokyo", False, {})
PURGE = Deployed("purge", {"nightly": NIGHTLY, "reserved": RESERVED}, entrypoint="flows.purge:purge")
RESEND = Deployed("resend", entrypoint="flows.resend:resend")
WANTED = [PURGE, RESEND]


def told(there: list[Deployed]) -> set[tuple[Code, str]]:
    """What is wrong with a server, and where."""
    return {(one.code, one.ref) for one in judge_schedules(WANTED, there) if one.code}


def _with(slug: str, schedule: Schedule) -> Deployed:
    return replace(PURGE, schedules={**PURGE.schedules, slug: schedule})


def test_server_that_has_what_was_decided_is_in_order() -> None:
    """Each deployment is told once, in whatever order the server lists them."""
    findings = judge_schedules(WANTED, [RESEND, PURGE])
    assert [(one.code, one.ref) for one in findings] == [(None, "purge"), (None, "resend")]


@pytest.mark.parametrize(
    ("altered", "code", "place"),
    [
        (lambda: replace(PURGE, schedules={"reserved": RESERVED}), Code.SCHEDULE_MISSING, "purge/nightly"),
        (lambda: replace(PURGE, is_paused=True), Code.SCHEDULE_OFF, "purge"),
        (lambda: _with("nightly", replace(NIGHTLY, is_active=False)), Code.SCHEDULE_OFF, "purge/nightly"),
        (lambda: _with("reserved", replace(RESERVED, is_active=True)), Code.SCHEDULE_CHANGED, "purge/reserved"),
        (lambda: _with("nightly", replace(NIGHTLY, cron="2 1 * * 0")), Code.SCHEDULE_CHANGED, "purge/nightly"),
        (lambda: _with("nightly", replace(NIGHTLY, timezone="UTC")), Code.SCHEDULE_CHANGED, "purge/nightly"),
        (
            lambda: _with("nightly", replace(NIGHTLY, parameters={"mode": "照合のみ"})),
            Code.SCHEDULE_CHANGED,
            "purge/nightly",
        ),
        (lambda: _with("other", NIGHTLY), Code.SCHEDULE_SURPLUS, "purge/other"),
        (lambda: replace(PURGE, entrypoint="os:system"), Code.SCHEDULE_CHANGED, "purge"),
    ],
    ids=[
        "missing", "paused", "switched off", "switched on", "other time", "other zone", "other parameters",
        "one more", "other code",
    ],
)  # fmt: skip
def test_what_differs_is_named_and_nothing_else(
    altered: Callable[[], Deployed], code: Code, place: str
) -> None:
    """A schedule that runs less often than decided, or does something else, is no longer unnoticed."""
    assert told([altered(), RESEND]) == {(code, place)}


def test_deployment_that_is_gone_or_nobody_decided_is_named() -> None:
    """One without schedules too: what is started by hand has to be on the screens."""
    assert told([PURGE]) == {(Code.SCHEDULE_MISSING, "resend")}
    assert told([PURGE, RESEND, Deployed("other")]) == {(Code.SCHEDULE_SURPLUS, "other")}


def test_the_file_of_this_version_is_read_whole() -> None:
    """Every channel's reconciliation with its own parameters among them."""
    wanted = {one.name: one for one in wanted_deployments()}
    assert len(wanted["reconcile"].schedules) == 38
    first = wanted["reconcile"].schedules["resident-352012"]
    assert first == Schedule(
        "2 1 * * *", "Asia/Tokyo", True,
        {"municipality": "352012 下関市", "file": "本人確認情報", "mode": "修復まで"},
    )  # fmt: skip
    assert wanted["resend"] == RESEND
    assert deployments_file().name == "deployments.yaml"


def test_municipality_that_no_schedule_compares_is_named() -> None:
    """Registered and contacted, its channels would be called normal although nobody ever compared them."""
    towns = list(yamaguchi_municipalities())
    assert uncovered(wanted_deployments(), towns) == []
    found = uncovered(wanted_deployments(), [*towns, "130001"])
    assert [(one.ref, one.code) for one in found] == [
        ("130001 resident", Code.SCHEDULE_UNCOVERED), ("130001 fuhyo", Code.SCHEDULE_UNCOVERED),
    ]  # fmt: skip


def test_schedule_that_is_switched_off_in_the_file_compares_nobody() -> None:
    """And one of another deployment says nothing of it."""
    (reconcile,) = [one for one in wanted_deployments() if one.name == "reconcile"]
    schedules = dict(reconcile.schedules)
    schedules["resident-352012"] = replace(schedules["resident-352012"], is_active=False)
    found = uncovered([PURGE, replace(reconcile, schedules=schedules)], ["352012"])
    assert [one.ref for one in found] == ["352012 resident"]


@pytest.mark.parametrize(
    "text", ["", "deployments: 1", "deployments: [{}]", "deployments: [", "\x00"], ids=repr
)
def test_file_that_can_not_be_read_is_named(tmp_path: Path, text: str) -> None:
    """Instead of an installation without schedules."""
    file = tmp_path / "deployments.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=r"config\.invalid.*deployments\.yaml"):
        wanted_deployments(file)
