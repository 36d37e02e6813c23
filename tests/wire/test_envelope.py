"""Opening and sealing: the openssl program on the other side, and every refusal of spec section 1 by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from juki.errors import SourceError
from juki.packages import MAX_FILE_BYTES
from juki.reasons import Code
from juki.wire.envelope import Sender, fingerprint, open_envelope, seal_envelope
from simulator import pki, sealing
from simulator.sealing import OAEP_SHA256, seal_by_openssl

AT = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
CODE = "352039"
RSA_CODE = "352021"
CONTENT = '{"format":"juki-notice/1"}\nnotice_no,name\n1,山口 花子\n'.encode()


def opened(authority: pki.Pki, data: bytes, sender: Sender | None = None, at: datetime = AT) -> bytes:
    """Open as the prefecture."""
    keys = [authority.prefecture.recipient()]
    return open_envelope(data, recipient=keys, sender=sender or authority.sender(CODE), at=at)


def refusal(authority: pki.Pki, data: bytes, sender: Sender | None = None, at: datetime = AT) -> Code:
    """Open as the prefecture and return the code of the refusal, which carries nothing of the content."""
    with pytest.raises(SourceError) as caught:
        opened(authority, data, sender, at)
    assert caught.value.ref == (sender or authority.sender(CODE)).municipality_code
    assert caught.value.__cause__ is None
    assert "花子" not in repr(caught.value)
    return caught.value.code


def registered(authority: pki.Pki, *identities: pki.Identity, root: pki.Identity | None = None) -> Sender:
    """A register entry for the municipality with other certificates."""
    prints = frozenset(fingerprint(identity.certificate) for identity in identities)
    return Sender(CODE, prints, ((root or authority.root).certificate,))


def signer(authority: pki.Pki) -> pki.Identity:
    """The identity the municipality signs with."""
    return authority.offices[CODE].signer


@pytest.mark.parametrize("code", [CODE, RSA_CODE])
@pytest.mark.parametrize("sealer", list(sealing.Sealer))
def test_sealed_package_opens(authority: pki.Pki, code: str, sealer: sealing.Sealer) -> None:
    """ECDSA and RSA signers, sealed by us and by the openssl program."""
    recipient = authority.prefecture.certificate
    data = sealing.seal(CONTENT, authority.offices[code].signer, recipient, sealer)
    assert opened(authority, data, authority.sender(code)) == CONTENT


@pytest.mark.parametrize("code", [CODE, RSA_CODE])
def test_openssl_opens_what_we_seal(authority: pki.Pki, code: str) -> None:
    """A municipality needs nothing but the openssl program to read a receipt."""
    office = authority.offices[code]
    data = sealing.seal(CONTENT, authority.prefecture, office.receiver.certificate)
    assert sealing.open_by_openssl(data, office.receiver, authority.root.certificate) == CONTENT


@pytest.mark.parametrize(
    "options",
    [
        ("-md", "sha384"),
        ("-md", "sha512"),
        ("-md", "sha256", "-keyid"),
        ("-md", "sha256", "-nosmimecap"),
    ],
)
def test_other_permitted_forms_of_signature_open(authority: pki.Pki, options: tuple[str, ...]) -> None:
    """Stronger digests, a signer named by key identifier, fewer attributes."""
    recipient = authority.prefecture.certificate
    for code in (CODE, RSA_CODE):
        data = seal_by_openssl(CONTENT, authority.offices[code].signer, recipient, sign_options=options)
        assert opened(authority, data, authority.sender(code)) == CONTENT


@pytest.mark.parametrize("salt", ["32", "digest", "max"])
def test_rsa_pss_signature_opens(authority: pki.Pki, salt: str) -> None:
    """RSA-PSS with the salt lengths the openssl program offers."""
    options = ("-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", f"rsa_pss_saltlen:{salt}")
    identity = authority.offices[RSA_CODE].signer
    data = seal_by_openssl(CONTENT, identity, authority.prefecture.certificate, sign_options=options)
    assert opened(authority, data, authority.sender(RSA_CODE)) == CONTENT


def test_recipient_named_by_key_identifier_opens(authority: pki.Pki) -> None:
    """`openssl cms -encrypt -keyid` names the recipient by its subject key identifier."""
    data = seal_by_openssl(
        CONTENT,
        signer(authority),
        authority.prefecture.certificate,
        encrypt_options=("-aes-256-gcm", "-keyid"),
    )
    assert opened(authority, data) == CONTENT


def test_p384_signature_opens(authority: pki.Pki) -> None:
    """P-384 is the other curve permitted, signed with SHA-384 by us and SHA-256 by openssl."""
    identity = pki.issue(authority.root, "p384", pki.ec_key(ec.SECP384R1()))
    for sealer in sealing.Sealer:
        data = sealing.seal(CONTENT, identity, authority.prefecture.certificate, sealer)
        assert opened(authority, data, registered(authority, identity)) == CONTENT


def test_signer_below_an_intermediate_authority_opens(authority: pki.Pki) -> None:
    """The intermediate certificate travels in the package; only the root is configured."""
    intermediate = pki.issue(authority.root, "中間認証局", pki.ec_key(), is_authority=True)
    identity = pki.issue(intermediate, "市町村", pki.ec_key())
    signing = replace(identity.signing(), intermediates=(intermediate.certificate,))
    data = seal_envelope(CONTENT, signer=signing, recipient_certificate=authority.prefecture.certificate)
    assert opened(authority, data, registered(authority, identity)) == CONTENT
    alone = sealing.seal(CONTENT, identity, authority.prefecture.certificate)
    assert refusal(authority, alone, registered(authority, identity)) is Code.PACKAGE_CERTIFICATE_CHAIN


def test_key_before_a_renewal_still_opens(authority: pki.Pki) -> None:
    """Packages under way while the prefecture changes its certificate are not lost."""
    renewed = pki.issue(authority.root, "都道府県", pki.rsa_key()).recipient()
    data = sealing.seal(CONTENT, signer(authority), authority.prefecture.certificate)
    keys = [renewed, authority.prefecture.recipient()]
    assert open_envelope(data, recipient=keys, sender=authority.sender(CODE), at=AT) == CONTENT


@pytest.mark.parametrize(
    ("options", "recipient_options", "code"),
    [
        (("-aes-256-cbc",), OAEP_SHA256, Code.PACKAGE_CONTENT_CIPHER),
        (("-aes-128-gcm",), OAEP_SHA256, Code.PACKAGE_CONTENT_CIPHER),
        (("-aes-192-gcm",), OAEP_SHA256, Code.PACKAGE_CONTENT_CIPHER),
        (("-des3",), OAEP_SHA256, Code.PACKAGE_CONTENT_CIPHER),
        (("-aes-256-gcm",), (), Code.PACKAGE_KEY_TRANSPORT),
        (("-aes-256-gcm",), ("-keyopt", "rsa_padding_mode:oaep"), Code.PACKAGE_KEY_TRANSPORT),
        (("-aes-256-gcm",), OAEP_SHA256[:4], None),
        (("-aes-256-gcm",), (*OAEP_SHA256[:5], "rsa_mgf1_md:sha1"), Code.PACKAGE_KEY_TRANSPORT),
        (("-aes-256-gcm",), (*OAEP_SHA256, "-keyopt", "rsa_oaep_label:00ff"), Code.PACKAGE_KEY_TRANSPORT),
        (("-aes-256-gcm", "-stream"), OAEP_SHA256, Code.PACKAGE_ENVELOPE),
    ],
)
def test_other_ciphers_and_key_transports_are_refused_by_name(
    authority: pki.Pki, options: tuple[str, ...], recipient_options: tuple[str, ...], code: Code | None
) -> None:
    """CBC, weaker keys, PKCS#1 v1.5 key transport, SHA-1 in OAEP or its mask, a label, indefinite lengths."""
    data = seal_by_openssl(
        CONTENT,
        signer(authority),
        authority.prefecture.certificate,
        encrypt_options=options,
        recipient_options=recipient_options,
    )
    if code is None:
        assert opened(authority, data) == CONTENT
    else:
        assert refusal(authority, data) is code


