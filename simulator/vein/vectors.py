"""`python -m simulator.vein.vectors > docs/formats/vectors/operator-assertion.json`: tokens to try a program with.

Decides:    one valid assertion of each kind, and one invalid one of every kind of attack and mistake; what is wrong
            with each is written beside it.
Invariants: made with published, worthless keys at a fixed instant, and byte for byte the same each time.
"""

from __future__ import annotations

import base64
import hmac
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from simulator.vein.assertions import person_target
from simulator.vein.faults import Fault

ISSUED_AT: Final = datetime(2026, 11, 2, 0, 0, tzinfo=UTC)
CHECKED_AT: Final = datetime(2026, 11, 2, 0, 0, 30, tzinfo=UTC)
AUDIENCE: Final = "juki-renkei:35"
KID: Final = "vein-gateway-1-1"
JTI: Final = "dGhpcy1pcy1hLXRlc3QtdmVjdG9yLTAx"
_SEED: Final = sha256(b"juki-renkei operator assertion test vectors").digest()
_OTHER_SEED: Final = sha256(b"juki-renkei operator assertion test vectors, another key").digest()
_PERSON: Final = "00000000027"
"""A resident code nobody has."""
_GROUP_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_IAT: Final = int(ISSUED_AT.timestamp())

HEADER: Final[dict[str, Any]] = {"alg": "EdDSA", "typ": "juki-assertion+jwt", "kid": KID}
CLAIMS: Final[dict[str, Any]] = {
    "iss": "vein-gateway-1",
    "aud": AUDIENCE,
    "sub": "op-1",
    "iat": _IAT,
    "exp": _IAT + 120,
    "jti": JTI,
    "amr": ["vein", "otp"],
    "act": {"command": "difference approve", "target": "R12 R13"},
    "terminal": "T-01",
}


@dataclass(frozen=True, slots=True)
class Vector:
    """A token, what it shows, and what is wrong with it: nothing, if it must be accepted."""

    name: str
    shows: str
    token: str
    faults: tuple[Fault, ...] = ()


def issuer_key() -> Ed25519PrivateKey:
    """Give the published key all valid vectors are signed with."""
    return Ed25519PrivateKey.from_private_bytes(_SEED)


def public_pem() -> bytes:
    """Give its public part as a gateway hands it on."""
    return issuer_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def vectors() -> Iterator[Vector]:
    """List all vectors; every fault but a repeated jti, which takes two, has its own."""
    yield from _valid()
    yield from _forged()
    yield from _headers()
    yield from _forms()
    yield from _parties()
    yield from _times()
    yield from _factors_and_acts()


def _valid() -> Iterator[Vector]:
    yield Vector("valid", "palm and one-time code", _signed())
    renamed = {**HEADER, "alg": "Ed25519"}
    yield Vector("valid-alg-ed25519", "the newer name of the algorithm (RFC 9864)", _token(renamed))
    yield Vector("valid-security-key", "palm and security key", _signed(amr=["vein", "hwk"]))
    yield Vector("valid-longest", "300 seconds, the longest there may be", _signed(exp=_IAT + 300))
    about = {"command": "person show", "target": person_target(_PERSON, JTI)}
    yield Vector(
        "valid-person", f"about a person: scrypt of {_PERSON}, salted with the jti", _signed(act=about)
    )
    yield Vector("valid-unknown-claim", "a claim nobody knows is ignored", _signed(device="D-7"))
    japanese = {"command": "export", "target": "退避の訓練"}
    yield Vector("valid-japanese", "UTF-8 in the target", _signed(act=japanese))
    digest = {"command": "backup", "target": f"/srv/copy {'0123456789abcdef' * 3}{'0123456789012345'}"}
    yield Vector("valid-digest", "a digest with eleven digits in a row", _signed(act=digest))


