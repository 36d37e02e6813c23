"""The client against a real clamd with a tiny database of our own: dates, findings, bounds, and the trap of bounds.

Where there is no clamd these tests do not run, and the summary says so loudly; `.ci/run` tries to install one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from juki.errors import ScannerError
from juki.reasons import Code
from juki.scanning import ScannerAddress, ScannerState
from juki.wire.scan_gate import ScanGate
from juki.wire.scanner import Scanner
from tests.wire.real_clamd import CLAMD, PATTERN, RealClamd, real_clamd

pytestmark = pytest.mark.skipif(CLAMD is None, reason="NOT RUN: no clamd here")

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
LIMIT = timedelta(hours=48)
_SMALL = ("StreamMaxLength 2M", "MaxFileSize 1M", "MaxScanSize 4M")


@pytest.fixture(scope="module")
def clamd() -> Iterator[RealClamd]:
    """One that warns of files larger than it looks into, as ADR-0031 demands."""
    with real_clamd(NOW - timedelta(hours=3), *_SMALL, "AlertExceedsMax yes") as running:
        yield running


def client(clamd: RealClamd) -> Scanner:
    """The client of a clamd."""
    return Scanner(ScannerAddress.parse(clamd.address), 30)


@pytest.mark.parametrize("place", [0, 70_000, 900_000])
def test_real_clamd_finds_our_pattern_wherever_it_is_and_calls_the_rest_clean(
    clamd: RealClamd, place: int
) -> None:
    """Across the bounds of chunks too."""
    assert not client(clamd).is_infected(b"x" * 1_000_000)
    assert client(clamd).is_infected(b"x" * place + PATTERN + b"x" * 1000)


def test_real_clamd_says_when_its_patterns_were_made_and_renewed(clamd: RealClamd) -> None:
    """Read from what it has loaded; old patterns stop, newer ones go on, without a restart."""
    gate = ScanGate(client(clamd), LIMIT)
    standing = gate.standing(NOW)
    assert (standing.state, standing.patterns_at) == (ScannerState.FRESH, NOW - timedelta(hours=3))
    clamd.renew(NOW - timedelta(hours=49))
    assert gate.standing(NOW).code is Code.SCANNER_PATTERNS_OLD
    clamd.renew(NOW - timedelta(hours=1))
    assert gate.standing(NOW).patterns_at == NOW - timedelta(hours=1)


@pytest.mark.parametrize("size", [2**20 + 2**18, 2**22])
def test_file_beyond_the_bounds_of_a_real_clamd_is_neither_clean_nor_infected(
    clamd: RealClamd, size: int
) -> None:
    """Larger than it looks into, and larger than it takes: both are its administrator's to mend.

    Where clamd hangs up before its answer is read, nobody knows why: that stops the intake as well.
    """
    with pytest.raises(ScannerError) as refused:
        client(clamd).is_infected(PATTERN + b"x" * size)
    assert refused.value.code in (Code.SCANNER_LIMIT, Code.SCANNER_UNREACHABLE)


def test_real_clamd_without_alert_exceeds_max_calls_clean_what_it_did_not_look_into() -> None:
    """Why ADR-0031 demands the setting: this can not be seen from outside, so it is shown here."""
    with real_clamd(NOW, *_SMALL) as careless:
        assert not client(careless).is_infected(PATTERN + b"x" * (2**20 + 2**18))


def test_real_clamd_that_is_stopped_is_unreachable() -> None:
    """Its socket may still lie there."""
    with real_clamd(NOW) as running:
        gate = ScanGate(client(running), LIMIT)
        assert gate.standing(NOW).state is ScannerState.FRESH
    assert gate.standing(NOW).code is Code.SCANNER_UNREACHABLE
