"""What a purge leaves nowhere: delivered files, keys without a hold, requests; and what keeps none from the rest."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from juki.cli.installation import Installation
from juki.columns import IdentityFile
from juki.custody import timing
from juki.custody.custody import Custody
from juki.custody.purging import Purge, PurgeSummary
from juki.errors import ConfigurationError, JukiError
from juki.holds import Hold
from juki.home import Home
from juki.operators import Acting
from juki.overview.alarm import Alarm
from juki.overview.custody import custody_alarms, holds_of
from juki.package_id import PackageId
from juki.provide.registering import Desk, run_again
from juki.reasons import Code
from juki.store import holds as store_holds
from juki.store.holds import Holds, provision_lock
from juki.wire.refused_files import RefusedFiles, RefusedKind
from juki.wire.request_files import RequestFiles
from tests.conftest import Stores
from tests.flows.test_purging import BOUND, GRACE, lent
from tests.provision_rows import FUHYO, RESIDENT, Lender, working_for

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=1"


@pytest.fixture
def lender(home: Home, stores: Stores) -> Lender:
    """An installation that lends numbers out."""
    return Lender(home, stores)


def purge(lender: Lender, custody: Custody | None = None) -> PurgeSummary:
    """Purge as a flow does."""
    used = custody or lender.custody()
    return Purge(used, timing.settled(used, BOUND).at, GRACE).run()


def ended(lender: Lender, **how: Any) -> PackageId:
    """Deliver a provision, and let its end come."""
    provision = lender.delivered(**how)
    lender.pass_time(hours=72)
    return provision


def deliveries(
    lender: Lender, file: IdentityFile = FUHYO, action: str = "hold.purged"
) -> list[dict[str, int]]:
    """What the entries of an action say of delivered files: what there was one of."""
    return [
        {name: count for name, count in one["counts"].items() if name.startswith("deliveries") and count}
        for one in lender.entries(file, action)
    ]


def alarms(lender: Lender) -> list[Alarm]:
    """What the status says of holds now."""
    with working_for(lender):
        watched = Installation.open().watched
        return custody_alarms(watched, holds_of(watched), lender.at)


# -- what was delivered -------------------------------------------------------------------------------------------


def test_package_nobody_fetched_is_taken_back_before_the_proof(lender: Lender) -> None:
    """Ours goes with what a cut delivery left of it; what others put there stays."""
    ended(lender)
    other = lender.folder("zeimu") / "zeimu-fuhyo-provision-00000002.p7m"
    other.write_bytes(b"of somebody else")
    (lender.folder("zeimu") / ".zeimu-fuhyo-provision-00000001.p7m.part").write_bytes(b"cut")
    assert purge(lender).left == ()
    assert list(lender.folder("zeimu").iterdir()) == [other]
    assert deliveries(lender) == [{"deliveries_removed": 1}]


def test_package_that_was_fetched_is_proved_as_absent(lender: Lender) -> None:
    """The usual case: a mediating host took it long ago."""
    ended(lender)
    (path,) = lender.folder("zeimu").iterdir()
    path.unlink()
    assert purge(lender).code is None
    assert deliveries(lender) == [{"deliveries_absent": 1}]


def test_package_delivered_by_a_run_that_died_before_its_note_is_taken_back(lender: Lender) -> None:
    """It lapses as never delivered, and lies there all the same."""
    provision = lender.sealed()
    path = lender.folder("zeimu") / lender.hold(provision).file_name
    path.write_bytes(b"sealed")
    lender.pass_time(hours=72)
    assert purge(lender).erased == (provision,)
    assert not path.exists()


def test_folder_out_of_reach_keeps_no_number_and_is_looked_into_again(lender: Lender) -> None:
    """The numbers go at their time; the file is said to be open until it is seen to be gone, and then once."""
    provision = ended(lender)
    folder, away = lender.folder("zeimu"), lender.folder("zeimu").with_name("away")
    folder.rename(away)
    for _ in range(2):
        summary = purge(lender)
        assert (summary.left, summary.code) == ((provision,), None)
        lender.pass_time(minutes=5)
    assert not lender.is_kept(provision)
    assert deliveries(lender) == [{"deliveries_left": 1}]
    (alarm,) = alarms(lender)
    assert (alarm.code, alarm.which) == (
        Code.HOLD_DELIVERY_LEFT,
        (f"{provision} {lender.hold(provision).file_name}",),
    )
    away.rename(folder)
    assert purge(lender).left == purge(lender).left == ()
    assert alarms(lender) == []
    assert list(folder.iterdir()) == []
    assert deliveries(lender, action="delivery.withdrawn") == [{"deliveries_removed": 1}]


def test_other_content_under_the_name_of_ours_stays_and_is_said(lender: Lender) -> None:
    """It may be ours, altered, or another's: nobody here can tell, so nobody here removes it."""
    provision = ended(lender)
    (path,) = lender.folder("zeimu").iterdir()
    path.write_bytes(b"altered")
    assert purge(lender).left == (provision,)
    assert path.read_bytes() == b"altered"


