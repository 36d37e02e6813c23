"""One made-up authority for all tests of the wire: making RSA keys is slow."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from simulator import pki

AT = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
CODES = ("352021", "352039", "352080")
"""The first signs with RSA, the others with ECDSA."""


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> pki.Pki:
    """Root, prefecture and three municipalities."""
    return pki.build(tmp_path_factory.mktemp("pki"), CODES)
