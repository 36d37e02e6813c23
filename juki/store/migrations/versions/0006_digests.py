"""Note what a municipality's digests said before its snapshot, and the last of their packages that was used.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns: nobody was asked for digests before."""
    op.add_column("reconciliation", sa.Column("digests", sa.Text()))
    op.add_column("reconciliation", sa.Column("digest_sequence", sa.Integer()))
    op.add_column("reconciliation", sa.Column("numbers_unopened", sa.Integer()))
    op.create_check_constraint(
        op.f("reconciliation_digests"), "reconciliation", "digests IN ('equal', 'different', 'unanswered')"
    )


def downgrade() -> None:
    """Take them away; what was confirmed equal stays confirmed."""
    op.drop_constraint(op.f("reconciliation_digests"), "reconciliation")
    op.drop_column("reconciliation", "numbers_unopened")
    op.drop_column("reconciliation", "digest_sequence")
    op.drop_column("reconciliation", "digests")
