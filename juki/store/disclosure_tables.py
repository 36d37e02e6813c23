"""The table of requests to be told what is held, and to have it corrected.

Decides:    names, types, keys and checks of this table, which is in the resident store only.
Invariants: who it is of stands sealed and keyed or, where nobody was found, not at all; a correction follows the
            disclosure it is asked after; what is decided has its day.
Source:     法30条の32から30条の35まで, ADR-0037.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

from juki.disclosures import Decision, DisclosureKind
from juki.store.checks import one_of


def disclosure_table(metadata: MetaData) -> Table:
    """Declare the register; `document_sha256` is that of the PDF made last, `printed_versions` what it told."""
    table = Table(
        "disclosure",
        metadata,
        Column("disclosure_no", BigInteger(), Identity(always=True), primary_key=True),
        Column("kind", Text(), nullable=False),
        Column("follows", BigInteger()),
        Column("subject", Text()),
        Column("subject_index", Text()),
        Column("received_on", Date(), nullable=False),
        Column("due_on", Date()),
        Column("extended_on", Date()),
        Column("printed_at", DateTime(timezone=True)),
        Column("document_sha256", LargeBinary()),
        Column("decision", Text()),
        Column("answered_on", Date()),
        Column("registered_at", DateTime(timezone=True), nullable=False),
        Column("printed_versions", Integer()),
        CheckConstraint(one_of("kind", DisclosureKind), name="kind"),
        CheckConstraint(one_of("decision", Decision), name="decision"),
        CheckConstraint("(kind = 'correction') = (follows IS NOT NULL)", name="correction_follows"),
        CheckConstraint("(kind = 'disclosure') = (due_on IS NOT NULL)", name="disclosure_is_due"),
        CheckConstraint("(subject IS NULL) = (subject_index IS NULL)", name="subject_pair"),
        CheckConstraint("(decision IS NULL) = (answered_on IS NULL)", name="decided_on_a_day"),
        CheckConstraint("(printed_at IS NULL) = (document_sha256 IS NULL)", name="printed_pair"),
    )
    Index("disclosure_open_idx", table.c.received_on, postgresql_where=text("decision IS NULL"))
    return table
