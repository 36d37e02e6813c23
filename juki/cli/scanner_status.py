"""What `juki status` says of virus scanning: off, in order or stopped, and infected files nobody has dealt with.

Decides:    how the standing of the scanner is put into words, and that an open infection is an alarm.
Leaves:     judging to `juki.scanning`; asking the scanner to `config.scanning.scanner_standing`.
Invariants: that files are not scanned is said every time, in one line.
"""

from __future__ import annotations

from juki.cli.custody_status import Alarm
from juki.cli.installation import Installation, explained, iso, shown
from juki.cli.reasons_shown import code_lines
from juki.cli.scanner_actions import open_infections
from juki.columns import IdentityFile
from juki.reasons import Code
from juki.scanning import ScannerState, Standing

_MOST_NAMED = 10


def standing_lines(standing: Standing) -> list[str]:
    """Write how scanning stands for people."""
    if standing.state is ScannerState.FRESH:
        return [f"ウイルス検査: {standing.state.japanese}（パターン {shown(standing.patterns_at)}）"]
    if standing.code is None or standing.state is ScannerState.OFF:
        return [f"ウイルス検査: {standing.state.japanese}（scanner_address の設定がありません）"]
    first, *step = code_lines(standing.code, f"ウイルス検査: {standing.state.japanese} ")
    dated = [f"  パターン {shown(standing.patterns_at)}"] if standing.patterns_at else []
    return [first, *dated, *step]


def described_standing(standing: Standing) -> dict[str, object]:
    """Write how scanning stands for programs."""
    return {
        "state": standing.state.value, "state_japanese": standing.state.japanese,
        "patterns_at": iso(standing.patterns_at), "reason": explained(standing.code) if standing.code else None,
    }  # fmt: skip


def infection_alarms(installation: Installation) -> list[Alarm]:
    """Find the infected files nobody has dealt with, as one alarm."""
    found = [one for file in IdentityFile for one in open_infections(installation, file)]
    if not found:
        return []
    names = [one.file_name for one in found[:_MOST_NAMED]]
    more = [f"ほか {len(found) - _MOST_NAMED:,} 件"] if len(found) > _MOST_NAMED else []
    return [Alarm(Code.INFECTION_OPEN, (*names, *more), min(one.recorded_at for one in found))]
