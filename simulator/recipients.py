"""Recipients of the exercise: a made-up 教育委員会 and a department, who ask for people and check what they get.

Leaves:     the rules of provision to the product; whether an answer is true to whoever knows the truth.
Invariants: they seal and open with nothing of the prefecture's keys, by the openssl program where told; what they
            write is of the published form (docs/formats/request.md) unless a test spoils it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from juki.columns import IdentityFile
from juki.home import Home
from juki.packages import sha256_hex, split_content
from juki.provision_manifests import LINE_COLUMNS, ProvisionManifest
from juki.records import parse_records
from juki.requests import FORMAT, RequestName
from juki.wire.envelope import Sender, fingerprint, open_envelope
from simulator import pki
from simulator.installation import PREFECTURE_CODE, folder
from simulator.sealing import Sealer, open_by_openssl, seal

Person = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Described:
    """What is registered of a recipient besides its identities; `limits` are keys of recipients.toml."""

    code: str
    name: str
    kind: str
    receiver: str
    bases: tuple[str, ...]
    limits: Mapping[str, int] = field(default_factory=dict)


BOARD = Described("kyoiku", "演習県教育委員会", "provide", "教育委員会", ("beppyo6-3", "beppyo6-4"))
DEPARTMENT = Described("zeimu", "演習県税務課", "transfer", "総務部税務課", ("beppyo5-4-3", "beppyo5-1"))
RECIPIENTS = (BOARD, DEPARTMENT)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as its recipient reads it: the manifest, and the CSV as text columns."""

    manifest: ProvisionManifest
    table: pa.Table

    @property
    def lines(self) -> list[dict[str, str]]:
        """The answer line by line."""
        rows: list[dict[str, str]] = self.table.to_pylist()
        return rows


@dataclass(slots=True)
class RecipientOffice:
    """One recipient: its identities, its folders, and the numbers of its requests."""

    described: Described
    signer: pki.Identity
    receiver: pki.Identity
    prefecture: pki.Identity
    root: pki.Identity
    folder: Path
    numbers: dict[IdentityFile, int] = field(default_factory=dict)

    @property
    def arrivals(self) -> Path:
        """Where its requests are found."""
        return self.folder / "arrivals"

    @property
    def delivery(self) -> Path:
        """Where its answers are put."""
        return self.folder / "delivery"

    def document(
        self, people: Iterable[Person], *, file: IdentityFile, at: datetime, **changes: Any
    ) -> dict[str, Any]:
        """Write a request about some people under the next number, with some keys changed."""
        number = self.numbers.get(file, 0) + 1
        return {
            "format": FORMAT, "recipient": self.described.code, "prefecture": PREFECTURE_CODE, "request_no": number,
            "file": file.value, "basis": self.described.bases[0], "purpose": "演習のための照会",
            "fields": ["name", "name_kana", "address"], "with_number": False, "created_at": at.isoformat(),
            "people": [{"line": line, **person} for line, person in enumerate(people, 1)], **changes,
        }  # fmt: skip

    def ask(
        self, people: Iterable[Person], *, file: IdentityFile, at: datetime, sealer: Sealer = Sealer.OURS,
        **changes: Any,
    ) -> RequestName:  # fmt: skip
        """Lay a request into the folder, whole or not at all."""
        document = self.document(people, file=file, at=at, **changes)
        self.numbers[file] = max(self.numbers.get(file, 0), document["request_no"])
        name = RequestName(self.described.code, file, document["request_no"])
        self.lay(str(name), json.dumps(document, ensure_ascii=False).encode(), sealer=sealer)
        return name

    def lay(
        self, name: str, content: bytes, *, signer: pki.Identity | None = None, sealer: Sealer = Sealer.OURS
    ) -> None:
        """Seal any content and lay it into the folder under a name."""
        sealed = seal(content, signer or self.signer, self.prefecture.certificate, sealer)
        hidden = self.arrivals / f".{name}"
        hidden.write_bytes(sealed)
        hidden.rename(self.arrivals / name)

    def answers(self, *, by_openssl: bool = False) -> list[Answer]:
        """Open everything in the delivery folder, in order of name.

        Raises: ValueError when an answer is not what its manifest says, or not for this recipient.
        """
        return [self._opened(path, by_openssl=by_openssl) for path in sorted(self.delivery.glob("*.p7m"))]

    def _opened(self, path: Path, *, by_openssl: bool) -> Answer:
        sealed = path.read_bytes()
        if by_openssl:
            content = open_by_openssl(sealed, self.receiver, self.root.certificate)
        else:
            own = frozenset({fingerprint(self.prefecture.certificate)})
            sender = Sender(PREFECTURE_CODE, own, (self.root.certificate,))
            content = open_envelope(
                sealed,
                recipient=(self.receiver.recipient(),),
                sender=sender,
                at=pki.VALID_UNTIL.replace(year=2040),
            )
        line, csv = split_content(content)
        manifest = ProvisionManifest.parse(line)
        if manifest.recipient != self.described.code or manifest.sha256 != sha256_hex(csv):
            raise ValueError("an answer that is not what its manifest says")
        return Answer(manifest, parse_records(csv, (*LINE_COLUMNS, *manifest.fields)))


