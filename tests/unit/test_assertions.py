"""What a token proves: each attack on it by its name, refused with its own code."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from juki.assertions import Issuer, audience_of, check_act, issuer_key, personal_target, verified
from juki.errors import DeniedError
from juki.operators import Act, Assertion
from juki.reasons import Code
from tests.gateway import AUDIENCE, ISSUER, KEY_ID, Gateway, encoded

AT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
GATEWAY = Gateway()
TRUSTED = [Issuer(ISSUER, KEY_ID, issuer_key(GATEWAY.pem), AT - timedelta(days=1), AT + timedelta(days=1))]
HEADER = {"alg": "EdDSA", "typ": "juki-assertion+jwt", "kid": KEY_ID}
FORM, SIGNATURE = Code.OPERATOR_ASSERTION_FORM, Code.OPERATOR_ASSERTION_SIGNATURE
EXPIRED = Code.OPERATOR_ASSERTION_EXPIRED


def token(**claims: Any) -> str:
    return GATEWAY.token("op-7", "difference approve", "R12", at=AT, **claims)


def refused(text: str, at: datetime = AT) -> Code:
    with pytest.raises(DeniedError) as caught:
        verified(text, TRUSTED, AUDIENCE, at)
    assert caught.value.__cause__ is None
    assert not any(len(part) > 8 and part in str(caught.value) for part in text.split("."))
    return caught.value.code


def _payload() -> bytes:
    part = token().split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_what_a_gateway_attests_is_read() -> None:
    """The one token that is right, under both names of the algorithm."""
    for alg in ("EdDSA", "Ed25519"):
        found = verified(token(header={**HEADER, "alg": alg}), TRUSTED, audience_of("350001"), AT)
        assert (found.operator_id, found.command, found.target) == ("op-7", "difference approve", "R12")
        assert (found.terminal, found.factors) == ("T-01", {"vein", "otp"})


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": "juki-renkei:34"}, Code.OPERATOR_ASSERTION_AUDIENCE),
        ({"aud": [AUDIENCE]}, Code.OPERATOR_ASSERTION_AUDIENCE),
        ({"aud": None}, Code.OPERATOR_ASSERTION_AUDIENCE),
        ({"iss": "gw-2"}, SIGNATURE),
        ({"iss": None}, SIGNATURE),
        ({"amr": ["vein"]}, Code.OPERATOR_ASSERTION_FACTORS),
        ({"amr": ["otp", "hwk"]}, Code.OPERATOR_ASSERTION_FACTORS),
        ({"amr": ["vein", "vein"]}, Code.OPERATOR_ASSERTION_FACTORS),
        ({"amr": []}, Code.OPERATOR_ASSERTION_FACTORS),
        ({"amr": "vein otp"}, FORM),
        ({"amr": ["vein", 1]}, FORM),
        ({"jti": None}, FORM),
        ({"jti": "short"}, FORM),
        ({"jti": "x" * 65}, FORM),
        ({"sub": None}, FORM),
        ({"sub": "op 7"}, FORM),
        ({"terminal": None}, FORM),
        ({"act": None}, FORM),
        ({"act": "difference approve"}, FORM),
        ({"act": {"command": "difference approve"}}, FORM),
        ({"exp": None}, FORM),
        ({"iat": None}, FORM),
        ({"exp": "1796115900"}, FORM),
        ({"exp": True}, FORM),
        ({"exp": 1e9}, FORM),
        ({"exp": -1}, FORM),
        ({"exp": int(AT.timestamp()) + 301}, EXPIRED),
        ({"exp": int(AT.timestamp())}, EXPIRED),
        ({"exp": int(AT.timestamp()) - 1}, EXPIRED),
    ],
    ids=str,
)  # fmt: skip
def test_claim_that_is_not_what_it_must_be(claims: dict[str, Any], code: Code) -> None:
    """A signature alone proves nothing: every claim is held to its form and its meaning."""
    assert refused(token(**claims)) is code


@pytest.mark.parametrize(
    ("seconds", "holds"), [(-31, False), (-30, True), (0, True), (329, True), (330, False)]
)
def test_assertion_holds_for_five_minutes_and_the_skew(seconds: int, holds: bool) -> None:
    """Before its time, in it, at its very end and after it."""
    at = AT + timedelta(seconds=seconds)
    if holds:
        assert verified(token(), TRUSTED, AUDIENCE, at).issued_at == AT
    else:
        assert refused(token(), at) is EXPIRED


@pytest.mark.parametrize("days", [-2, 2])
def test_key_of_a_gateway_outside_its_days_signs_nothing(days: int) -> None:
    """A key that is retired, or not yet in use, is no key."""
    at = AT + timedelta(days=days)
    assert refused(GATEWAY.token("op-7", "x", at=at), at) is SIGNATURE


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "", "HS256", "ES256", "RS256", "EdDSA ", None, 1])
def test_algorithm_confusion(alg: object) -> None:
    """The token does not choose how it is checked."""
    assert refused(token(header={**HEADER, "alg": alg})) in (FORM, SIGNATURE)


def test_unsigned_token_of_algorithm_none() -> None:
    """The oldest attack: no signature at all."""
    head = encoded(json.dumps({**HEADER, "alg": "none"}).encode())
    assert refused(f"{head}.{encoded(_payload())}.") in (FORM, SIGNATURE)


@pytest.mark.parametrize(
    "secret", [GATEWAY.pem, GATEWAY.key.public_key().public_bytes_raw()], ids=["pem", "raw"]
)
def test_hs256_with_the_public_key_as_secret(secret: bytes) -> None:
    """Everybody knows the public key; it is no secret of a MAC."""
    text = f"{encoded(json.dumps({**HEADER, 'alg': 'HS256'}).encode())}.{encoded(_payload())}"
    forged = f"{text}.{encoded(hmac.digest(secret, text.encode(), 'sha256'))}"
    assert refused(forged) is SIGNATURE


def test_signature_by_another_curve() -> None:
    """A key of the attacker, of another kind, under the name of ours."""
    text = f"{encoded(json.dumps({**HEADER, 'alg': 'ES256'}).encode())}.{encoded(_payload())}"
    own = ec.generate_private_key(ec.SECP256R1()).sign(text.encode(), ec.ECDSA(hashes.SHA256()))
    assert refused(f"{text}.{encoded(own)}") is SIGNATURE


def test_signature_of_another_key_under_our_key_id() -> None:
    """The name of a key is no proof of it."""
    forger = Gateway(Ed25519PrivateKey.from_private_bytes(bytes(32)))
    assert refused(forger.token("op-7", "difference approve", "R12", at=AT)) is SIGNATURE


@pytest.mark.parametrize(
    "more", [{"jwk": {"kty": "OKP"}}, {"crit": ["exp"]}, {"x5u": "https://a"}, {"b64": False}]
)
def test_header_that_brings_its_own_key_or_rules(more: dict[str, Any]) -> None:
    """A header names type, algorithm and key, and nothing else is read from it."""
    assert refused(token(header={**HEADER, **more})) is FORM


@pytest.mark.parametrize("name", ["alg", "typ", "kid"])
def test_header_that_says_too_little(name: str) -> None:
    """Without its type a token of another use could be taken for one (RFC 8725)."""
    assert refused(token(header={key: value for key, value in HEADER.items() if key != name})) is FORM


def test_token_of_another_type() -> None:
    """A session token of the same gateway is no assertion."""
    assert refused(token(header={**HEADER, "typ": "JWT"})) is FORM


def test_key_that_is_not_registered() -> None:
    """An unknown key id."""
    assert refused(token(header={**HEADER, "kid": "gw-9"})) is SIGNATURE


def test_keys_that_stand_twice() -> None:
    """Two readers could read two operators from one token."""
    payload = _payload().replace(b'{"iss"', b'{"sub": "op-1", "iss"')
    assert refused(GATEWAY.signed(HEADER, payload)) is FORM


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b"\xff", b'{"exp": NaN}', b"[" * 4000])
def test_payload_that_is_no_object(payload: bytes) -> None:
    """What can not be read is refused like everything else, not a failure."""
    assert refused(GATEWAY.signed(HEADER, payload)) is FORM


@pytest.mark.parametrize("text", ["", ".", "..", "a.b", "a.b.c.d", "鍵.b.c", "x" * 5000, "{}"])
def test_text_that_is_no_token(text: str) -> None:
    """Whatever is in the file."""
    assert refused(text) is FORM


def test_every_changed_character_is_noticed() -> None:
    """No place of a token may be altered: its header, its claims, its signature."""
    good = token()
    for place in range(len(good)):
        other = "A" if good[place] != "A" else "B"
        altered = good[:place] + other + good[place + 1 :]
        try:
            found = verified(altered, TRUSTED, AUDIENCE, AT)
        except DeniedError:
            continue
        # The last characters of a part may hold bits that mean nothing.
        assert found == verified(good, TRUSTED, AUDIENCE, AT)


def _assertion(command: str, target: str) -> Assertion:
    return verified(GATEWAY.token("op-7", command, target, at=AT, jti="j" * 22), TRUSTED, AUDIENCE, AT)


@pytest.mark.parametrize(
    "act", [Act("difference accept", "R12"), Act("difference approve", "R13"), Act("", "")]
)
def test_assertion_bound_to_another_act(act: Act) -> None:
    """An operator who approved one thing has not approved another."""
    with pytest.raises(DeniedError) as caught:
        check_act(_assertion("difference approve", "R12"), act)
    assert caught.value.code is Code.OPERATOR_ASSERTION_ACT


def test_person_is_bound_and_not_told() -> None:
    """A token about a person fits that person only, and nobody reads from it who it is."""
    named = personal_target("12345678901", "j" * 22)
    bound = _assertion("person show", named)
    check_act(bound, Act("person show", "12345678901", is_personal=True))
    for other in (Act("person show", "12345678902", is_personal=True), Act("person show", "12345678901")):
        with pytest.raises(DeniedError):
            check_act(bound, other)
    assert "12345678901" not in named
    assert named != personal_target("12345678901", "k" * 22)


def test_plain_target_is_none_about_a_person() -> None:
    """A gateway that writes the person into the token is not obeyed."""
    with pytest.raises(DeniedError):
        check_act(
            _assertion("person show", "12345678901"), Act("person show", "12345678901", is_personal=True)
        )


@pytest.mark.parametrize("pem", [b"", b"no key", ec.generate_private_key(ec.SECP256R1()).public_key()])
def test_key_of_another_kind_is_not_registered(pem: Any) -> None:
    """Only public keys of Ed25519 are taken."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    text = (
        pem if isinstance(pem, bytes) else pem.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(ValueError, match=r".*"):
        issuer_key(text)
