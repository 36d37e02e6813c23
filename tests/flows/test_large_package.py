"""The largest package there may be passes whole, and one person more is refused by name."""

from __future__ import annotations

import pytest

from juki.packages import MAX_CONTENT_BYTES, MAX_RECORDS
from juki.reasons import Code
from juki.records import format_records
from tests.flows.attack import assert_refused_whole, content_of, lay_sealed, made_up_people, take_in
from tests.flows.conftest import RESIDENT, Town


def test_a_package_of_a_hundred_thousand_people_is_applied_whole(town: Town) -> None:
    """10^5 people by one file, one transaction, one receipt."""
    table = made_up_people(RESIDENT, MAX_RECORDS)
    content = content_of(town, format_records(table), MAX_RECORDS)
    assert len(content) < MAX_CONTENT_BYTES
    lay_sealed(town, content)
    take_in(town)
    assert town.rows("SELECT state, records, accepted, rejected FROM package") == [
        ("applied", MAX_RECORDS, MAX_RECORDS, 0)
    ]
    assert town.rows("SELECT count(*), count(DISTINCT number_index) FROM current") == [
        (MAX_RECORDS, MAX_RECORDS)
    ]
    assert town.rows("SELECT count(*) FROM journal WHERE action = 'package.applied'") == [(1,)]
    assert town.rows("SELECT changes FROM outbox") == [(MAX_RECORDS,)]


@pytest.mark.parametrize("announced", [MAX_RECORDS, MAX_RECORDS + 1])
def test_one_person_more_is_refused_by_name(town: Town, announced: int) -> None:
    """Whether the manifest says so or hides it."""
    csv = format_records(made_up_people(RESIDENT, MAX_RECORDS + 1))
    said = {"records": announced, "last_notice_no": announced}
    data = lay_sealed(town, content_of(town, csv, MAX_RECORDS + 1, **said))
    take_in(town)
    assert_refused_whole(town, data, Code.PACKAGE_TOO_MANY_RECORDS)