def build(
    home: Home, made: pki.Pki, recipients: Iterable[Described] = RECIPIENTS
) -> dict[str, RecipientOffice]:
    """Make the identities and folders of some recipients, or open those that are there."""
    return {one.code: _office(home, made, one) for one in recipients}


def register(home: Home, offices: Iterable[RecipientOffice], *, revocation_list: str = "") -> None:
    """Write recipients.toml."""
    text = "\n".join(_registration(office, revocation_list) for office in offices)
    home.recipients_file.write_text(text, encoding="utf-8")


def allow_numbers(home: Home, bases: Iterable[str], since: date) -> None:
    """Let the prefecture have decided that 個人番号 may go along with some bases (番号法9条)."""
    entry = (
        '[[number]]\nbasis = "{basis}"\nnumber = "allowed"\narticle = "番号法9条①"\neffective_from = {day}\n'
        'decided_by = "演習の決裁"\ndecided_on = {day}\n'
    )
    text = "\n".join(entry.format(basis=basis, day=since.isoformat()) for basis in bases)
    home.basis_decisions_file.write_text(text, encoding="utf-8")


def _office(home: Home, made: pki.Pki, described: Described) -> RecipientOffice:
    stem = folder(home) / "pki" / f"recipient-{described.code}"
    signer = pki.kept(stem.with_name(f"{stem.name}-signer"), lambda: _issued(made, described, pki.ec_key()))
    receiver = pki.kept(
        stem.with_name(f"{stem.name}-receiver"), lambda: _issued(made, described, pki.rsa_key())
    )
    place = folder(home) / "recipients" / described.code
    office = RecipientOffice(described, signer, receiver, made.prefecture, made.root, place)
    for one in (office.arrivals, office.delivery):
        one.mkdir(parents=True, exist_ok=True)
    return office


def _issued(made: pki.Pki, described: Described, key: pki.PrivateKey) -> pki.Identity:
    return pki.issue(made.root, f"演習用提供先 {described.code}", key)


def _registration(office: RecipientOffice, revocation_list: str) -> str:
    described = office.described
    values: dict[str, object] = {
        "code": described.code, "name": described.name, "kind": described.kind, "receiver": described.receiver,
        "signing_certificates": [fingerprint(office.signer.certificate)], "roots": ["exercise/pki/root.crt"],
        "encryption_certificate": f"exercise/pki/recipient-{described.code}-receiver.crt",
        "delivery": str(office.delivery), "arrivals": str(office.arrivals), "bases": list(described.bases),
        **described.limits,
    }  # fmt: skip
    if revocation_list:
        values["revocation_lists"] = [revocation_list]
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join(["[[recipient]]", *lines, ""])
