"""What an operator notes of media: registered, handed out, back, retired; each with its journal entry.

Decides:    what may be said of a place or a person who has a medium: one line without anybody's number.
Leaves:     the states to `juki.store.media`.
Invariants: a change and its entry commit together.
Source:     assessment M8, M10.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from juki.cli.acting import acting
from juki.cli.installation import Installation
from juki.columns import IdentityFile
from juki.errors import ConfigurationError
from juki.journal import Action, Entry, Outcome
from juki.media import Medium
from juki.package_id import PackageId
from juki.reason_text import checked_reason
from juki.reasons import Code
from juki.store.media import Media
from juki.store.roles import Duty
from juki.store.unit import open_unit


def register(
    installation: Installation, file: IdentityFile, at: datetime, *, label: str, kind: str, place: str, keeper: str
) -> Medium:  # fmt: skip
    """Register a medium; JukiError(MEDIUM_LABEL_TAKEN), ConfigurationError(REASON_TEXT_FORM)."""
    name, what, where, who = map(checked_reason, (label, kind, place, keeper))
    return _noted(
        installation, file, Action.MEDIUM_REGISTERED, at,
        lambda media: media.register(name, what, where, who, at), basis=f"{name}、{what}、{where}、{who}",
    )  # fmt: skip


def hand_out(installation: Installation, medium: PackageId, to: str, due_back: str, at: datetime) -> Medium:
    """Note who has a medium and until which day."""
    who, day = checked_reason(to), _day(due_back)
    return _noted(
        installation, medium.file, Action.MEDIUM_HANDED_OUT, at,
        lambda media: media.hand_out(medium.number, who, day, at), basis=who, due_at=day.isoformat(),
    )  # fmt: skip


def give_back(installation: Installation, medium: PackageId, place: str, at: datetime) -> Medium:
    """Note that a medium is back."""
    where = checked_reason(place) if place else ""
    return _noted(
        installation, medium.file, Action.MEDIUM_RETURNED, at,
        lambda media: media.give_back(medium.number, where), basis=where,
    )  # fmt: skip


def retire(installation: Installation, medium: PackageId, reason: str, at: datetime) -> Medium:
    """Note that a medium was destroyed, and how."""
    basis = checked_reason(reason)
    return _noted(
        installation, medium.file, Action.MEDIUM_RETIRED, at,
        lambda media: media.retire(medium.number, at), basis=basis,
    )  # fmt: skip


def _noted(
    installation: Installation, file: IdentityFile, action: Action, at: datetime,
    change: Callable[[Media], Medium], basis: str = "", due_at: str = "",
) -> Medium:  # fmt: skip
    with open_unit(installation.store_url(file), file, Duty.PROVIDER) as unit:
        medium = change(unit.media)
        entry = acting().signed(Entry(
            action=action, file=file, outcome=Outcome.DONE, basis=basis, medium=str(medium.medium_id), due_at=due_at,
        ))  # fmt: skip
        unit.journal.append(entry, at)
    return medium


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    raise ConfigurationError(Code.COMMAND_ARGUMENT, "--due-back")
