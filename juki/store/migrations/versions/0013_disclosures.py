"""Keep requests for disclosure, and find the entries about one person and by one operator.

Revision ID: 0013
"""

import sqlalchemy as sa
from alembic import context, op

from juki.columns import IdentityFile

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the indexes of the log in both stores; the register is in one only."""
    op.execute(
        """
        CREATE INDEX journal_subject_index_idx ON journal ((entry::jsonb ->> 'subject_index'))
        WHERE (entry::jsonb ->> 'subject_index') IS NOT NULL
        """
    )
    op.execute(
        """
        CREATE INDEX journal_looking_idx ON journal (actor, recorded_at)
        WHERE action IN ('person.searched', 'person.viewed')
        """
    )
    if not _is_resident():
        return
    op.create_table(
        "disclosure",
        sa.Column("disclosure_no", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("follows", sa.BigInteger()),
        sa.Column("subject", sa.Text()),
        sa.Column("subject_index", sa.Text()),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date()),
        sa.Column("extended_on", sa.Date()),
        sa.Column("printed_at", sa.DateTime(timezone=True)),
        sa.Column("document_sha256", sa.LargeBinary()),
        sa.Column("decision", sa.Text()),
        sa.Column("answered_on", sa.Date()),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("disclosure_no", name=op.f("disclosure_pkey")),
        sa.CheckConstraint("kind IN ('disclosure', 'correction')", name=op.f("disclosure_kind")),
        sa.CheckConstraint(
            "decision IN ('disclosed', 'not_held', 'dismissed', 'corrected', 'not_corrected', 'withdrawn')",
            name=op.f("disclosure_decision"),
        ),
        sa.CheckConstraint(
            "(kind = 'correction') = (follows IS NOT NULL)", name=op.f("disclosure_correction_follows")
        ),
        sa.CheckConstraint(
            "(kind = 'disclosure') = (due_on IS NOT NULL)", name=op.f("disclosure_disclosure_is_due")
        ),
        sa.CheckConstraint(
            "(subject IS NULL) = (subject_index IS NULL)", name=op.f("disclosure_subject_pair")
        ),
        sa.CheckConstraint(
            "(decision IS NULL) = (answered_on IS NULL)", name=op.f("disclosure_decided_on_a_day")
        ),
        sa.CheckConstraint(
            "(printed_at IS NULL) = (document_sha256 IS NULL)", name=op.f("disclosure_printed_pair")
        ),
    )
    op.create_index(
        "disclosure_open_idx", "disclosure", ["received_on"], postgresql_where=sa.text("decision IS NULL")
    )


def downgrade() -> None:
    """Take them away."""
    if _is_resident():
        op.drop_table("disclosure")
    op.drop_index("journal_looking_idx", "journal")
    op.drop_index("journal_subject_index_idx", "journal")


def _is_resident() -> bool:
    return context.config.attributes["file"] is IdentityFile.RESIDENT
