"""Find the alarms of today without reading all of the operation log while its end is held.

Revision ID: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    alarms = sa.text("action = 'alarm.raised'")
    op.create_index("journal_alarm_idx", "journal", ["recorded_at"], postgresql_where=alarms)


def downgrade() -> None:
    """Take it away; the entries stay."""
    op.drop_index("journal_alarm_idx", "journal")
