"""Which parts make a snapshot: any order, sent again, missing, old, dated ahead, contradicting each other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from juki.columns import IdentityFile
from juki.errors import ContractError
from juki.packages import PackageKind, PackageName, SnapshotManifest, sha256_hex
from juki.reasons import Code
from juki.snapshot_requests import SnapshotRequest, Wants
from juki.snapshots import Answer, ArrivedPart, answer_to, check_order, is_wanted

ASKED_AT = datetime(2026, 11, 23, 2, tzinfo=UTC)
SKEW = timedelta(minutes=10)
SECOND = timedelta(seconds=1)
REQUEST = SnapshotRequest("352039", IdentityFile.RESIDENT, "350001", ASKED_AT, Wants.SNAPSHOT)
NAME = PackageName("352039", IdentityFile.RESIDENT, PackageKind.SNAPSHOT, 1)


def part(
    number: int, parts: int = 3, *, first: int = 1, as_of: datetime = ASKED_AT + SECOND, **said: object
) -> ArrivedPart:
    """One part of the snapshot that begins at the sequence `first`."""
    sequence = first + number - 1
    manifest = SnapshotManifest(
        municipality_code="352039", file=IdentityFile.RESIDENT, recipient="350001", sequence=sequence,
        as_of=as_of, watermark=7, part=number, parts=parts, records=2, created_at=as_of,
        sha256=sha256_hex(f"{first} {number}".encode()),
    )  # fmt: skip
    name = replace(NAME, sequence=sequence)
    changed = replace(manifest, **said)  # type: ignore[arg-type]
    return ArrivedPart(name, changed, bytes([sequence]), ASKED_AT + timedelta(minutes=number))


def snapshot(parts: int = 3, **how: object) -> list[ArrivedPart]:
    """All parts of one snapshot."""
    return [part(number, parts, **how) for number in range(1, parts + 1)]  # type: ignore[arg-type]


def answer(*arrived: ArrivedPart, used: int = 0) -> Answer:
    """What has come of the request."""
    return answer_to(REQUEST, arrived, clock_skew=SKEW, used_sequence=used)


def unused(found: Answer) -> set[tuple[int, Code]]:
    """Which sequences are of no use, and why."""
    return {(one.name.sequence, one.code) for one in found.unused}


def test_complete_snapshot_is_the_answer() -> None:
    """All parts, in their order, and what they say alike."""
    found = answer(*snapshot())
    assert found == Answer(tuple(snapshot()))
    assert found.is_complete
    assert (found.first, found.last_sequence) == (snapshot()[0].manifest, 3)


@given(st.permutations(range(3)), st.lists(st.integers(0, 2), max_size=4))
def test_order_of_arrival_and_parts_sent_again_change_nothing(order: list[int], again: list[int]) -> None:
    """Any order, any part any number of times: the same snapshot."""
    arrived = [snapshot()[position] for position in [*order, *again]]
    found = answer(*arrived)
    assert [one.manifest for one in found.parts] == [one.manifest for one in snapshot()]
    assert (found.code, found.unused) == (None, ())


def test_of_a_part_sealed_again_the_last_file_counts() -> None:
    """That is the file which lies here under the name; read by another digest it would be lost."""
    first, second = snapshot(2)
    again = replace(first, file_sha256=b"again", received_at=second.received_at + SECOND)
    for arrived in ((first, second, again), (again, second, first)):
        assert [one.file_sha256 for one in answer(*arrived).parts] == [b"again", second.file_sha256]


@given(st.sets(st.integers(1, 5), min_size=1, max_size=4))
def test_missing_part_is_named_and_nothing_is_used(missing: set[int]) -> None:
    """An incomplete snapshot would make people seem gone."""
    found = answer(*(one for one in snapshot(5) if one.manifest.part not in missing))
    assert (found.code, found.missing, found.of) == (Code.SNAPSHOT_INCOMPLETE, tuple(sorted(missing)), 5)
    assert (found.parts, found.is_complete) == ((), False)


def test_request_without_an_answer_is_told() -> None:
    """Nothing came, or only what has nothing to do with the request."""
    other = [
        replace(part(1, 1), name=replace(NAME, municipality_code="352021")),
        replace(part(1, 1), name=replace(NAME, file=IdentityFile.FUHYO)),
        replace(part(1, 1), name=replace(NAME, kind=PackageKind.DIGEST)),
        replace(part(1, 1), name=replace(NAME, kind=PackageKind.NOTICE)),
    ]
    for arrived in ([], *([one] for one in other), other):
        assert answer(*arrived) == Answer((), Code.SNAPSHOT_NOT_ANSWERED)


def test_snapshot_from_before_the_request_is_stale() -> None:
    """An old snapshot played again, or one that was made too early; only the clocks may differ a little."""
    stale = snapshot(1, as_of=ASKED_AT - SKEW - SECOND)
    found = answer(*stale)
    assert (found.code, unused(found)) == (Code.SNAPSHOT_NOT_ANSWERED, {(1, Code.SNAPSHOT_STALE)})
    assert answer(*snapshot(1, as_of=ASKED_AT - SKEW)).is_complete
    found = answer(*stale, *snapshot(first=2))
    assert [one.name.sequence for one in found.parts] == [2, 3, 4]
    assert unused(found) == {(1, Code.SNAPSHOT_STALE)}


def test_snapshot_dated_ahead_is_of_no_use() -> None:
    """It would be the newest for ever, and answer whatever is asked until then."""
    ahead = part(1, 1, as_of=part(1).received_at + SKEW + SECOND)
    found = answer(ahead)
    assert (found.code, unused(found)) == (Code.SNAPSHOT_NOT_ANSWERED, {(1, Code.SNAPSHOT_AHEAD)})
    assert answer(part(1, 1, as_of=part(1).received_at + SKEW)).is_complete


def test_used_sequence_is_left_alone() -> None:
    """What was compared once is not compared again, also within the clock skew allowed."""
    assert answer(*snapshot(), used=3) == Answer((), Code.SNAPSHOT_NOT_ANSWERED)
    assert not is_wanted(replace(NAME, sequence=3), REQUEST, 3)
    assert is_wanted(replace(NAME, sequence=4), REQUEST, 3)
    found = answer(*snapshot(), *snapshot(first=4, as_of=ASKED_AT + SECOND), used=3)
    assert [one.name.sequence for one in found.parts] == [4, 5, 6]


def test_newest_complete_snapshot_counts() -> None:
    """A newer one that is begun does not hold up an older one that answers; a newer complete one replaces it."""
    old, new = snapshot(2), snapshot(2, first=3, as_of=ASKED_AT + 5 * SECOND)
    assert answer(*old, new[0]).parts == tuple(old)
    assert answer(*new, *old).parts == tuple(new)
    begun = snapshot(3, first=5, as_of=ASKED_AT + 9 * SECOND)
    found = answer(begun[1], new[1], old[0])
    assert (found.code, found.missing, found.of) == (Code.SNAPSHOT_INCOMPLETE, (1, 3), 3)


@pytest.mark.parametrize(
    "said",
    [{"watermark": 8}, {"parts": 4}, {"sequence": 5}, {"part": 1}],
    ids=["watermark", "parts", "sequence", "part"],
)
def test_parts_that_disagree_make_no_snapshot(said: dict[str, object]) -> None:
    """Put together from two snapshots it would invent differences: none of it is used, nothing is guessed."""
    first, _, third = snapshot()
    found = answer(first, part(2, **said), third)  # type: ignore[arg-type]
    assert (found.parts, found.code) == ((), Code.SNAPSHOT_INCONSISTENT)
    assert {one.code for one in found.unused} == {Code.SNAPSHOT_INCONSISTENT}
    assert len(found.unused) == 3


@pytest.mark.parametrize("said", [{"sha256": "0" * 64}, {"records": 1}], ids=["sha256", "records"])
def test_part_with_two_contents_makes_no_snapshot(said: dict[str, object]) -> None:
    """Sent again it says the same, or nobody knows which of the two is true."""
    first, second = snapshot(2)
    found = answer(first, second, part(1, 2, **said))  # type: ignore[arg-type]
    assert (found.parts, found.code) == ((), Code.SNAPSHOT_INCONSISTENT)


def test_contradiction_of_one_instant_leaves_other_snapshots_alone() -> None:
    """A good snapshot that answers is used although a bad one lies beside it, and the bad one is told."""
    bad = [part(1, 2), part(2, 2, watermark=8)]
    good = snapshot(2, first=3, as_of=ASKED_AT + 2 * SECOND)
    found = answer(*bad, *good)
    assert found.parts == tuple(good)
    assert unused(found) == {(1, Code.SNAPSHOT_INCONSISTENT), (2, Code.SNAPSHOT_INCONSISTENT)}


def column(*codes: str) -> pa.ChunkedArray:
    """A column of codes."""
    return pa.chunked_array([list(codes)], pa.string())


def test_codes_in_order_are_let_through_also_in_several_chunks_and_none() -> None:
    """Twice the same code is a difference to be found, not a broken part."""
    assert check_order(NAME, column("10", "20", "20", "30")) == "30"
    assert check_order(NAME, pa.chunked_array([["10"], [], ["20"]], pa.string()), "10") == "20"
    assert check_order(NAME, column(), "10") == "10"
    assert check_order(NAME, pa.chunked_array([], pa.string())) == ""


@pytest.mark.parametrize("codes", [("20", "10"), ("10", "30", "20"), ("10", "")])
def test_codes_out_of_order_are_refused(codes: tuple[str, ...]) -> None:
    """A comparison of unsorted sides invents differences."""
    with pytest.raises(ContractError) as caught:
        check_order(NAME, column(*codes))
    assert (caught.value.code, caught.value.ref) == (Code.SNAPSHOT_NOT_SORTED, str(NAME))


def test_part_that_begins_before_the_end_of_the_last_is_refused() -> None:
    """Sorted in itself is not enough."""
    with pytest.raises(ContractError) as caught:
        check_order(NAME, column("10", "20"), "11")
    assert caught.value.code is Code.SNAPSHOT_NOT_SORTED
