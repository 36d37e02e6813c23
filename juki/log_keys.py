"""The keys that sign checkpoints of the operation log: one private key in use, every public key there ever was.

Decides:    what the files are called and that a key in use is never replaced, only followed by the next generation.
Leaves:     the form of signatures and verifier keys to `juki.checkpoints`.
Invariants: `log_signing-<generation>.key` is private (0600, PKCS #8); beside it `log_signing-<generation>.vkey` has
            one line for each log it signs, which may be given to anybody. A public part outlives its private one:
            old checkpoints are believed as long as it stays.
Source:     design 4 and 5; c2sp.org/signed-note.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from juki.checkpoints import VerifierKey, verifier_of
from juki.errors import ConfigurationError
from juki.keys import read_private, write_private
from juki.reasons import Code

_STEM = "log_signing"
_FILE = re.compile(rf"{_STEM}-([1-9][0-9]*)\.(?:key|vkey)")


@dataclass(frozen=True, slots=True)
class LogKeys:
    """The keys in the folder of keys, for the logs of the given origins."""

    folder: Path
    origins: Sequence[str]

    def create_missing(self) -> bool:
        """Create the first key where there never was one, and public parts that are absent; say whether any was.

        Raises: ConfigurationError(KEY_MISSING) when only the public part of the newest key is left.
        """
        if not self._generations():
            self.rotate()
            return True
        return self._publish(self._newest())

    def rotate(self) -> int:
        """Create the next key, which signs from now on, and give its generation."""
        generation = self._newest() + 1
        form = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        write_private(self._private(generation), Ed25519PrivateKey.generate().private_bytes(*form))
        self._publish(generation)
        return generation

    def signing_key(self) -> Ed25519PrivateKey:
        """Read the newest private key.

        Raises: ConfigurationError(KEY_MISSING | KEY_PERMISSIONS) naming the file.
        """
        path = self._private(max(self._newest(), 1))
        content = read_private(path)
        try:
            key = load_pem_private_key(content, password=None)
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise ConfigurationError(Code.KEY_MISSING, path.name)
        return key

    def verifiers(self) -> list[VerifierKey]:
        """List every public key, the newest first.

        Raises: ConfigurationError(KEY_MISSING) for a file that holds something else.
        """
        return [key for generation in self._generations() for key in self._read_public(generation)]

    def _publish(self, generation: int) -> bool:
        if self._public(generation).exists():
            return False
        key = self.signing_key()
        lines = [verifier_of(key, origin).to_text() + "\n" for origin in self.origins]
        write_private(self._public(generation), "".join(lines).encode())
        return True

    def _read_public(self, generation: int) -> list[VerifierKey]:
        path = self._public(generation)
        try:
            return [VerifierKey.parse(line) for line in path.read_text("utf-8").splitlines()]
        except (OSError, ValueError):
            failure = ConfigurationError(Code.KEY_MISSING, path.name)
        raise failure

    def _newest(self) -> int:
        return max(self._generations(), default=0)

    def _generations(self) -> list[int]:
        found = (_FILE.fullmatch(path.name) for path in self.folder.glob(f"{_STEM}-*"))
        return sorted({int(name[1]) for name in found if name}, reverse=True)

    def _private(self, generation: int) -> Path:
        return self.folder / f"{_STEM}-{generation}.key"

    def _public(self, generation: int) -> Path:
        return self.folder / f"{_STEM}-{generation}.vkey"
