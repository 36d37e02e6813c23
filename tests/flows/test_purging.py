"""The end of a hold, in real stores and folders: to the second, once, with proof, and never of anything else."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from juki.columns import IdentityFile
from juki.custody import timing
from juki.custody.handing_over import deliver, note_receipt, resend
from juki.custody.purging import Purge, PurgeSummary
from juki.custody.withdrawing import Deliveries
from juki.errors import JukiError, StoreError
from juki.hold_clock import ClockFile
from juki.home import Home
from juki.package_id import PackageId
from juki.reasons import Code
from juki.store.holds import provision_lock
from juki.store.roles import Duty
from tasks.bridging import attach_numbers
from tasks.workshop import Workshop
from tests.conftest import Stores
from tests.provision_rows import FUHYO, RESIDENT, Lender, working_for

BOUND, GRACE = timedelta(days=14), timedelta(hours=1)


@pytest.fixture
def lender(home: Home, stores: Stores) -> Lender:
    """An installation that lends numbers out."""
    return Lender(home, stores)


def purge(lender: Lender, because: str = "") -> PurgeSummary:
    """Purge as a flow or a command does."""
    custody = lender.custody()
    reference = timing.settled(custody, BOUND, because)
    work = Purge(custody, reference.at, GRACE)
    return work.stopped(reference.doubt) if reference.doubt else work.run()


def lent(lender: Lender, count: int = 2) -> PackageId:
    """Provide the numbers of some people, up to the delivery."""
    codes = lender.people(count)
    provision = lender.approved()
    with working_for(lender):
        numbers = attach_numbers(Workshop.open(), provision, codes)
    lender.seal(provision, b"|".join(numbers), count)
    deliver(lender.custody(), provision)
    return provision


def code_of(act: Any, *arguments: Any) -> Code:
    """Do what is refused, and tell by what."""
    with pytest.raises(JukiError) as refused:
        act(*arguments)
    return refused.value.code


# -- the end, to the second -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "is_kept"), [(-1, True), (0, False), (1, False)])
def test_hold_ends_at_its_second(lender: Lender, seconds: int, is_kept: bool) -> None:
    """Not a second early, and no later than the first run after it."""
    provision = lent(lender)
    lender.at = lender.hold(provision).due_at + timedelta(seconds=seconds)
    assert purge(lender).erased == (() if is_kept else (provision,))
    assert lender.is_kept(provision) is is_kept


def test_erasing_leaves_nothing_and_one_proof(lender: Lender) -> None:
    """Key, copy, rows and approval are gone; the proof says when it was due, when done, and what was looked at."""
    provision = lent(lender, 3)
    due_at = lender.hold(provision).due_at
    lender.at = due_at + timedelta(minutes=3)
    summary = purge(lender)
    assert (summary.erased, summary.numbers, summary.code) == ((provision,), 3, None)
    assert not lender.is_kept(provision)
    assert lender.rows(RESIDENT, "SELECT closed_at FROM crossing") == [(lender.at,)]
    (proof,) = lender.entries(FUHYO, "hold.purged")
    hold = lender.hold(provision)
    assert (hold.purged_at, hold.entry_no) == (lender.at, proof["entry_no"])
    assert proof["counts"] == {
        "numbers": 3, "keys_left": 0, "rows_left": 0, "copies_left": 0, "crossings_open": 0,
        "deliveries_removed": 1, "deliveries_absent": 0, "deliveries_on_medium": 0, "deliveries_left": 0,
    }  # fmt: skip
    assert proof["due_at"] == due_at.isoformat(timespec="microseconds")
    assert (proof["provision"], proof["recipient"]) == (str(provision), "zeimu")


def test_erasing_twice_equals_once(lender: Lender) -> None:
    """The second run finds nothing, changes nothing and says so."""
    provision = lent(lender)
    lender.pass_time(hours=72)
    purge(lender)
    before = (lender.hold(provision), lender.rows(FUHYO, "SELECT count(*) FROM journal"))
    lender.pass_time(minutes=5)
    again = purge(lender)
    assert (again.due, again.erased, again.strays) == ((), (), ())
    assert (lender.hold(provision), lender.rows(FUHYO, "SELECT count(*) FROM journal")) == before


def test_what_is_not_due_survives(lender: Lender) -> None:
    """Decoys: a hold that ends a second later, one of the other store, keys and copies of others, foreign files."""
    due = lent(lender)
    lender.pass_time(seconds=1)
    others = [lent(lender), lender.delivered(RESIDENT), lender.sealed()]
    custody = lender.custody()
    decoys = [
        lender.home.holds / "README",
        lender.home.provisions / f"{due}0.held.bak",
        lender.home.holds / "F.key",
    ]
    for path in decoys:
        path.write_text("decoy")
    kept = {one: (custody.keys.key(one), custody.copies.read(one, custody.keys.key(one))) for one in others}
    before = lender.rows(FUHYO, f"SELECT * FROM held_number WHERE provision_id <> {due.number} ORDER BY 1, 2")
    lender.at = lender.hold(due).due_at
    assert purge(lender).erased == (due,)
    assert {
        one: (custody.keys.key(one), custody.copies.read(one, custody.keys.key(one))) for one in others
    } == kept
    after = lender.rows(FUHYO, "SELECT * FROM held_number ORDER BY 1, 2")
    assert after == before and len(after) == 2
    assert all(path.read_text() == "decoy" for path in decoys)
    assert lender.rows(RESIDENT, "SELECT count(*) FROM current WHERE number_sealed IS NULL") == [(0,)]


def test_resident_provisions_are_erased_as_well(lender: Lender) -> None:
    """Their sealed packages hold numbers, though no row does."""
    provision = lender.delivered(RESIDENT)
    lender.pass_time(hours=72)
    assert purge(lender).erased == (provision,)
    assert not lender.is_kept(provision)
    assert len(lender.entries(RESIDENT, "hold.purged")) == 1


def test_package_never_delivered_lapses(lender: Lender) -> None:
    """A folder nobody mounts must not keep numbers for ever; one that never was sealed neither."""
    sealed, approved = lender.sealed(), lender.approved()
    with working_for(lender):
        attach_numbers(Workshop.open(), approved, lender.people(1))
    lender.pass_time(hours=72)
    assert set(purge(lender).erased) == {sealed, approved}
    assert lender.rows(FUHYO, "SELECT DISTINCT state FROM provision") == [("lapsed",)]
    assert not lender.is_kept(approved)


def test_a_week_without_a_purge_is_caught_up_at_once(lender: Lender) -> None:
    """Everything that came due meanwhile, in one run."""
    provisions = []
    for _ in range(4):
        provisions.append(lent(lender))
        lender.pass_time(hours=12)
    purge(lender)
    lender.pass_time(days=7)
    summary = purge(lender)
    assert list(summary.erased) == provisions
    assert summary.code is None


def test_dry_run_tells_exactly_what_the_real_run_does(lender: Lender) -> None:
    """And changes nothing: not a row, not a file, not the note of the clock."""
    lent(lender)
    lender.pass_time(hours=1)
    lender.delivered(RESIDENT)
    lender.pass_time(hours=72)
    before = (lender.rows(FUHYO, "SELECT count(*) FROM journal"), sorted(lender.home.holds.iterdir()))
    reference = timing.looked_up(lender.custody(), BOUND)
    planned = Purge(lender.custody(), reference.at, GRACE).plan()
    assert (lender.rows(FUHYO, "SELECT count(*) FROM journal"), sorted(lender.home.holds.iterdir())) == before
    done = purge(lender)
    assert [hold.provision for hold in planned.due] == list(done.erased)
    assert planned.due == done.due and len(planned.due) == 2


# -- deliveries, re-sends, receipts -------------------------------------------------------------------------------


def test_delivery_lays_the_very_package_and_counts_the_hold_from_there(lender: Lender) -> None:
    """The end of an undelivered hold was counted from its sealing."""
    provision = lender.sealed(content=b"the very bytes")
    lender.pass_time(hours=5)
    deliver(lender.custody(), provision)
    (path,) = lender.folder("zeimu").iterdir()
    assert (path.name, path.read_bytes()) == ("zeimu-fuhyo-provision-00000001.p7m", b"the very bytes")
    assert lender.hold(provision).due_at == lender.at + timedelta(hours=72)
    assert lender.rows(FUHYO, "SELECT state, delivered_at FROM provision") == [("delivered", lender.at)]


def test_delivering_again_changes_nothing(lender: Lender) -> None:
    """A flow that does not know that it was done does it again."""
    provision = lender.delivered()
    before = lender.hold(provision)
    lender.pass_time(hours=5)
    deliver(lender.custody(), provision)
    assert lender.hold(provision) == before
    assert len(lender.entries(FUHYO, "provision.delivered")) == 1


def test_resend_is_the_same_package_and_never_lengthens_the_hold(lender: Lender) -> None:
    """Byte for byte, journalled, and one provision in every statistic."""
    provision = lender.delivered(content=b"the very bytes")
    (path,) = lender.folder("zeimu").iterdir()
    path.unlink()
    due_at = lender.hold(provision).due_at
    lender.pass_time(hours=71)
    for _ in range(2):
        resend(lender.custody(), provision)
    assert path.read_bytes() == b"the very bytes"
    assert lender.hold(provision).due_at == due_at
    assert lender.rows(FUHYO, "SELECT count(*), sum(resent) FROM provision WHERE state = 'delivered'") == [
        (1, 2)
    ]
    assert len(lender.entries(FUHYO, "provision.resent")) == 2


def test_nothing_is_sent_after_its_end(lender: Lender) -> None:
    """Neither between the end and the purge nor after it; a new provision has to be asked for."""
    provision, undelivered = lender.delivered(), lender.sealed()
    (path,) = lender.folder("zeimu").iterdir()
    path.unlink()
    lender.pass_time(hours=72)
    assert code_of(resend, lender.custody(), provision) is Code.HOLD_TERM_REACHED
    assert code_of(deliver, lender.custody(), undelivered) is Code.HOLD_TERM_REACHED
    purge(lender)
    assert code_of(resend, lender.custody(), provision) is Code.PROVISION_PURGED
    assert code_of(deliver, lender.custody(), undelivered) is Code.PROVISION_PURGED
    assert list(lender.folder("zeimu").iterdir()) == []


def test_only_what_was_delivered_is_sent_again(lender: Lender) -> None:
    """A first delivery is noted as one; a number nobody knows is said to be unknown."""
    assert code_of(resend, lender.custody(), lender.sealed()) is Code.PROVISION_NOT_DELIVERED
    assert code_of(resend, lender.custody(), PackageId(FUHYO, 99)) is Code.HOLD_UNKNOWN
    approved = lender.approved()
    lender.custody().opened(approved, 1)
    assert code_of(deliver, lender.custody(), approved) is Code.PROVISION_NOT_SEALED


def test_copy_that_is_not_what_was_sealed_does_not_leave(lender: Lender) -> None:
    """The register knows the digest of the package; a copy under the right key with other bytes is not it."""
    provision = lender.sealed()
    custody = lender.custody()
    custody.copies.keep(provision, custody.keys.key(provision), b"other bytes")
    assert code_of(deliver, custody, provision) is Code.HOLD_COPY_LOST
    custody.copies.remove(provision)
    assert code_of(deliver, custody, provision) is Code.HOLD_COPY_LOST
    assert list(lender.folder("zeimu").iterdir()) == []


@pytest.mark.parametrize(("after_hours", "ends_after_hours"), [(2, 26), (60, 72)])
def test_receipt_brings_the_end_forward_or_leaves_it(
    lender: Lender, after_hours: int, ends_after_hours: int
) -> None:
    """The same receipt again moves nothing."""
    provision = lender.delivered()
    delivered_at = lender.at
    lender.pass_time(hours=after_hours)
    assert note_receipt(lender.custody(), provision, lender.at)[1]
    lender.pass_time(hours=1)
    assert not note_receipt(lender.custody(), provision, lender.at)[1]
    assert lender.hold(provision).due_at == delivered_at + timedelta(hours=ends_after_hours)
    assert len(lender.entries(FUHYO, "provision.receipted")) == 1


def test_erased_hold_is_not_opened_again(lender: Lender) -> None:
    """An old request that runs again makes a new provision, not a revived hold."""
    provision = lender.delivered()
    lender.pass_time(hours=72)
    purge(lender)
    custody = lender.custody()
    assert code_of(custody.opened, provision, 1) is Code.PROVISION_PURGED
    with pytest.raises(StoreError) as refused, custody.unit(FUHYO, Duty.PROVIDER) as unit:
        unit.holds.open(provision.number, 1, lender.at, lender.at + timedelta(days=9))
    assert refused.value.code is Code.PROVISION_PURGED
    assert not lender.is_kept(provision)


# -- two at once ------------------------------------------------------------------------------------------------


def test_nothing_is_erased_while_it_is_handed_over(lender: Lender) -> None:
    """It stays due, the next run comes back to it; the others do not wait."""
    busy, other = lender.sealed(), lender.sealed()
    lender.pass_time(hours=72)
    with provision_lock(lender.stores.fuhyo_url, busy):
        summary = purge(lender)
        assert (summary.busy, summary.erased, summary.code) == ((busy,), (other,), None)
        assert lender.is_kept(busy)
    assert purge(lender).erased == (busy,)


def test_nothing_is_handed_over_while_it_is_erased(lender: Lender) -> None:
    """A second delivery says that it will be tried again."""
    provision = lender.sealed()
    with provision_lock(lender.stores.fuhyo_url, provision), pytest.raises(StoreError) as busy:
        deliver(lender.custody(), provision)
    assert (busy.value.code, busy.value.is_transient) == (Code.HOLD_BUSY, True)


def test_delivery_that_ended_meanwhile_moves_the_end(lender: Lender) -> None:
    """What was due when it was listed is looked at again under its lock."""
    provision = lender.sealed()
    lender.pass_time(hours=71, minutes=59)
    listed = Purge(lender.custody(), lender.at + timedelta(minutes=1), GRACE)
    planned = listed.plan()
    deliver(lender.custody(), provision)
    listed._erase_batch(FUHYO, planned.due, Deliveries(lender.custody()))
    assert [hold.provision for hold in planned.due] == [provision]
    assert lender.is_kept(provision)


def test_locks_of_two_provisions_and_two_stores_are_not_one(lender: Lender) -> None:
    """F1, F2 and R1 are worked side by side."""
    one, two, resident = lender.sealed(), lender.sealed(), lender.sealed(RESIDENT)
    with contextlib.ExitStack() as held:
        for provision in (one, two, resident):
            held.enter_context(provision_lock(lender.stores.url(provision.file), provision))


# -- what can not be erased ---------------------------------------------------------------------------------------


def test_what_could_not_be_erased_has_no_proof_and_is_tried_again(
    lender: Lender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that refuses one file keeps nobody else's hold alive."""
    stuck, other = lender.delivered(), lender.delivered()
    lender.pass_time(hours=72)
    key = lender.home.holds / f"{stuck}.key"
    real = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path == key:
            raise PermissionError
        real(path, missing_ok=missing_ok)

    with monkeypatch.context() as disk:
        disk.setattr(Path, "unlink", refuse)
        summary = purge(lender)
    assert (summary.failed, summary.erased, summary.code) == ((stuck,), (other,), Code.HOLD_NOT_ERASED)
    assert key.read_bytes() == b""
    assert lender.hold(stuck).purged_at is None
    assert purge(lender).erased == (stuck,)
    assert len(lender.entries(FUHYO, "hold.purged")) == 2


