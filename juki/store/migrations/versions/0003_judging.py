"""Tell versions that once stood from those that arrived late, and let refused records be judged again.

A number counts as used by a person only if it was on a version that stood (番号法施行令6条); reading a file as of an
instant needs the same. What was kept before is told apart by the order in which its packages were settled.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ARRIVED_LATE = """
    UPDATE history h SET was_newest = false
    FROM package own, package newer
    WHERE own.package_id = h.package_id AND newer.package_id = h.superseded_by_package_id
      AND (own.settled_at > newer.settled_at
           OR (own.package_id = newer.package_id AND h.notice_no > h.superseded_by_notice_no))
"""
_INTO_ONE = """
    UPDATE outbox o SET changes = o.changes + more.changes, sent_at = NULL
    FROM (SELECT package_id, sum(changes) AS changes FROM outbox WHERE notice_nos IS NOT NULL GROUP BY 1) more
    WHERE o.package_id = more.package_id AND o.notice_nos IS NULL
"""
_ALONE = """
    INSERT INTO outbox (package_id, changes, created_at)
    SELECT package_id, sum(changes), min(created_at) FROM outbox o
    WHERE notice_nos IS NOT NULL
      AND NOT EXISTS (SELECT FROM outbox w WHERE w.package_id = o.package_id AND w.notice_nos IS NULL)
    GROUP BY package_id
"""


def upgrade() -> None:
    """Add the flag and set it for what is there; make room for what is judged again."""
    op.add_column(
        "history", sa.Column("was_newest", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )
    op.execute(_ARRIVED_LATE)
    op.add_column("rejection", sa.Column("settled_at", sa.DateTime(timezone=True)))
    op.add_column("quarantine", sa.Column("settled_at", sa.DateTime(timezone=True)))
    op.add_column("package", sa.Column("judge_again_at", sa.DateTime(timezone=True)))
    op.drop_constraint("outbox_pkey", "outbox")
    op.add_column("outbox", sa.Column("outbox_no", sa.BigInteger(), sa.Identity(always=True), nullable=False))
    op.create_primary_key("outbox_pkey", "outbox", ["outbox_no"])
    op.add_column("outbox", sa.Column("notice_nos", sa.ARRAY(sa.BigInteger())))


def downgrade() -> None:
    """Take all of it away; what J-LIS has still to be told of is told with its package."""
    op.execute(_INTO_ONE)
    op.execute(_ALONE)
    op.execute("DELETE FROM outbox WHERE notice_nos IS NOT NULL")
    op.drop_column("outbox", "notice_nos")
    op.drop_column("outbox", "outbox_no")
    op.create_primary_key("outbox_pkey", "outbox", ["package_id"])
    op.drop_column("package", "judge_again_at")
    op.drop_column("quarantine", "settled_at")
    op.drop_column("rejection", "settled_at")
    op.drop_column("history", "was_newest")
