"""An installation that copies are taken of: people in both stores, our identity, a keeper who receives copies."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg

from juki.columns import IdentityFile
from juki.credentials import Credentials
from juki.identity import plan_changes
from juki.keys import FileKeys, Purpose
from juki.numbers import SealingKey
from juki.store.unit import open_unit
from juki.versions import Origin
from juki.wire.envelope import fingerprint
from simulator import pki, sealing
from tests.console import FUHYO, RESIDENT, Console, Said
from tests.notice_tables import HERE, notice, notices

NAME = "試験　写之助"
NUMBERS = ("123456789018", "023456789013", "621498320257")
REASON = "定期の保管のため"


@dataclass(slots=True)
class CopyCase:
    """What copies are taken of, and whoever may open them."""

    console: Console
    folder: Path
    root: pki.Identity
    keeper: pki.Identity
    ours: pki.Identity

    @classmethod
    def of(
        cls, console: Console, folder: Path, authority: tuple[pki.Identity, pki.Identity, pki.Identity]
    ) -> CopyCase:
        """Put our identity and the keys of the stores into the home, and a few people into both stores."""
        case = cls(console, folder, *authority)
        credentials = Credentials(console.home.keys)
        certificate, key = pki.save(case.ours, folder / "ours")
        for source, target in (
            (certificate, credentials.signing_certificate),
            (key, credentials.signing_key),
        ):
            shutil.copy(source, target)
        for source, target in (
            (certificate, credentials.envelope_certificate),
            (key, credentials.envelope_key),
        ):
            shutil.copy(source, target)
        keys = FileKeys(console.home.keys)
        for file, purpose in keys.missing():
            keys.create(file, purpose)
        case._live()
        pki.save(case.keeper, folder / "keeper")
        return case

    def _live(self) -> None:
        """Let three people be entered in each file, and one of them move."""
        for file in IdentityFile:
            rows = [
                notice(
                    resident_code=code,
                    name=NAME,
                    **({"individual_number": number} if file is RESIDENT else {}),
                )
                for code, number in zip("ABC", NUMBERS, strict=True)
            ]
            moved = notice(resident_code="B", kind="correction", name=NAME, address='山口県"山口市",滝町１')
            if file is RESIDENT:
                moved |= {"reason": "転居", "individual_number": NUMBERS[1]}
            self.apply(file, rows, 1)
            self.apply(file, [moved], 4)

    def apply(self, file: IdentityFile, rows: list[dict[str, str]], first_no: int) -> None:
        """Judge and write a package."""
        key_id = FileKeys(self.console.home.keys).active(RESIDENT, Purpose.NUMBER)
        key = SealingKey(key_id, FileKeys(self.console.home.keys).key(key_id))
        with open_unit(self.console.stores.url(file), file) as unit:
            package = notices(rows, file, HERE, first_no)
            known = unit.identities.known(package)
            plan = plan_changes(package, known)
            unit.identities.apply(package, known, plan, Origin(HERE, first_no, date(2026, 3, 25)), key)

    @property
    def certificate(self) -> Path:
        """The certificate copies are sealed to."""
        return self.folder / "keeper.crt"

    @property
    def fingerprint(self) -> str:
        """How it is named."""
        return fingerprint(self.keeper.certificate)

    def to(self, name: str = "copy") -> Path:
        """A folder that is not there yet."""
        return self.folder / name

    def asked(
        self, *command: str, to: Path | None = None, certificate: Path | None = None, **other: str
    ) -> list[str]:
        """Write a command of this case, all of it as it should be unless told otherwise."""
        options = {
            "to": str(to or self.to()), "certificate": str(certificate or self.certificate),
            "fingerprint": self.fingerprint, "reason": REASON,
        } | other  # fmt: skip
        return [*command, *(word for name, value in options.items() for word in (f"--{name}", value))]

    def take(self, *command: str, **other: Any) -> Said:
        """Run a command that must succeed."""
        said = self.console.juki(*self.asked(*command, **other))
        assert said.code == 0, said.err
        return said

    def opened(self, name: str, folder: Path | None = None) -> bytes:
        """Open a part by nothing but the openssl program, our signature verified."""
        sealed = ((folder or self.to()) / name).read_bytes()
        return sealing.open_by_openssl(sealed, self.keeper, self.root.certificate)

    def manifest(self, folder: Path | None = None) -> dict[str, Any]:
        """Open the manifest, and hold every part to it."""
        told: dict[str, Any] = json.loads(self.opened("manifest.p7m", folder))
        place = folder or self.to()
        assert {one["name"] for one in told["parts"]} | {"manifest.p7m"} == {
            one.name for one in place.iterdir()
        }
        for one in told["parts"]:
            assert hashlib.sha256((place / one["name"]).read_bytes()).hexdigest() == one["sha256"]
        return told

    def contents(self, stem: str, folder: Path | None = None) -> Iterator[bytes]:
        """Open the parts of one stem, in order."""
        for one in self.manifest(folder)["parts"]:
            if one["name"].startswith(f"{stem}-"):
                yield self.opened(one["name"], folder)

    def log(self, file: IdentityFile = RESIDENT) -> list[tuple[str, str, str]]:
        """List what the log says of copies: action, outcome, code."""
        told = [one for one in self.console.entries(file) if one["action"].startswith("copy.")]
        return [(one["action"], one["outcome"], one["code"]) for one in told]

    def rows(self, query: str, file: IdentityFile = RESIDENT) -> list[tuple[Any, ...]]:
        """Ask a store directly."""
        with psycopg.connect(self.console.stores.url(file)) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]


@lru_cache(maxsize=1)
def authority() -> tuple[pki.Identity, pki.Identity, pki.Identity]:
    """Make a root, the keeper of copies and us; slow, so once a process."""
    root = pki.make_root()
    return root, pki.issue(root, "保管者", pki.rsa_key()), pki.issue(root, "演習用都道府県", pki.rsa_key())


def expired(case: CopyCase) -> pki.Identity:
    """The keeper's certificate, ended years ago."""
    return pki.expired(case.root, case.keeper, datetime(2024, 1, 1, tzinfo=UTC))


__all__ = ["FUHYO", "NAME", "NUMBERS", "REASON", "RESIDENT", "CopyCase", "authority", "expired"]
