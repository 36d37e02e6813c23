"""The real flows sign both logs at their end; what is wrong with a log or a witness keeps no notice waiting."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from config.stores import DATABASES
from juki.checkpoints import origin_of
from juki.columns import IdentityFile
from juki.reasons import Code
from juki.store import embedded
from juki.witnesses import Witness
from tests.flows.conftest import Town
from tests.unit.test_operation_log_page import SAID


@pytest.fixture
def here(town: Town) -> Iterator[Town]:
    """A town with ten notices to take in; its witness folder is there again afterwards."""
    town.publish()
    yield town
    town.home.witness.mkdir(exist_ok=True)


def _intake(town: Town) -> dict[str, Any]:
    done = town.juki(
        "intake", "--municipality", town.channel.municipality_code, "--file", "resident", "--json"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _sizes(town: Town) -> list[int]:
    return Witness(town.home.witness, origin_of("350001", IdentityFile.RESIDENT)).sizes()


def _entries(town: Town) -> int:
    ((entries,),) = town.rows("SELECT count(*) FROM journal")
    return int(entries)


def _tamper(town: Town, *statements: str) -> None:
    url = embedded.admin_url(town.home, DATABASES[IdentityFile.RESIDENT])
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE journal DISABLE TRIGGER journal_is_append_only")
        for statement in statements:
            connection.execute(statement)  # type: ignore[arg-type]
        connection.execute("ALTER TABLE journal ENABLE TRIGGER journal_is_append_only")


def _checkpoint(town: Town) -> str:
    """Run the hourly flow in a process of its own; say the code it failed with, if any."""
    from tests.flows.checkpoint_worker import run

    return run(town.environment | town.engine.environment)


def test_intake_signs_what_it_wrote_and_the_hourly_flow_finds_nothing_new(here: Town) -> None:
    """Everything the intake did is covered, and a run without news adds no file."""
    _intake(here)
    assert _entries(here) > 0 and _sizes(here) == [_entries(here)]
    assert _checkpoint(here) == ""
    assert _sizes(here) == [_entries(here)]
    for (text,) in here.rows("SELECT entry FROM journal"):
        entry = json.loads(text)
        said = {name for name in set().union(*SAID.values()) if entry.get(name)}
        assert said <= SAID[entry["action"]], "docs/operation-log.md says less than the entry"


def test_intake_goes_on_without_a_witness_and_the_hourly_flow_fails(here: Town) -> None:
    """Notices must not wait for a volume that is not mounted; the status page and the flow say so."""
    shutil.rmtree(here.home.witness)
    assert _intake(here)["channels"][0]["last_sequence"] == 1
    status = here.juki("status", "--json")
    logs = json.loads(status.stdout)["operation_logs"]
    assert status.returncode == 1
    assert {alarm["code"] for one in logs for alarm in one["alarms"]} == {Code.WITNESS_UNREACHABLE.value}
    assert _checkpoint(here) == Code.WITNESS_UNREACHABLE.value
    here.home.witness.mkdir()
    assert _checkpoint(here) == ""
    assert _sizes(here) == [_entries(here)]


def test_intake_goes_on_over_a_rewritten_log_that_is_signed_no_more(here: Town) -> None:
    """The log stays what it is, as evidence; the alarm stays until somebody has looked."""
    _intake(here)
    signed = _sizes(here)
    _tamper(
        here,
        "DELETE FROM journal WHERE entry_no = (SELECT max(entry_no) FROM journal)",
        "DELETE FROM checkpoint",
    )
    assert _checkpoint(here) == Code.JOURNAL_BEHIND_WITNESS.value
    here.publish(10, 5)
    assert _intake(here)["channels"][0]["last_sequence"] == 2
    assert _sizes(here) == signed
    assert _checkpoint(here) == Code.JOURNAL_FORKED.value


def test_intake_into_a_log_that_can_not_be_written_changes_nothing(here: Town) -> None:
    """No log, no act: the package stays where it is, and is applied when the log can be written again."""
    _tamper(here, "REVOKE INSERT ON journal FROM juki_resident_intake")
    channel, file = here.channel.municipality_code, "resident"
    done = here.juki("intake", "--municipality", channel, "--file", file, "--json")
    assert done.returncode == 2 and Code.STORE_REFUSED.value in done.stdout
    assert here.rows("SELECT count(*) FROM current") == [(0,)]
    assert here.rows("SELECT state FROM package") == [("received",)]
    _tamper(here, "GRANT INSERT ON journal TO juki_resident_intake")
    assert _intake(here)["channels"][0]["last_sequence"] == 1
    assert here.rows("SELECT count(*) FROM current") == [(10,)]
