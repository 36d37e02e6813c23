"""Keep who may act, and which assertions were used.

Revision ID: 0010
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from juki.columns import IdentityFile

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; the register is in one store only."""
    op.create_table(
        "used_assertion",
        sa.Column("jti", sa.Text(), nullable=False),
        sa.Column("act_id", sa.Text(), nullable=False),
        sa.Column("entry_no", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("jti", name=op.f("used_assertion_pkey")),
    )
    op.add_column("difference", sa.Column("proposed_by", sa.Text()))
    op.add_column("reconciliation", sa.Column("started_by", sa.Text()))
    if _is_resident():
        op.create_table(
            "operator",
            sa.Column("operator_id", sa.Text(), nullable=False),
            sa.Column("name", sa.Text(), nullable=False),
            sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
            sa.Column("terminals", postgresql.ARRAY(sa.Text()), nullable=False),
            sa.Column("valid_from", sa.Date(), nullable=False),
            sa.Column("valid_to", sa.Date()),
            sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
            sa.Column("locked_at", sa.DateTime(timezone=True)),
            sa.Column("removed_at", sa.DateTime(timezone=True)),
            sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
            sa.PrimaryKeyConstraint("operator_id", name=op.f("operator_pkey")),
            sa.CheckConstraint("cardinality(roles) > 0", name=op.f("operator_has_a_role")),
            sa.CheckConstraint("cardinality(terminals) > 0", name=op.f("operator_has_a_terminal")),
            sa.CheckConstraint("valid_to >= valid_from", name=op.f("operator_days_in_order")),
        )


def downgrade() -> None:
    """Take them away."""
    if _is_resident():
        op.drop_table("operator")
    op.drop_column("reconciliation", "started_by")
    op.drop_column("difference", "proposed_by")
    op.drop_table("used_assertion")


def _is_resident() -> bool:
    return context.config.attributes["file"] is IdentityFile.RESIDENT
