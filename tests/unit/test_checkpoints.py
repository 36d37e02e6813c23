"""Checkpoints and signed notes: the published examples come out, and nothing else is read."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from juki.checkpoints import (
    Checkpoint,
    VerifierKey,
    origin_of,
    parse_checkpoint,
    parse_note,
    sign_checkpoint,
    sign_note,
    verifier_of,
    verify_checkpoint,
    verify_note,
)
from juki.columns import IdentityFile
from juki.errors import JournalError
from juki.reasons import Code

# The keys and the note of the reference implementation (golang.org/x/mod, sumdb/note, note_test.go).
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SECRET = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuG"
    "UgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp"
    "+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)
# The example of c2sp.org/tlog-checkpoint.
EXAMPLE = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
ORIGIN = origin_of("350001", IdentityFile.RESIDENT)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


def test_the_published_key_signs_the_published_note() -> None:
    """Ed25519 is deterministic: the very bytes of the Go implementation come out."""
    seed = base64.b64decode(PETER_SECRET)[1:]
    key = Ed25519PrivateKey.from_private_bytes(seed)
    assert verifier_of(key, "PeterNeumann").to_text() == PETER
    assert sign_note(TEXT, key, "PeterNeumann").decode() == f"{TEXT}\n{PETER_LINE}"


def test_signatures_of_unknown_keys_are_passed_over_and_one_known_is_enough() -> None:
    """That is how keys are changed, and how witnesses add their own."""
    peter, enoch = VerifierKey.parse(PETER), VerifierKey.parse(ENOCH)
    both = f"{TEXT}\n{PETER_LINE}{ENOCH_LINE}".encode()
    for keys in ([peter], [enoch], [peter, enoch]):
        assert verify_note(both, keys) == TEXT
    with pytest.raises(ValueError, match="no signature of a known key"):
        verify_note(both, [])
    forged = both.replace(b"rwz+eBzm", b"rwz+eBzn")
    assert verify_note(forged, [peter]) == TEXT
    with pytest.raises(ValueError, match="does not hold"):
        verify_note(forged, [peter, enoch])


@pytest.mark.parametrize("place", range(len(PETER)))
def test_altered_verifier_key_is_refused(place: int) -> None:
    """Name, id and key hold each other: no single character can be another."""
    other = chr(ord(PETER[place]) + 1)
    with pytest.raises(ValueError, match="not "):
        VerifierKey.parse(PETER[:place] + other + PETER[place + 1 :])


@pytest.mark.parametrize(
    "key",
    [
        "", "PeterNeumann", PETER[:-1], PETER[1:],
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)  # fmt: skip
def test_verifier_key_of_another_form_is_refused(key: str) -> None:
    """The last two are the published ones: a wrong length and an unknown algorithm, with ids that fit."""
    with pytest.raises(ValueError, match="not "):
        VerifierKey.parse(key)


@pytest.mark.parametrize(
    "content",
    [
        TEXT, f"{TEXT}\n", f"{TEXT}\n{PETER_LINE[:-1]}", f"\x01{TEXT}\n{PETER_LINE}", f"{TEXT}\n{PETER_LINE}\r\n",
        f"{TEXT}\n{PETER_LINE}Unexpected line.\n", f"{TEXT}\n{PETER_LINE}\n", f"\n\n{PETER_LINE}",
        f"{TEXT}\n{PETER_LINE.replace('—', '-')}", f"{TEXT}\n{PETER_LINE.replace('=', '')}",
        f"{TEXT}\n{PETER_LINE.replace('PeterNeumann', 'Peter+Neumann')}",
        f"{TEXT}\n{PETER_LINE.replace('PeterNeumann', 'Peter Neumann')}", f"{TEXT}\n{PETER_LINE * 65}",
        f"{TEXT * 1000}\n{PETER_LINE}", f"{TEXT}\n— PeterNeumann x08gow==\n",
    ],
)  # fmt: skip
def test_note_of_another_form_is_refused(content: str) -> None:
    """A note is read strictly or not at all."""
    with pytest.raises(ValueError):
        parse_note(content.encode())
    with pytest.raises(ValueError):
        parse_note(b"\xff" + content.encode())


def test_the_published_checkpoint_is_read_and_written_alike() -> None:
    """Origin, size, root; nothing else."""
    checkpoint = parse_checkpoint(EXAMPLE)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.to_text() == EXAMPLE


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE + "extension\n", EXAMPLE[:-1], EXAMPLE.replace("20852163", "020852163"),
        EXAMPLE.replace("20852163", "-1"), EXAMPLE.replace("20852163", "２"), EXAMPLE.replace("CsUY", ""),
        EXAMPLE.replace("2I=", "2J="), EXAMPLE.split("\n", 1)[1], "\n" + EXAMPLE.split("\n", 1)[1],
        EXAMPLE.replace("20852163", "9" * 20),
    ],
)  # fmt: skip
def test_checkpoint_of_another_form_is_refused(text: str) -> None:
    """Leading zeros, other digits, a short root, spare bits, extension lines."""
    with pytest.raises(ValueError, match="not "):
        parse_checkpoint(text)


@given(st.integers(0, 10**18), st.binary(min_size=32, max_size=32))
def test_what_is_signed_is_read_again(size: int, root: bytes) -> None:
    """Signing and opening are inverse."""
    checkpoint = Checkpoint(ORIGIN, size, root)
    assert (
        verify_checkpoint(sign_checkpoint(checkpoint, KEY), [verifier_of(KEY, ORIGIN)], ORIGIN) == checkpoint
    )


@given(st.data())
def test_no_altered_byte_of_a_checkpoint_is_believed(data: st.DataObject) -> None:
    """Whatever is altered, it does not open as another checkpoint."""
    signed = sign_checkpoint(Checkpoint(ORIGIN, 17, b"r" * 32), KEY)
    place, byte = data.draw(st.integers(0, len(signed) - 1)), data.draw(st.integers(0, 255))
    altered = signed[:place] + bytes([byte]) + signed[place + 1 :]
    if altered != signed:
        with pytest.raises(JournalError) as refused:
            verify_checkpoint(altered, [verifier_of(KEY, ORIGIN)], ORIGIN)
        assert refused.value.code is Code.WITNESS_DAMAGED


def test_checkpoint_of_another_log_is_none_of_this_one() -> None:
    """The same key signs both logs, under the name of each: neither passes for the other."""
    other = origin_of("350001", IdentityFile.FUHYO)
    signed = sign_checkpoint(Checkpoint(other, 1, b"r" * 32), KEY)
    disguised = sign_note(Checkpoint(other, 1, b"r" * 32).to_text(), KEY, ORIGIN)
    keys = [verifier_of(KEY, ORIGIN), verifier_of(KEY, other)]
    assert keys[0].key_id != keys[1].key_id
    for content in (signed, disguised):
        with pytest.raises(JournalError):
            verify_checkpoint(content, keys, ORIGIN)