def test_late_erasure_is_an_alarm_after_its_grace(lender: Lender) -> None:
    """Erased late is erased: the alarm is for what is still there."""
    provision = lender.sealed()
    lender.pass_time(hours=73, seconds=1)
    with provision_lock(lender.stores.fuhyo_url, provision):
        summary = purge(lender)
        assert (summary.overdue, summary.code) == ((provision,), Code.HOLD_OVERDUE)
    assert purge(lender).code is None


def test_leftover_of_an_erased_hold_is_swept(lender: Lender) -> None:
    """A key or a copy nobody holds any more can be of no use to anybody but a thief."""
    provision, _ = lender.delivered(), lender.delivered()
    lender.pass_time(hours=72)
    purge(lender)
    custody = lender.custody()
    custody.copies.keep(provision, custody.keys.ensure(provision), b"back again")
    assert purge(lender).strays == (provision,)
    assert not lender.is_kept(provision)
    assert len(lender.entries(FUHYO, "hold.purged")) == 2


# -- the clock ----------------------------------------------------------------------------------------------------


def test_clock_set_back_erases_nothing_and_asks(lender: Lender) -> None:
    """Behind what the store knows, nothing can be said to be due or not."""
    provision = lender.delivered()
    lender.pass_time(hours=80)
    later = lender.delivered()
    lender.pass_time(hours=-2)
    summary = purge(lender)
    assert (summary.stopped, summary.erased) == (Code.CLOCK_BEHIND, ())
    assert lender.is_kept(provision) and lender.is_kept(later)


