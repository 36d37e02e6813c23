"""Find the few entries about infected files without reading all of the operation log.

Revision ID: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    about_infections = sa.text(
        "action = 'infection.closed' OR (outcome = 'refused' AND entry::jsonb ->> 'code' = 'package.infected')"
    )
    op.create_index("journal_infection_idx", "journal", ["entry_no"], postgresql_where=about_infections)


def downgrade() -> None:
    """Take it away; the entries stay."""
    op.drop_index("journal_infection_idx", "journal")
