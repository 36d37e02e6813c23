"""What `juki status` says of the site: whether schedules run, where the screens are, whether letters wait.

Decides:    that a site nobody has started is said in one line, and one that should run and does not is an alarm.
Leaves:     how the site is to `juki.site`.
"""

from __future__ import annotations

from config.notifying import notifications
from juki.cli.custody_status import Alarm
from juki.cli.installation import Installation, iso, shown
from juki.lineage_files import LineageFiles
from juki.reasons import Code
from juki.site import SiteFiles, SiteNote, SiteState

_ALARMS = {SiteState.BROKEN: Code.SITE_BROKEN, SiteState.TROUBLED: Code.SITE_SILENT}


def site_alarms(installation: Installation) -> list[Alarm]:
    """Find what is wrong with the site, and with what its runs write for others."""
    note = SiteFiles(installation.home).note()
    alarms = list[Alarm]()
    if note is not None and note.state in _ALARMS:
        alarms.append(Alarm(_ALARMS[note.state], since=note.since_at))
    waiting = notifications(installation.home).waiting
    if waiting:
        alarms.append(Alarm(Code.NOTIFICATION_UNDELIVERED, (f"{waiting} 通",)))
    unwritten = LineageFiles(installation.home).unwritten_since
    if unwritten is not None and installation.settings.lineage:
        alarms.append(Alarm(Code.LINEAGE_UNWRITTEN, since=unwritten))
    return alarms


def described_site(installation: Installation) -> dict[str, object]:
    """Write the site for programs."""
    note = SiteFiles(installation.home).note()
    state = note.state if note else SiteState.DOWN
    return {
        "state": state.value, "state_japanese": state.japanese, "url": note.pages if note else None,
        "since": iso(note.since_at) if note else None, "restarts": note.restarts if note else 0,
        "unsent_letters": notifications(installation.home).waiting,
    }  # fmt: skip


def site_lines(installation: Installation) -> list[str]:
    """Write the site for people, in one line."""
    note = SiteFiles(installation.home).note()
    if note is None:
        return [f"予定（Prefect）: {SiteState.DOWN.japanese}。起動: juki up"]
    return [
        f"予定（Prefect）: {note.state.japanese}（{note.pages}、{shown(note.since_at)} から{_restarted(note)}）"
    ]


def _restarted(note: SiteNote) -> str:
    return f"、再起動 {note.restarts} 回" if note.restarts else ""
