"""Checkpoints of an operation log: what is signed, in which bytes, and when a signature is believed.

Decides:    the text of a checkpoint (C2SP tlog-checkpoint), its signature lines (C2SP signed-note, Ed25519), what a
            verifier key looks like, and that a note is read strictly or not at all.
Leaves:     keys in files to `juki.log_keys`, where checkpoints are kept to `juki.witnesses`.
Invariants: one origin a store, and the key signs under the name of the origin, so that a checkpoint of one store is
            never one of another. A signature by a key we do not know counts for nothing; one by a key we know that
            does not hold refuses the whole note.
Source:     c2sp.org/signed-note and c2sp.org/tlog-checkpoint (v1.0.0); RFC 6962, RFC 8032; assessment M8.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from juki.columns import IdentityFile
from juki.errors import JournalError
from juki.merkle import HASH_BYTES
from juki.reasons import Code

LOG_NAME = "juki-renkei"
_ED25519 = b"\x01"
"""The signature type of plain Ed25519 in key ids and verifier keys."""
_KEY_ID_BYTES, _KEY_BYTES = 4, 32
_MOST_BYTES = 65_536
_MOST_SIGNATURES = 64
_DASH = "— "
_NAME = re.compile(r"[^\s+]+")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_KEY_ID = re.compile(r"[0-9a-f]{8}", re.ASCII)


def origin_of(prefecture_code: str, file: IdentityFile) -> str:
    """Name the log of one store of one prefecture, as every checkpoint of it begins."""
    return f"{LOG_NAME}/{prefecture_code}/{file.value}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says: this log, at this size, had this root."""

    origin: str
    size: int
    root: bytes

    def to_text(self) -> str:
        """Write the text that is signed."""
        return f"{self.origin}\n{self.size}\n{_encoded(self.root)}\n"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key under the name by which it signs."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature line names the key."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_KEY_ID_BYTES]

    def to_text(self) -> str:
        """Write the key as people hand it on: name, key id, type and key, joined by plus signs."""
        return f"{self.name}+{self.key_id.hex()}+{_encoded(_ED25519 + self.public)}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read what `to_text` wrote.

        Raises: ValueError when it is anything else, or its key id is not that of the key.
        """
        name, key_id, key = [*text.split("+", 2), "", ""][:3]
        content = _decoded(key)
        if not _NAME.fullmatch(name) or not _KEY_ID.fullmatch(key_id) or content[:1] != _ED25519:
            raise ValueError("not a verifier key")
        found = cls(name, content[1:])
        if len(found.public) != _KEY_BYTES or found.key_id.hex() != key_id:
            raise ValueError("not a verifier key")
        return found

    def has_signed(self, text: str, signature: bytes) -> bool:
        """Tell whether a signature over a text is of this key."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Note:
    """A signed note, read and not yet believed: its text, and (key name, key id, signature) of each line."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]


def verifier_of(key: Ed25519PrivateKey, name: str) -> VerifierKey:
    """Give the public part of a signing key under a name."""
    return VerifierKey(name, key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def sign_note(text: str, key: Ed25519PrivateKey, name: str) -> bytes:
    """Sign a text, which ends with a line feed, as a note."""
    verifier = verifier_of(key, name)
    line = f"{_DASH}{name} {_encoded(verifier.key_id + key.sign(text.encode()))}\n"
    return f"{text}\n{line}".encode()


def sign_checkpoint(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> bytes:
    """Sign a checkpoint under the name of its origin."""
    return sign_note(checkpoint.to_text(), key, checkpoint.origin)


def parse_note(content: bytes) -> Note:
    """Read a signed note strictly.

    Raises: ValueError for what is no note: not UTF-8, a control character, no blank line, a line that signs nothing.
    """
    if len(content) > _MOST_BYTES:
        raise ValueError("too long for a note")
    text = content.decode("utf-8")
    if any(character < " " and character != "\n" for character in text):
        raise ValueError("control character in a note")
    body, blank, lines = text.rpartition("\n\n")
    if not blank or not body or not lines.endswith("\n"):
        raise ValueError("no signatures on a note")
    signatures = [_signature(line) for line in lines[:-1].split("\n")]
    if len(signatures) > _MOST_SIGNATURES:
        raise ValueError("too many signatures on a note")
    return Note(f"{body}\n", tuple(signatures))


def verify_note(content: bytes, keys: Iterable[VerifierKey]) -> str:
    """Return the text of a note that a known key has signed.

    Raises: ValueError when it is no note, no known key signed it, or one did and the signature does not hold.
    """
    note, known = parse_note(content), {(key.name, key.key_id): key for key in keys}
    is_signed = False
    for name, key_id, signature in note.signatures:
        key = known.get((name, key_id))
        if key is not None and not key.has_signed(note.text, signature):
            raise ValueError("a signature that does not hold")
        is_signed |= key is not None
    if not is_signed:
        raise ValueError("no signature of a known key")
    return note.text


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint: origin, size, root, and no extension line.

    Raises: ValueError when it is anything else.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:
        raise ValueError("not a checkpoint")
    origin, size, root = lines[:3]
    content = _decoded(root)
    if not _SIZE.fullmatch(size) or len(content) != HASH_BYTES:
        raise ValueError("not a checkpoint")
    return Checkpoint(origin, int(size), content)


def verify_checkpoint(content: bytes, keys: Sequence[VerifierKey], origin: str) -> Checkpoint:
    """Open a signed checkpoint of one log.

    Raises: JournalError(WITNESS_DAMAGED) when it is none, or not of this log, or nobody we know has signed it.
    """
    try:
        checkpoint = parse_checkpoint(verify_note(content, [key for key in keys if key.name == origin]))
    except ValueError:
        checkpoint = None
    if checkpoint is None or checkpoint.origin != origin:
        raise JournalError(Code.WITNESS_DAMAGED, origin)
    return checkpoint


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    content = _decoded(encoded)
    if not line.startswith(_DASH) or not space or not _NAME.fullmatch(name) or len(content) <= _KEY_ID_BYTES:
        raise ValueError("not a signature line")
    return name, content[:_KEY_ID_BYTES], content[_KEY_ID_BYTES:]


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _decoded(text: str) -> bytes:
    """Decode base64 that is written in the one canonical way.

    Raises: ValueError for any other.
    """
    try:
        content = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        content = None
    if content is None or _encoded(content) != text:
        raise ValueError("not base64")
    return content
