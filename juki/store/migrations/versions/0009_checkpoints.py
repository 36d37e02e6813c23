"""Keep what was signed of the operation log, and where it was written.

Revision ID: 0009
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table: nothing was signed before."""
    op.create_table(
        "checkpoint",
        sa.Column("tree_size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root_hash", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_to", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("tree_size", name=op.f("checkpoint_pkey")),
        sa.CheckConstraint("tree_size > 0", name=op.f("checkpoint_of_something")),
    )


def downgrade() -> None:
    """Take it away; the witnesses keep what they have."""
    op.drop_table("checkpoint")