def _forged() -> Iterator[Vector]:
    none = _input({**HEADER, "alg": "none"}, _json(CLAIMS))
    yield Vector("alg-none", "unsigned (RFC 8725, 2.1)", none + ".", (Fault.ALGORITHM,))
    yield Vector(
        "alg-none-capitals", "unsigned, written otherwise", _with_alg("nOnE", b""), (Fault.ALGORITHM,)
    )
    hmac_input = _input({**HEADER, "alg": "HS256"}, _json(CLAIMS))
    mac = hmac.digest(public_pem(), hmac_input.encode(), "sha256")
    yield Vector(
        "alg-hs256-pem", "HMAC keyed with the public key", f"{hmac_input}.{_b64(mac)}", (Fault.ALGORITHM,)
    )
    raw = issuer_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    mac = hmac.digest(raw, hmac_input.encode(), "sha256")
    yield Vector(
        "alg-hs256-raw", "HMAC keyed with its raw bytes", f"{hmac_input}.{_b64(mac)}", (Fault.ALGORITHM,)
    )
    yield Vector("alg-es256", "another signature algorithm", _es256(), (Fault.ALGORITHM,))
    other = Ed25519PrivateKey.from_private_bytes(_OTHER_SEED)
    yield Vector(
        "signature-other-key", "signed by a key nobody registered", _token(key=other), (Fault.SIGNATURE,)
    )
    head, claims, signature = _signed().split(".")
    altered = _b64(_json({**CLAIMS, "sub": "op-2"}))
    yield Vector(
        "signature-altered", "another operator put in", f"{head}.{altered}.{signature}", (Fault.SIGNATURE,)
    )
    yield Vector("signature-cut", "half of a signature", f"{head}.{claims}.{signature[:43]}", (Fault.FORM,))
    malleable = f"{head}.{claims}.{_b64(_malleable(signature))}"
    yield Vector(
        "signature-malleable", "the same signature plus the order of the group", malleable, (Fault.SIGNATURE,)
    )
    yield Vector("signature-absent", "EdDSA without a signature", f"{head}.{claims}.", (Fault.SIGNATURE,))


def _headers() -> Iterator[Vector]:
    yield Vector("typ-jwt", "a JWT for something else", _token({**HEADER, "typ": "JWT"}), (Fault.TYPE,))
    yield Vector("typ-missing", "no typ", _token(_without(HEADER, "typ")), (Fault.TYPE,))
    yield Vector("kid-missing", "no kid", _token(_without(HEADER, "kid")), (Fault.KEY_ID,))
    yield Vector("kid-unknown", "a key nobody registered", _token({**HEADER, "kid": "x-1"}), (Fault.KEY_ID,))
    path = {**HEADER, "kid": "../../keys/device.key"}
    yield Vector("kid-path", "a path for a key", _token(path), (Fault.KEY_ID,))
    both = (Fault.CRITICAL, Fault.OTHER_HEADER)
    crit = {**HEADER, "crit": ["exp"], "exp": _IAT}
    yield Vector("crit", "an extension that must be understood", _token(crit), both)
    unencoded = {**HEADER, "b64": True, "crit": ["b64"]}
    yield Vector("crit-b64", "an extension libraries know (RFC 7797)", _token(unencoded), both)
    other_name = {**HEADER, "cty": "JWT"}
    yield Vector("header-other", "a name that has no place there", _token(other_name), (Fault.OTHER_HEADER,))
    other = Ed25519PrivateKey.from_private_bytes(_OTHER_SEED)
    raw = other.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    jwk = {**HEADER, "jwk": {"kty": "OKP", "crv": "Ed25519", "x": _b64(raw)}}
    both = (Fault.ENCLOSED_KEY, Fault.SIGNATURE)
    yield Vector("jwk", "signed by the key it brings along", _token(jwk, key=other), both)
    yield Vector("jwk-rightly-signed", "a key brought along and not used", _token(jwk), (Fault.ENCLOSED_KEY,))
    jku = {**HEADER, "jku": "https://keys.example/jwks.json"}
    yield Vector("jku", "the address of a key", _token(jku), (Fault.ENCLOSED_KEY,))


