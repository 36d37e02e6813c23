"""How instants, codes and files are put into words, alike on terminals, on pages and for programs.

Decides:    that people read Japanese time to the minute, programs the same instant with its offset.
Leaves:     what a code means to `juki.reasons`, how lines and tables are drawn to whoever draws them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from juki.columns import IdentityFile
from juki.dates import JAPAN
from juki.reasons import Code

SHORT = {IdentityFile.RESIDENT: "本人", IdentityFile.FUHYO: "附票"}
"""The files in as few characters as a crowded line has."""
_NEAR = timedelta(days=183)


def shown(at: datetime | None) -> str:
    """Write an instant as people in Japan read it, to the minute; a dash where there is none."""
    return at.astimezone(JAPAN).strftime("%Y-%m-%d %H:%M") if at else "-"


def shown_briefly(at: datetime | None, now: datetime) -> str:
    """Write an instant for a crowded table: without the year within half a year of now, else its day alone."""
    if at is None:
        return "-"
    is_near = abs(now - at) < _NEAR
    return at.astimezone(JAPAN).strftime("%m-%d %H:%M" if is_near else "%Y-%m-%d")


def iso(at: datetime | None) -> str | None:
    """Write an instant for programs, in Japanese time with its offset."""
    return at.astimezone(JAPAN).isoformat() if at else None


def explained(code: Code) -> dict[str, str]:
    """Write a code for programs: with its severity, sentence and next step."""
    return {
        "code": code.value, "severity": code.severity.value,
        "message": code.message, "next_step": code.next_step,
    }  # fmt: skip
