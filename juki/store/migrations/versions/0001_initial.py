"""The first tables of a store.

Revision ID: 0001
"""

from pathlib import Path

from alembic import context, op

from juki.columns import IdentityFile

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    "channel", "current", "former_code", "history", "journal", "outbox", "package", "quarantine", "rejection",
)  # fmt: skip


def _script(file: IdentityFile) -> str:
    return Path(__file__).with_name(f"0001_{file.value}.sql").read_text(encoding="utf-8")


def upgrade() -> None:
    """Create the tables, their indexes and the guard of the journal."""
    op.get_bind().exec_driver_sql(_script(context.config.attributes["file"]))


def downgrade() -> None:
    """Drop everything the upgrade made."""
    for table in _TABLES:
        op.drop_table(table)
    op.get_bind().exec_driver_sql("DROP FUNCTION refuse_change()")
