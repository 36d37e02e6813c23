"""The client of a scanner against one that behaves and one that does not: nothing but the exact answer is clean."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from juki.errors import ScannerError, SourceError
from juki.reasons import Code
from juki.scanning import ScannerAddress, ScannerState
from juki.wire.scan_gate import ScanGate
from juki.wire.scanner import CHUNK_BYTES, Scanner
from tests.fake_clamd import Answer, FakeClamd, fake_clamd

LIMIT = timedelta(hours=48)
NAME = "352039-resident-notice-00000001.p7m"


@pytest.fixture
def fake() -> Iterator[FakeClamd]:
    """A scanner that behaves, on a socket."""
    with fake_clamd() as running:
        yield running


def client(fake: FakeClamd, seconds: float = 5) -> Scanner:
    """The client of a fake."""
    return Scanner(ScannerAddress.parse(fake.address), seconds)


def code_of(scanner: Scanner, content: bytes = b"sealed") -> Code:
    """The code by which a scan is refused."""
    with pytest.raises(ScannerError) as refused:
        scanner.is_infected(content)
    assert (refused.value.__cause__, refused.value.__context__) == (None, None)
    return refused.value.code


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_every_byte_is_streamed_and_no_name(fake: FakeClamd, size: int, tmp_path: Path) -> None:
    """What is scanned is the file, whole; the scanner learns nothing else of it."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)
    assert not client(fake).is_infected(path.read_bytes())
    fake.infect(path)
    assert client(fake).is_infected(path.read_bytes())
    assert fake.asked == [b"zINSTREAM\0"] * 2


def test_scanner_on_a_port_is_asked_like_one_on_a_socket() -> None:
    """Both forms of the setting."""
    with fake_clamd("tcp") as fake:
        assert not client(fake).is_infected(b"sealed")
        assert client(fake).patterns_at() == fake.patterns_at.replace(microsecond=0)  # type: ignore[union-attr]


def _hang(link: socket.socket, content: bytes) -> bytes:
    time.sleep(0.6)
    return b"stream: OK\0"


def _drip(link: socket.socket, content: bytes) -> bytes:
    for _ in range(8):
        link.sendall(b"s")
        time.sleep(0.1)
    return b""


def _answers(answer: bytes) -> Answer:
    return lambda _link, _content: answer


_BAD: dict[str, tuple[Answer, Code]] = {
    "an error": (_answers(b"stream: lstat() failed ERROR\0"), Code.SCANNER_ANSWER),
    "the size limit": (_answers(b"INSTREAM size limit exceeded. ERROR\0"), Code.SCANNER_LIMIT),
    "a file it skips": (_answers(b"stream: Heuristics.Limits.Exceeded.MaxScanSize FOUND\0"), Code.SCANNER_LIMIT),
    "nothing": (_answers(b""), Code.SCANNER_ANSWER),
    "a part": (_answers(b"stream: O"), Code.SCANNER_ANSWER),
    "garbage": (_answers(bytes(range(256))), Code.SCANNER_ANSWER),
    "two answers": (_answers(b"stream: OK\0stream: OK\0"), Code.SCANNER_ANSWER),
    "an answer for ever": (_answers(b"stream: OK\0" * 100_000), Code.SCANNER_ANSWER),
    "an answer too late": (_hang, Code.SCANNER_UNREACHABLE),
    "an answer byte by byte": (_drip, Code.SCANNER_UNREACHABLE),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "code"), _BAD.values(), ids=_BAD)
def test_scanner_that_answers_anything_else_is_never_believed(
    fake: FakeClamd, answer: Answer, code: Code
) -> None:
    """Each by its code, within the deadline, and the next question is answered again."""
    fake.answer = answer
    began = time.monotonic()
    assert code_of(client(fake, 0.4), b"sealed") is code
    assert time.monotonic() - began < 2
    fake.answer = None
    time.sleep(0.6 if code is Code.SCANNER_UNREACHABLE else 0)
    assert not client(fake).is_infected(b"sealed")