def _forms() -> Iterator[Vector]:
    twice = _json(CLAIMS)[:-1] + b',"sub":"op-2"}'
    yield Vector(
        "duplicate-claim", "two operators, readers differ", _token(claims=twice), (Fault.DUPLICATE_KEY,)
    )
    act = _json(CLAIMS).replace(b'"target":', b'"target":"R1","target":')
    yield Vector("duplicate-nested", "two targets", _token(claims=act), (Fault.DUPLICATE_KEY,))
    last = _json(HEADER)[:-1] + b',"alg":"none"}'
    yield Vector("duplicate-header", "two algorithms, none the last", _raw(last), (Fault.DUPLICATE_KEY,))
    first = b'{"alg":"none",' + _json(HEADER)[1:]
    yield Vector(
        "duplicate-header-first", "two algorithms, none the first", _raw(first), (Fault.DUPLICATE_KEY,)
    )
    stray = _signed()[:-1] + chr(ord(_signed()[-1]) + 1)
    yield Vector("stray-bits", "another spelling of the same signature", stray, (Fault.FORM,))
    yield Vector("padding", "base64 with padding", _signed() + "==", (Fault.FORM,))
    yield Vector("five-parts", "an encrypted token's five parts", _signed() + ".e30.e30", (Fault.FORM,))
    yield Vector("claims-list", "claims that are no object", _token(claims=b"[]"), (Fault.FORM,))
    infinite = _json(CLAIMS).replace(str(_IAT + 120).encode(), b"Infinity")
    yield Vector("exp-infinity", "a number JSON does not have", _token(claims=infinite), (Fault.FORM,))
    yield Vector("too-long", "more than 4,096 bytes", _signed(device="x" * 4_096), (Fault.SIZE,))


def _parties() -> Iterator[Vector]:
    yield Vector("iss-missing", "no issuer", _lacking("iss"), (Fault.ISSUER,))
    yield Vector("aud-other", "for another prefecture", _signed(aud="juki-renkei:13"), (Fault.AUDIENCE,))
    yield Vector("aud-missing", "for nobody", _lacking("aud"), (Fault.AUDIENCE,))
    yield Vector("aud-list", "for several", _signed(aud=[AUDIENCE, "juki-renkei:13"]), (Fault.AUDIENCE,))
    yield Vector("sub-missing", "nobody", _lacking("sub"), (Fault.OPERATOR,))
    yield Vector("sub-number", "a person's number for a 照合ID", _signed(sub=_PERSON), (Fault.OPERATOR,))
    yield Vector("sub-full-width", "full-width letters", _signed(sub="ｏｐ－１"), (Fault.OPERATOR,))
    yield Vector("jti-missing", "can not be used once", _lacking("jti"), (Fault.NUMBER,))
    yield Vector("jti-short", "21 characters", _signed(jti="A" * 21), (Fault.NUMBER,))
    yield Vector("jti-long", "65 characters", _signed(jti="A" * 65), (Fault.NUMBER,))
    yield Vector("jti-line-feed", "ends with a line feed", _signed(jti=JTI + "\n"), (Fault.NUMBER,))
    yield Vector("terminal-missing", "nowhere", _lacking("terminal"), (Fault.TERMINAL,))


def _times() -> Iterator[Vector]:
    yield Vector("expired", "an hour ago", _signed(iat=_IAT - 3600, exp=_IAT - 3480), (Fault.EXPIRED,))
    yield Vector("not-yet", "in an hour", _signed(iat=_IAT + 3600, exp=_IAT + 3720), (Fault.NOT_YET,))
    yield Vector("lifetime-301", "301 seconds", _signed(exp=_IAT + 301), (Fault.LIFETIME,))
    backwards = _signed(iat=_IAT + 20, exp=_IAT + 20)
    yield Vector("lifetime-none", "ends as it begins", backwards, (Fault.LIFETIME, Fault.EXPIRED))
    yield Vector("exp-missing", "without an end", _lacking("exp"), (Fault.TIMES,))
    yield Vector("iat-missing", "without a beginning", _lacking("iat"), (Fault.TIMES,))
    yield Vector("exp-text", "a number as text", _signed(exp=str(_IAT + 120)), (Fault.TIMES,))
    yield Vector("exp-fraction", "no whole seconds", _signed(exp=_IAT + 120.5), (Fault.TIMES,))
    yield Vector("exp-true", "a truth value", _signed(exp=True), (Fault.TIMES,))


