"""Keep what leaves: provisions, whose data was in them, holds, the bridge's approvals, media.

The bridge is a function and nothing else: whoever may call it gets the sealed numbers of exactly the codes that were
approved for one provision, and its call does not commit without an entry in the operation log.

Revision ID: 0007
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from juki.columns import IdentityFile

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_OUTCOMES = ("found", "not_found", "ambiguous", "number_not_held")


def upgrade() -> None:
    """Add the tables both stores have, and what only one of them has."""
    _provision()
    _provided()
    _hold()
    _medium()
    _search()
    if _is_fuhyo():
        _held_number()
    else:
        _crossing()


def downgrade() -> None:
    """Take the tables away again; what was provided is then on record in the operation log only."""
    if not _is_fuhyo():
        op.get_bind().exec_driver_sql("DROP FUNCTION bridge_numbers(bigint, text[])")
        op.drop_table("crossing")
        op.get_bind().exec_driver_sql("DROP FUNCTION refuse_unlogged_crossing()")
    else:
        op.drop_table("held_number")
    op.drop_index("current_search_idx", "current")
    for table in ("medium", "hold", "provided", "provision"):
        op.drop_table(table)


def _is_fuhyo() -> bool:
    return context.config.attributes["file"] is IdentityFile.FUHYO


def _provision() -> None:
    op.create_table(
        "provision",
        sa.Column("provision_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("request_no", sa.Integer(), nullable=False),
        sa.Column("rerun_of", sa.BigInteger()),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Text()),
        sa.Column("request_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("basis_version", sa.Text()),
        sa.Column("article", sa.Text()),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("consent_document", sa.Text()),
        sa.Column("fields", postgresql.ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("with_number", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text()),
        sa.Column("received_at", _INSTANT, nullable=False),
        sa.Column("decided_at", _INSTANT),
        sa.Column("sealed_at", _INSTANT),
        sa.Column("delivered_at", _INSTANT),
        *(sa.Column(name, sa.Integer()) for name in _OUTCOMES),
        sa.Column("sequence", sa.Integer()),
        sa.Column("package_sha256", sa.LargeBinary()),
        sa.Column("package_bytes", sa.BigInteger()),
        sa.Column("resent", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("resent_at", _INSTANT),
        sa.Column("receipt_at", _INSTANT),
        sa.Column("medium_no", sa.BigInteger()),
        sa.PrimaryKeyConstraint("provision_id", name=op.f("provision_pkey")),
        sa.CheckConstraint("method IN ('file', 'operator')", name=op.f("provision_method")),
        sa.CheckConstraint(
            "state IN ('received', 'approved', 'sealed', 'delivered', 'refused', 'lapsed')",
            name=op.f("provision_state"),
        ),
        sa.CheckConstraint(
            "(state = 'refused') = (code IS NOT NULL)", name=op.f("provision_refused_says_why")
        ),
    )
    op.create_index(
        "provision_request_key", "provision", ["recipient", "request_no"], unique=True,
        postgresql_where=sa.text("rerun_of IS NULL"),
    )  # fmt: skip
    op.create_index("provision_sequence_key", "provision", ["recipient", "sequence"], unique=True)


def _provided() -> None:
    op.create_table(
        "provided",
        sa.Column("provision_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("resident_code", sa.Text()),
        sa.PrimaryKeyConstraint("provision_id", "line", name=op.f("provided_pkey")),
        sa.CheckConstraint(
            "outcome IN ('found', 'not_found', 'ambiguous', 'number_not_held')", name=op.f("provided_outcome")
        ),
        sa.CheckConstraint(
            "(outcome IN ('found', 'number_not_held')) = (resident_code IS NOT NULL)",
            name=op.f("provided_names_whom"),
        ),
    )
    op.create_index(
        "provided_resident_code_idx", "provided", ["resident_code"],
        postgresql_where=sa.text("resident_code IS NOT NULL"),
    )  # fmt: skip


def _hold() -> None:
    op.create_table(
        "hold",
        sa.Column("provision_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("numbers", sa.Integer(), nullable=False),
        sa.Column("held_at", _INSTANT, nullable=False),
        sa.Column("due_at", _INSTANT, nullable=False),
        sa.Column("purged_at", _INSTANT),
        sa.Column("entry_no", sa.BigInteger()),
        sa.PrimaryKeyConstraint("provision_id", name=op.f("hold_pkey")),
        sa.CheckConstraint("(purged_at IS NULL) = (entry_no IS NULL)", name=op.f("hold_erased_with_proof")),
    )
    op.create_index("hold_due_at_idx", "hold", ["due_at"], postgresql_where=sa.text("purged_at IS NULL"))


def _medium() -> None:
    op.create_table(
        "medium",
        sa.Column("medium_no", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("keeper", sa.Text(), nullable=False),
        sa.Column("registered_at", _INSTANT, nullable=False),
        sa.Column("handed_to", sa.Text()),
        sa.Column("handed_out_at", _INSTANT),
        sa.Column("due_back_on", sa.Date()),
        sa.Column("retired_at", _INSTANT),
        sa.PrimaryKeyConstraint("medium_no", name=op.f("medium_pkey")),
        sa.UniqueConstraint("label", name=op.f("medium_label_key")),
    )


def _search() -> None:
    """Let people be found by reading and birth date; of the fuhyo file only those who have moved abroad."""
    sought = "kind <> 'deletion'" + (" AND is_abroad" if _is_fuhyo() else "")
    op.create_index(
        "current_search_idx", "current", ["search_key", "birth_date"], postgresql_where=sa.text(sought)
    )


def _held_number() -> None:
    op.create_table(
        "held_number",
        sa.Column("provision_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("provision_id", "line", name=op.f("held_number_pkey")),
    )


def _crossing() -> None:
    op.create_table(
        "crossing",
        sa.Column("provision_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("basis_version", sa.Text(), nullable=False),
        sa.Column("codes", sa.Integer(), nullable=False),
        sa.Column("codes_digest", sa.LargeBinary(), nullable=False),
        sa.Column("approved_at", _INSTANT, nullable=False),
        sa.Column("crossings", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("closed_at", _INSTANT),
        sa.PrimaryKeyConstraint("provision_id", name=op.f("crossing_pkey")),
    )
    op.get_bind().exec_driver_sql(Path(__file__).with_name("0007_bridge.sql").read_text("utf-8"))
