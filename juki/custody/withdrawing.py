"""Take back what was delivered and not fetched: at its end a package must not go on lying in a delivery folder.

Decides:    what is taken back, and what counts as lying there no more.
Leaves:     removing the file, and only ours, to `juki.wire.folders`; when it is time to `juki.custody.purging`.
Invariants: a file of other content under the name of ours is not ours and stays. A folder that can not be looked
            into says nothing: what may lie there is left, and looked for again. What went away with a registered
            medium is that medium's to be erased with, not the folder's.
Source:     assessment M12, ADR-0032.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from juki.custody.custody import Custody
from juki.errors import JukiError
from juki.holds import Hold
from juki.reasons import Code
from juki.wire import folders


class TakenBack(StrEnum):
    """What became of the delivered file of a hold."""

    REMOVED = "removed"
    ABSENT = "absent"
    """Fetched, or never delivered."""
    ON_MEDIUM = "on_medium"
    LEFT = "left"
    """It may still lie there."""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The delivery folders, each looked up once a run."""

    custody: Custody
    _folders: dict[str, Path | None] = field(default_factory=dict)

    def take_back(self, hold: Hold) -> TakenBack:
        """Remove the delivered file of a hold from the folder of its recipient, if it is there and ours."""
        return self._done(hold, folders.withdraw)

    def plan(self, hold: Hold) -> TakenBack:
        """Tell what taking it back would come to, and leave everything where it is."""
        return self._done(hold, folders.is_lying)

    def _done(self, hold: Hold, act: Callable[[Path, str, bytes], bool]) -> TakenBack:
        if hold.sequence is None or hold.package_sha256 is None:
            return TakenBack.ABSENT
        folder = self._folder(hold.recipient)
        if folder is None:
            return TakenBack.LEFT
        try:
            was_there = act(folder, hold.file_name, hold.package_sha256)
        except JukiError as error:
            is_away = error.code is Code.FOLDER_UNREACHABLE and hold.medium_no is not None
            return TakenBack.ON_MEDIUM if is_away else TakenBack.LEFT
        return TakenBack.REMOVED if was_there else TakenBack.ABSENT

    def _folder(self, recipient: str) -> Path | None:
        """Name the folder of a recipient; none where it is registered no more."""
        if recipient not in self._folders:
            try:
                self._folders[recipient] = self.custody.delivery(recipient)
            except JukiError:
                self._folders[recipient] = None
        return self._folders[recipient]


def counted(outcome: TakenBack) -> dict[str, int]:
    """Write an outcome as the counts of a journal entry."""
    return {f"deliveries_{one.value}": int(one is outcome) for one in TakenBack}
