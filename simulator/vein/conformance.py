"""`python -m simulator.vein.conformance --key PEM --aud … FILE…`: does an assertion keep to the specification?

Decides:    every rule of docs/formats/operator-assertion.md, each told by its own code; all that is wrong is told.
Leaves:     whether a jti was used before and an operator may act: only the product knows.
Invariants: shares no code with the gateway nor with the product, and no library for tokens: a token is read here by
            hand, so that what one library forgives is told all the same. Nothing out of a token is printed.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from simulator.vein.faults import Fault

LONGEST_SECONDS: Final = 300
SKEW_SECONDS: Final = 5
"""Stricter than the product: a gateway that conforms has its clock in order."""
_MOST_BYTES: Final = 4_096
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)
_AUDIENCE = re.compile(r"juki-renkei:[0-9]{2}", re.ASCII)
_NUMBER = re.compile(r"[A-Za-z0-9_-]{22,64}", re.ASCII)
_COMMAND = re.compile(r"[a-z][a-z-]*( [a-z][a-z-]*)*", re.ASCII)
_PERSONAL = re.compile(r"\d{11}|\d{4}[-\s－‐]\d{4}[-\s－‐]\d{3}")
_HASHED = re.compile(r"^scrypt:[0-9a-f]{32}$|(?<!\S)(sha256:)?[0-9a-f]{64}(?!\S)", re.ASCII)
_SECOND_FACTORS = frozenset({"otp", "hwk"})
_ALGORITHMS = frozenset({"EdDSA", "Ed25519"})
_FEWEST_DIGITS_OF_PERSON: Final = 11
_HEADER = frozenset({"alg", "typ", "kid"})
_ENCLOSED = frozenset({"jwk", "jku", "x5c", "x5u", "x5t", "x5t#S256"})


@dataclass(frozen=True, slots=True)
class Expected:
    """What assertions are held against: the issuer's keys by `kid` (None: any), the audience, and the instant."""

    keys: Mapping[str | None, Ed25519PublicKey]
    audience: str
    at: datetime


class _UnreadableError(Exception):
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.value)


def faults_of(token: str, expected: Expected) -> list[Fault]:
    """List all that is wrong with one token, in the order of the specification; empty when it conforms."""
    try:
        signed, header, claims, signature = _parts(token)
    except _UnreadableError as unreadable:
        return [unreadable.fault]
    return [
        *_header_faults(header, expected),
        *_signature_faults(header, signed, signature, expected),
        *_party_faults(claims, expected),
        *_time_faults(claims, int(expected.at.timestamp())),
        *_factor_faults(claims.get("amr")),
        *_act_faults(claims.get("act")),
    ]


def faults_of_all(tokens: Sequence[str], expected: Expected) -> list[list[Fault]]:
    """List what is wrong with each of several tokens; a jti seen before is a fault of the later one."""
    seen: set[str] = set()
    found = []
    for token in tokens:
        faults = faults_of(token, expected)
        number = _number_of(token)
        if number in seen:
            faults.append(Fault.REPEATED)
        seen |= {number} - {""}
        found.append(faults)
    return found


def _number_of(token: str) -> str:
    try:
        number = _parts(token)[2].get("jti")
    except _UnreadableError:
        return ""
    return number if isinstance(number, str) else ""


def _parts(token: str) -> tuple[bytes, dict[str, Any], dict[str, Any], bytes]:
    if len(token.encode("utf-8", "replace")) > _MOST_BYTES:
        raise _UnreadableError(Fault.SIZE)
    parts = token.split(".")
    if len(parts) != 3:
        raise _UnreadableError(Fault.FORM)
    header, claims, signature = (_decoded(part) for part in parts)
    return f"{parts[0]}.{parts[1]}".encode("ascii"), _object(header), _object(claims), signature


def _decoded(part: str) -> bytes:
    try:
        content = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        content = b""
    # Written again it must be the same: no padding, no stray bits, one spelling.
    if base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii") != part:
        raise _UnreadableError(Fault.FORM)
    return content


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _UnreadableError(Fault.FORM)
    return found


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise _UnreadableError(Fault.DUPLICATE_KEY)
    return dict(pairs)


def _no_constant(_: str) -> None:
    raise ValueError("not JSON")


def _header_faults(header: Mapping[str, Any], expected: Expected) -> Iterator[Fault]:
    if not _is_algorithm(header.get("alg")):
        yield Fault.ALGORITHM
    if header.get("typ") != "juki-assertion+jwt":
        yield Fault.TYPE
    if _key_of(header, expected) is None:
        yield Fault.KEY_ID
    if "crit" in header:
        yield Fault.CRITICAL
    if _ENCLOSED & set(header):
        yield Fault.ENCLOSED_KEY
    if set(header) - _HEADER - _ENCLOSED - {"crit"}:
        yield Fault.OTHER_HEADER