def test_weak_recipient_key_is_refused(authority: pki.Pki) -> None:
    """RSA below 3072 bits does not carry a content key, neither in nor out."""
    weak = pki.issue(authority.root, "都道府県", pki.rsa_key(2048))
    data = seal_by_openssl(CONTENT, signer(authority), weak.certificate)
    with pytest.raises(SourceError) as caught:
        open_envelope(data, recipient=[weak.recipient()], sender=authority.sender(CODE), at=AT)
    assert caught.value.code is Code.PACKAGE_KEY_TRANSPORT
    with pytest.raises(SourceError) as caught:
        sealing.seal(CONTENT, signer(authority), weak.certificate)
    assert caught.value.code is Code.PACKAGE_KEY_TRANSPORT


def test_package_for_another_prefecture_is_refused(authority: pki.Pki) -> None:
    """Encrypted to someone else, or to us and someone else."""
    other = pki.issue(authority.root, "他県", pki.rsa_key())
    assert refusal(authority, sealing.seal(CONTENT, signer(authority), other.certificate)) is (
        Code.PACKAGE_RECIPIENT
    )


def test_package_for_two_recipients_is_refused(
    authority: pki.Pki, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nobody else may hold the key of what we receive."""
    second, _ = pki.save(authority.offices[CODE].receiver, tmp_path_factory.mktemp("second") / "second")
    data = seal_by_openssl(
        CONTENT,
        signer(authority),
        authority.prefecture.certificate,
        recipient_options=(*OAEP_SHA256, "-recip", str(second), *OAEP_SHA256),
    )
    assert refusal(authority, data) is Code.PACKAGE_RECIPIENT


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("-md", "sha1"), Code.PACKAGE_SIGNATURE_ALGORITHM),
        (("-md", "sha224"), Code.PACKAGE_SIGNATURE_ALGORITHM),
        (("-md", "sha256", "-noattr"), Code.PACKAGE_SIGNATURE_FORM),
        (("-md", "sha256", "-nocerts"), Code.PACKAGE_SIGNATURE_FORM),
        (("-md", "sha256", "-stream"), Code.PACKAGE_SIGNATURE_FORM),
        (("-md", "sha256", "-econtent_type", "1.2.3.4"), Code.PACKAGE_SIGNATURE_FORM),
    ],
)
def test_other_forms_of_signature_are_refused_by_name(
    authority: pki.Pki, options: tuple[str, ...], code: Code
) -> None:
    """Weak digests, no signed attributes, no certificate, indefinite lengths, another content type."""
    recipient = authority.prefecture.certificate
    for office in (CODE, RSA_CODE):
        data = seal_by_openssl(CONTENT, authority.offices[office].signer, recipient, sign_options=options)
        assert refusal(authority, data, authority.sender(office)) is code


def test_detached_signature_is_refused(authority: pki.Pki) -> None:
    """The content must be inside what is signed."""
    signed = sealing.sign_by_openssl(CONTENT, signer(authority), is_detached=True)
    data = sealing.encrypt_by_openssl(signed, authority.prefecture.certificate)
    assert refusal(authority, data) is Code.PACKAGE_SIGNATURE_FORM


def test_two_signers_are_refused(authority: pki.Pki, tmp_path_factory: pytest.TempPathFactory) -> None:
    """One package has one sender."""
    certificate, key = pki.save(authority.offices[RSA_CODE].signer, tmp_path_factory.mktemp("two") / "two")
    options = ("-md", "sha256", "-signer", str(certificate), "-inkey", str(key))
    data = seal_by_openssl(CONTENT, signer(authority), authority.prefecture.certificate, sign_options=options)
    assert refusal(authority, data) is Code.PACKAGE_SIGNATURE_FORM


def test_unsigned_package_is_refused(authority: pki.Pki) -> None:
    """Encrypted to us is not enough: anyone can do that."""
    data = sealing.encrypt_by_openssl(CONTENT, authority.prefecture.certificate)
    assert refusal(authority, data) is Code.PACKAGE_SIGNATURE_FORM


def test_signature_without_encryption_is_refused(authority: pki.Pki) -> None:
    """Signed alone is not enough either."""
    data = sealing.sign_by_openssl(CONTENT, signer(authority))
    assert refusal(authority, data) is Code.PACKAGE_CONTENT_CIPHER


@pytest.mark.parametrize("bits", [2048])
def test_weak_rsa_signer_is_refused(authority: pki.Pki, bits: int) -> None:
    """RSA below 3072 bits does not sign."""
    weak = pki.issue(authority.root, "弱い鍵", pki.rsa_key(bits))
    data = sealing.seal(CONTENT, weak, authority.prefecture.certificate)
    assert refusal(authority, data, registered(authority, weak)) is Code.PACKAGE_SIGNATURE_ALGORITHM


@pytest.mark.parametrize("curve", [ec.SECP521R1(), ec.SECP256K1(), ec.BrainpoolP256R1()])
def test_other_curves_are_refused(authority: pki.Pki, curve: ec.EllipticCurve) -> None:
    """P-256 and P-384 only; others fail at the chain or at the signature."""
    identity = pki.issue(authority.root, "他の曲線", pki.ec_key(curve))
    data = seal_by_openssl(CONTENT, identity, authority.prefecture.certificate)
    assert refusal(authority, data, registered(authority, identity)) in (
        Code.PACKAGE_SIGNATURE_ALGORITHM,
        Code.PACKAGE_CERTIFICATE_CHAIN,
    )


def test_signer_of_another_municipality_is_refused(authority: pki.Pki) -> None:
    """A genuine certificate of the same authority, registered for somebody else."""
    data = sealing.seal(CONTENT, authority.offices["352080"].signer, authority.prefecture.certificate)
    assert refusal(authority, data) is Code.PACKAGE_SIGNER_UNREGISTERED


def test_expired_and_not_yet_valid_certificates_are_refused(authority: pki.Pki) -> None:
    """Judged at the instant of receipt, which is an argument."""
    data = sealing.seal(CONTENT, signer(authority), authority.prefecture.certificate)
    assert refusal(authority, data, at=pki.VALID_UNTIL + timedelta(seconds=1)) is (
        Code.PACKAGE_CERTIFICATE_EXPIRED
    )
    assert refusal(authority, data, at=pki.VALID_FROM - timedelta(seconds=1)) is (
        Code.PACKAGE_CERTIFICATE_EXPIRED
    )
    old = pki.expired(authority.root, signer(authority), AT - timedelta(days=1))
    late = sealing.seal(CONTENT, old, authority.prefecture.certificate)
    assert refusal(authority, late, registered(authority, old)) is Code.PACKAGE_CERTIFICATE_EXPIRED


def test_certificate_of_another_authority_is_refused(authority: pki.Pki) -> None:
    """Same names, same fingerprint registered, but another root; and a root that has expired."""
    for root in (pki.make_root(), pki.make_root(valid_until=AT - timedelta(days=1))):
        identity = pki.issue(root, "市町村", pki.ec_key())
        data = sealing.seal(CONTENT, identity, authority.prefecture.certificate)
        assert refusal(authority, data, registered(authority, identity)) is Code.PACKAGE_CERTIFICATE_CHAIN
    assert refusal(authority, data, registered(authority, identity, root=root)) is (
        Code.PACKAGE_CERTIFICATE_CHAIN
    )


def test_certificate_issued_by_a_municipality_is_refused(authority: pki.Pki) -> None:
    """A signer is no authority: it can not vouch for another certificate."""
    identity = pki.issue(signer(authority), "偽の市町村", pki.ec_key())
    signing = replace(identity.signing(), intermediates=(signer(authority).certificate,))
    data = seal_envelope(CONTENT, signer=signing, recipient_certificate=authority.prefecture.certificate)
    assert refusal(authority, data, registered(authority, identity)) is Code.PACKAGE_CERTIFICATE_CHAIN


def test_sender_without_roots_is_refused(authority: pki.Pki) -> None:
    """No root configured does not mean any root."""
    data = sealing.seal(CONTENT, signer(authority), authority.prefecture.certificate)
    assert refusal(authority, data, replace(authority.sender(CODE), roots=())) is (
        Code.PACKAGE_CERTIFICATE_CHAIN
    )


def listed(authority: pki.Pki, *lists: x509.CertificateRevocationList) -> Sender:
    """The municipality registered with revocation lists."""
    return replace(authority.sender(CODE), revocation_lists=lists)


def test_revoked_certificate_is_refused(authority: pki.Pki) -> None:
    """Looked up in the list of the issuer; a list without it lets it pass."""
    data = sealing.seal(CONTENT, signer(authority), authority.prefecture.certificate)
    clean = pki.revocation_list(authority.root, [], AT)
    assert opened(authority, data, listed(authority, clean)) == CONTENT
    revoked = pki.revocation_list(authority.root, [signer(authority).certificate], AT)
    assert refusal(authority, data, listed(authority, revoked)) is Code.PACKAGE_CERTIFICATE_REVOKED


def test_content_sealed_again_by_an_attacker_is_refused(authority: pki.Pki) -> None:
    """The content of a signed message exchanged inside, then encrypted afresh with the public certificate."""
    signed = sealing.sign_by_openssl(CONTENT, signer(authority))
    forged = signed.replace("花子".encode(), "太郎".encode())
    data = sealing.encrypt_by_openssl(forged, authority.prefecture.certificate)
    assert refusal(authority, data) is Code.PACKAGE_SIGNATURE


def test_too_large_file_is_refused_unread(authority: pki.Pki) -> None:
    """The limit is judged before anything is decoded."""
    assert refusal(authority, bytes(MAX_FILE_BYTES + 1)) is Code.PACKAGE_TOO_LARGE


def test_key_material_is_in_no_repr(authority: pki.Pki) -> None:
    """What may reach a log names no key."""
    assert "private" not in repr(authority.prefecture.recipient()).lower()
    assert "private" not in repr(authority.prefecture.signing()).lower()
