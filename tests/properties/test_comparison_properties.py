"""Laws of the comparison, against a plain dictionary of what a municipality said up to a notice."""

from __future__ import annotations

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from juki.columns import RECORD_COLUMNS, IdentityFile
from tests.conftest import Stores
from tests.histories import SENDERS, History, Row, Sent, numbered, packages
from tests.model import Model, Version
from tests.notice_tables import notice
from tests.snapshots import apply_history, compared, cut, record_of, snapshot, told

_COLUMNS = RECORD_COLUMNS[IdentityFile.RESIDENT]
_STORE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def _emptied(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE current, history, former_code, package, channel")
    return url


def _model_of(history: list[Sent]) -> Model:
    model = Model()
    for sent in history:
        for row in sent.rows:
            model.receive(sent.sender, sent.received_on, sent.received_at.isoformat(), row)
    return model


def _said(model: Model, sender: str, watermark: int) -> dict[str, Row]:
    """By code what a municipality's own last word up to a notice was, of everybody it had not erased."""
    latest: dict[str, Version] = {}
    for version in sorted((*model.newest.values(), *model.history), key=_number):
        if version.sender == sender and _number(version) <= watermark:
            latest[_person(model, version.notice["resident_code"])] = version
    standing = (version.notice for version in latest.values() if version.kind != "deletion")
    return {said["resident_code"]: record_of(said) for said in standing}


def _number(version: Version) -> int:
    return int(version.notice["notice_no"])


def _person(model: Model, code: str) -> str:
    return model.replaced.get(code, code)


def _holder(model: Model, sender: str, code: str) -> str | None:
    """Name the other municipality for which a person is current."""
    newest = model.newest.get(_person(model, code))
    return newest.sender if newest and newest.sender != sender and newest.kind != "deletion" else None


def _last_number(history: list[Sent], sender: str) -> int:
    return max((sent.first_no + len(sent.rows) - 1 for sent in history if sent.sender == sender), default=0)


@_STORE
@given(history=packages)
def test_as_of_every_notice_the_file_is_what_the_municipality_had_said(
    module_stores: Stores, history: History
) -> None:
    """Moves in flight, late notices, changed codes and whatever was applied after the notice are no difference."""
    url, sent = _emptied(module_stores.resident_url), numbered(history)
    apply_history(url, sent)
    model = _model_of(sent)
    for sender in SENDERS:
        for watermark in range(_last_number(sent, sender) + 1):
            said = _said(model, sender, watermark)
            found = compared(url, sender, watermark, cut(snapshot(list(said.values()))))
            assert told(found) == []
            assert (found.rows_theirs, found.rows_ours) == (len(said), len(said))


@_STORE
@given(history=packages, data=st.data())
def test_every_planted_difference_is_found_and_no_other(
    module_stores: Stores, history: History, data: st.DataObject
) -> None:
    """Whoever is left out, changed or added, as of any notice: with its kind, columns and holder, and its record."""
    url, sent = _emptied(module_stores.resident_url), numbered(history)
    apply_history(url, sent)
    model, sender = _model_of(sent), data.draw(st.sampled_from(SENDERS))
    watermark = data.draw(st.integers(0, _last_number(sent, sender)))
    said = _said(model, sender, watermark)
    theirs, expected = dict(said), list[tuple[str, str, tuple[str, ...], str | None]]()
    for code in ("A", "B", "C"):
        planted = data.draw(st.sampled_from(("nothing", "gone", "changed")))
        if planted == "gone" and theirs.pop(code, None):
            holder = _holder(model, sender, code)
            expected.append((code, "moved" if holder else "extra", (), holder))
        elif planted == "changed" and code not in said:
            theirs[code] = record_of(notice(resident_code=code))
            expected.append((code, "missing", (), _holder(model, sender, code)))
        elif planted == "changed":
            columns = data.draw(st.sets(st.sampled_from(_COLUMNS[1:]), min_size=1))
            theirs[code] = said[code] | {name: said[code][name] + "9" for name in columns}
            changed = tuple(name for name in _COLUMNS if name in columns)
            expected.append((code, "differs", changed, None))
    found = compared(url, sender, watermark, cut(snapshot(list(theirs.values()))))
    assert told(found) == expected
    assert (found.rows_theirs, found.rows_ours) == (len(theirs), len(said))
    wanted = [theirs[code] for code, kind, _, _ in expected if kind in ("missing", "differs")]
    assert found.records.to_pylist() == wanted


_PEOPLE = st.dictionaries(
    st.integers(0, 99).map("{:011}".format),
    st.builds(dict, name=st.sampled_from("あい"), sex=st.sampled_from(["", "1"])),
    max_size=80,
)


def _entered(url: str, people: dict[str, dict[str, str]]) -> list[Row]:
    """Enter people in an empty store."""
    rows = [notice(resident_code=code, **said) for code, said in people.items()]
    if rows:
        apply_history(_emptied(url), numbered([(SENDERS[0], rows)]))
    else:
        _emptied(url)
    return [record_of(row) for row in rows]


@_STORE
@given(one=_PEOPLE, other=_PEOPLE)
def test_swapping_the_sides_swaps_missing_and_extra(
    module_stores: Stores, one: dict[str, dict[str, str]], other: dict[str, dict[str, str]]
) -> None:
    """And a side compared with itself differs in nothing."""
    url, answers, swapped = module_stores.resident_url, [], {"missing": "extra", "extra": "missing"}
    records = [record_of(notice(resident_code=code, **said)) for code, said in other.items()]
    ours = _entered(url, one)
    assert told(compared(url, SENDERS[0], 1_000, cut(snapshot(ours)))) == []
    answers.append(told(compared(url, SENDERS[0], 1_000, cut(snapshot(records)))))
    _entered(url, other)
    answers.append(told(compared(url, SENDERS[0], 1_000, cut(snapshot(ours)))))
    assert answers[1] == [(code, swapped.get(kind, kind), *rest) for code, kind, *rest in answers[0]]
    expected = {code for code in one.keys() | other.keys() if one.get(code) != other.get(code)}
    assert {code for code, *_ in answers[0]} == expected


@_STORE
@given(
    ours=_PEOPLE,
    theirs=_PEOPLE,
    places=st.lists(st.integers(0, 80), max_size=4),
    seed=st.integers(0, 2**32 - 1),
)
def test_parts_and_the_order_of_rows_change_nothing(
    module_stores: Stores,
    ours: dict[str, dict[str, str]],
    theirs: dict[str, dict[str, str]],
    places: list[int],
    seed: int,
) -> None:
    """The same differences, records, counts and root digest, however the municipality cut and ordered its parts."""
    url = module_stores.resident_url
    _entered(url, ours)
    rows = [record_of(notice(resident_code=code, **said)) for code, said in theirs.items()]
    table = snapshot(rows + rows[:1])
    whole = compared(url, SENDERS[0], 1_000, cut(table))
    assert compared(url, SENDERS[0], 1_000, cut(table, places, seed)) == whole
    assert [code for code, kind, *_ in told(whole) if kind == "duplicate"] == [
        row["resident_code"] for row in rows[:1]
    ]
