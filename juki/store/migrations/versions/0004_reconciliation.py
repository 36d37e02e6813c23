"""Keep what reconciliations find, and give repairs a place among the versions.

A repair stands behind the notice as of which the municipality said it: notice_no is that notice, repair_no tells the
repair from it and from others. Notices have 0, and so has everything stored before.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_OPEN = sa.text("finished_at IS NULL")
_UNSETTLED = sa.text("settled_at IS NULL")
_REPAIRS = """
    DO $$ BEGIN
        IF EXISTS (SELECT FROM package WHERE kind = 'repair') THEN
            RAISE EXCEPTION 'repairs were made: they can not be told from notices by the older version';
        END IF;
    END $$
"""


def upgrade() -> None:
    """Add the two tables and the repair's own number; rebuild the key of history with it."""
    _versions()
    _packages()
    _reconciliation()
    _difference()


def _versions() -> None:
    for table in ("current", "history"):
        op.add_column(table, sa.Column("repair_no", sa.BigInteger(), nullable=False, server_default="0"))
    op.drop_constraint("history_pkey", "history")
    op.create_primary_key("history_pkey", "history", ["sender_code", "notice_no", "repair_no"])
    op.create_index(
        "history_overtaken_idx", "history", ["sender_code"],
        postgresql_where=sa.text("superseded_by_sender_code <> sender_code"),
    )  # fmt: skip
    op.create_index(
        "history_superseded_by_package_id_idx", "history", ["superseded_by_package_id"],
        postgresql_using="brin",
    )  # fmt: skip


def _packages() -> None:
    op.add_column("package", sa.Column("kind", sa.Text(), nullable=False, server_default="notice"))
    op.create_check_constraint(op.f("package_kind"), "package", "kind IN ('notice', 'repair')")
    op.drop_index("package_applied_key", "package")
    op.create_index(
        "package_applied_key", "package", ["municipality_code", "sequence", "kind"], unique=True,
        postgresql_where=sa.text("state = 'applied'"),
    )  # fmt: skip


def _reconciliation() -> None:
    kinds = ("missing", "extra", "differs", "duplicate", "moved")
    op.create_table(
        "reconciliation",
        sa.Column("reconciliation_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("municipality_code", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text()),
        sa.Column("requested_at", _INSTANT, nullable=False),
        sa.Column("deadline_at", _INSTANT, nullable=False),
        sa.Column("as_of", _INSTANT),
        sa.Column("watermark", sa.BigInteger()),
        sa.Column("parts", sa.Integer()),
        sa.Column("last_sequence", sa.Integer()),
        sa.Column("compared_at", _INSTANT),
        sa.Column("rows_theirs", sa.BigInteger()),
        sa.Column("rows_ours", sa.BigInteger()),
        sa.Column("root_digest", sa.LargeBinary()),
        sa.Column("is_equal", sa.Boolean()),
        *(sa.Column(f"{kind}_found", sa.Integer()) for kind in kinds),
        sa.Column("column_counts", postgresql.JSONB()),
        sa.Column("repaired", sa.Integer()),
        sa.Column("beyond_bound", sa.Integer()),
        sa.Column("approved_at", _INSTANT),
        sa.Column("approved_by", sa.Text()),
        sa.Column("report", sa.LargeBinary()),
        sa.Column("report_no", sa.Integer()),
        sa.Column("report_sent_at", _INSTANT),
        sa.Column("finished_at", _INSTANT),
        sa.PrimaryKeyConstraint("reconciliation_id", name="reconciliation_pkey"),
        sa.CheckConstraint("mode IN ('report', 'propose', 'repair')", name=op.f("reconciliation_mode")),
        sa.CheckConstraint(
            "state IN ('requested', 'compared', 'finished', 'failed')", name=op.f("reconciliation_state")
        ),
        sa.CheckConstraint(
            "(state IN ('finished', 'failed')) = (finished_at IS NOT NULL)",
            name=op.f("reconciliation_finished"),
        ),
    )
    channel = ["municipality_code", "reconciliation_id"]
    op.create_index(
        "reconciliation_open_key", "reconciliation", channel[:1], unique=True, postgresql_where=_OPEN
    )
    op.create_index("reconciliation_channel_idx", "reconciliation", channel)


def _difference() -> None:
    op.create_table(
        "difference",
        sa.Column("difference_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("municipality_code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("resident_code", sa.Text(), nullable=False),
        sa.Column("columns", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("held_by", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("watermark", sa.BigInteger(), nullable=False),
        sa.Column("first_seen_at", _INSTANT, nullable=False),
        sa.Column("last_seen_at", _INSTANT, nullable=False),
        sa.Column("first_reconciliation_id", sa.BigInteger(), nullable=False),
        sa.Column("last_reconciliation_id", sa.BigInteger(), nullable=False),
        sa.Column("package_id", sa.BigInteger()),
        sa.Column("record_sealed", sa.LargeBinary()),
        sa.Column("approved_at", _INSTANT),
        sa.Column("approved_by", sa.Text()),
        sa.Column("repair_package_id", sa.BigInteger()),
        sa.Column("entry_no", sa.BigInteger()),
        sa.Column("settled_at", _INSTANT),
        sa.Column("settled_by", sa.Text()),
        sa.PrimaryKeyConstraint("difference_id", name="difference_pkey"),
        sa.CheckConstraint(
            "kind IN ('missing', 'extra', 'differs', 'duplicate', 'moved')", name=op.f("difference_kind")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'proposed', 'approved', 'settled', 'accepted')", name=op.f("difference_state")
        ),
        sa.CheckConstraint("(state = 'settled') = (settled_at IS NOT NULL)", name=op.f("difference_settled")),
    )
    key = ["municipality_code", "resident_code", "kind"]
    op.create_index("difference_open_key", "difference", key, unique=True, postgresql_where=_UNSETTLED)
    op.create_index("difference_channel_idx", "difference", ["municipality_code", "difference_id"])


def downgrade() -> None:
    """Take all of it away; refuses when a repair was made, because nothing may be lost."""
    op.execute(_REPAIRS)
    op.drop_table("difference")
    op.drop_table("reconciliation")
    op.drop_index("package_applied_key", "package")
    op.create_index(
        "package_applied_key", "package", ["municipality_code", "sequence"], unique=True,
        postgresql_where=sa.text("state = 'applied'"),
    )  # fmt: skip
    op.drop_constraint(op.f("package_kind"), "package")
    op.drop_column("package", "kind")
    op.drop_index("history_superseded_by_package_id_idx", "history")
    op.drop_index("history_overtaken_idx", "history")
    op.drop_constraint("history_pkey", "history")
    op.create_primary_key("history_pkey", "history", ["sender_code", "notice_no"])
    op.drop_column("history", "repair_no")
    op.drop_column("current", "repair_no")