def test_clock_that_jumped_ahead_erases_nothing_even_when_the_store_has_followed_it(lender: Lender) -> None:
    """Whatever else ran with the wrong clock wrote it into the store before the purge looked."""
    provision = lender.delivered()
    purge(lender)
    lender.pass_time(days=365)
    lender.delivered()
    assert purge(lender).stopped is Code.CLOCK_AHEAD
    assert lender.is_kept(provision)


def test_stop_is_journalled_once_and_does_not_vouch_for_the_clock(lender: Lender) -> None:
    """A run every five minutes must not fill the log, nor talk the next run into believing the time."""
    lender.delivered()
    purge(lender)
    lender.pass_time(days=15)
    for _ in range(3):
        assert purge(lender).stopped is Code.CLOCK_AHEAD
        lender.pass_time(minutes=5)
    for file in IdentityFile:
        (stop,) = lender.entries(file, "purge.stopped")
        assert (stop["code"], stop["outcome"]) == ("clock.ahead", "refused")
    assert ClockFile(lender.home).read().stopped is Code.CLOCK_AHEAD


def test_confirmed_clock_lets_the_purge_go_on_and_says_who_said_so(lender: Lender) -> None:
    """The reason is in the log of both stores, with the doubt it overruled."""
    provision = lender.delivered()
    purge(lender)
    lender.pass_time(days=15)
    assert purge(lender).stopped is Code.CLOCK_AHEAD
    assert purge(lender, "年末年始に停止していたため").erased == (provision,)
    lender.pass_time(minutes=5)
    assert purge(lender).code is None
    for file in IdentityFile:
        (said,) = lender.entries(file, "clock.confirmed")
        assert (said["basis"], said["code"], said["actor"]) == (
            "年末年始に停止していたため",
            "clock.ahead",
            "test",
        )