def _factors_and_acts() -> Iterator[Vector]:
    yield Vector("amr-no-vein", "code and key, no palm", _signed(amr=["otp", "hwk"]), (Fault.VEIN,))
    yield Vector("amr-one-factor", "the palm alone", _signed(amr=["vein"]), (Fault.SECOND_FACTOR,))
    yield Vector("amr-password", "a password is none", _signed(amr=["vein", "pwd"]), (Fault.SECOND_FACTOR,))
    both = (Fault.VEIN, Fault.SECOND_FACTOR)
    yield Vector("amr-missing", "no factor", _lacking("amr"), both)
    yield Vector("amr-text", "a text that contains both", _signed(amr="vein otp"), both)
    yield Vector("act-missing", "authorises anything", _lacking("act"), (Fault.ACT,))
    yield Vector("act-text", "no command and target", _signed(act="difference approve R12"), (Fault.ACT,))
    yield Vector("act-no-target", "any target", _signed(act={"command": "difference approve"}), (Fault.ACT,))
    person = {"command": "person show", "target": _PERSON}
    yield Vector("act-person", "a resident code in the clear", _signed(act=person), (Fault.PERSON,))


def _signed(**changed: Any) -> str:
    return _token(claims=_json({**CLAIMS, **changed}))


def _lacking(name: str) -> str:
    return _token(claims=_json(_without(CLAIMS, name)))


def _without(items: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in items.items() if key != name}


def _token(
    header: dict[str, Any] = HEADER, claims: bytes | None = None, key: Ed25519PrivateKey | None = None
) -> str:
    signed = _input(header, _json(CLAIMS) if claims is None else claims)
    return f"{signed}.{_b64((key or issuer_key()).sign(signed.encode()))}"


def _raw(header: bytes) -> str:
    signed = f"{_b64(header)}.{_b64(_json(CLAIMS))}"
    return f"{signed}.{_b64(issuer_key().sign(signed.encode()))}"


def _malleable(signature: str) -> bytes:
    content = base64.urlsafe_b64decode(signature + "==")
    scalar = int.from_bytes(content[32:], "little") + _GROUP_ORDER
    return content[:32] + scalar.to_bytes(32, "little")


def _with_alg(algorithm: str, signature: bytes) -> str:
    return f"{_input({**HEADER, 'alg': algorithm}, _json(CLAIMS))}.{_b64(signature)}"


def _es256() -> str:
    key = ec.derive_private_key(int.from_bytes(_SEED, "big") >> 1, ec.SECP256R1())
    signed = _input({**HEADER, "alg": "ES256"}, _json(CLAIMS))
    der = key.sign(signed.encode(), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    return f"{signed}.{_b64(b''.join(part.to_bytes(32, 'big') for part in decode_dss_signature(der)))}"


def _input(header: dict[str, Any], claims: bytes) -> str:
    return f"{_b64(_json(header))}.{_b64(claims)}"


def _json(items: dict[str, Any]) -> bytes:
    return json.dumps(items, ensure_ascii=False, separators=(",", ":")).encode()


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def document() -> str:
    """Write the published file."""
    content = {
        "about": "docs/formats/operator-assertion.md; made by simulator/vein/vectors.py; the keys are worth nothing",
        "checked_at": CHECKED_AT.isoformat(),
        "audience": AUDIENCE,
        "kid": KID,
        "public_key_pem": public_pem().decode("ascii"),
        "private_key_seed_hex": _SEED.hex(),
        "person_target": {"text": _PERSON, "jti": JTI, "target": person_target(_PERSON, JTI)},
        "vectors": [
            {"name": one.name, "shows": one.shows, "is_valid": not one.faults,
             "faults": [fault.value for fault in one.faults], "token": one.token}
            for one in vectors()
        ],
    }  # fmt: skip
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
