"""recipients.toml: nobody is registered by accident, nobody can stand in another's place."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from config import identities
from config.recipients import Recipient, Recipients, arrivals_of, delivery_of, load_recipients
from juki.credentials import Credentials
from juki.errors import ConfigurationError
from juki.home import Home
from juki.reasons import Code
from juki.recipients import Limits, RecipientKind
from simulator import pki

NOW = datetime(2026, 11, 23, tzinfo=UTC)
TAX = {
    "code": "zeimu", "name": "税務課", "kind": "transfer", "receiver": "総務部税務課",
    "signing_certificates": ["ab" * 32], "roots": ["pki/root.pem"], "encryption_certificate": "pki/zeimu.pem",
    "delivery": "delivery/zeimu", "arrivals": "arrivals/zeimu", "bases": ["beppyo5-4-3"],
}  # fmt: skip
OTHER = {
    "code": "kyoiku", "kind": "provide", "receiver": "教育委員会", "signing_certificates": ["cd" * 32],
    "encryption_certificate": "pki/kyoiku.pem", "delivery": "delivery/kyoiku", "arrivals": "arrivals/kyoiku",
}  # fmt: skip


def _register(home: Home, *registrations: dict[str, object]) -> None:
    home.create()
    parts = []
    for one in registrations:
        lines = [f"{key} = {json.dumps(value)}" for key, value in one.items() if value is not None]
        parts.append("\n".join(["[[recipient]]", *lines, ""]))
    home.recipients_file.write_text("\n".join(parts), "utf-8")


def _refused(home: Home) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as refused:
        load_recipients(home)
    return refused.value


def test_without_a_file_nobody_gets_anything(home: Home) -> None:
    """法30条の25 forbids what nobody permitted."""
    assert load_recipients(home) == Recipients()
    with pytest.raises(ConfigurationError) as refused:
        load_recipients(home).of("zeimu")
    assert (refused.value.code, refused.value.ref) == (Code.CONFIG_MISSING, "recipient")


def test_registered_recipient_is_found_by_its_code_and_known_to_the_rules(home: Home) -> None:
    """What is registered is what is decided on; the limits are tight where nobody widened them."""
    _register(home, TAX, {**TAX, **OTHER, "daily_lines": 7, "daily_misses": 8, "daily_same_person": 9})
    registered = load_recipients(home)
    assert registered.codes == ["zeimu", "kyoiku"]
    pure = registered.of("zeimu").pure
    assert (pure.code, pure.name, pure.kind) == ("zeimu", "税務課", RecipientKind.TRANSFER)
    assert (pure.receiver, pure.bases) == ("総務部税務課", frozenset({"beppyo5-4-3"}))
    assert pure.limits == Limits(10_000, 100, 5)
    assert registered.of("kyoiku").pure.limits == Limits(7, 8, 9)


def test_folders_are_below_home_unless_absolute(home: Home) -> None:
    """A mediating host may have its own mount; a relative folder moves with the installation."""
    _register(home, {**TAX, "arrivals": "/srv/mediating/zeimu", "delivery": "outbox/zeimu"})
    registered = load_recipients(home).of("zeimu")
    assert delivery_of(home, registered) == home.outbox / "zeimu"
    assert str(arrivals_of(home, registered)) == "/srv/mediating/zeimu"


@pytest.mark.parametrize(
    ("changes", "code", "key"),
    [
        ({"code": "Zeimu"}, Code.CONFIG_INVALID, "recipient[1].code"),
        ({"code": "z"}, Code.CONFIG_INVALID, "recipient[1].code"),
        ({"code": "../keys"}, Code.CONFIG_INVALID, "recipient[1].code"),
        ({"code": "z" * 33}, Code.CONFIG_INVALID, "recipient[1].code"),
        ({"kind": "提供"}, Code.CONFIG_INVALID, "recipient[1].kind"),
        ({"kind": 1}, Code.CONFIG_INVALID, "recipient[1].kind"),
        ({"kind": None}, Code.CONFIG_MISSING, "recipient[1].kind"),
        ({"code": "jlis"}, Code.CONFIG_INVALID, "recipient[1]"),
        ({"kind": "jlis"}, Code.CONFIG_INVALID, "recipient[1]"),
        ({"receiver": ""}, Code.CONFIG_INVALID, "recipient[1].receiver"),
        ({"receiver": "教育委員会 "}, Code.CONFIG_INVALID, "recipient[1].receiver"),
        ({"signing_certificates": []}, Code.CONFIG_INVALID, "recipient[1].signing_certificates"),
        ({"signing_certificates": ["AB" * 32]}, Code.CONFIG_INVALID, "signing_certificates[1]"),
        ({"signing_certificates": ["ab" * 32, "cd" * 32, "ef" * 32]}, Code.CONFIG_INVALID, "signing_certifi"),
        ({"roots": []}, Code.CONFIG_INVALID, "recipient[1].roots"),
        ({"encryption_certificate": None}, Code.CONFIG_MISSING, "recipient[1].encryption_certificate"),
        ({"bases": ["別表第五"]}, Code.CONFIG_INVALID, "recipient[1].bases[1]"),
        ({"daily_misses": 0}, Code.CONFIG_INVALID, "recipient[1].daily_misses"),
        ({"daily_lines": "many"}, Code.CONFIG_INVALID, "recipient[1].daily_lines"),
        ({"daily_same_person": True}, Code.CONFIG_INVALID, "recipient[1].daily_same_person"),
        ({"verify": False}, Code.CONFIG_UNKNOWN, "recipient[1].verify"),
        ({"with_code": True}, Code.CONFIG_UNKNOWN, "recipient[1].with_code"),
    ],
)
def test_recipient_at_fault_is_refused(home: Home, changes: dict[str, object], code: Code, key: str) -> None:
    """Nothing is guessed, nothing can be switched off, and there is no key that would give the code out."""
    _register(home, {**TAX, **changes})
    refused = _refused(home)
    assert refused.code is code
    assert key in refused.ref


@pytest.mark.parametrize("shared", ["code", "signing_certificates", "encryption_certificate"])
def test_two_recipients_can_not_share_an_identity(home: Home, shared: str) -> None:
    """One certificate in two registrations would let one body ask, or read, for the other."""
    _register(home, TAX, {**TAX, **OTHER, shared: TAX[shared]})
    refused = _refused(home)
    assert (refused.code, refused.ref) == (Code.CONFIG_SHARED, f"recipient.{shared}")


def test_certificate_listed_twice_by_one_recipient_is_refused(home: Home) -> None:
    """Two are for renewal: the same one twice is a copying mistake nobody would notice until it ends."""
    _register(home, {**TAX, "signing_certificates": ["ab" * 32] * 2})
    assert _refused(home).ref == "recipient.signing_certificates"


def test_same_encryption_file_by_another_way_of_writing_is_seen(home: Home) -> None:
    """A path through another folder names the same key."""
    _register(home, TAX, {**TAX, **OTHER, "encryption_certificate": "pki/../pki/./zeimu.pem"})
    assert _refused(home).code is Code.CONFIG_SHARED


def test_copy_of_an_encryption_certificate_under_another_name_is_seen(home: Home) -> None:
    """Two files, one key: whoever holds it reads both. Two certificates of two keys are none of that."""
    home.create()
    Credentials(home.keys).create_missing("350001", NOW)
    first, second = Credentials(home.keys).envelope_certificate, Credentials(home.keys).signing_certificate
    (home.root / "copy.pem").write_bytes(b"a remark\n" + first.read_bytes())
    two = [
        {**TAX, "encryption_certificate": str(first)},
        {**TAX, **OTHER, "encryption_certificate": "copy.pem"},
    ]
    _register(home, *two)
    assert _refused(home).ref == "recipient.encryption_certificate"
    (home.root / "copy.pem").write_bytes(second.read_bytes())
    assert load_recipients(home).codes == ["zeimu", "kyoiku"]


def test_two_certificates_of_one_key_are_one_key(home: Home) -> None:
    """A certificate issued anew under another name: whoever holds the key reads both answers."""
    root, key = pki.make_root(), pki.ec_key()
    home.create()
    for name in ("zeimu", "kyoiku"):
        made = pki.issue(root, name, key).certificate
        (home.root / f"{name}.pem").write_bytes(made.public_bytes(Encoding.PEM))
    own = [{**one, "encryption_certificate": f"{one['code']}.pem"} for one in (TAX, {**TAX, **OTHER})]
    _register(home, *own)
    refused = _refused(home)
    assert (refused.code, refused.ref) == (Code.CONFIG_SHARED, "recipient.encryption_certificate")


@pytest.mark.parametrize(
    ("delivery", "arrivals"),
    [
        ("delivery/zeimu", "arrivals/kyoiku"),
        ("delivery/kyoiku", "delivery/zeimu"),
        ("delivery/kyoiku", "delivery/kyoiku"),
        ("delivery", "arrivals/kyoiku"),
        ("delivery/zeimu/deeper", "arrivals/kyoiku"),
        ("delivery/x/../zeimu", "arrivals/kyoiku"),
    ],
)
def test_two_recipients_can_not_share_a_folder(home: Home, delivery: str, arrivals: str) -> None:
    """What lies in a folder is fetched by whoever fetches there; a folder within a folder is the same."""
    _register(home, TAX, {**TAX, **OTHER, "delivery": delivery, "arrivals": arrivals})
    assert _refused(home).code is Code.CONFIG_SHARED


@pytest.mark.parametrize("folder", ["keys", "spool/x", ".", "..", "/", "outbox", "postgres/data", "logs"])
def test_folder_of_ours_is_not_a_folder_of_a_recipient(home: Home, folder: str) -> None:
    """An answer delivered among the keys, or keys fetched with the answers, must not be one line away."""
    _register(home, {**TAX, "delivery": folder})
    refused = _refused(home)
    assert (refused.code, refused.ref) == (Code.CONFIG_INVALID, "recipients.toml: recipient.delivery")


def test_folder_reached_by_a_link_is_seen_where_it_leads(home: Home) -> None:
    """A symbolic link named harmlessly leads among the keys."""
    _register(home, {**TAX, "delivery": "harmless"})
    (home.root / "harmless").symlink_to(home.keys)
    assert _refused(home).code is Code.CONFIG_INVALID


def _with(certificate: str) -> Recipient:
    values = TAX | {"roots": [certificate], "encryption_certificate": certificate}
    return Recipient.model_validate(values | {"kind": RecipientKind.TRANSFER})


def test_sender_and_certificate_of_a_recipient_are_read_from_its_files(home: Home) -> None:
    """Whoever signs for a recipient is bound to its code as a municipal CS is to its own."""
    home.create()
    Credentials(home.keys).create_missing("350001", NOW)
    sender = identities.recipient_sender_of(home, _with("keys/prefecture.crt"))
    assert (sender.municipality_code, sender.fingerprints) == ("zeimu", frozenset({"ab" * 32}))
    assert len(sender.roots) == 1
    certificate = identities.encryption_certificate_of(home, _with("keys/prefecture.crt"))
    assert certificate.public_key() == sender.roots[0].public_key()


def test_unreadable_certificate_of_a_recipient_is_named_and_not_quoted(home: Home) -> None:
    """The file is told, its content is not, and nothing of the library's error comes along."""
    home.create()
    (home.root / "wrong.pem").write_text("secret content")
    for path in ("wrong.pem", "absent.pem"):
        for read in (identities.recipient_sender_of, identities.encryption_certificate_of):
            with pytest.raises(ConfigurationError) as refused:
                read(home, _with(path))
            assert (refused.value.code, refused.value.ref) == (Code.CONFIG_INVALID, path)
            assert refused.value.__context__ is None
