"""The tables of what leaves: provisions, the people in them, holds, the bridge's approvals, and media.

Decides:    names, types, keys and checks of these tables; `juki.store.tables` has the others.
Invariants: one provision answers a request of a recipient, another only when it was asked to run again; a number
            held with fuhyo data is in `held_number` and nowhere else, sealed under a key that never was in a
            database; only the resident store has `crossing`, only the fuhyo store `held_number`.
Source:     design 3 and 4, assessment M6, M10, M12, M13.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
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

from juki.provisions import LineOutcome, Method, ProvisionState
from juki.store.checks import one_of

_COUNTS = tuple(outcome.value for outcome in LineOutcome)


def provision_table(metadata: MetaData) -> Table:
    """Declare the register of provisions: who asked for what on which basis, and what became of it.

    `fields` and `with_number` are what was granted; `sequence` counts the packages of one recipient from 1 without
    gaps; `package_sha256` is that of the sealed file, the same whenever it is sent. `tries` counts the runs that
    could not go on with it, `failure` says why the last could not; `request_removed_at` is when its request went.
    """
    table = Table(
        "provision",
        metadata,
        Column("provision_id", BigInteger(), Identity(always=True), primary_key=True),
        Column("recipient", Text(), nullable=False),
        Column("request_no", Integer(), nullable=False),
        Column("rerun_of", BigInteger()),
        Column("method", Text(), nullable=False),
        Column("entered_by", Text()),
        Column("request_sha256", LargeBinary(), nullable=False),
        Column("basis", Text(), nullable=False),
        Column("basis_version", Text()),
        Column("article", Text()),
        Column("purpose", Text(), nullable=False),
        Column("consent_document", Text()),
        Column("fields", ARRAY(Text()), nullable=False, server_default=text("'{}'")),
        Column("with_number", Boolean(), nullable=False, server_default=text("false")),
        Column("lines", Integer(), nullable=False),
        Column("state", Text(), nullable=False),
        Column("code", Text()),
        Column("received_at", DateTime(timezone=True), nullable=False),
        Column("decided_at", DateTime(timezone=True)),
        Column("sealed_at", DateTime(timezone=True)),
        Column("delivered_at", DateTime(timezone=True)),
        *(Column(name, Integer()) for name in _COUNTS),
        Column("sequence", Integer()),
        Column("package_sha256", LargeBinary()),
        Column("package_bytes", BigInteger()),
        Column("resent", Integer(), nullable=False, server_default="0"),
        Column("resent_at", DateTime(timezone=True)),
        Column("receipt_at", DateTime(timezone=True)),
        Column("medium_no", BigInteger()),
        Column("tries", Integer(), nullable=False, server_default="0"),
        Column("failure", Text()),
        Column("request_removed_at", DateTime(timezone=True)),
        CheckConstraint(one_of("method", Method), name="method"),
        CheckConstraint(one_of("state", ProvisionState), name="state"),
        CheckConstraint("(state = 'refused') = (code IS NOT NULL)", name="refused_says_why"),
    )
    asked = (table.c.recipient, table.c.request_no)
    Index("provision_request_key", *asked, unique=True, postgresql_where=text("rerun_of IS NULL"))
    Index("provision_sequence_key", table.c.recipient, table.c.sequence, unique=True)
    kept = text("request_removed_at IS NULL")
    Index("provision_request_kept_idx", table.c.provision_id, postgresql_where=kept)
    return table


def provided_table(metadata: MetaData) -> Table:
    """Declare what came of each line of a request, and whose data left by it."""
    table = Table(
        "provided",
        metadata,
        Column("provision_id", BigInteger(), primary_key=True),
        Column("line", Integer(), primary_key=True),
        Column("outcome", Text(), nullable=False),
        Column("resident_code", Text()),
        CheckConstraint(one_of("outcome", LineOutcome), name="outcome"),
        CheckConstraint(
            "(outcome IN ('found', 'number_not_held')) = (resident_code IS NOT NULL)", name="names_whom"
        ),
    )
    known = text("resident_code IS NOT NULL")
    Index("provided_resident_code_idx", table.c.resident_code, postgresql_where=known)
    return table


def hold_table(metadata: MetaData) -> Table:
    """Declare the holds: until when the sealed package of a provision, and the numbers in it, may be kept.

    `numbers` counts the 個人番号 in the package; `due_at` may come earlier, never later; `entry_no` is the journal
    entry that proves the erasure; `withdrawn_at` is when it was seen that the package lies in no delivery folder.
    """
    table = Table(
        "hold",
        metadata,
        Column("provision_id", BigInteger(), primary_key=True, autoincrement=False),
        Column("numbers", Integer(), nullable=False),
        Column("held_at", DateTime(timezone=True), nullable=False),
        Column("due_at", DateTime(timezone=True), nullable=False),
        Column("purged_at", DateTime(timezone=True)),
        Column("entry_no", BigInteger()),
        Column("withdrawn_at", DateTime(timezone=True)),
        CheckConstraint("(purged_at IS NULL) = (entry_no IS NULL)", name="erased_with_proof"),
    )
    Index("hold_due_at_idx", table.c.due_at, postgresql_where=text("purged_at IS NULL"))
    left = text("purged_at IS NOT NULL AND withdrawn_at IS NULL")
    Index("hold_delivery_left_idx", table.c.provision_id, postgresql_where=left)
    return table


def held_number_table(metadata: MetaData) -> Table:
    """Declare the numbers lent out with fuhyo data, sealed under the key of their provision (fuhyo store only)."""
    return Table(
        "held_number",
        metadata,
        Column("provision_id", BigInteger(), primary_key=True),
        Column("line", Integer(), primary_key=True),
        Column("number_sealed", LargeBinary(), nullable=False),
    )


def crossing_table(metadata: MetaData) -> Table:
    """Declare what the bridge may do: one approved fuhyo provision and the codes it is for (resident store only).

    `codes_digest` is the SHA-256 of the codes in the order of the request, joined by commas.
    """
    return Table(
        "crossing",
        metadata,
        Column("provision_id", BigInteger(), primary_key=True, autoincrement=False),
        Column("recipient", Text(), nullable=False),
        Column("basis", Text(), nullable=False),
        Column("basis_version", Text(), nullable=False),
        Column("codes", Integer(), nullable=False),
        Column("codes_digest", LargeBinary(), nullable=False),
        Column("approved_at", DateTime(timezone=True), nullable=False),
        Column("crossings", Integer(), nullable=False, server_default="0"),
        Column("closed_at", DateTime(timezone=True)),
    )


def medium_table(metadata: MetaData) -> Table:
    """Declare the media data is handed over on: where each is kept, and by whom (M10)."""
    return Table(
        "medium",
        metadata,
        Column("medium_no", BigInteger(), Identity(always=True), primary_key=True),
        Column("label", Text(), nullable=False, unique=True),
        Column("kind", Text(), nullable=False),
        Column("place", Text(), nullable=False),
        Column("keeper", Text(), nullable=False),
        Column("registered_at", DateTime(timezone=True), nullable=False),
        Column("handed_to", Text()),
        Column("handed_out_at", DateTime(timezone=True)),
        Column("due_back_on", Date()),
        Column("retired_at", DateTime(timezone=True)),
    )


def declared_here(metadata: MetaData, *, is_fuhyo: bool) -> dict[str, Any]:
    """Declare the tables of this module for one store; the table only the other has is None."""
    return {
        "provision": provision_table(metadata),
        "provided": provided_table(metadata),
        "hold": hold_table(metadata),
        "medium": medium_table(metadata),
        "held_number": held_number_table(metadata) if is_fuhyo else None,
        "crossing": None if is_fuhyo else crossing_table(metadata),
    }
