"""Find the few entries about reviews of the operation log without reading all of it.

Revision ID: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    about_reviews = sa.text("action IN ('review.done', 'review.acknowledged')")
    op.create_index("journal_review_idx", "journal", ["entry_no"], postgresql_where=about_reviews)


def downgrade() -> None:
    """Take it away; the entries stay."""
    op.drop_index("journal_review_idx", "journal")
