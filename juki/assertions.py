"""The assertion (認証結果) of the vein gateway: a signed token that one operator may do one act now.

Decides:    which tokens are well formed, signed by a registered issuer, in time, of two factors, and for this act.
Leaves:     who the operator is and may do to `juki.operators`, its one use to `juki.store.journal`.
Invariants: the algorithm is ours, never the token's: Ed25519 with a registered key or nothing; a token
            names its type, its key and nothing else in its header; keys of a JSON object are unique; the text of a
            token, which could still be used, stands in no error.
Source:     design 7, docs/formats/operator-assertion.md, RFC 7515, RFC 8725 (best practices), RFC 9864.
"""

from __future__ import annotations

import base64
import hashlib
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import OKPKey

from juki.errors import DeniedError
from juki.operators import Act, Assertion, is_operator_id
from juki.reasons import Code
from juki.strict_json import read_json

MAX_TOKEN_BYTES = 4096
LONGEST = timedelta(seconds=300)
"""The longest life of an assertion."""
SKEW = timedelta(seconds=30)
"""How far the clocks of gateway and store may differ."""
_TYPE = "juki-assertion+jwt"
_ALGORITHMS = ("EdDSA", "Ed25519")
"""Two names of one algorithm for the keys we take: RFC 8037, and RFC 9864 which replaces it."""
_HEADER = {"alg", "typ", "kid"}
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_JTI = re.compile(r"[A-Za-z0-9_-]{22,64}")
_BIOMETRIC, _SECOND = "vein", frozenset({"otp", "hwk"})
_PERSONAL = "scrypt:"


@dataclass(frozen=True, slots=True)
class Issuer:
    """A registered key of a gateway, and the days on which it is trusted."""

    issuer: str
    kid: str
    public_key: OKPKey
    valid_from: datetime
    valid_to: datetime | None = None


def audience_of(prefecture_code: str) -> str:
    """Name this system to a gateway."""
    return f"juki-renkei:{prefecture_code[:2]}"


def verified(token: str, issuers: Sequence[Issuer], audience: str, at: datetime) -> Assertion:
    """Check everything a token says by itself.

    Raises: as `signed_assertion` and `check_fresh` do.
    """
    found = signed_assertion(token, issuers, audience, at)
    check_fresh(found, at)
    return found


def signed_assertion(token: str, issuers: Sequence[Issuer], audience: str, at: datetime) -> Assertion:
    """Read a token that a registered gateway signed for this system: from here on it is known whose it is.

    One for another system names nobody of ours: its operator may have the id of another person here.
    Raises: DeniedError with OPERATOR_ASSERTION_FORM, _SIGNATURE or _AUDIENCE.
    """
    signed = _signed(token)
    issuer = _issuer_of(signed.headers(), issuers, at)
    claims = _claims(_checked_signature(signed, issuer))
    if claims.get("iss") != issuer.issuer:
        raise DeniedError(Code.OPERATOR_ASSERTION_SIGNATURE)
    if claims.get("aud") != audience:
        raise DeniedError(Code.OPERATOR_ASSERTION_AUDIENCE)
    return _read(claims)


def check_fresh(found: Assertion, at: datetime) -> None:
    """Hold an assertion to its time and its factors.

    Raises: DeniedError with OPERATOR_ASSERTION_EXPIRED or _FACTORS.
    """
    if not found.issued_at < found.expires_at <= found.issued_at + LONGEST:
        raise DeniedError(Code.OPERATOR_ASSERTION_EXPIRED)
    if not found.issued_at - SKEW <= at < found.expires_at + SKEW:
        raise DeniedError(Code.OPERATOR_ASSERTION_EXPIRED)
    if _BIOMETRIC not in found.factors or not found.factors & _SECOND:
        raise DeniedError(Code.OPERATOR_ASSERTION_FACTORS)


def check_act(assertion: Assertion, act: Act) -> None:
    """Hold an assertion to the act it is presented for.

    Raises: DeniedError(OPERATOR_ASSERTION_ACT).
    """
    wanted = personal_target(act.target, assertion.jti) if act.is_personal else act.target
    if (assertion.command, assertion.target) != (act.command, wanted):
        raise DeniedError(Code.OPERATOR_ASSERTION_ACT, act.command)


