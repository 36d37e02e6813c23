"""Receipts of recipients, sealed and signed for real: what fits shortens the hold, what does not is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from juki.columns import IdentityFile
from juki.credentials import Credentials
from juki.custody.handing_over import deliver
from juki.custody.purging import Purge
from juki.errors import ContractError, StoreError
from juki.home import Home
from juki.package_id import PackageId
from juki.provision_receipts import ProvisionReceipt, receipt_name
from juki.reasons import Code
from juki.wire import folders
from juki.wire.envelope import fingerprint, seal_envelope
from juki.wire.refused_files import RefusedFiles, RefusedKind
from simulator import pki
from tasks.receipting import take_receipts
from tests.conftest import Stores
from tests.provision_rows import FUHYO, START, Lender, working_for

CONTENT = b"the sealed package"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> pki.Pki:
    """A root, the prefecture, and two identities that stand for recipients."""
    return pki.build(tmp_path_factory.mktemp("pki"), ["352039", "352012"])


@pytest.fixture
def lender(home: Home, stores: Stores, authority: pki.Pki) -> Iterator[Lender]:
    """An installation whose recipients sign for real."""
    made = Lender(home, stores)
    root = home.root / "root.crt"
    root.write_bytes(authority.root.certificate.public_bytes(Encoding.PEM))
    credentials = Credentials(home.keys)
    for certificate in (credentials.envelope_certificate, credentials.signing_certificate):
        pki.save(authority.prefecture, certificate.with_suffix(""))
    for code, office in zip(("zeimu", "kyoiku"), authority.offices.values(), strict=True):
        made.registration[code] = {"signing_certificates": [fingerprint(office.signer.certificate)]}
    made.register()
    yield made


def receipt_of(lender: Lender, provision: PackageId, **other: Any) -> ProvisionReceipt:
    """Say what a recipient truly got, or something else."""
    said = {
        "recipient": "zeimu", "provision_id": str(provision), "sequence": 1,
        "sha256": hashlib.sha256(CONTENT).hexdigest(), "received_at": lender.at,
    } | other  # fmt: skip
    return ProvisionReceipt(**said)


def lay(
    lender: Lender, authority: pki.Pki, receipt: ProvisionReceipt | bytes, *, signer: int = 0, name: str = "",
    folder: str = "zeimu",
) -> Path:  # fmt: skip
    """Lay a receipt into a folder of arrivals, sealed by one of the two."""
    line = receipt if isinstance(receipt, bytes) else receipt.line()
    by = list(authority.offices.values())[signer].signer.signing()
    sealed = seal_envelope(line, signer=by, recipient_certificate=authority.prefecture.certificate)
    if isinstance(receipt, ProvisionReceipt):
        name = name or receipt_name(receipt.recipient, receipt.provision, receipt.sequence)
    path: Path = lender.folder(folder, "arrivals") / name
    path.write_bytes(sealed)
    return path


def take(lender: Lender) -> dict[str, int]:
    """Take in what lies there."""
    with working_for(lender):
        return take_receipts.fn()


def test_receipt_shortens_the_hold_and_leaves_the_folder(lender: Lender, authority: pki.Pki) -> None:
    """24 hours from the receipt instead of 72 from the delivery, by our clock, not by what the recipient says."""
    provision = lender.delivered(content=CONTENT)
    lender.pass_time(hours=2)
    late = lender.at + timedelta(days=300)
    path = lay(lender, authority, receipt_of(lender, provision, received_at=late))
    assert take(lender) == {"noted": 1}
    assert not path.exists()
    assert lender.hold(provision).due_at == START + timedelta(hours=26)
    (entry,) = lender.entries(FUHYO, "provision.receipted")
    assert (entry["provision"], entry["recipient"]) == (str(provision), "zeimu")
    assert take(lender) == {}


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"sha256": "0" * 64}, Code.RECEIPT_OTHER_CONTENT),
        ({"provision_id": "F99"}, Code.RECEIPT_OTHER_RECIPIENT),
        ({"sequence": 2}, Code.RECEIPT_OTHER_RECIPIENT),
    ],
)
def test_receipt_about_something_else_is_refused_and_kept(
    lender: Lender, authority: pki.Pki, other: dict[str, Any], code: Code
) -> None:
    """It moves no end, is kept as it came, and the log says why."""
    provision = lender.delivered(content=CONTENT)
    before = lender.hold(provision)
    path = lay(lender, authority, receipt_of(lender, provision, **other))
    content = path.read_bytes()
    assert take(lender) == {code.value: 1}
    assert lender.hold(provision) == before
    (kept,) = (lender.home.quarantine / "receipts" / "zeimu").iterdir()
    assert (kept.read_bytes(), path.exists()) == (content, False)
    (entry,) = lender.entries(FUHYO, "receipt.refused")
    said = (entry["code"], entry["outcome"], entry["changes_digest"])
    assert said == (code.value, "refused", hashlib.sha256(content).hexdigest())


def test_replayed_receipt_is_refused_and_kept(lender: Lender, authority: pki.Pki) -> None:
    """The first counts; the same or another one later moves nothing."""
    provision = lender.delivered(content=CONTENT)
    lay(lender, authority, receipt_of(lender, provision))
    take(lender)
    due_at = lender.hold(provision).due_at
    lender.pass_time(hours=1)
    lay(lender, authority, receipt_of(lender, provision))
    assert take(lender) == {Code.RECEIPT_REPEATED.value: 1}
    assert lender.hold(provision).due_at == due_at
    assert len(list((lender.home.quarantine / "receipts" / "zeimu").iterdir())) == 1


def test_recipient_can_not_acknowledge_for_another(lender: Lender, authority: pki.Pki) -> None:
    """Its own signature over the other's package, or the other's receipt in its own folder."""
    provision = lender.delivered(content=CONTENT)
    forged = receipt_of(lender, provision, recipient="kyoiku")
    lay(lender, authority, forged, signer=1, folder="kyoiku")
    assert take(lender) == {Code.RECEIPT_OTHER_RECIPIENT.value: 1}
    lay(lender, authority, receipt_of(lender, provision), signer=1)
    assert take(lender) == {Code.PACKAGE_SIGNER_UNREGISTERED.value: 1}
    assert lender.hold(provision).receipt_at is None


def test_noise_under_the_name_of_a_receipt_is_refused_by_its_envelope(
    lender: Lender, authority: pki.Pki
) -> None:
    """Nothing of it is parsed."""
    provision = lender.delivered(content=CONTENT)
    path = lender.folder("zeimu", "arrivals") / receipt_name("zeimu", provision, 1)
    path.write_bytes(b"noise")
    assert take(lender) == {Code.PACKAGE_ENVELOPE.value: 1}
    assert lender.hold(provision).receipt_at is None


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{}\n", b'{"format":"juki-provision-receipt/1"}\n', b"[]\n", b"\xff\n",
        b'{"format":"juki-provision-receipt/1","recipient":"zeimu","provision_id":"F1","sequence":true,'
        b'"sha256":"00","received_at":"2026-04-01T00:00:00Z"}\n',
    ],
)  # fmt: skip
def test_other_content_is_refused_by_one_code(lender: Lender, authority: pki.Pki, line: bytes) -> None:
    """Signed by the right one, and still not a receipt."""
    lender.delivered(content=CONTENT)
    lay(lender, authority, line, name="zeimu-fuhyo-receipt-00000001.p7m")
    assert take(lender) == {Code.RECEIPT_FORM.value: 1}


def test_file_name_and_content_must_agree(lender: Lender, authority: pki.Pki) -> None:
    """Whoever sorts by names must not be told otherwise by them."""
    provision = lender.delivered(content=CONTENT)
    lay(lender, authority, receipt_of(lender, provision), name="zeimu-resident-receipt-00000001.p7m")
    assert take(lender) == {Code.RECEIPT_FORM.value: 1}


def test_receipt_faster_than_our_note_of_the_delivery_waits(lender: Lender, authority: pki.Pki) -> None:
    """A worker died between handing over and noting; the next delivery notes it, then the receipt counts."""
    provision = lender.sealed(content=CONTENT)
    path = lay(lender, authority, receipt_of(lender, provision))
    assert take(lender) == {Code.PROVISION_NOT_DELIVERED.value: 1}
    assert path.exists()
    deliver(lender.custody(), provision)
    assert take(lender) == {"noted": 1}


def test_folder_that_is_not_there_keeps_nobody_else_waiting(lender: Lender, authority: pki.Pki) -> None:
    """A medium that is not mounted is said so, and the receipts of others are taken in."""
    provision = lender.delivered(content=CONTENT)
    lay(lender, authority, receipt_of(lender, provision))
    lender.folder("kyoiku", "arrivals").rmdir()
    assert take(lender) == {"noted": 1, Code.FOLDER_UNREACHABLE.value: 1}


@pytest.mark.parametrize(
    ("other", "action"),
    [({}, "provision.receipted"), ({"sequence": 2}, "receipt.refused")],
    ids=["noted", "refused"],
)
def test_receipt_that_can_not_be_removed_is_told_once(
    lender: Lender, authority: pki.Pki, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any], action: str
) -> None:
    """A folder we may not write to: each run tries the removal again and says so, and the log tells of it once."""
    provision = lender.delivered(content=CONTENT)
    path = lay(lender, authority, receipt_of(lender, provision, **other))

    def refuse(*_: object) -> bool:
        raise StoreError(Code.FOLDER_UNREACHABLE, is_transient=True)

    with monkeypatch.context() as disk:
        disk.setattr(folders, "withdraw", refuse)
        for _ in range(3):
            assert take(lender) == {Code.FOLDER_UNREACHABLE.value: 1}
    receipts = [one["action"] for one in lender.entries(FUHYO) if "receipt" in one["action"]]
    assert (receipts, path.exists()) == ([action], True)
    assert take(lender) == {}
    assert not path.exists()
    lay(lender, authority, receipt_of(lender, provision))
    assert take(lender) == {Code.RECEIPT_REPEATED.value if not other else "noted": 1}


def test_receipts_of_a_recipient_whose_refused_ones_fill_their_room_wait(
    lender: Lender, authority: pki.Pki
) -> None:
    """Nothing is dropped to make room; the receipts of others are taken in."""
    provision = lender.delivered(content=CONTENT)
    with lender.home.settings_file.open("a", encoding="utf-8") as settings:
        settings.write("\nrecipient_quarantine_files = 10\n")
    folder = RefusedFiles(lender.home).folder(RefusedKind.RECEIPTS, "zeimu")
    folder.mkdir(parents=True)
    for number in range(10):
        (folder / f"zeimu-fuhyo-receipt-{number:08d}-0.p7m").write_bytes(b"refused")
    path = lay(lender, authority, receipt_of(lender, provision))
    assert take(lender) == {Code.RECIPIENT_QUARANTINE_FULL.value: 1}
    assert path.exists()
    (folder / "zeimu-fuhyo-receipt-00000000-0.p7m").unlink()
    assert take(lender) == {"noted": 1}


def test_receipt_after_the_purge_is_noted_and_revives_nothing(lender: Lender, authority: pki.Pki) -> None:
    """That it arrived is worth knowing; the hold stays erased."""
    provision = lender.delivered(content=CONTENT)
    lender.pass_time(hours=72)
    Purge(lender.custody(), lender.at, timedelta(hours=1)).run()
    erased = lender.hold(provision)
    lay(lender, authority, receipt_of(lender, provision))
    assert take(lender) == {"noted": 1}
    after = lender.hold(provision)
    assert (after.due_at, after.purged_at, after.receipt_at) == (erased.due_at, erased.purged_at, lender.at)


def test_parsed_receipt_is_what_was_written() -> None:
    """A recipient's vendor may write it with any JSON writer that leaves no space."""
    receipt = ProvisionReceipt("zeimu", "F12", 7, "ab" * 32, START)
    assert ProvisionReceipt.parse(receipt.line(), "ref") == receipt
    assert receipt.provision == PackageId(IdentityFile.FUHYO, 12)
    with pytest.raises(ContractError) as refused:
        ProvisionReceipt.parse(receipt.line().replace(b"F12", b"X12"), "ref")
    assert refused.value.code is Code.RECEIPT_FORM