def test_folder_that_went_away_with_a_registered_medium_is_no_open_end(lender: Lender) -> None:
    """Where the medium is and that it is erased is kept in its own register (M10)."""
    provision = ended(lender)
    lender.run_sql(FUHYO, f"UPDATE provision SET medium_no = 1 WHERE provision_id = {provision.number}")
    lender.folder("zeimu").rename(lender.folder("zeimu").with_name("taken"))
    assert purge(lender).left == ()
    assert deliveries(lender) == [{"deliveries_on_medium": 1}]


def test_folder_of_a_recipient_no_longer_registered_is_an_open_end(lender: Lender) -> None:
    """Nobody knows where it was; the numbers are erased."""
    provision = ended(lender)

    def unregistered(_: str) -> Path:
        raise ConfigurationError(Code.CONFIG_MISSING, "recipient")

    summary = purge(lender, replace(lender.custody(), delivery=unregistered))
    assert (summary.erased, summary.left) == ((provision,), (provision,))


# -- each store for itself ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("down", list(IdentityFile))
def test_store_that_is_down_keeps_the_other_from_nothing(lender: Lender, down: IdentityFile) -> None:
    """The other is purged whole; the one that is down fails the run at its end and is purged by the next."""
    up = RESIDENT if down is FUHYO else FUHYO
    provisions = {file: lender.delivered(file) for file in IdentityFile}
    lender.pass_time(hours=72)
    custody = lender.custody()
    summary = purge(lender, replace(custody, urls={**custody.urls, down: NOWHERE}))
    assert (summary.code, dict(summary.stores)) == (Code.STORE_UNREACHABLE, {down: Code.STORE_UNREACHABLE})
    assert not custody.keys.exists(provisions[up])
    assert custody.keys.exists(provisions[down])
    again = purge(lender)
    assert set(summary.erased) | set(again.erased) == set(provisions.values())
    assert again.code is None


def test_numbers_go_although_the_store_that_closes_the_bridge_is_down(lender: Lender) -> None:
    """Without a look at the approval there is no proof; the next run closes it and proves."""
    provision = lent(lender)
    lender.pass_time(hours=72)
    custody = lender.custody()
    summary = purge(lender, replace(custody, urls={**custody.urls, RESIDENT: NOWHERE}))
    assert (summary.erased, summary.failed) == ((), (provision,))
    assert not lender.is_kept(provision)
    assert lender.entries(FUHYO, "hold.purged") == []
    assert purge(lender).erased == (provision,)
    assert lender.rows(RESIDENT, "SELECT closed_at IS NOT NULL FROM crossing") == [(True,)]


