"""Reading what may name people: from a file only its owner may read or from standard input, never from arguments."""

from __future__ import annotations

import sys
from pathlib import Path

from juki.keys import read_private

STANDARD_INPUT = "-"


def read_document(source: str, most_bytes: int) -> bytes:
    """Read a document; of standard input no more than shows that it is larger than it may be.

    Raises: ConfigurationError(KEY_PERMISSIONS | KEY_MISSING) for a file others may read or that is not there.
    """
    if source == STANDARD_INPUT:
        return sys.stdin.buffer.read(most_bytes + 1)
    return read_private(Path(source))
