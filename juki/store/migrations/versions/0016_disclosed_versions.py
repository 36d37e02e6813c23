"""Keep with a disclosure how many versions its document told, so that it ends as the document says.

Revision ID: 0016
"""

import sqlalchemy as sa
from alembic import context, op

from juki.columns import IdentityFile

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of documents made before it is not known."""
    if _is_resident():
        op.add_column("disclosure", sa.Column("printed_versions", sa.Integer()))


def downgrade() -> None:
    """Take it away."""
    if _is_resident():
        op.drop_column("disclosure", "printed_versions")


def _is_resident() -> bool:
    return bool(context.config.attributes["file"] is IdentityFile.RESIDENT)