def test_no_store_at_all_is_said_at_once(lender: Lender) -> None:
    """Without any there is nothing to work and no time to believe."""
    custody = replace(lender.custody(), urls=dict.fromkeys(IdentityFile, NOWHERE))
    with pytest.raises(JukiError) as refused:
        purge(lender, custody)
    assert refused.value.code is Code.STORE_UNREACHABLE


def test_many_due_holds_are_read_once_and_not_for_every_batch(
    lender: Lender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once to plan, once under the lock: a week's worth must not be read a thousand times."""
    for _ in range(7):
        lender.delivered()
    lender.pass_time(hours=72)
    read, real = list[int](), Holds.due

    def counted(holds: Holds, at: datetime, among: Sequence[int] | None = None) -> list[Hold]:
        found = real(holds, at, among)
        read.append(len(found))
        return found

    monkeypatch.setattr(Holds, "due", counted)
    monkeypatch.setattr(store_holds, "_MAX_LOCKS", 2)
    assert len(purge(lender).erased) == 7
    assert sum(read) == 2 * 7


# -- what nobody holds --------------------------------------------------------------------------------------------


def ownerless(lender: Lender, age: timedelta, file: IdentityFile = FUHYO) -> PackageId:
    """Leave a key and a copy without a hold, as old as said."""
    custody, provision = lender.custody(), lender.approved(file)
    custody.copies.keep(provision, custody.keys.ensure(provision), b"of a run that died")
    at = (lender.at - age).timestamp()
    for path in (lender.home.holds / f"{provision}.key", lender.home.provisions / f"{provision}.held"):
        os.utime(path, (at, at))
    return provision


def test_key_and_copy_without_a_hold_are_swept_once_old_enough_and_logged(lender: Lender) -> None:
    """A run died between the key and the row; a younger one may be at work this minute."""
    old, young = ownerless(lender, timedelta(hours=24)), ownerless(lender, timedelta(hours=23, minutes=59))
    resident = ownerless(lender, timedelta(days=9), RESIDENT)
    assert set(purge(lender).strays) == {old, resident}
    assert (lender.is_kept(old), lender.is_kept(young)) == (False, True)
    (entry,) = lender.entries(FUHYO, "hold.swept")
    assert (entry["provision"], entry["counts"]) == (str(old), {"keys": 1, "copies": 1})
    assert purge(lender).strays == ()


def test_key_of_whoever_is_just_opening_a_hold_is_not_swept(lender: Lender) -> None:
    """Old by its file, and locked: a clock of the disk must not take a key from under a seal."""
    old = ownerless(lender, timedelta(days=2))
    with provision_lock(lender.stores.fuhyo_url, old):
        assert purge(lender).strays == ()
    assert lender.is_kept(old)


def test_stray_that_does_not_go_fails_the_run_and_is_not_logged(
    lender: Lender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry says what is gone, not what should be."""
    old = ownerless(lender, timedelta(days=2))
    with monkeypatch.context() as disk:
        disk.setattr("juki.hold_keys.overwrite", _refuse)
        summary = purge(lender)
    assert (summary.failed, summary.strays, summary.code) == ((old,), (), Code.HOLD_NOT_ERASED)
    assert lender.entries(FUHYO, "hold.swept") == []
    assert purge(lender).strays == (old,)


def _refuse(_: object) -> None:
    raise PermissionError


# -- requests -----------------------------------------------------------------------------------------------------


def kept_request(lender: Lender, provision: PackageId) -> PackageId:
    """Keep a request of a provision."""
    RequestFiles(lender.home).keep(provision, b"sealed request")
    return provision


def requests(lender: Lender) -> list[str]:
    """Which requests are kept."""
    return sorted(path.stem for path in lender.home.requests.glob("*.p7m"))


def test_request_goes_with_what_was_provided_on_it(lender: Lender) -> None:
    """It holds the numbers people were asked by; its hold is erased, so is it, with an entry."""
    provision = kept_request(lender, lender.delivered())
    open_one = kept_request(lender, lender.sealed())
    lender.pass_time(hours=71)
    waiting = kept_request(lender, lender.approved(state="received"))
    assert purge(lender).requests == 0
    lender.pass_time(hours=1)
    lender.run_sql(
        FUHYO, f"UPDATE hold SET due_at = due_at + interval '1 day' WHERE provision_id = {open_one.number}"
    )
    assert purge(lender).requests == 1
    assert requests(lender) == sorted([str(open_one), str(waiting)])
    (entry,) = lender.entries(FUHYO, "request.erased")
    assert (entry["provision"], entry["recipient"]) == (str(provision), "zeimu")
    assert purge(lender).requests == 0


@pytest.mark.parametrize(
    ("days", "hours", "is_kept"), [(None, 71, True), (None, 72, False), (9, 215, True), (9, 216, False)]
)
def test_request_of_a_refusal_is_kept_as_long_as_a_hold_or_as_was_decided(
    lender: Lender, days: int | None, hours: int, is_kept: bool
) -> None:
    """From the decision on; so long it can be answered once more."""
    provision = kept_request(lender, lender.approved(state="refused", code="provision.limit_lines"))
    custody = lender.custody()
    terms = replace(custody.terms, requests=None if days is None else timedelta(days=days))
    lender.pass_time(hours=hours)
    purge(lender, replace(lender.custody(), terms=terms))
    assert requests(lender) == ([str(provision)] if is_kept else [])


def test_request_kept_longer_by_decision_outlives_its_hold(lender: Lender) -> None:
    """An old request can then be answered again after the purge, as a provision of its own."""
    provision = kept_request(lender, lender.delivered())
    terms = replace(lender.custody().terms, requests=timedelta(days=30))
    lender.pass_time(hours=72)
    assert purge(lender, replace(lender.custody(), terms=terms)).erased == (provision,)
    assert requests(lender) == [str(provision)]


def test_answering_a_request_again_that_is_kept_no_longer_says_so(lender: Lender) -> None:
    """Not that it was lost: that its time was over."""
    provision = kept_request(lender, ended(lender))
    purge(lender)
    desk = Desk(lender.home, {file: lender.stores.url(file) for file in IdentityFile}, Acting("test"))
    with pytest.raises(JukiError) as refused:
        run_again(desk, provision, lender.at)
    assert refused.value.code is Code.REQUEST_NOT_KEPT


def test_request_that_does_not_go_fails_the_run_and_is_tried_again(
    lender: Lender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file of a disk that refuses keeps no other."""
    provision = kept_request(lender, ended(lender))
    with monkeypatch.context() as disk:
        disk.setattr("juki.wire.request_files.overwrite", _refuse)
        summary = purge(lender)
    assert (summary.failed, summary.requests, summary.erased) == ((provision,), 0, (provision,))
    assert lender.entries(FUHYO, "request.erased") == []
    assert purge(lender).requests == 1


def test_refused_file_goes_when_its_keeping_is_over_and_the_log_tells_which(lender: Lender) -> None:
    """By name and digest; a younger one, and what lies there otherwise, stay."""
    folder = RefusedFiles(lender.home).folder(RefusedKind.REQUESTS, "zeimu")
    folder.mkdir(parents=True)
    old, young = (folder / f"{name}-request.form-zeimu-fuhyo-request-00000001.p7m" for name in ("a", "b"))
    for path, hours in ((old, 72), (young, 71)):
        path.write_bytes(b"refused")
        at = (lender.at - timedelta(hours=hours)).timestamp()
        os.utime(path, (at, at))
    assert purge(lender).refused == 1
    assert list(folder.iterdir()) == [young]
    (entry,) = lender.entries(FUHYO, "quarantine.erased")
    assert (entry["package"], entry["recipient"], len(entry["changes_digest"])) == (old.name, "zeimu", 64)
