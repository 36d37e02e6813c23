"""Keep which rules of the contract the records of a municipality broke that differed from ours.

Revision ID: 0021
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the counts; of earlier comparisons nothing is known."""
    op.add_column("reconciliation", sa.Column("broken_counts", postgresql.JSONB()))


def downgrade() -> None:
    """Take them away."""
    op.drop_column("reconciliation", "broken_counts")
