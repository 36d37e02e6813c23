"""Cut out what the operation log is searched by instead of reading every entry as JSON seven times.

A log of many entries is written anew once. What entries say, and their hashes, stay as they are.

Revision ID: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_COLUMNS = ("recorded_at", "action", "actor", "municipality_code", "outcome")
_OF_COLUMNS = {
    "journal_crossed_idx": ("(entry::jsonb ->> 'provision')", "action = 'bridge.crossed'"),
    "journal_looking_idx": ("actor, recorded_at", "action IN ('person.searched', 'person.viewed')"),
    "journal_review_idx": ("entry_no", "action IN ('review.done', 'review.acknowledged')"),
    "journal_infection_idx": (
        "entry_no",
        "action = 'infection.closed' OR (outcome = 'refused' AND entry::jsonb ->> 'code' = 'package.infected')",
    ),
    "journal_alarm_idx": ("recorded_at", "action = 'alarm.raised'"),
}
"""The indexes that go with the columns they are of, and are made again."""


def upgrade() -> None:
    """Compute the columns anew, and one more: whom an entry is about."""
    said = {name: _cut(name) for name in _COLUMNS}
    _compute(said | {"subject_index": f"nullif({_cut('subject_index')}, '')"})
    op.create_index(
        "journal_subject_index_idx", "journal", ["subject_index"],
        postgresql_where=sa.text("subject_index IS NOT NULL"),
    )  # fmt: skip


def downgrade() -> None:
    """Read the entries as JSON again."""
    _compute({name: f"(entry::jsonb ->> '{name}')" for name in _COLUMNS}, dropped=("subject_index",))
    op.execute(
        "CREATE INDEX journal_subject_index_idx ON journal ((entry::jsonb ->> 'subject_index'))"
        " WHERE (entry::jsonb ->> 'subject_index') IS NOT NULL"
    )


def _cut(name: str) -> str:
    return f"""
        CASE WHEN starts_with(entry, '{{"action":"') AND strpos(entry, chr(92)) = 0
        THEN split_part(split_part(entry, '"{name}":"', 2), '"', 1) ELSE entry::jsonb ->> '{name}' END
    """


def _compute(said: dict[str, str], dropped: tuple[str, ...] = ()) -> None:
    """Put computed columns in the place of those of before, all in one pass over the log."""
    op.drop_index("journal_subject_index_idx", "journal")
    for name in _OF_COLUMNS:
        op.drop_index(name, "journal")
    steps = [f"DROP COLUMN {name}" for name in (*_COLUMNS, *dropped)]
    steps += [f"ADD COLUMN {name} TEXT GENERATED ALWAYS AS ({how}) STORED" for name, how in said.items()]
    op.execute("ALTER TABLE journal " + ", ".join(steps))
    for name, (of, where) in _OF_COLUMNS.items():
        op.execute(f"CREATE INDEX {name} ON journal ({of}) WHERE {where}")
