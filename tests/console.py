"""A terminal before an installation of three municipalities, and packages of every fate in its stores."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from juki.cli import main
from juki.columns import IdentityFile
from juki.home import Home
from juki.order import Channel, FileMark, PackageState
from juki.reasons import Code
from juki.store.packages import Applied, Arrival
from juki.store.tables import TABLES
from juki.store.unit import Unit, open_unit
from juki.wire.package_files import PackageFiles
from tests.conftest import Stores
from tests.emptied import empty

RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
YAMAGUCHI, SHIMONOSEKI, UBE = "352039", "352012", "352021"
COUNTS = {"records": 10, "accepted": 7, "alerted": 1, "rejected": 2, "repeated": 0}
ALL_WELL = {"records": 10, "accepted": 10, "alerted": 0, "rejected": 0, "repeated": 0}
_REGISTRATION = """[[municipality]]
code = "{code}"
name = "{name}"
host = "127.0.0.1"
port = 1
account = "cs-{code}"
host_key = "ssh-ed25519 AAAA"
signing_certificates = ["{digest}"]
roots = ["root.crt"]
receipt_certificate = "{code}.crt"
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        """The JSON object it printed."""
        return json.loads(self.out)


@dataclass(slots=True)
class Console:
    """One installation, the command line before it, and a hand that fills its stores."""

    home: Home
    stores: Stores
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __post_init__(self) -> None:
        """Create the home, the settings with all periods, and the registrations."""
        self._empty_stores()
        self.home.create()
        self.home.witness.mkdir(exist_ok=True)
        self.settings(
            "gap_deadline_hours = 24", "contact_alert_hours = 24", "confirmed_alert_hours = 200",
            "snapshot_deadline_hours = 12", "hold_period_hours = 72", "hold_after_receipt_hours = 24",
            "jlis_answer_alert_hours = 24",
        )  # fmt: skip
        self.register({YAMAGUCHI: "山口市", SHIMONOSEKI: "下関市", UBE: "宇部市"})
        self.monkeypatch.setenv("JUKI_HOME", str(self.home.root))
        self.monkeypatch.setenv("JUKI_RESIDENT_URL", self.stores.resident_url)
        self.monkeypatch.setenv("JUKI_FUHYO_URL", self.stores.fuhyo_url)

    def _empty_stores(self) -> None:
        """Forget what an earlier test wrote: quicker than a new pair of databases."""
        for file in IdentityFile:
            empty(self.stores.url(file), is_numbered_anew=True)

    def settings(self, *lines: str) -> None:
        """Write juki.toml."""
        self.home.settings_file.write_text("\n".join(lines), encoding="utf-8")

    def register(self, names: dict[str, str]) -> None:
        """Write municipalities.toml."""
        parts = [
            _REGISTRATION.format(code=code, name=name, digest=hashlib.sha256(code.encode()).hexdigest())
            for code, name in names.items()
        ]
        self.home.municipalities_file.write_text("\n".join(parts), encoding="utf-8")

    def juki(self, *arguments: str) -> Said:
        """Run the command line as the process would."""
        self.monkeypatch.setattr(sys, "argv", ["juki", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = self.capsys.readouterr()
        return Said(int(ended.value.code or 0), printed.out, printed.err)

    # -- the stores ---------------------------------------------------------------------------------------

    def unit(self, file: IdentityFile = RESIDENT) -> Any:
        """Open a unit of work as the intake does."""
        return open_unit(self.stores.url(file), file)

    def contact(self, code: str, file: IdentityFile, ago: timedelta = timedelta(), unknown: int = 0) -> None:
        """Note a contact with a CS some time ago."""
        with self.unit(file) as unit:
            unit.packages.attempt(code, self.now - ago)
            unit.packages.contacted(code, self.now - ago, unknown)

    def contact_all(self) -> None:
        """Note that every CS has just answered for both files."""
        for code in (YAMAGUCHI, SHIMONOSEKI, UBE):
            for file in IdentityFile:
                self.contact(code, file)

    def arrive(
        self, sequence: int, code: str = YAMAGUCHI, file: IdentityFile = RESIDENT, *, name: str = "",
        ago: timedelta = timedelta(), content: bytes = b"sealed",
    ) -> int:  # fmt: skip
        """Let a package arrive: its file in the spool, its row in the register; return its number."""
        name = name or f"{code}-{file.value}-notice-{sequence:08d}.p7m"
        path = self.files(code, file).spool / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        at = self.now - ago
        mark = FileMark(name, len(content), at)
        with self.unit(file) as unit:
            unit.packages.attempt(code, at)
            return unit.packages.register(Arrival(code, sequence, mark, hashlib.sha256(content).digest(), at))

    def apply(
        self, sequence: int, code: str = YAMAGUCHI, file: IdentityFile = RESIDENT,
        counts: dict[str, int] = ALL_WELL, *, is_answered: bool = True,
    ) -> int:  # fmt: skip
        """Let a package arrive and be applied."""
        number = self.arrive(sequence, code, file)
        with self.unit(file) as unit:
            applied = Applied(b"c" * 32, self.now, 10 * sequence - 9, 10 * sequence, counts)
            unit.packages.settle_applied(number, applied, b"receipt", self.now)
            unit.packages.advance(code, sequence, 10 * sequence, self.now)
            if is_answered:
                unit.packages.receipt_sent(number, self.now)
        self.files(code, file).remove(f"{code}-{file.value}-notice-{sequence:08d}.p7m")
        return number

    def settle(
        self, number: int, state: PackageState, reason: Code, code: str = YAMAGUCHI, *, name: str = "",
        file: IdentityFile = RESIDENT,
    ) -> None:  # fmt: skip
        """Let a package that arrived end otherwise, its file in quarantine."""
        with self.unit(file) as unit:
            package = unit.packages.by_id(number)
            assert package is not None
            self.files(code, file).quarantine(number, name or package.file_name)
            unit.packages.settle(number, state, reason, self.now)
        self.files(code, file).remove(name or package.file_name)

    def refuse(self, sequence: int, **how: Any) -> int:
        """Let a package arrive and be refused for its signature."""
        number = self.arrive(sequence, **how)
        self.settle(number, PackageState.REFUSED, Code.PACKAGE_SIGNATURE, file=how.get("file", RESIDENT))
        return number

    def collide(self, sequence: int) -> int:
        """Let another package of an applied sequence arrive, with other content."""
        number = self.arrive(sequence, content=b"other")
        self.settle(number, PackageState.CONFLICT, Code.PACKAGE_CONTENT_DIFFERS)
        return number

    def find(self, number: int, line: int, code: Code, column: str, file: IdentityFile = RESIDENT) -> None:
        """Write a finding on a record of a package."""
        row = {
            "package_id": number, "line": line, "code": code.value, "column_name": column,
            "severity": code.severity.value, "notice_no": line - 1,
        }  # fmt: skip
        with self.unit(file) as unit:
            unit.connection.execute(TABLES[file].rejection.insert(), row)

    def entries(self, file: IdentityFile = RESIDENT) -> list[dict[str, Any]]:
        """Read the operation log, after it was verified."""
        with open_unit(self.stores.url(file), file) as unit:
            unit.journal.verify()
            rows = unit.connection.execute(TABLES[file].journal.select().order_by("entry_no"))
            return [json.loads(row.entry) for row in rows]

    def progress(self, code: str = YAMAGUCHI, file: IdentityFile = RESIDENT) -> tuple[bool, list[int]]:
        """Tell whether a channel is stopped, and which packages wait in it."""
        unit: Unit
        with self.unit(file) as unit:
            waiting = [one.package_id for one in unit.packages.waiting(code)]
            return unit.packages.is_stopped(code), waiting

    def files(self, code: str = YAMAGUCHI, file: IdentityFile = RESIDENT) -> PackageFiles:
        """Name the folders of a channel."""
        return PackageFiles.of(self.home, Channel(code, file))