def personal_target(target: str, jti: str) -> str:
    """Write what names a person so that the token binds it and nobody reads it: salted, and slow to guess.

    Ten to the eleventh codes at fifty milliseconds each keep a machine busy for more than a century.
    """
    digest = hashlib.scrypt(target.encode(), salt=jti.encode(), n=2**14, r=8, p=1, dklen=16)
    return _PERSONAL + digest.hex()


def _signed(token: str) -> jws.CompactSignature:
    if len(token) > MAX_TOKEN_BYTES or not token.isascii():
        raise DeniedError(Code.OPERATOR_ASSERTION_FORM)
    try:
        found = jws.extract_compact(token.encode())
    except (JoseError, ValueError):
        found = None
    if found is None or _claims(_decoded(token.split(".")[0])) != found.protected:
        # The library takes the last of two equal keys; another reader might take the first.
        raise DeniedError(Code.OPERATOR_ASSERTION_FORM)
    if set(found.protected) != _HEADER or found.protected["typ"] != _TYPE:
        raise DeniedError(Code.OPERATOR_ASSERTION_FORM)
    return found


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _issuer_of(header: Mapping[str, Any], issuers: Sequence[Issuer], at: datetime) -> Issuer:
    known = [one for one in issuers if one.kid == header["kid"]]
    trusted = [one for one in known if one.valid_from <= at and (one.valid_to is None or at <= one.valid_to)]
    if header["alg"] not in _ALGORITHMS or not trusted:
        raise DeniedError(Code.OPERATOR_ASSERTION_SIGNATURE)
    return trusted[0]


def _checked_signature(signed: jws.CompactSignature, issuer: Issuer) -> bytes:
    with warnings.catch_warnings():
        # The older name of the algorithm is what a gateway of today may still write.
        warnings.simplefilter("ignore", SecurityWarning)
        try:
            holds = jws.validate_compact(signed, issuer.public_key, algorithms=list(_ALGORITHMS))
        except (JoseError, ValueError):
            holds = False
    if not holds:
        raise DeniedError(Code.OPERATOR_ASSERTION_SIGNATURE)
    return signed.payload


def _claims(payload: bytes) -> dict[str, Any]:
    try:
        found = read_json(payload, integers_only=False)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise DeniedError(Code.OPERATOR_ASSERTION_FORM)
    return found


def _read(claims: Mapping[str, Any]) -> Assertion:
    act, amr = claims.get("act"), claims.get("amr")
    if not isinstance(act, dict) or not isinstance(amr, list) or not all(isinstance(one, str) for one in amr):
        raise DeniedError(Code.OPERATOR_ASSERTION_FORM)
    return Assertion(
        issuer=str(claims["iss"]),
        operator_id=_operator_id(claims.get("sub")),
        jti=_text(claims.get("jti"), _JTI),
        factors=frozenset(amr),
        command=_text(act.get("command")),
        target=_text(act.get("target")),
        terminal=_text(claims.get("terminal"), _WORD),
        issued_at=_instant(claims.get("iat")),
        expires_at=_instant(claims.get("exp")),
    )


def _operator_id(value: object) -> str:
    text = _text(value, _WORD)
    if not is_operator_id(text):
        raise DeniedError(Code.OPERATOR_ASSERTION_FORM)
    return text


def _text(value: object, form: re.Pattern[str] | None = None) -> str:
    if not isinstance(value, str) or (form is not None and form.fullmatch(value) is None):
        raise DeniedError(Code.OPERATOR_ASSERTION_FORM)
    return value


def _instant(value: object) -> datetime:
    if type(value) is not int or not 0 <= value < 2**33:
        raise DeniedError(Code.OPERATOR_ASSERTION_FORM)
    return datetime.fromtimestamp(value, UTC)


def issuer_key(pem: bytes) -> OKPKey:
    """Read the public key of a gateway.

    Raises: ValueError for anything but an Ed25519 public key.
    """
    try:
        key = OKPKey.import_key(pem)
    except JoseError:
        raise ValueError("no key of this kind") from None
    if key.curve_name != "Ed25519" or key.is_private:
        raise ValueError("no public key of Ed25519")
    return key
