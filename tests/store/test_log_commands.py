"""`juki log` on real stores: verified, signed, searched and copied; who looks into the log is in it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from config.logs import log_keys
from config.settings import load_settings
from juki.checkpoints import origin_of
from juki.cli.acting import local_administrator
from juki.columns import IdentityFile
from juki.home import Home
from juki.journal import Action, Entry, Outcome
from juki.reasons import Code
from juki.store.unit import open_unit
from juki.witnesses import Witness, file_name
from tests.conftest import Stores
from tests.console import FUHYO, RESIDENT, SHIMONOSEKI, YAMAGUCHI, Console
from tests.oplog_case import load_verifier

verifier = load_verifier()
INDEX = "ab" * 16


@pytest.fixture
def console(
    home: Home, module_stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Console:
    """An installation with keys for its logs and three entries in that of the resident file."""
    console = Console(home, module_stores, monkeypatch, capsys)
    log_keys(home, load_settings(home)).create_missing()
    _add(console, actor="flow-run:1", municipality_code=YAMAGUCHI)
    _add(console, actor="op-7", action=Action.PERSON_PROVIDED, number_accessed=True, subject_index=INDEX)
    refused = {"outcome": Outcome.REFUSED, "code": Code.PACKAGE_SIGNATURE}
    _add(console, actor="flow-run:1", municipality_code=SHIMONOSEKI, days=1, **refused)
    return console


def _add(console: Console, *, file: IdentityFile = RESIDENT, days: int = 0, **fields: object) -> None:
    entry = {"action": Action.PACKAGE_APPLIED, "outcome": Outcome.DONE} | fields
    with open_unit(console.stores.url(file), file) as unit:
        unit.journal.append(Entry(file=file, **entry), console.now + timedelta(days=days))  # type: ignore[arg-type]


def _sql(console: Console, statement: str) -> None:
    with psycopg.connect(console.stores.resident_url) as connection:
        connection.execute("ALTER TABLE journal DISABLE TRIGGER journal_is_append_only")
        connection.execute(statement)  # type: ignore[arg-type]
        connection.execute("ALTER TABLE journal ENABLE TRIGGER journal_is_append_only")


def _witness(console: Console, file: IdentityFile = RESIDENT) -> Witness:
    return Witness(console.home.witness, origin_of("350001", file))


def test_log_is_signed_verified_and_shown_on_the_status_page(console: Console) -> None:
    """Signed once; without news there is nothing to sign; an empty log is signed by nobody."""
    said = console.juki("log", "checkpoint", "--json")
    assert (said.code, [(one["size"], one["is_new"]) for one in said.data["logs"]]) == (
        0,
        [(3, True), (0, False)],
    )
    assert [one["is_new"] for one in console.juki("log", "checkpoint", "--json").data["logs"]] == [
        False,
        False,
    ]
    assert _witness(console).sizes() == [3]
    said = console.juki("log", "verify")
    assert said.code == 0 and "1～3" in said.out and "一致" in said.out
    logs = console.juki("status", "--json").data["operation_logs"]
    assert [(one["entries"], one["signed"], one["waiting"]) for one in logs] == [(3, 3, 0), (0, 0, 0)]
    assert console.entries(RESIDENT)[-1]["entry_no"] == 3, "verifying writes nothing"


def test_row_edited_by_sql_is_named_and_verifies_again_when_it_is_put_back(console: Console) -> None:
    """Found by the hashes; a rewriting of them, by the witness; exit code 1, on the status page too."""
    console.juki("log", "checkpoint")
    _sql(console, "UPDATE journal SET entry = replace(entry, 'op-7', 'op-8') WHERE entry_no = 2")
    said = console.juki("log", "verify")
    assert said.code == 1 and Code.JOURNAL_BROKEN.value in said.out and "resident 2" in said.out
    _sql(console, "UPDATE journal SET entry = replace(entry, 'op-8', 'op-7') WHERE entry_no = 2")
    assert console.juki("log", "verify").code == 0
    _sql(console, "DELETE FROM journal WHERE entry_no = 3")
    said = console.juki("log", "verify", "--json", "--file", "resident")
    found = [(one["code"], one["ref"]) for one in said.data["logs"][0]["alarms"]]
    assert found == [("journal.rolled_back", "resident 3"), ("journal.behind_witness", "resident 3")]
    status = console.juki("status")
    assert status.code == 1 and "journal.rolled_back" in status.out and "resident 3" in status.out
    assert console.juki("log", "checkpoint").code == 1


def test_lost_witness_is_an_alarm_on_the_status_page(console: Console) -> None:
    """Nothing stops, but somebody has to look; without any witness nothing is signed."""
    console.contact_all()
    console.juki("log", "checkpoint")
    _witness(console).folder.joinpath(file_name(3)).unlink()
    said = console.juki("status")
    assert said.code == 1 and Code.WITNESS_INCOMPLETE.value in said.out
    console.home.witness.rename(console.home.witness.with_name("away"))
    said = console.juki("status", "--json")
    codes = {alarm["code"] for one in said.data["operation_logs"] for alarm in one["alarms"]}
    assert (said.code, codes) == (1, {Code.WITNESS_UNREACHABLE.value})
    _add(console, actor="op-7")
    assert console.juki("log", "checkpoint", "--json").data["logs"][0]["is_new"] is False


def test_entry_is_proved_for_a_stranger(console: Console, tmp_path: Path) -> None:
    """What is printed is all the verifier needs, with the public key."""
    console.juki("log", "checkpoint")
    said = console.juki("log", "verify", "--entry", "2", "--file", "resident")
    assert said.code == 0 and "証明" in said.out
    path = tmp_path / "proof.json"
    proof = console.juki("log", "verify", "--entry", "2", "--file", "resident", "--json")
    path.write_text(proof.out)
    assert console.entries(RESIDENT)[1]["actor"] not in proof.out, "who reads entries is in the log"
    key = console.juki("log", "keys", "--json").data["keys"][0]
    assert verifier.main(["--inclusion", str(path), "--key", key]) == 0
    assert console.juki("log", "verify", "--entry", "9", "--file", "resident").code == 2
    assert "[log.entry_unknown]" in console.juki("log", "verify", "--entry", "9", "--file", "resident").err
    assert "[command.argument]" in console.juki("log", "verify", "--entry", "1").err


def test_search_finds_by_every_criterion_and_is_in_the_log(console: Console) -> None:
    """By actor, person, action, time, outcome, number and municipality; the criteria's values are not told."""
    tomorrow = (console.now + timedelta(days=1)).isoformat()
    for arguments, wanted in (
        (["--actor", "flow-run:1"], [3, 1]), (["--subject-index", INDEX], [2]), (["--number"], [2]),
        (["--action", "person.provided"], [2]), (["--outcome", "refused"], [3]), (["--since", tomorrow], [3]),
        (["--municipality", YAMAGUCHI], [1]), (["--until", tomorrow, "--actor", "flow-run:1"], [1]),
        (["--actor", "nobody"], []), (["--no-number", "--actor", "op-7"], []),
    ):  # fmt: skip
        said = console.juki("log", "search", "--file", "resident", *arguments, "--json")
        found = [one["entry_no"] for one in said.data["entries"] if one["action"] != "log.searched"]
        assert (said.code, found) == (0, wanted), arguments
    entries = console.entries()[3:]
    assert [one["action"] for one in entries] == ["log.searched"] * 10
    assert entries[0] | {"entry_no": 0} == entries[0] | {
        "entry_no": 0, "actor": local_administrator(), "basis": "actor", "counts": {"found": 2, "shown": 2},
    }  # fmt: skip
    assert entries[1]["subject_index"] == INDEX and entries[7]["basis"] == "actor,until"
    assert not any("nobody" in json.dumps(one) for one in entries)