def test_clock_put_right_after_a_jump_needs_one_word(lender: Lender) -> None:
    """The instants the jump left in the store do not stop every run for a year."""
    purge(lender)
    lender.pass_time(days=365)
    lender.delivered()
    lender.pass_time(days=-365)
    provision = lender.sealed()
    assert purge(lender).stopped is Code.CLOCK_BEHIND
    assert purge(lender, "時計を直したため").stopped is None
    lender.pass_time(hours=72)
    assert purge(lender).erased == (provision,)


def test_lost_note_of_the_clock_leaves_the_store_as_witness(lender: Lender) -> None:
    """The note is outside backups, like the keys beside it."""
    lender.delivered()
    purge(lender)
    (lender.home.holds / "purge-clock.json").unlink()
    lender.pass_time(days=15)
    assert purge(lender).stopped is Code.CLOCK_AHEAD


def test_many_provisions_are_erased_in_batches_with_a_proof_each(lender: Lender) -> None:
    """More than the server has locks for at once; every one of them is proved."""
    provisions = [lender.approved() for _ in range(3)]
    custody = lender.custody()
    for one in provisions:
        custody.opened(one, 1)
    with psycopg.connect(lender.stores.fuhyo_url) as connection:
        connection.execute(
            "INSERT INTO provision (recipient, request_no, method, request_sha256, basis, purpose, lines, state,"
            " received_at) SELECT 'zeimu', n, 'file', '\\x00', 'b', 'p', 1, 'delivered', %s"
            " FROM generate_series(1000, 2199) n",
            (lender.at,),
        )
        connection.execute(
            "INSERT INTO hold SELECT provision_id, 1, received_at, received_at FROM provision"
            " WHERE request_no >= 1000"
        )
    lender.pass_time(hours=72)
    summary = purge(lender)
    assert len(summary.erased) == 1203
    proved = lender.rows(FUHYO, "SELECT count(DISTINCT entry_no) FROM hold WHERE purged_at IS NOT NULL")
    assert proved == [(1203,)]
