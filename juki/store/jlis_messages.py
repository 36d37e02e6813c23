"""What came as J-LIS's: acknowledgements and reports, taken in once, refused ones kept as they came.

Decides:    the statements by which a file is registered, and which files were seen before.
Leaves:     opening and judging to `tasks.jlis_answers` and `tasks.jlis_reports`.
Invariants: a content is taken once, whatever it is wrapped in; a report number is taken once. A refused file is kept
            sealed as it came, as long as all that are kept stay within a bound; its digest is kept always.
Source:     法30条の8, 30条の43; ADR-0027.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from juki.columns import IdentityFile
from juki.jlis import MessageKind, MessageState
from juki.order import FileMark
from juki.reasons import Code, known_code
from juki.store.tables import TABLES

MAX_KEPT_BYTES = 64 * 1024 * 1024
"""All refused files together; who fills the folder must not fill the store."""


@dataclass(frozen=True, slots=True)
class Message:
    """A file as it came."""

    kind: MessageKind
    sequence: int
    mark: FileMark
    file_sha256: bytes
    received_at: datetime
    content: bytes = field(repr=False)
    """The sealed bytes."""


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """A file as it is registered."""

    message_id: int
    kind: MessageKind
    sequence: int
    file_name: str
    file_bytes: int
    file_sha256: str
    state: MessageState
    code: Code | None
    records: int | None
    received_at: datetime
    seen_at: datetime | None
    """When somebody had looked at it, of a refused one."""


@dataclass(frozen=True, slots=True)
class JlisMessages:
    """The register of one store, seen through one open transaction."""

    file: IdentityFile
    connection: Connection

    @property
    def _message(self) -> Table:
        return TABLES[self.file].jlis_message

    def marks(self) -> set[FileMark]:
        """List the files that were read before."""
        columns = self._message.c
        rows = self.connection.execute(select(columns.file_name, columns.file_bytes, columns.modified_at))
        return {FileMark(*row) for row in rows}

    def is_taken(self, content_sha256: bytes) -> bool:
        """Tell whether a content was taken in before."""
        columns = self._message.c
        query = select(columns.message_id).where(
            columns.content_sha256 == content_sha256, columns.state == MessageState.TAKEN.value
        )
        return self.connection.execute(query).first() is not None

    def is_report_taken(self, sequence: int) -> bool:
        """Tell whether a report of this number was taken in."""
        columns = self._message.c
        query = select(columns.message_id).where(
            columns.sequence == sequence,
            columns.kind == MessageKind.REPORT.value,
            columns.state == MessageState.TAKEN.value,
        )
        return self.connection.execute(query).first() is not None

    def taken(self, message: Message, content_sha256: bytes, records: int | None = None) -> None:
        """Register a file that was taken in."""
        self._add(message, MessageState.TAKEN, content_sha256=content_sha256, records=records)

    def repeated(self, message: Message, content_sha256: bytes) -> None:
        """Register a file that says again what was taken in."""
        code = Code.JLIS_ANSWER_REPLAYED.value
        self._add(message, MessageState.REPEATED, content_sha256=content_sha256, code=code)

    def refused(self, message: Message, code: Code) -> None:
        """Register a file that was refused, and keep it where there is room."""
        kept = select(func.coalesce(func.sum(func.octet_length(self._message.c.kept)), 0))
        has_room = self.connection.execute(kept).scalar_one() + len(message.content) <= MAX_KEPT_BYTES
        self._add(message, MessageState.REFUSED, code=code.value, kept=message.content if has_room else None)

    def _add(self, message: Message, state: MessageState, **values: object) -> None:
        row = {
            "kind": message.kind.value, "sequence": message.sequence, "file_name": message.mark.name,
            "file_bytes": message.mark.size, "modified_at": message.mark.modified_at,
            "file_sha256": message.file_sha256, "state": state.value, "received_at": message.received_at,
        }  # fmt: skip
        self.connection.execute(self._message.insert().values(row | values))

    def seen(self, message_id: int, at: datetime) -> bool:
        """Note that somebody has looked at a refused file; False when there is no such one open."""
        columns = self._message.c
        changed = self.connection.execute(
            self._message.update()
            .where(
                columns.message_id == message_id,
                columns.state == MessageState.REFUSED.value,
                columns.seen_at.is_(None),
            )
            .values(seen_at=at)
        )
        return changed.rowcount == 1

    def listed(self, limit: int | None = None) -> list[MessageRecord]:
        """List files, the newest first."""
        columns = [one for one in self._message.c if one.name in MessageRecord.__dataclass_fields__]
        query = select(*columns).order_by(self._message.c.message_id.desc()).limit(limit)
        return [_record_of(row) for row in self.connection.execute(query)]


def _record_of(row: Row[Any]) -> MessageRecord:
    values = dict(row._mapping) | {
        "kind": MessageKind(row.kind), "state": MessageState(row.state), "code": known_code(row.code),
        "file_sha256": bytes(row.file_sha256).hex(),
    }  # fmt: skip
    return MessageRecord(**values)