def test_search_shows_both_logs_in_japanese_and_says_when_there_is_more(console: Console) -> None:
    """The newest first; a day of Japan may stand for its beginning and its end."""
    _add(console, file=FUHYO, actor="op-9", days=2)
    said = console.juki("log", "search", "--limit", "2")
    assert said.code == 0 and "4 件（うち 2 件を表示" in said.out and "op-9" in said.out
    assert "op-7" not in said.out
    day = (console.now + timedelta(hours=9)).date().isoformat()
    assert console.juki("log", "search", "--until", day, "--actor", "op-7", "--json").data["total"] == 1
    assert console.juki("log", "search", "--since", day, "--actor", "op-7", "--json").data["total"] == 1
    assert "[command.argument]" in console.juki("log", "search", "--since", "yesterday").err


def test_search_that_can_not_be_logged_shows_nothing(console: Console) -> None:
    """No log, no act."""
    _sql(console, r"UPDATE journal SET frontier = '\x00' WHERE entry_no = 3")
    said = console.juki("log", "search", "--actor", "op-7")
    assert (said.code, said.out) == (2, "") and Code.JOURNAL_BROKEN.value in said.err


def test_export_is_in_the_log_signed_and_verified_by_a_stranger(console: Console, tmp_path: Path) -> None:
    """The copy ends with the entry that says it was made, and a checkpoint covers that."""
    folder = tmp_path / "export"
    assert console.juki("log", "export", str(folder)).code == 0
    assert [one["action"] for one in console.entries()[3:]] == ["log.exported"]
    assert console.juki("log", "export", str(tmp_path / "second"), "--file", "resident").code == 0
    (tmp_path / "key").write_text("\n".join(console.juki("log", "keys", "--json").data["keys"]))
    arguments = ["--witness", str(console.home.witness), "--key", str(tmp_path / "key")]
    assert verifier.main([str(folder), *arguments, "--json"]) == 1, "the second export was signed since"
    assert verifier.main([str(tmp_path / "second"), *arguments]) == 0
    lines = (tmp_path / "second" / "resident" / "entries.jsonl").read_text().splitlines()
    assert [json.loads(line)["entry_no"] for line in lines] == [1, 2, 3, 4, 5]
    assert {path.stat().st_mode & 0o077 for path in folder.rglob("*")} == {0}


