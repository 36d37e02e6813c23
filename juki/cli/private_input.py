"""Reading what may name people: from a file only its owner may read or from standard input, never from arguments.

Invariants: a document is read once, when it is first needed, so that who is let and what is done are about the same.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from juki.errors import ConfigurationError
from juki.keys import read_private
from juki.reasons import Code

STANDARD_INPUT = "-"
_AS_A_DOCUMENT = {
    Code.KEY_MISSING: Code.DOCUMENT_MISSING,
    Code.KEY_PERMISSIONS: Code.DOCUMENT_PERMISSIONS,
}


class PrivateDocument:
    """A document named at the command line, which has not been read yet."""

    def __init__(self, source: str, most_bytes: int) -> None:
        self.source, self._most_bytes = source, most_bytes

    @cached_property
    def content(self) -> bytes:
        """The document; of standard input no more than shows that it is larger than it may be.

        Raises: ConfigurationError(DOCUMENT_PERMISSIONS | DOCUMENT_MISSING) for a file others may read or that is not
                there; its name is not told, since it may be that of a person, or a number typed in its place.
        """
        if self.source == STANDARD_INPUT:
            return sys.stdin.buffer.read(self._most_bytes + 1)
        try:
            return read_private(Path(self.source))
        except ConfigurationError as error:
            code = _AS_A_DOCUMENT[error.code]
        raise ConfigurationError(code)

    def target_words(self) -> Sequence[str]:
        """Name the document to a gateway: by its digest, as it is too long to be read there."""
        return (f"sha256:{hashlib.sha256(self.content).hexdigest()}",)
