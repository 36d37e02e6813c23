"""What operating showed to be missing: the keys of a store, files left for want of room, findings dealt with.

The same in both stores; nothing that is stored is touched.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add one table and three columns; old rows read as: nothing deferred, no finding closed."""
    op.create_table(
        "store_key",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("check_value", sa.LargeBinary(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="store_key_pkey"),
    )
    op.add_column("channel", sa.Column("deferred_files", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("channel", sa.Column("deferred_code", sa.Text()))
    op.add_column("package", sa.Column("closed_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Take them away again; `juki init` registers the keys anew after the next upgrade."""
    op.drop_column("package", "closed_at")
    op.drop_column("channel", "deferred_code")
    op.drop_column("channel", "deferred_files")
    op.drop_table("store_key")
