"""Follow what was provided to its very end: requests, delivered files, tries; find the entry of a crossing at once.

Holds erased before have no `withdrawn_at`: the next purge looks for what still lies in the folders of recipients.

Revision ID: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add columns and indexes; the rows there are keep what they say."""
    op.add_column("provision", sa.Column("tries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("provision", sa.Column("failure", sa.Text()))
    op.add_column("provision", sa.Column("request_removed_at", _INSTANT))
    op.add_column("hold", sa.Column("withdrawn_at", _INSTANT))
    op.create_index(
        "provision_request_kept_idx", "provision", ["provision_id"],
        postgresql_where=sa.text("request_removed_at IS NULL"),
    )  # fmt: skip
    op.create_index(
        "hold_delivery_left_idx", "hold", ["provision_id"],
        postgresql_where=sa.text("purged_at IS NOT NULL AND withdrawn_at IS NULL"),
    )  # fmt: skip
    op.create_index(
        "journal_crossed_idx", "journal", [sa.text("(entry::jsonb ->> 'provision')")],
        postgresql_where=sa.text("action = 'bridge.crossed'"),
    )  # fmt: skip


def downgrade() -> None:
    """Take them away again."""
    op.drop_index("journal_crossed_idx", "journal")
    op.drop_index("hold_delivery_left_idx", "hold")
    op.drop_index("provision_request_kept_idx", "provision")
    op.drop_column("hold", "withdrawn_at")
    for name in ("request_removed_at", "failure", "tries"):
        op.drop_column("provision", name)
