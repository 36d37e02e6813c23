"""A request for a snapshot, laid into the inbox of a municipal CS: its name and its one line.

Decides:    what we ask for and how (`juki-snapshot-request/1`, docs/formats/snapshot-request.md).
Leaves:     delivery to `juki.wire`, which answer belongs to it to `juki.snapshots`.
Invariants: one request per municipality and file, because the name says no more: a newer one replaces an older
            one. It is not sealed and holds nothing personal.
Source:     spec/packages.md section 5, M11.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from juki.columns import IdentityFile
from juki.errors import ContractError
from juki.manifest_line import MUNICIPALITY, Fields, write_line
from juki.order import Channel
from juki.packages import PackageKind
from juki.reasons import Code


def request_name(municipality_code: str, file: IdentityFile) -> str:
    """Give the name the request to a municipality for a file bears in the inbox."""
    return f"{municipality_code}-{file}-snapshot-request.json"


class Wants(StrEnum):
    """What is asked for: the records, or only their digests as a shortcut before them."""

    SNAPSHOT = "snapshot"
    DIGEST = "digest"

    @property
    def kind(self) -> PackageKind:
        """The kind of package that answers."""
        return PackageKind(self.value)


@dataclass(frozen=True, slots=True)
class SnapshotRequest:
    """One request; `requester` is the prefecture's code, `requested_at` the earliest `as_of` of an answer."""

    FORMAT: ClassVar[str] = "juki-snapshot-request/1"

    municipality_code: str
    file: IdentityFile
    requester: str
    requested_at: datetime
    wants: Wants

    @property
    def channel(self) -> Channel:
        """The municipality and file that are asked."""
        return Channel(self.municipality_code, self.file)

    @property
    def file_name(self) -> str:
        """The name it bears in the inbox."""
        return request_name(self.municipality_code, self.file)

    @classmethod
    def parse(cls, file_name: str, line: bytes) -> SnapshotRequest:
        """Read a request as a municipal CS finds it; ContractError(SNAPSHOT_REQUEST_FORM) unless it is one.

        Its name and what it says must agree.
        """
        keys = Fields(line, cls, "", Code.SNAPSHOT_REQUEST_FORM)
        request = cls(
            municipality_code=keys.text("municipality_code", MUNICIPALITY),
            file=keys.file(),
            requester=keys.text("requester", MUNICIPALITY),
            requested_at=keys.instant("requested_at"),
            wants=Wants(keys.text("wants", re.compile("snapshot|digest"))),
        )
        if request.file_name != file_name:
            raise ContractError(Code.SNAPSHOT_REQUEST_FORM)
        return request

    def line(self) -> bytes:
        """Write the request as its one line, LF included."""
        return write_line(self)
