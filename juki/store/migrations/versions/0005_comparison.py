"""Let a municipality's people be read in order of code, without anybody else's.

Revision ID: 0005
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("current_sender_code_idx", "current", ["sender_code", "resident_code"])


def downgrade() -> None:
    """Take it away."""
    op.drop_index("current_sender_code_idx", "current")
