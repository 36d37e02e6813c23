"""Laws that hold for every history: the judging and the stores against a model of plain dictionaries."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from juki.columns import IdentityFile
from juki.decisions import Effect
from juki.identity import plan_changes
from juki.notices import Kind
from juki.numbers import SealingKey
from juki.order import FileMark
from juki.store.packages import Arrival
from juki.store.unit import open_unit
from juki.versions import Origin
from tests.conftest import Stores
from tests.histories import KIND_OF, REASONS, SENDERS, History, Row, Sent, numbered, packages, rows
from tests.model import Model
from tests.notice_tables import known, notices

KEY = SealingKey("resident-number-1", b"k" * 32)


def _by_model(history: list[Sent]) -> tuple[Model, list[str]]:
    model, verdicts = Model(), []
    for sent in history:
        for row in sent.rows:
            verdicts.append(model.receive(sent.sender, sent.received_on, sent.received_at.isoformat(), row))
    return model, verdicts


def _by_store(url: str, history: list[Sent]) -> list[str]:
    """Apply every package through the real store."""
    verdicts = []
    for sequence, sent in enumerate(history, start=1):
        package = notices(sent.rows, sender=sent.sender, first_no=sent.first_no, received_at=sent.received_at)
        mark = FileMark(f"{sent.sender}-resident-notice-{sequence:08}.p7m", 1, sent.received_at)
        with open_unit(url, IdentityFile.RESIDENT) as unit:
            package_id = unit.packages.register(Arrival(sent.sender, sequence, mark, b"", sent.received_at))
            given_now = unit.identities.known(package)
            plan = plan_changes(package, given_now)
            origin = Origin(sent.sender, package_id, sent.received_on)
            unit.identities.apply(package, given_now, plan, origin, KEY)
        verdicts += [Effect(effect).name.lower() for effect in plan.effects.tolist()]
    return verdicts


def _stored_versions(url: str) -> set[tuple[object, ...]]:
    columns = "resident_code, sender_code, notice_no::text, received_on"
    query = (
        f"SELECT {columns}, NULL::date, expires_on FROM current "
        f"UNION ALL SELECT {columns}, superseded_on, expires_on FROM history"
    )
    with psycopg.connect(url) as connection:
        return set(connection.execute(query).fetchall())


def _emptied(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE current, history, former_code, package")
    return url


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=packages)
def test_the_store_holds_what_the_statute_says_after_any_history(
    module_stores: Stores, history: History
) -> None:
    """Real PostgreSQL and the model agree on every verdict and every version with its days."""
    url, sent = _emptied(module_stores.resident_url), numbered(history)
    model, expected = _by_model(sent)
    assert _by_store(url, sent) == expected
    assert _stored_versions(url) == model.versions()
    with psycopg.connect(url) as connection:
        codes = connection.execute("SELECT resident_code, new_code FROM former_code").fetchall()
    assert dict(codes) == model.replaced


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=packages)
def test_cutting_a_package_in_two_changes_nothing(module_stores: Stores, history: History) -> None:
    """What a package does does not depend on where the sender cut it."""
    url = _emptied(module_stores.resident_url)
    sent = numbered(history)
    whole = _by_store(url, sent)
    stored = {row[:3] for row in _stored_versions(url)}
    assert _by_store(_emptied(url), [part for one in sent for part in one.cut()]) == whole
    assert {row[:3] for row in _stored_versions(url)} == stored


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=packages)
def test_what_was_refused_may_be_judged_again_and_never_displaces_what_came_after(
    module_stores: Stores, history: History
) -> None:
    """The refused notices once more, in order: model and store agree, and no sender's newer word is lost."""
    url, sent = _emptied(module_stores.resident_url), numbered(history)
    model, verdicts = _by_model(sent)
    _by_store(url, sent)
    every = [part for one in sent for part in one.cut()]
    refused = [part for part, verdict in zip(every, verdicts, strict=True) if verdict == "reject"]
    again = [
        model.receive(part.sender, part.received_on, part.received_at.isoformat(), part.rows[0])
        for part in refused
    ]
    assert _by_store(url, refused) == again
    assert _stored_versions(url) == model.versions()


@given(said=st.lists(rows(), min_size=1, max_size=12))
def test_every_notice_has_one_effect_and_every_chain_ends(said: list[Row]) -> None:
    """At most one newest version per code; who is superseded is superseded by a later applied notice."""
    plan = plan_changes(notices(said), known())
    applied = plan.where(Effect.APPLY)
    newest_codes = [said[row]["resident_code"] for row in plan.becomes_newest.nonzero()[0]]
    assert len(newest_codes) == len(set(newest_codes))
    for row in plan.becomes_history.nonzero()[0]:
        by = plan.superseded_by[row]
        assert by >= 0
        assert applied[by]
        assert by > row or plan.effects[row] == Effect.RECORD


@given(one=st.lists(rows(), max_size=5), other=st.lists(rows(), max_size=5), data=st.data())
def test_notices_of_different_people_do_not_see_each_other(
    one: list[Row], other: list[Row], data: st.DataObject
) -> None:
    """However two people's notices lie among each other, each is judged as if alone; their numbers are their own."""
    first = [row | {"resident_code": "Y", "previous_resident_code": ""} for row in one]
    own_number: Callable[[Row], str] = lambda row: "621498320257" if row["individual_number"] else ""  # noqa: E731
    second = [
        row | {"resident_code": "Z", "previous_resident_code": "", "individual_number": own_number(row)}
        for row in other
    ]
    order = data.draw(st.permutations([0] * len(first) + [1] * len(second)))
    sources, mixed = [iter(first), iter(second)], []
    for which in order:
        mixed.append(next(sources[which]))
    if not mixed:
        return
    effects = plan_changes(notices(mixed), known()).effects.tolist()
    for which, said in enumerate((first, second)):
        if said:
            own = [effect for effect, source in zip(effects, order, strict=True) if source == which]
            assert own == plan_changes(notices(said), known()).effects.tolist()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(rows(), min_size=1, max_size=4))
def test_the_newest_notice_again_changes_nothing(module_stores: Stores, said: list[Row]) -> None:
    """A re-send of what was applied last for a person is a repeat, and leaves every version as it was."""
    url = _emptied(module_stores.resident_url)
    verdicts = _by_store(url, numbered([(SENDERS[0], said)]))
    applied = [row for row, verdict in zip(said, verdicts, strict=True) if verdict == "apply"]
    if not applied:
        return
    before = _stored_versions(url)
    package = notices([applied[-1]], sender=SENDERS[0], first_no=100)
    with open_unit(url, IdentityFile.RESIDENT) as unit:
        plan = plan_changes(package, unit.identities.known(package))
    assert plan.effects.tolist() == [Effect.REPEAT]
    assert _stored_versions(url) == before


def test_the_alphabet_covers_every_kind() -> None:
    """The histories above have entries, deletions and corrections."""
    assert {KIND_OF[reason] for reason in REASONS} == set(Kind)
