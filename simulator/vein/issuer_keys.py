"""The keys that sign assertions: the newest signs, every public part stays to be handed on.

Decides:    that a key is followed by the next generation and never replaced, and what its id (`kid`) is.
Invariants: `issuer-<generation>.key` is private (0600, PKCS #8); `issuer-<generation>.pub.pem` is for the product.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from joserfc.jwk import OKPKey

from juki.keys import read_private, write_private

_PUBLIC = re.compile(r"issuer-([1-9][0-9]*)\.pub\.pem", re.ASCII)


@dataclass(frozen=True, slots=True)
class IssuerKeys:
    """The signing keys in a folder, of the gateway of an id."""

    folder: Path
    gateway_id: str

    def create_missing(self) -> None:
        """Make the first key where there is none."""
        if not self._generations():
            self.rotate()

    def rotate(self) -> str:
        """Make the next key, which signs from now on, and give its id."""
        generation = max(self._generations(), default=0) + 1
        key = OKPKey.generate_key("Ed25519")
        write_private(self.folder / f"issuer-{generation}.key", key.as_pem(private=True))
        write_private(self.folder / f"issuer-{generation}.pub.pem", key.as_pem(private=False))
        return self._kid(generation)

    def signing(self) -> tuple[str, OKPKey]:
        """Give the id and the key that sign now."""
        newest = max(self._generations())
        return self._kid(newest), OKPKey.import_key(read_private(self.folder / f"issuer-{newest}.key"))

    def public(self) -> dict[str, bytes]:
        """Give every public key there ever was (PEM) by its id, for the product's register of issuers."""
        return {
            self._kid(generation): (self.folder / f"issuer-{generation}.pub.pem").read_bytes()
            for generation in self._generations()
        }

    def _kid(self, generation: int) -> str:
        return f"{self.gateway_id}-{generation}"

    def _generations(self) -> list[int]:
        found = (_PUBLIC.fullmatch(path.name) for path in self.folder.glob("issuer-*"))
        return sorted(int(name[1]) for name in found if name)
