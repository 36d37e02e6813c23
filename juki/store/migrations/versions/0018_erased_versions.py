"""Erase versions whose 150 years are over: find them at once, and count with each package what went of it.

Revision ID: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the count, which is 0 of every package there is, and the index."""
    op.add_column("package", sa.Column("erased", sa.Integer(), nullable=False, server_default="0"))
    op.create_index(
        "current_expires_on_idx", "current", ["expires_on"], postgresql_where=sa.text("kind = 'deletion'")
    )


def downgrade() -> None:
    """Take them away; what was erased stays erased, and is no longer told from what is lost."""
    op.drop_index("current_expires_on_idx", "current")
    op.drop_column("package", "erased")
