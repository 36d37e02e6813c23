"""The operator assertion itself: its claims, its target, and the signature under them.

Decides:    how the claims of docs/formats/operator-assertion.md are filled, and when a text may stand in one.
Leaves:     whether anything is issued to `simulator.vein.gateway`; believing it to whoever receives it.
Invariants: no identifier of a person stands in an assertion: a target about a person is replaced by scrypt of it,
            salted with the jti.
Source:     RFC 7515, 7519, 8037, 8725; the contract with `juki.operators`.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import warnings
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import OKPKey

from simulator.vein.refusals import Refusal, VeinRefusedError

ALGORITHM: Final = "EdDSA"
TYPE: Final = "juki-assertion+jwt"
LIFETIME_SECONDS: Final = 120
LONGEST_SECONDS: Final = 300
JTI_BYTES: Final = 24
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)
_COMMAND = re.compile(r"[a-z][a-z-]*( [a-z][a-z-]*){0,3}", re.ASCII)
_PREFECTURE = re.compile(r"0[1-9]|[1-3][0-9]|4[0-7]", re.ASCII)
_MOST_TARGET_BYTES: Final = 2_400
"""A token with such a target still has less than 4,096 bytes."""
_FEWEST_DIGITS_OF_PERSON: Final = 11
# Not ASCII alone: full-width digits name a person as well as others do. Numbers are also written in groups of four.
_PERSONAL = re.compile(r"\d{11}|\d{4}[-\s－‐]\d{4}[-\s－‐]\d{3}")
_DIGEST = re.compile(r"(?<!\S)(sha256:)?[0-9a-f]{64}(?!\S)", re.ASCII)
"""A word that is a digest: one in nine has eleven decimal digits in a row, which are no number of a person."""


@dataclass(frozen=True, slots=True)
class Act:
    """What is authorised: the words of a command, and the text of what it acts on."""

    command: str
    target: str
    is_about_person: bool = False

    def claim(self, jti: str) -> dict[str, str]:
        """Write the claim `act` of the assertion with a jti."""
        target = person_target(self.target, jti) if self.is_about_person else self.target
        return {"command": self.command, "target": target}


def audience_of(prefecture_code: str) -> str:
    """Name whom an assertion is for, by the two digits of a prefecture."""
    return f"juki-renkei:{prefecture_code}"


def is_name(text: str) -> bool:
    """Tell whether a text may name a gateway or a terminal."""
    return _NAME.fullmatch(text) is not None


def is_operator(text: str) -> bool:
    """Tell whether a text may be a 照合ID: never one that could be a resident code or a number."""
    return is_name(text) and sum(map(str.isdigit, text)) < _FEWEST_DIGITS_OF_PERSON


def is_prefecture(text: str) -> bool:
    """Tell whether a text is the code of a prefecture."""
    return _PREFECTURE.fullmatch(text) is not None


def names_person(text: str) -> bool:
    """Tell whether a text holds what could be a resident code or an individual number."""
    return _PERSONAL.search(_DIGEST.sub("", text)) is not None


def check_act(act: Act) -> None:
    """Refuse an act no assertion may name.

    Raises: VeinRefusedError(FORM | PERSONAL_TARGET).
    """
    is_short = len(_json(act.target)) <= _MOST_TARGET_BYTES
    if not _COMMAND.fullmatch(act.command) or not act.target.isprintable() or not is_short:
        raise VeinRefusedError(Refusal.FORM)
    if not act.is_about_person and names_person(act.target):
        raise VeinRefusedError(Refusal.PERSONAL_TARGET)


def person_target(text: str, jti: str) -> str:
    """Replace a target about a person by what only somebody who knows the person can find again."""
    digest = hashlib.scrypt(text.encode(), salt=jti.encode("ascii"), n=2**14, r=8, p=1, dklen=16)
    return f"scrypt:{digest.hex()}"


def new_jti() -> str:
    """Draw the number of one assertion: 192 random bits as 32 URL-safe characters."""
    return secrets.token_urlsafe(JTI_BYTES)


def claims_of(
    operator: str, act: Act, terminal: str, *, issuer: str, audience: str, at: datetime, jti: str
) -> dict[str, Any]:
    """Fill the claims of an assertion issued at an instant after palm and one-time code."""
    issued = int(at.timestamp())
    return {
        "iss": issuer,
        "aud": audience,
        "sub": operator,
        "iat": issued,
        "exp": issued + LIFETIME_SECONDS,
        "jti": jti,
        "amr": ["vein", "otp"],
        "act": act.claim(jti),
        "terminal": terminal,
    }


def sign(claims: dict[str, Any], key: OKPKey, kid: str) -> str:
    """Sign claims as a compact JWS."""
    header = {"alg": ALGORITHM, "typ": TYPE, "kid": kid}
    with warnings.catch_warnings():
        # RFC 9864 would have us write Ed25519; devices know the older name (ADR-0035).
        warnings.simplefilter("ignore", SecurityWarning)
        return jws.serialize_compact(header, _json(claims), key, algorithms=[ALGORITHM])


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
