"""A gateway that attests whatever a test wants, so that the gate can be tried with what a real one never issues.

The stand-in of a real device, with palms and second factors, is in `simulator/`; this one shares nothing with it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from juki.columns import IdentityFile
from juki.home import Home

if TYPE_CHECKING:
    from tests.console import Console

AUDIENCE = "juki-renkei:35"
KEY_ID, ISSUER, TERMINAL = "gw-1.2026", "gw-1", "T-01"
PAIR = ("op-1", "op-2")
"""The two administrators every test with operators begins with."""
_HEADER = {"alg": "EdDSA", "typ": "juki-assertion+jwt", "kid": KEY_ID}


def encoded(part: bytes) -> str:
    """Write bytes as a token does."""
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


@dataclass(slots=True)
class Gateway:
    """A key, and the tokens that are signed with it."""

    key: Ed25519PrivateKey = field(
        default_factory=lambda: Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    )

    @property
    def pem(self) -> bytes:
        """The public key."""
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def token(
        self, operator: str, command: str, target: str = "", *, at: datetime | None = None, is_personal: bool = False,
        header: dict[str, Any] | None = None, **claims: Any,
    ) -> str:  # fmt: skip
        """Attest that an operator may do one act; any claim may be given otherwise, None leaves it out."""
        jti = secrets.token_urlsafe(16)
        target = hidden(target, jti) if is_personal else target
        issued = int((at or datetime.now(UTC)).timestamp())
        said = {
            "iss": ISSUER, "aud": AUDIENCE, "sub": operator, "iat": issued, "exp": issued + 300,
            "jti": jti, "amr": ["vein", "otp"], "act": {"command": command, "target": target},
            "terminal": TERMINAL,
        } | claims  # fmt: skip
        payload = json.dumps({name: value for name, value in said.items() if value is not None}).encode()
        return self.signed(_HEADER if header is None else header, payload)

    def signed(self, header: dict[str, Any], payload: bytes) -> str:
        """Sign any header and payload."""
        text = f"{encoded(json.dumps(header).encode())}.{encoded(payload)}"
        return f"{text}.{encoded(self.key.sign(text.encode()))}"

    def trusted_in(self, home: Home) -> None:
        """Register the key."""
        (home.root / "gateway.pem").write_bytes(self.pem)
        home.issuers_file.write_text(
            f'[[key]]\nissuer = "{ISSUER}"\nkey_id = "{KEY_ID}"\npublic_key = "gateway.pem"\n'
            "valid_from = 2020-01-01\n",
            encoding="utf-8",
        )


def hidden(target: str, jti: str) -> str:
    """Write a target that names a person as docs/formats/operator-assertion.md says, apart from the product."""
    return "scrypt:" + hashlib.scrypt(target.encode(), salt=jti.encode(), n=2**14, r=8, p=1, dklen=16).hex()


def registered_as(operator: str, *roles: str, name: str = "x") -> str:
    """Name to the gateway what an operator is registered as."""
    said = (f"--name={name}", *(f"--role={role}" for role in roles), f"--terminal={TERMINAL}")
    return " ".join((operator, *said))


@dataclass(slots=True)
class Desk:
    """An installation that is closed to everybody but operators, and the assertions they bring."""

    console: Console
    folder: Path
    gateway: Gateway = field(default_factory=Gateway)

    def __post_init__(self) -> None:
        """Register the two administrators, with whom the installation closes."""
        self.gateway.trusted_in(self.console.home)
        for one in PAIR:
            self.register(one, "administrator", is_open=one == PAIR[0] or None)

    def register(self, operator: str, *roles: str, is_open: bool | None = None) -> None:
        """Register an operator by the two administrators, or by nobody while there are none."""
        asked = [
            "operator",
            "register",
            operator,
            "--name",
            f"職員{operator}",
            "--reason",
            "試験のための登録",
        ]
        asked += [word for role in roles for word in ("--role", role)] + ["--terminal", TERMINAL]
        if is_open is None and operator not in PAIR:
            asked += self.two("operator register", registered_as(operator, *roles, name=f"職員{operator}"))
        done = self.console.juki(*asked)
        assert done.code == 0, done.err

    def file(self, operator: str, command: str, target: str = "", **claims: Any) -> str:
        """Put an assertion into a file."""
        path = self.folder / f"{secrets.token_hex(8)}.jwt"
        path.write_text(self.gateway.token(operator, command, target, **claims) + "\n", encoding="ascii")
        return str(path)

    def one(self, operator: str, command: str, target: str = "", **claims: Any) -> list[str]:
        """Name the option for an act of one operator."""
        return ["--assertion", self.file(operator, command, target, **claims)]

    def two(self, command: str, target: str = "") -> list[str]:
        """Name the options for an act of the two administrators."""
        return [*self.one(PAIR[0], command, target), "--approval", self.file(PAIR[1], command, target)]


def entries(desk: Desk, file: IdentityFile = IdentityFile.RESIDENT) -> list[dict[str, Any]]:
    """The operation log."""
    with psycopg.connect(desk.console.stores.url(file)) as connection:
        return [row[0] for row in connection.execute("SELECT entry::jsonb FROM journal ORDER BY entry_no")]


def refusal_of(desk: Desk, *arguments: str) -> str:
    """The code a command is refused with."""
    said = desk.console.juki(*arguments, "--json")
    assert said.code == 2, said.out
    return str(said.data["error"]["code"])


def state_of(desk: Desk, operator: str) -> dict[str, Any]:
    """An operator as the register has him."""
    listed = desk.console.juki("operator", "list", "--json").data["operators"]
    return next(one for one in listed if one["id"] == operator)
