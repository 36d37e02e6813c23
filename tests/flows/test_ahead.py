"""The next package is opened while this one is written, and nobody can tell from what becomes of it."""

from __future__ import annotations

from pathlib import Path

from juki.keys import FileKeys, Purpose
from juki.order import PackageState
from juki.reasons import Code
from juki.records import format_records
from juki.store.packages import Package
from juki.store.unit import open_unit
from juki.wire.package_files import PackageFiles
from tasks import ahead, clock
from tasks.receiving import fetch_packages
from tasks.settling import Settled, settle_next
from tasks.workshop import Workshop
from tests.flows.attack import content_of, lay, lay_sealed, made_up_people, name_of
from tests.flows.conftest import RESIDENT, Town

LARGE, SMALL = 9_000, 20
"""Records of a package that is worth a thread, and of one that is not."""


def _fetched(town: Town, records: int, packages: int = 2, altered: int = 0) -> None:
    """Lay some packages of different people out and fetch them; one may be altered on its way."""
    people = made_up_people(RESIDENT, records * packages)
    for number in range(packages):
        csv = format_records(people.slice(records * number, records))
        first = 1 + records * number
        said = {"sequence": number + 1, "first_notice_no": first, "last_notice_no": first + records - 1}
        content = content_of(town, csv, records, **said)
        data = lay_sealed(town, content, number + 1)
        if number + 1 == altered:
            lay(town, data[:-40] + bytes([data[-40] ^ 1]) + data[-39:], number + 1)
    with open_unit(Workshop.open().store_url(RESIDENT), RESIDENT) as unit:
        unit.packages.attempt(town.channel.municipality_code, clock.now())
    fetch_packages.fn(town.channel)


def _settled(town: Town) -> Settled | None:
    return settle_next.fn(town.channel)


def _wait() -> None:
    """Wait until what was begun is ready; nothing may have been begun."""
    coming = ahead._AHEAD.coming
    if coming is not None:
        coming.result()


def _states(town: Town) -> list[tuple[str, ...]]:
    return town.rows("SELECT state FROM package ORDER BY sequence, package_id")


def _spooled(town: Town, sequence: int) -> Path:
    return PackageFiles.of(town.home, town.channel).spool / str(name_of(town, sequence))


def test_large_packages_in_a_row_are_applied_whole_and_in_order(town: Town) -> None:
    """Each prepared while the one before was written; nothing is left at hand at the end."""
    _fetched(town, LARGE, packages=3)
    while _settled(town) is not None:
        pass
    assert _states(town) == [("applied",)] * 3
    assert town.rows("SELECT count(*), max(notice_no) FROM current") == [(3 * LARGE, 3 * LARGE)]
    assert town.rows("SELECT last_sequence, last_notice_no FROM channel") == [(3, 3 * LARGE)]
    assert town.rows("SELECT count(*) FROM journal WHERE action = 'package.applied'") == [(3,)]
    assert list(PackageFiles.of(town.home, town.channel).spool.glob("*.p7m")) == []


def test_large_package_is_at_hand_before_its_turn_and_a_small_one_is_not(town: Town) -> None:
    """What was read, verified and checked needs its file no more; the other is fetched again, as ever."""
    for records, becomes in ((LARGE, PackageState.APPLIED), (SMALL, PackageState.REPLACED)):
        town.forget()
        _fetched(town, records)
        assert _settled(town) is not None
        _wait()
        _spooled(town, 2).unlink()
        settled = _settled(town)
        assert settled is not None
        assert settled.state is becomes


def test_altered_package_is_refused_in_its_turn_and_not_before(town: Town) -> None:
    """What fails ahead fails silently; the refusal, its receipt and its entry come when it is next."""
    _fetched(town, LARGE, altered=2)
    first = _settled(town)
    assert first is not None
    assert first.state is PackageState.APPLIED
    assert _states(town) == [("applied",), ("received",)]
    assert town.rows("SELECT count(*) FROM journal WHERE action = 'package.refused'") == [(0,)]
    second = _settled(town)
    assert second is not None
    assert (second.state, second.code) == (PackageState.REFUSED, Code.PACKAGE_ALTERED)
    assert town.rows("SELECT count(*) FROM current") == [(LARGE,)]
    assert [path.name for path in town.home.quarantine.rglob("*.p7m")] != []


def _begun(town: Town) -> tuple[Workshop, list[Package]]:
    shop = Workshop.open()
    with open_unit(shop.store_url(RESIDENT), RESIDENT) as unit:
        waiting = unit.packages.waiting(town.channel.municipality_code)
    ahead.begin(shop, town.channel, waiting[0])
    return shop, waiting


def test_what_was_prepared_is_given_for_its_package_once_and_for_no_other(town: Town) -> None:
    """A file that came again under the same sequence is another package."""
    _fetched(town, LARGE)
    shop, (first, second) = _begun(town)
    assert ahead.take(shop, town.channel, second) is None
    shop, _ = _begun(town)
    ready = ahead.take(shop, town.channel, first)
    assert ready is not None
    assert len(ready.notices) == LARGE
    assert ready.opened.manifest.sequence == 1
    assert ahead.take(shop, town.channel, first) is None
    shop, _ = _begun(town)
    ahead.drop(town.channel)
    assert ahead.take(shop, town.channel, first) is None


def test_what_was_prepared_with_another_key_is_not_used(town: Town) -> None:
    """A digest under a key that is no longer the active one would differ from all that come after."""
    _fetched(town, LARGE)
    shop, (first, _) = _begun(town)
    _wait()
    key_id = FileKeys(town.home.keys).create(RESIDENT, Purpose.DIGEST)
    try:
        assert ahead.take(shop, town.channel, first) is None
    finally:
        (town.home.keys / f"{key_id}.key").unlink()
