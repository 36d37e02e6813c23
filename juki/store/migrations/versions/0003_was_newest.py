"""Tell the versions that once stood as the newest from those that arrived late.

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


def upgrade() -> None:
    """Add the flag and set it for what is there."""
    op.add_column(
        "history", sa.Column("was_newest", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )
    op.execute(_ARRIVED_LATE)


def downgrade() -> None:
    """Take the flag away."""
    op.drop_column("history", "was_newest")
