"""Who is refused a copy, and where to and sealed to whom none is made; each refusal is in the log."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from juki.home import Home
from juki.operators import Role
from juki.reasons import Code
from simulator import pki
from tests.conftest import Stores
from tests.console import FUHYO, Console
from tests.copy_case import CopyCase, authority, expired
from tests.gateway import PAIR, Desk

Identities = tuple[pki.Identity, pki.Identity, pki.Identity]
Made = Callable[[CopyCase], pki.Identity]


@pytest.fixture(scope="module")
def identities() -> Identities:
    """A root, the keeper of copies and us."""
    return authority()


@pytest.fixture
def case(
    home: Home, module_stores: Stores, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    tmp_path: Path, identities: Identities,
) -> CopyCase:  # fmt: skip
    """People in both stores, and nobody registered as an operator yet."""
    return CopyCase.of(Console(home, module_stores, monkeypatch, capsys), tmp_path, identities)


def _refused(case: CopyCase, code: Code, **asked: object) -> None:
    """Ask for a copy; nothing is written, and the log says why."""
    before = {one for one in case.folder.rglob("*") if case.console.home.root not in one.parents}
    said = case.console.juki(*case.asked("export", "--file", "resident", **asked))  # type: ignore[arg-type]
    assert said.code == 2 and code.value in said.err
    assert {one for one in case.folder.rglob("*") if case.console.home.root not in one.parents} == before
    assert case.log() == [("copy.refused", "refused", code.value)]


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (expired, Code.COPY_CERTIFICATE_EXPIRED),
        (lambda case: pki.issue(case.root, "弱い鍵", pki.rsa_key(2048)), Code.COPY_CERTIFICATE_FORM),
        (lambda case: pki.issue(case.root, "楕円曲線", pki.ec_key()), Code.COPY_CERTIFICATE_FORM),
        (
            lambda case: pki.issue(case.root, "認証局", case.keeper.key, is_authority=True),
            Code.COPY_CERTIFICATE_FORM,
        ),
        (lambda case: case.ours, Code.COPY_CERTIFICATE_TAKEN),
        (lambda case: pki.issue(case.root, "同じ鍵", case.ours.key), Code.COPY_CERTIFICATE_TAKEN),
    ],
    ids=["expired", "weak key", "no key transport", "for another use", "our own", "our own key, issued anew"],
)
def test_copy_is_sealed_to_no_certificate_that_may_not_be_encrypted_to(
    case: CopyCase, made: Made, code: Code
) -> None:
    """Validity, size, kind and use of the key; and never to what this machine itself could open."""
    identity = made(case)
    case.keeper = identity
    pki.save(identity, case.folder / "keeper")
    _refused(case, code)


def test_copy_is_sealed_to_no_certificate_of_a_municipality_or_recipient(case: CopyCase) -> None:
    """A copy is no way around the provision of data (法30条の25)."""
    pki.save(case.keeper, case.console.home.root / "352039")
    _refused(case, Code.COPY_CERTIFICATE_TAKEN)


def test_certificate_exchanged_after_it_was_approved_is_refused(case: CopyCase) -> None:
    """Two administrators agree to a fingerprint, whatever then lies in the file."""
    pki.save(pki.issue(case.root, "他人", case.ours.key), case.folder / "keeper")
    _refused(case, Code.COPY_CERTIFICATE_OTHER)


def test_file_that_is_no_certificate_is_refused(case: CopyCase) -> None:
    """A private key, nothing, two of them."""
    for content in (b"", b"-----BEGIN CERTIFICATE-----\n", case.certificate.read_bytes() * 2):
        path = case.folder / "other.crt"
        path.write_bytes(content)
        said = case.console.juki(*case.asked("backup", certificate=path))
        assert said.code == 2 and Code.COPY_CERTIFICATE_FORM.value in said.err


def test_copy_is_put_into_no_folder_of_ours_of_a_recipient_or_of_a_witness(case: CopyCase) -> None:
    """Nor into one that holds such a folder, nor by a link."""
    home = case.console.home.root
    (case.folder / "delivery").mkdir()
    (case.folder / "arrivals").mkdir()
    (case.folder / "link").symlink_to(home)
    pki.save(case.root, home / "root")
    home.joinpath("recipients.toml").write_text(
        '[[recipient]]\ncode = "kenzei"\nname = "県税事務所"\nkind = "transfer"\nreceiver = "税務課"\n'
        f'signing_certificates = ["{"ab" * 32}"]\nroots = ["root.crt"]\nencryption_certificate = "none.crt"\n'
        f'delivery = "{case.folder / "delivery"}"\narrivals = "{case.folder / "arrivals"}"\n',
        encoding="utf-8",
    )
    for place in ("home/copy", "home", "link/copy", "delivery/copy", "arrivals", "home/witness/copy", "."):
        said = case.console.juki(*case.asked("export", "--file", "resident", to=case.folder / place))
        assert (said.code, Code.COPY_FOLDER.value in said.err) == (2, True), place
    assert case.log() == [("copy.refused", "refused", "copy.folder")] * 7


def test_folder_that_is_used_unmounted_or_named_after_a_person_is_refused(case: CopyCase) -> None:
    """Nothing is overwritten, no folder made where a medium should be, and no name of a person gets into the log."""
    (case.folder / "used").mkdir()
    (case.folder / "used" / "file").touch()
    (case.folder / "elsewhere").symlink_to(case.folder / "used")
    relative = os.path.relpath(case.to())
    places = ["used", "used/file", "away/copy", "elsewhere/copy", "山田太郎", "24727059608"]
    for place in [*(case.folder / one for one in places), Path(relative)]:
        said = case.console.juki(*case.asked("backup", to=place))
        assert (said.code, Code.COPY_FOLDER.value in said.err) == (2, True), place
    told = [one for one in case.console.entries() if one["action"] == "copy.refused"]
    assert len(told) == 7 and not any(
        "山田" in one["change"] or "24727059608" in one["change"] for one in told
    )
    assert told[-1]["change"].startswith("backup to=- certificate=")


def test_copy_without_a_reason_is_refused(case: CopyCase) -> None:
    """It has to be given, and say something."""
    said = case.console.juki(*case.asked("backup", reason=" "))
    assert said.code == 2 and Code.REASON_TEXT_FORM.value in said.err
    command = case.asked("backup")
    del command[command.index("--reason") : command.index("--reason") + 2]
    assert case.console.juki(*command).code == 2
    assert case.log() == [] and not case.to().exists()


def test_copy_is_refused_to_every_role_but_a_pair_of_administrators(case: CopyCase) -> None:
    """Everybody else, one administrator alone, one who approves himself, one whose approver approved another copy."""
    desk = Desk(case.console, case.folder)
    target = f"resident current {case.to()} {case.fingerprint}"
    others = [role for role in Role if role is not Role.ADMINISTRATOR]
    for role in others:
        desk.register(f"op-{role.value}", role.value)
    attempts = [(desk.one(f"op-{role.value}", "export", target), Code.OPERATOR_ROLE) for role in others]
    own = desk.one(PAIR[0], "export", target)
    attempts += [
        ([], Code.OPERATOR_ASSERTION_MISSING),
        (own, Code.OPERATOR_SECOND_MISSING),
        ([*own, "--approval", desk.file(PAIR[0], "export", target)], Code.OPERATOR_SELF_APPROVAL),
        ([*own, "--approval", desk.file("op-clerk", "export", target)], Code.OPERATOR_ROLE),
        ([*own, "--approval", desk.file(PAIR[1], "export", target + "0")], Code.OPERATOR_ASSERTION_ACT),
        (
            desk.two("export", f"resident current with-number {case.to()} {case.fingerprint}"),
            Code.OPERATOR_ASSERTION_ACT,
        ),
    ]
    for options, code in attempts:
        said = case.console.juki(*case.asked("export", "--file", "resident"), *options)
        assert said.code == 2 and code.value in said.err
    assert case.log() == [] and not case.to().exists()


def test_copy_by_a_pair_names_both_and_can_not_be_played_again(case: CopyCase) -> None:
    """What the log says of it; the same assertions make no second copy."""
    desk = Desk(case.console, case.folder)
    options = desk.two("backup", f"fuhyo {case.to()} {case.fingerprint}")
    case.take("backup", "--file", "fuhyo", *options)
    told = [one for one in case.console.entries(FUHYO) if one["action"].startswith("copy.")]
    assert [(one["actor"], one["approver"]) for one in told] == [("operator:op-1", "operator:op-2")] * 2
    other = case.to("again")
    said = case.console.juki(*case.asked("backup", "--file", "fuhyo", to=other), *options)
    assert said.code == 2 and Code.OPERATOR_ASSERTION_ACT.value in said.err and not other.exists()
    for one in case.to().iterdir():
        one.unlink()
    said = case.console.juki(*case.asked("backup", "--file", "fuhyo"), *options)
    assert said.code == 2 and Code.OPERATOR_ASSERTION_REPLAYED.value in said.err
    assert list(case.to().iterdir()) == []
