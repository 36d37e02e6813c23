"""Number what J-LIS is told, keep each sealed package until it is acknowledged, and take in what J-LIS says.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_TAKEN = sa.text("state = 'taken'")
_ANYTHING_TOLD = """
    DO $$ BEGIN
        IF EXISTS (SELECT FROM jlis_package) THEN
            RAISE EXCEPTION 'J-LIS was told of updates: the older version could not go on with their numbers';
        END IF;
    END $$
"""


def upgrade() -> None:
    """Add the two tables and the numbers in the outbox: nothing was told before."""
    for name in ("first_update_no", "last_update_no", "told_notice_no", "told_repair_no"):
        op.add_column("outbox", sa.Column(name, sa.BigInteger()))
    op.add_column("outbox", sa.Column("lost", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("outbox_unsent_idx", "outbox", ["outbox_no"], postgresql_where=sa.text("sent_at IS NULL"))
    op.create_index("outbox_package_id_idx", "outbox", ["package_id"])
    op.create_index("outbox_update_no_idx", "outbox", ["first_update_no"])
    op.add_column("difference", sa.Column("jlis_report_no", sa.Integer()))
    _packages()
    _messages()


def _packages() -> None:
    op.create_table(
        "jlis_package",
        sa.Column("sequence", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("first_update_no", sa.BigInteger(), nullable=False),
        sa.Column("last_update_no", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("unopened", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("content_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("file_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text()),
        sa.Column("their_code", sa.Text()),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("delivered_at", _INSTANT),
        sa.Column("last_delivered_at", _INSTANT),
        sa.Column("answered_at", _INSTANT),
        sa.PrimaryKeyConstraint("sequence", name="jlis_package_pkey"),
        sa.UniqueConstraint("first_update_no", name="jlis_package_first_update_no_key"),
        sa.CheckConstraint(
            "state IN ('sealed', 'delivered', 'refused', 'acknowledged')", name=op.f("jlis_package_state")
        ),
        sa.CheckConstraint("sequence > 0", name=op.f("jlis_package_counts_from_one")),
        sa.CheckConstraint(
            "last_update_no - first_update_no + 1 = records", name=op.f("jlis_package_numbers")
        ),
        sa.CheckConstraint("(state = 'acknowledged') = (sealed IS NULL)", name=op.f("jlis_package_sealed")),
    )


def _messages() -> None:
    op.create_table(
        "jlis_message",
        sa.Column("message_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_bytes", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", _INSTANT, nullable=False),
        sa.Column("file_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content_sha256", sa.LargeBinary()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text()),
        sa.Column("records", sa.Integer()),
        sa.Column("kept", sa.LargeBinary()),
        sa.Column("received_at", _INSTANT, nullable=False),
        sa.Column("seen_at", _INSTANT),
        sa.PrimaryKeyConstraint("message_id", name="jlis_message_pkey"),
        sa.CheckConstraint("kind IN ('acknowledgement', 'report')", name=op.f("jlis_message_kind")),
        sa.CheckConstraint("state IN ('taken', 'repeated', 'refused')", name=op.f("jlis_message_state")),
    )
    op.create_index(
        "jlis_message_content_key", "jlis_message", ["content_sha256"], unique=True, postgresql_where=_TAKEN
    )
    op.create_index(
        "jlis_message_report_key", "jlis_message", ["sequence"], unique=True,
        postgresql_where=sa.text("state = 'taken' AND kind = 'report'"),
    )  # fmt: skip
    op.create_index("jlis_message_file_idx", "jlis_message", ["file_name"])


def downgrade() -> None:
    """Take all of it away; refuses when J-LIS was told of anything, because no number may be given twice."""
    op.execute(_ANYTHING_TOLD)
    op.drop_table("jlis_message")
    op.drop_table("jlis_package")
    op.drop_column("difference", "jlis_report_no")
    for name in ("outbox_update_no_idx", "outbox_package_id_idx", "outbox_unsent_idx"):
        op.drop_index(name, "outbox")
    for name in ("lost", "told_repair_no", "told_notice_no", "last_update_no", "first_update_no"):
        op.drop_column("outbox", name)
