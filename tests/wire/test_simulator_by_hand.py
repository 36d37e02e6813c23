"""`python -m simulator`: a package made by hand opens, and the list of faults is complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from juki.columns import IdentityFile
from juki.records import format_records
from juki.wire.envelope import open_envelope
from simulator import pki
from simulator.__main__ import main
from simulator.faults import Fault
from tests.wire.conftest import AT
from tests.wire.test_office import notices

CODE = "352039"


def test_package_made_by_hand_opens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Keys, a CSV, one command: the file in the outbox is a package of the specification."""
    csv = tmp_path / "records.csv"
    csv.write_bytes(format_records(notices(1, 3)))
    home = ["--home", str(tmp_path)]
    main([*home, "pki", CODE])
    main([*home, "publish", CODE, "resident", str(csv), "--sequence", "7", "--sealer", "openssl"])
    name = f"{CODE}-resident-notice-00000007.p7m"
    assert name in capsys.readouterr().out
    made = pki.build(tmp_path / "pki", [CODE])
    sealed = (tmp_path / "cs" / CODE / "outbox" / name).read_bytes()
    keys = [made.prefecture.recipient()]
    content = open_envelope(sealed, recipient=keys, sender=made.sender(CODE), at=AT)
    assert content.endswith(csv.read_bytes())
    assert (tmp_path / "pki" / f"{CODE}-signer.key").stat().st_mode & 0o777 == 0o600


def test_unknown_file_is_refused(tmp_path: Path) -> None:
    """The command line knows the two identity files and no other."""
    with pytest.raises(SystemExit):
        main(["--home", str(tmp_path), "publish", CODE, "family", "x.csv"])
    assert {file.value for file in IdentityFile} == {"resident", "fuhyo"}


def test_all_faults_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each."""
    main(["faults"])
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        fault.value for fault in Fault
    ]