def _is_algorithm(name: object) -> bool:
    return isinstance(name, str) and name in _ALGORITHMS


def _signature_faults(
    header: Mapping[str, Any], signed: bytes, signature: bytes, expected: Expected
) -> Iterator[Fault]:
    key = _key_of(header, expected)
    if not _is_algorithm(header.get("alg")) or key is None:
        return
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        yield Fault.SIGNATURE


def _key_of(header: Mapping[str, Any], expected: Expected) -> Ed25519PublicKey | None:
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        return None
    return expected.keys.get(kid, expected.keys.get(None))


def _party_faults(claims: Mapping[str, Any], expected: Expected) -> Iterator[Fault]:
    if not _fits(_NAME, claims.get("iss")):
        yield Fault.ISSUER
    if not _fits(_AUDIENCE, claims.get("aud")) or claims["aud"] != expected.audience:
        yield Fault.AUDIENCE
    if (
        not _fits(_NAME, claims.get("sub"))
        or sum(map(str.isdigit, claims["sub"])) >= _FEWEST_DIGITS_OF_PERSON
    ):
        yield Fault.OPERATOR
    if not _fits(_NUMBER, claims.get("jti")):
        yield Fault.NUMBER
    if not _fits(_NAME, claims.get("terminal")):
        yield Fault.TERMINAL


def _time_faults(claims: Mapping[str, Any], now: int) -> Iterator[Fault]:
    issued, until = claims.get("iat"), claims.get("exp")
    # True is an int in Python, and 1.0 is none in the specification.
    if type(issued) is not int or type(until) is not int:
        yield Fault.TIMES
        return
    if not 0 < until - issued <= LONGEST_SECONDS:
        yield Fault.LIFETIME
    if now >= until + SKEW_SECONDS:
        yield Fault.EXPIRED
    if issued > now + SKEW_SECONDS:
        yield Fault.NOT_YET


def _factor_faults(factors: Any) -> Iterator[Fault]:
    found = {factor for factor in factors if isinstance(factor, str)} if isinstance(factors, list) else set()
    if "vein" not in found:
        yield Fault.VEIN
    if not found & _SECOND_FACTORS:
        yield Fault.SECOND_FACTOR


def _act_faults(act: Any) -> Iterator[Fault]:
    target = act.get("target") if isinstance(act, dict) else None
    if not isinstance(target, str) or not _fits(_COMMAND, act.get("command")):
        yield Fault.ACT
    # The digits of a hash are no number of a person.
    elif _PERSONAL.search(_HASHED.sub("", target)):
        yield Fault.PERSON


def _fits(form: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def main(arguments: list[str] | None = None) -> int:
    """Check the tokens of the files given; 0 when all conform, 1 when one does not, 2 when none was checked."""
    chosen = _parser().parse_args(arguments)
    try:
        expected = Expected(dict(map(_read_key, chosen.key)), chosen.aud, chosen.at or datetime.now(UTC))
        tokens = [path.read_text("ascii").strip() for path in chosen.files]
    except (OSError, ValueError):
        print("鍵か証明のファイルを読めません（鍵は Ed25519 の公開鍵 PEM）。", file=sys.stderr)
        return 2
    found = faults_of_all(tokens, expected)
    for path, faults in zip(chosen.files, found, strict=True):
        print(f"{path}: {'適合しません' if faults else '適合しています'}")
        for fault in faults:
            print(f"  [{fault.value}] {fault.message}")
    return int(any(found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator.vein.conformance",
        description="静脈認証ゲートウェイの証明が仕様（docs/formats/operator-assertion.md）に適合するか調べます。",
    )
    parser.add_argument(
        "--key", action="append", required=True, metavar="[KID=]PEM", help="発行者の公開鍵（複数可）"
    )
    parser.add_argument("--aud", required=True, help="宛先（例: juki-renkei:35）")
    parser.add_argument("--at", type=_instant, help="この時刻で調べる（時差つきISO 8601。なければ今）")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="証明を一つ書いたファイル")
    return parser


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("without an offset")
    return found


def _read_key(text: str) -> tuple[str | None, Ed25519PublicKey]:
    kid, equals, path = text.rpartition("=")
    key = load_pem_public_key(Path(path).read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("not Ed25519")
    return (kid if equals else None), key


if __name__ == "__main__":
    sys.exit(main())
