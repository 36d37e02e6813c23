"""How often somebody has looked at people lately, told by the operation log itself.

Decides:    what counts: every search or view that was done or found nobody, and no attempt the cap refused.
Leaves:     how many are let to the settings, the entries to `juki.store.journal`.
Invariants: counted at the end of the log, which is locked until commit: two at once do not slip through together.
Source:     ADR-0037.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from juki.journal import Action, instant_text
from juki.reasons import Code

WINDOW = timedelta(hours=1)
CAPS = (Code.PERSON_LIMIT_SEARCHES, Code.PERSON_LIMIT_VIEWS)
# The two actions stand in the statement as they stand in the index, or it could not be used.
_LATELY = """
    SELECT count(*) FROM journal
    WHERE actor = :actor AND action IN ('person.searched', 'person.viewed') AND action = :action
      AND recorded_at > :since AND NOT (CAST(entry AS jsonb) ->> 'code') = ANY(CAST(:caps AS text[]))
"""


@dataclass(frozen=True, slots=True)
class Looking:
    """The searches and views of one file, seen through one open transaction."""

    connection: Connection

    def lately(self, actor: str, action: Action, at: datetime) -> int:
        """Count what somebody did within the last hour; the caller holds the end of the log."""
        asked = {
            "actor": actor, "action": action.value, "since": instant_text(at - WINDOW),
            "caps": [code.value for code in CAPS],
        }  # fmt: skip
        return int(self.connection.execute(text(_LATELY), asked).scalar_one())