def test_export_into_a_folder_with_something_in_it_is_refused(console: Console, tmp_path: Path) -> None:
    """Two exports in one folder would be neither."""
    assert console.juki("log", "export", str(tmp_path / "one")).code == 0
    said = console.juki("log", "export", str(tmp_path / "one"))
    assert said.code == 2 and Code.LOG_EXPORT_FOLDER.value in said.err


def test_broken_log_is_exported_as_it_is_and_the_verifier_names_the_place(
    console: Console, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An export is evidence: what is wrong in the database must be wrong in it."""
    console.juki("log", "checkpoint")
    _sql(console, "UPDATE journal SET entry = replace(entry, 'op-7', 'op-8') WHERE entry_no = 2")
    said = console.juki("log", "export", str(tmp_path / "export"), "--file", "resident")
    assert said.code == 0, "the edited entry lies before the last checkpoint"
    capsys.readouterr()
    assert verifier.main([str(tmp_path / "export"), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["logs"][0]["findings"]
    assert ("entry.edited", 2) in [(one["code"], one["first"]) for one in found]


def test_new_key_is_in_both_logs_and_old_checkpoints_still_count(console: Console) -> None:
    """The next checkpoint is signed with it."""
    console.juki("log", "checkpoint")
    assert "第2世代" in console.juki("log", "rotate-key").out
    assert [console.entries(file)[-1]["action"] for file in IdentityFile] == ["log.key_rotated"] * 2
    console.juki("log", "checkpoint")
    said = console.juki("log", "verify", "--json")
    assert (said.code, [one["checkpoints"] for one in said.data["logs"]]) == (0, [2, 1])
    assert len(console.juki("log", "keys").out.splitlines()) == 4


def test_missing_or_open_key_is_told_and_nothing_is_signed(console: Console) -> None:
    """A key others can read has perhaps signed for others."""
    key = console.home.keys / "log_signing-1.key"
    key.chmod(0o644)
    codes = [one["code"] for one in console.juki("log", "checkpoint", "--json").data["logs"][0]["alarms"]]
    assert codes == [Code.KEY_PERMISSIONS.value]
    key.unlink()
    codes = [one["code"] for one in console.juki("log", "checkpoint", "--json").data["logs"][0]["alarms"]]
    assert codes == [Code.KEY_MISSING.value]
    assert _witness(console).sizes() == []


def test_lost_key_of_a_signed_log_is_told_by_init_and_not_replaced(console: Console) -> None:
    """A new key would look like the first one."""
    from juki.cli.setup_commands import _ensure_log_key
    from juki.errors import ConfigurationError

    console.juki("log", "checkpoint")
    settings = load_settings(console.home)
    assert not _ensure_log_key(console.home, settings)
    for path in console.home.keys.glob("log_signing-*"):
        path.unlink()
    with pytest.raises(ConfigurationError) as refused:
        _ensure_log_key(console.home, settings)
    assert (refused.value.code, refused.value.ref) == (Code.KEY_MISSING, "log_signing")
