"""What an operator notes of infected files: that they were dealt with.

Invariants: what was infected after somebody looked stays open; done twice, the second time changes nothing.
Source:     assessment M8, M10.
"""

from __future__ import annotations

from datetime import datetime

from juki.cli.acting import acting
from juki.cli.installation import Installation
from juki.columns import IdentityFile
from juki.journal import Action, Entry, Outcome
from juki.package_id import PackageId
from juki.reason_text import checked_reason
from juki.store.infections import UP_TO, Infection, Infections
from juki.store.roles import Duty
from juki.store.unit import open_unit


def open_infections(installation: Installation, file: IdentityFile) -> list[Infection]:
    """List the infected files of one store nobody has dealt with."""
    with open_unit(installation.store_url(file), file, Duty.AUDITOR) as unit:
        return Infections(file, unit.connection).open_ones()


def close_infections(installation: Installation, up_to: PackageId, reason: str, at: datetime) -> int:
    """Note that the infected files of one store were dealt with, up to the entry somebody has seen; count them.

    Raises: ConfigurationError(REASON_TEXT_FORM).
    """
    basis, file = checked_reason(reason), up_to.file
    with open_unit(installation.store_url(file), file, Duty.ADMINISTRATOR) as unit:
        opened = Infections(file, unit.connection).open_ones()
        found = [one for one in opened if one.entry_no <= up_to.number]
        if found:
            counts = {"infections": len(found), UP_TO: found[-1].entry_no}
            entry = Entry(
                action=Action.INFECTION_CLOSED, file=file, outcome=Outcome.DONE, basis=basis, counts=counts
            )
            unit.journal.append(acting().signed(entry), at)
    return len(found)
