"""The conformance test for vendors: every published token is judged as published, and by hand as by the program."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from juki.assertions import Issuer, issuer_key, verified
from juki.errors import DeniedError
from juki.operator_matrix import MATRIX
from simulator.__main__ import main as simulator
from simulator.vein import conformance, vectors
from simulator.vein.assertions import Act, check_act
from simulator.vein.conformance import Expected, faults_of, faults_of_all
from simulator.vein.faults import Fault
from simulator.vein.vectors import Vector

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "formats" / "vectors" / "operator-assertion.json"
SPECIFICATION = PUBLISHED.parents[1] / "operator-assertion.md"
EXPECTED = Expected({vectors.KID: vectors.issuer_key().public_key()}, vectors.AUDIENCE, vectors.CHECKED_AT)
ISSUERS = [
    Issuer("vein-gateway-1", vectors.KID, issuer_key(vectors.public_pem()), datetime(2026, 1, 1, tzinfo=UTC))
]
LEFT_TO_THE_GATE = {"act-person"}
"""The target in the clear is not the one the product computes."""
ALL = {vector.name: vector for vector in vectors.vectors()}


@pytest.mark.parametrize("vector", ALL.values(), ids=ALL)
def test_vector_is_judged_as_published(vector: Vector) -> None:
    """Exactly what is wrong is told, and of a valid one nothing."""
    assert faults_of(vector.token, EXPECTED) == list(vector.faults)


@pytest.mark.parametrize("name", sorted(set(ALL) - LEFT_TO_THE_GATE))
def test_product_believes_what_conforms_and_nothing_else(name: str) -> None:
    """Both readers of a token agree, though they share no code; what the gate alone can judge is left to it."""
    vector = ALL[name]
    try:
        is_believed = bool(verified(vector.token, ISSUERS, vectors.AUDIENCE, vectors.CHECKED_AT))
    except DeniedError:
        is_believed = False
    assert is_believed == (not vector.faults)


def test_every_command_of_the_product_can_be_asserted() -> None:
    """The gateway takes the words of each."""
    for command in MATRIX:
        check_act(Act(command, "R12"))


def test_published_file_is_what_the_script_makes() -> None:
    """Vendors and we speak of the same bytes."""
    assert PUBLISHED.read_text("utf-8") == vectors.document()


def test_every_fault_has_a_vector_and_stands_in_the_specification() -> None:
    """A rule without an example, or one nobody can read of, is not tested."""
    shown = {fault for vector in ALL.values() for fault in vector.faults}
    assert shown == set(Fault) - {Fault.REPEATED}
    text = SPECIFICATION.read_text("utf-8")
    assert [fault.value for fault in Fault if f"`{fault.value}`" not in text] == []


def test_number_used_twice_is_told() -> None:
    """A gateway whose random numbers repeat would lock operators out, or be forged."""
    token, other = ALL["valid"].token, ALL["valid-longest"].token
    assert faults_of_all([token, token], EXPECTED) == [[], [Fault.REPEATED]]
    assert faults_of_all([token, other], EXPECTED) == [[], [Fault.REPEATED]]
    assert faults_of_all(["", ""], EXPECTED) == [[Fault.FORM], [Fault.FORM]]


@settings(max_examples=60)
@given(st.data())
def test_no_altered_valid_token_conforms(data: st.DataObject) -> None:
    """Whatever character is exchanged anywhere, something is told."""
    token = ALL["valid"].token
    place = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.sampled_from("ABab01-_.=\n é"))
    altered = token[:place] + character + token[place + 1 :]
    assert (faults_of(altered, EXPECTED) == []) == (altered == token)


@settings(max_examples=60)
@given(st.text("aZ0-_.=é{\n", max_size=60))
def test_any_text_is_told_to_be_no_token(text: str) -> None:
    """Nothing a file may hold breaks the program."""
    assert faults_of(text, EXPECTED) == [Fault.FORM]


def test_vendor_is_told_in_japanese(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One command: what conforms, what does not and why, and an exit code; nothing out of the token."""
    key, good, bad = tmp_path / "issuer.pub.pem", tmp_path / "good.jwt", tmp_path / "bad.jwt"
    key.write_bytes(vectors.public_pem())
    good.write_text(ALL["valid"].token + "\n", "ascii")
    bad.write_text(ALL["amr-one-factor"].token, "ascii")
    words = ["--key", str(key), "--aud", vectors.AUDIENCE, "--at", vectors.CHECKED_AT.isoformat()]
    assert conformance.main([*words, str(good)]) == 0
    assert capsys.readouterr().out == f"{good}: 適合しています\n"
    assert conformance.main([*words, str(bad)]) == 1
    told = capsys.readouterr().out
    assert f"[{Fault.SECOND_FACTOR.value}] {Fault.SECOND_FACTOR.message}" in told
    assert "op-1" not in told
    assert conformance.main([*words, str(tmp_path / "absent.jwt")]) == 2
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    key.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert conformance.main([*words, str(good)]) == 2


def test_device_by_hand_gives_what_conforms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Enrol, assert, check, revoke: the commands of the documentation, with an assertion about a person."""
    home, secret, token = ["--home", str(tmp_path)], str(tmp_path / "otp.key"), tmp_path / "assertion.jwt"
    who = ["--operator", "op-1"]
    simulator([*home, "vein", "enrol", *who, "--palm", "7", "--otp-to", secret])
    simulator([*home, "vein", "keys", str(tmp_path / "public")])
    capsys.readouterr()
    words = [
        "--palm",
        "7",
        "--otp-from",
        secret,
        "--command",
        "person show",
        "--terminal",
        "T-01",
        "--person",
    ]
    simulator([*home, "vein", "assert", *who, *words, "--target", "00000000027"])
    token.write_text(capsys.readouterr().out, "ascii")
    key = f"vein-gateway-1-1={tmp_path / 'public' / 'vein-gateway-1-1.pub.pem'}"
    assert conformance.main(["--key", key, "--aud", "juki-renkei:35", str(token)]) == 0
    simulator([*home, "vein", "revoke", *who])
    capsys.readouterr()
    with pytest.raises(SystemExit):
        simulator([*home, "vein", "assert", *who, *words, "--target", "00000000027"])
    refused = capsys.readouterr()
    assert refused.out == ""
    assert "[vein.not_authenticated]" in refused.err


def test_published_key_is_the_one_of_the_vectors() -> None:
    """The file alone is enough to try a program with."""
    content = json.loads(PUBLISHED.read_text("utf-8"))
    assert content["public_key_pem"].encode() == vectors.public_pem()
    assert {one["name"]: one["is_valid"] for one in content["vectors"]} == {
        name: not vector.faults for name, vector in ALL.items()
    }
