"""Which files have room: order, exceptions and reasons, and that no order of files exceeds the quota."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from juki.quota import BLOCK_BYTES, Admission, Offer, Quota, admit, cost_bytes, held_bytes
from juki.reasons import Code

NOTHING = Quota(0, 0)
QUOTA = Quota(10 * BLOCK_BYTES, 4 * BLOCK_BYTES)
_SPOOL, _QUARANTINE = Code.CHANNEL_SPOOL_QUOTA, Code.CHANNEL_QUARANTINE_QUOTA


def _offers(*sizes: int) -> list[Offer]:
    """Offer files of as many blocks under sequences from 1, each at the position of its sequence less one."""
    return [Offer(n, n + 1, size * BLOCK_BYTES) for n, size in enumerate(sizes)]


def test_file_costs_whole_blocks() -> None:
    """Ten thousand files of one byte fill a disk too."""
    assert [cost_bytes(size) for size in (0, 1, BLOCK_BYTES, BLOCK_BYTES + 1)] == [
        BLOCK_BYTES, BLOCK_BYTES, BLOCK_BYTES, 2 * BLOCK_BYTES,
    ]  # fmt: skip
    assert held_bytes([1] * 10) == 10 * BLOCK_BYTES


def test_everything_is_taken_while_there_is_room() -> None:
    """Up to the last block."""
    assert admit(_offers(5, 5), 1, NOTHING, QUOTA) == Admission((0, 1))


def test_first_file_without_room_and_all_after_it_stay() -> None:
    """A smaller one further on does not overtake: the order of the channel is that of fetching."""
    assert admit(_offers(1, 6, 4, 1), 1, NOTHING, QUOTA) == Admission((0, 1), 2, _SPOOL)


def test_package_the_channel_waits_for_comes_first_and_always_has_room() -> None:
    """Else a spool full of what waits behind a gap would never empty."""
    full = Quota(QUOTA.spool_bytes, 0)
    assert admit(_offers(1, 1, 5), 3, full, QUOTA) == Admission((2,), 2, _SPOOL)


def test_full_quarantine_lets_nothing_in_not_even_what_is_waited_for() -> None:
    """Else a CS could push one refused file after another past it."""
    full = Quota(0, QUOTA.quarantine_bytes)
    assert admit(_offers(1, 1), 1, full, QUOTA) == Admission((), 2, _QUARANTINE)


def test_stray_needs_room_in_quarantine_and_comes_last() -> None:
    """It never keeps the channel's own packages out."""
    stray = Offer(0, None, 5 * BLOCK_BYTES)
    own = Offer(1, 9, BLOCK_BYTES)
    assert admit([stray, own], 1, NOTHING, QUOTA) == Admission((1,), 1, _QUARANTINE)
    assert admit([stray, own], 1, NOTHING, Quota(QUOTA.spool_bytes, 6 * BLOCK_BYTES)).taken == (1, 0)


def test_replacement_needs_room_for_what_it_replaces() -> None:
    """A waiting file rewritten again and again fills quarantine, and stops there."""
    again = Offer(0, 7, BLOCK_BYTES, replaces_bytes=3 * BLOCK_BYTES)
    assert admit([again], 1, Quota(0, BLOCK_BYTES), QUOTA) == Admission((0,))
    assert admit([again], 1, Quota(0, 2 * BLOCK_BYTES), QUOTA) == Admission((), 1, _QUARANTINE)


def test_file_refused_by_its_listing_takes_no_room() -> None:
    """It is not fetched."""
    unfetched = Offer(0, 1, 10**12, is_fetched=False)
    assert admit([unfetched, Offer(1, 2, 1)], 1, NOTHING, QUOTA).taken == (0, 1)


_OFFER = st.builds(
    Offer,
    position=st.just(0),
    sequence=st.none() | st.integers(1, 6),
    size=st.integers(0, 4 * BLOCK_BYTES),
    replaces_bytes=st.sampled_from([0, 1, 2 * BLOCK_BYTES]),
)
_HELD = st.builds(Quota, st.integers(0, 12 * BLOCK_BYTES), st.integers(0, 5 * BLOCK_BYTES))


@given(st.lists(_OFFER, max_size=8), st.integers(1, 6), _HELD)
def test_no_outbox_exceeds_the_quota_by_more_than_what_is_waited_for(
    drawn: list[Offer], expected: int, held: Quota
) -> None:
    """Every offer is taken or counted as left, with a reason; what is taken fits, the awaited files apart."""
    offers = [
        Offer(n, one.sequence, one.size, one.replaces_bytes if one.sequence else 0)
        for n, one in enumerate(drawn)
    ]
    admission = admit(offers, expected, held, QUOTA)
    taken = [offers[position] for position in admission.taken]
    assert len(taken) + admission.deferred == len(offers)
    assert (admission.code is None) == (admission.deferred == 0)
    own = [one for one in taken if one.sequence is not None]
    others = held_bytes(one.size for one in own if one.sequence != expected)
    assert not others or held.spool_bytes + others <= QUOTA.spool_bytes
    kept = held_bytes(one.size for one in taken if one.sequence is None)
    kept += held_bytes(one.replaces_bytes for one in own if one.replaces_bytes)
    assert not kept or held.quarantine_bytes + kept <= QUOTA.quarantine_bytes
