"""What a scanner's answers mean: one exact form is clean, one is infected, everything else stops."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from juki.dates import JAPAN
from juki.errors import ScannerError
from juki.reasons import Code
from juki.scanning import (
    CLOCK_SKEW,
    ScannerAddress,
    ScannerState,
    is_infected,
    judge,
    patterns_of_header,
    patterns_of_version,
)

NOW = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
LIMIT = timedelta(hours=48)


def test_exact_ok_is_clean_and_a_name_found_is_infected() -> None:
    """As clamd 1.x writes both."""
    assert is_infected(b"stream: OK\0") is False
    assert is_infected(b"stream: Juki.Test.Signature.UNOFFICIAL FOUND\0") is True


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"\0", b"stream: OK", b"stream: OK\n", b"stream: ok\0", b" stream: OK\0", b"stream: OK\0\0", b"OK\0",
        b"stream: OK\0stream: Eicar FOUND\0", b"stream: Eicar FOUND\0stream: OK\0", b"stream:  FOUND\0",
        b"stream: two words FOUND\0", b"stream: \xe5\xb1\xb1 FOUND\0", b"/tmp/x: OK\0", b"1: stream: OK\0",
        b"stream: Can't allocate memory ERROR\0", b"UNKNOWN COMMAND\0", b"PONG\0", b"HTTP/1.1 200 OK\r\n\r\n",
        b"stream: " + b"A" * 300 + b" FOUND\0",
    ],
    ids=repr,
)  # fmt: skip
def test_anything_but_the_exact_answers_stops(answer: bytes) -> None:
    """A word for clean somewhere in it is not enough, nor is an error read as a finding."""
    with pytest.raises(ScannerError) as refused:
        is_infected(answer)
    assert (refused.value.code, refused.value.is_transient) == (Code.SCANNER_ANSWER, True)


@pytest.mark.parametrize(
    "answer",
    [b"INSTREAM size limit exceeded. ERROR\0", b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0"],
)
def test_file_the_scanner_did_not_look_through_is_neither_clean_nor_infected(answer: bytes) -> None:
    """The scanner's bounds are its administrator's to raise; the sender did nothing wrong."""
    with pytest.raises(ScannerError) as refused:
        is_infected(answer)
    assert refused.value.code is Code.SCANNER_LIMIT


@given(st.binary(max_size=40), st.integers(0, 11))
def test_no_answer_but_one_is_clean(noise: bytes, place: int) -> None:
    """Whatever is put into the one clean answer, in place of or beside its bytes, is not clean any more."""
    clean = b"stream: OK\0"
    for answer in (clean[:place] + noise + clean[place:], clean[:place] + noise):
        if answer != clean:
            try:
                assert is_infected(answer)
            except ScannerError as error:
                assert error.__cause__ is None


@pytest.mark.parametrize(
    ("answer", "made"),
    [
        ("ClamAV 1.4.3/27000/Sun Nov 29 17:30:00 2026\0", datetime(2026, 11, 29, 8, 30, tzinfo=UTC)),
        ("ClamAV 1.5.0-rc/1/Tue Mar  3 00:00:59 2026\0", datetime(2026, 3, 2, 15, 0, 59, tzinfo=UTC)),
        ("ClamAV 1.4.3\0", None),
        ("ClamAV 1.4.3/1/Tue Feb 30 00:00:00 2026\0", None),
        ("ClamAV 1.4.3/1/Tue Mar 30 29:00:00 2026\0", None),
        ("ClamAV 1.4.3/1/Mon Jan  1 00:00:00 0001\0", None),
    ],
)
def test_pattern_date_is_read_from_the_version_as_japanese_time(answer: str, made: datetime | None) -> None:
    """The scanner writes its local time; a day that is none is no date."""
    assert patterns_of_version(answer.encode()) == made


@pytest.mark.parametrize(
    "answer",
    ["", "ClamAV\0", "ClamAV 1.4.3", "ClamAV 1.4.3/27000\0", "ClamAV 1.4.3/27000/heute\0", "PONG\0", "山\0"],
)
def test_what_is_no_version_is_refused(answer: str) -> None:
    """Whoever answers so is no clamd we know."""
    with pytest.raises(ScannerError) as refused:
        patterns_of_version(answer.encode())
    assert refused.value.code is Code.SCANNER_ANSWER


def test_pattern_date_is_read_from_the_head_of_a_database() -> None:
    """The offset in it counts; noise is no head."""
    head = b"ClamAV-VDB:29 Nov 2026 08-30 +0000:27000:2074000:90:md5:sig:builder:1795941000".ljust(512)
    made = datetime(2026, 11, 29, 8, 30, tzinfo=UTC)
    assert patterns_of_header(head) == made
    assert patterns_of_header(head.replace(b"08-30 +0000", b"03-30 -0500")) == made
    for noise in (b"", b"ClamAV-VDB:", head[1:], head.replace(b"29 Nov", b"31 Nov"), b"\xff" * 512):
        assert patterns_of_header(noise) is None


@pytest.mark.parametrize(
    ("made", "state", "code"),
    [
        (NOW, ScannerState.FRESH, None),
        (NOW - LIMIT, ScannerState.FRESH, None),
        (NOW - LIMIT - timedelta(seconds=1), ScannerState.STOPPED, Code.SCANNER_PATTERNS_OLD),
        (NOW + CLOCK_SKEW, ScannerState.FRESH, None),
        (NOW + CLOCK_SKEW + timedelta(seconds=1), ScannerState.STOPPED, Code.SCANNER_PATTERNS_UNDATED),
        (None, ScannerState.STOPPED, Code.SCANNER_PATTERNS_UNDATED),
    ],
)
def test_patterns_are_fresh_to_the_last_second_and_never_from_the_future(
    made: datetime | None, state: ScannerState, code: Code | None
) -> None:
    """A date that lies ahead would look fresh for ever."""
    standing = judge(made, LIMIT, NOW)
    assert (standing.state, standing.code, standing.patterns_at) == (state, code, made)


def test_scanner_on_utc_looks_older_and_never_newer() -> None:
    """Read as Japanese time, its date errs to the safe side."""
    made = datetime(2026, 11, 29, 8, 30, tzinfo=UTC)
    read = patterns_of_version(f"ClamAV 1.4.3/1/{made:%a %b %e %H:%M:%S %Y}\0".encode())
    assert read == made - JAPAN.utcoffset(None)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/run/clamav/clamd.ctl", ScannerAddress(socket="/run/clamav/clamd.ctl")),
        ("127.0.0.1:3310", ScannerAddress(host="127.0.0.1", port=3310)),
        ("[::1]:3310", ScannerAddress(host="::1", port=3310)),
        ("scanner.example:65535", ScannerAddress(host="scanner.example", port=65535)),
    ],
)
def test_address_is_a_socket_or_host_and_port(text: str, address: ScannerAddress) -> None:
    """Both forms clamd listens on."""
    assert ScannerAddress.parse(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "clamd",
        "run/clamd.ctl",
        "host:",
        "host:0",
        "host:65536",
        ":3310",
        "a b:1",
        "/" + "x" * 120,
        "h:１",
    ],
)
def test_other_addresses_are_refused(text: str) -> None:
    """Nothing is guessed of where a scanner may be."""
    with pytest.raises(ValueError, match="address"):
        ScannerAddress.parse(text)
