"""The tables of who acts: the register of operators, and the assertions that were used.

Decides:    names, types, keys and checks of these tables.
Invariants: an id is given once and for ever, so that an old entry of the log still names who it was; the register is
            in the resident store only, for there is one; an assertion is used where the act is, so each store keeps
            its own.
Source:     assessment M7, design 7, ADR-0036.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Integer,
    MetaData,
    Table,
    Text,
)


def operator_table(metadata: MetaData) -> Table:
    """Declare the register of operators; `failures` are those since the last act that was let."""
    return Table(
        "operator",
        metadata,
        Column("operator_id", Text(), primary_key=True),
        Column("name", Text(), nullable=False),
        Column("roles", ARRAY(Text()), nullable=False),
        Column("terminals", ARRAY(Text()), nullable=False),
        Column("valid_from", Date(), nullable=False),
        Column("valid_to", Date()),
        Column("failures", Integer(), nullable=False, server_default="0"),
        Column("locked_at", DateTime(timezone=True)),
        Column("removed_at", DateTime(timezone=True)),
        Column("registered_at", DateTime(timezone=True), nullable=False),
        CheckConstraint("cardinality(roles) > 0", name="has_a_role"),
        CheckConstraint("cardinality(terminals) > 0", name="has_a_terminal"),
        CheckConstraint("valid_to >= valid_from", name="days_in_order"),
    )


def used_assertion_table(metadata: MetaData) -> Table:
    """Declare the assertions that were used: each for one act, whose first journal entry is named."""
    return Table(
        "used_assertion",
        metadata,
        Column("jti", Text(), primary_key=True),
        Column("act_id", Text(), nullable=False),
        Column("entry_no", BigInteger(), nullable=False),
        Column("used_at", DateTime(timezone=True), nullable=False),
    )