def test_ok_to_a_stream_that_was_cut_off_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scanner that hangs up before the end has not seen the end."""

    def hangs_up(self: FakeClamd, link: socket.socket) -> None:
        link.recv(4)
        link.sendall(b"stream: OK\0")

    monkeypatch.setattr(FakeClamd, "_one", hangs_up)
    with fake_clamd() as fake:
        said = {code_of(client(fake), b"x" * 2**22) for _ in range(3)}
    assert said <= {Code.SCANNER_ANSWER, Code.SCANNER_UNREACHABLE}


@pytest.mark.parametrize("address", ["/nowhere/clamd.ctl", "127.0.0.1:1", "a..b:3310"])
def test_absent_scanner_is_named_without_its_address(address: str) -> None:
    """Nobody listens: the code says what to do."""
    scanner = Scanner(ScannerAddress.parse(address), 2)
    assert code_of(scanner) is Code.SCANNER_UNREACHABLE
    standing = ScanGate(scanner, LIMIT).standing(datetime.now(UTC))
    assert (standing.state, standing.code) == (ScannerState.STOPPED, Code.SCANNER_UNREACHABLE)


def test_socket_nobody_answers_on_is_given_up(tmp_path: Path) -> None:
    """It accepts and never speaks."""
    with socket.socket(socket.AF_INET) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        scanner = Scanner(ScannerAddress.parse("{}:{}".format(*listener.getsockname())), 0.3)
        assert code_of(scanner) is Code.SCANNER_UNREACHABLE
        assert code_of(scanner, b"x" * 2**24) is Code.SCANNER_UNREACHABLE


# -- the gate -----------------------------------------------------------------------------------------------------


def _old(fake: FakeClamd) -> None:
    fake.patterns_at = datetime.now(UTC) - timedelta(hours=49)


def _ahead(fake: FakeClamd) -> None:
    fake.patterns_at = datetime.now(UTC) + timedelta(days=2)


def _undated(fake: FakeClamd) -> None:
    fake.patterns_at = None


def _other(fake: FakeClamd) -> None:
    fake.version = b"nobody\0"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_old, Code.SCANNER_PATTERNS_OLD),
        (_ahead, Code.SCANNER_PATTERNS_UNDATED),
        (_undated, Code.SCANNER_PATTERNS_UNDATED),
        (_other, Code.SCANNER_ANSWER),
    ],
)
def test_nothing_is_even_streamed_to_a_scanner_that_may_not_be_relied_on(
    fake: FakeClamd, spoil: Callable[[FakeClamd], None], code: Code
) -> None:
    """Old patterns call everything clean: they are not asked (fail closed)."""
    gate = ScanGate(client(fake), LIMIT)
    spoil(fake)
    with pytest.raises(ScannerError) as refused:
        gate.check(b"sealed", NAME, datetime.now(UTC))
    assert (refused.value.code, fake.scanned) == (code, [])
    assert gate.standing(datetime.now(UTC)).code is code


def test_infected_file_is_refused_by_its_name_alone(fake: FakeClamd, tmp_path: Path) -> None:
    """What was found stays in the scanner's own log: its answer is not ours to repeat."""
    path = tmp_path / "file"
    path.write_bytes(b"sealed")
    fake.infect(path)
    with pytest.raises(SourceError) as refused:
        ScanGate(client(fake), LIMIT).check(b"sealed", NAME, datetime.now(UTC))
    assert (refused.value.code, refused.value.ref) == (Code.PACKAGE_INFECTED, NAME)
    assert "Made.Up" not in str(refused.value)


def test_gate_without_a_scanner_says_that_it_is_off() -> None:
    """Everything passes, and nobody can take that for scanning."""
    gate, now = ScanGate(), datetime.now(UTC)
    gate.check(b"sealed", NAME, now)
    gate.check_ready(now)
    assert (gate.standing(now).state, gate.standing(now).code) == (ScannerState.OFF, Code.SCANNER_OFF)


def test_date_on_the_disk_counts_where_the_scanner_says_none(fake: FakeClamd, tmp_path: Path) -> None:
    """The newer of the two forms of the daily database; a folder without one leaves the date unknown."""
    gate, now = ScanGate(client(fake), LIMIT, tmp_path), datetime.now(UTC)
    fake.patterns_at = None
    assert gate.standing(now).code is Code.SCANNER_PATTERNS_UNDATED
    for name, hours in (("daily.cvd", 60), ("daily.cld", 2)):
        made = now - timedelta(hours=hours)
        (tmp_path / name).write_bytes(f"ClamAV-VDB:{made:%d %b %Y %H-%M} +0000:1:1:".encode().ljust(600))
        state = ScannerState.FRESH if hours == 2 else ScannerState.STOPPED
        assert gate.standing(now).state is state
