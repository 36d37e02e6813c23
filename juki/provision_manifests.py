"""The manifest of the answer to a request (`juki-provision/1`), and the CSV that goes with it.

Decides:    which keys it has, and the columns of the answer: the line, its outcome, then exactly what was granted.
Leaves:     reading and writing of the line itself to `juki.manifest_line`.
Invariants: 住民票コード is no column of an answer, whatever the people were found with.
Source:     spec/packages.md section 4, docs/formats/provision.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import numpy as np
import pyarrow as pa

from juki.columns import IdentityFile
from juki.manifest_line import MAX_SEQUENCE, MUNICIPALITY, SHA256, Fields, write_line
from juki.search import Answers

LINE_COLUMNS = ("request_line", "outcome")
MAX_ANSWER_FIELDS = 32

_RECIPIENT = re.compile(r"[a-z][a-z0-9_]{1,31}")
_ID = re.compile(r"[RF][1-9][0-9]{0,17}")
_WORD = re.compile(r"[ -~]{1,100}")
_COLUMN = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class ProvisionManifest:
    """The manifest of one answer.

    `sequence` counts the answers of one recipient and file from 1 without gaps; `request_no` is that of the request;
    `fields` are the columns after the outcome; until `expires_at` the same package can be had again.
    """

    FORMAT: ClassVar[str] = "juki-provision/1"

    sender: str
    recipient: str
    file: IdentityFile
    sequence: int
    provision_id: str
    request_no: int
    basis: str
    basis_version: str
    fields: tuple[str, ...]
    records: int
    created_at: datetime
    expires_at: datetime
    sha256: str

    @classmethod
    def parse(cls, line: bytes, ref: str = "") -> ProvisionManifest:
        """Read the line of an answer; ContractError(PACKAGE_MANIFEST) when it is not one."""
        keys = Fields(line, cls, ref)
        return cls(
            sender=keys.text("sender", MUNICIPALITY),
            recipient=keys.text("recipient", _RECIPIENT),
            file=keys.file(),
            sequence=keys.number("sequence", 1, MAX_SEQUENCE),
            provision_id=keys.text("provision_id", _ID),
            request_no=keys.number("request_no", 1, MAX_SEQUENCE),
            basis=keys.text("basis", _WORD),
            basis_version=keys.text("basis_version", _WORD),
            fields=keys.texts("fields", _COLUMN, MAX_ANSWER_FIELDS),
            records=keys.records(1),
            created_at=keys.instant("created_at"),
            expires_at=keys.instant("expires_at"),
            sha256=keys.text("sha256", SHA256),
        )

    def line(self) -> bytes:
        """Write the manifest as its one line, LF included."""
        return write_line(self)


def answer_table(answers: Answers, columns: Sequence[str]) -> pa.Table:
    """Lay an answer out as its CSV has it."""
    lines = pa.array(np.arange(1, len(answers) + 1)).cast(pa.string())
    given = answers.people.select(list(columns))
    return pa.table([lines, answers.outcomes, *given.columns], names=[*LINE_COLUMNS, *columns])
