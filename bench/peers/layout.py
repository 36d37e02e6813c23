"""The table the peers write to, and the rules on columns they share, in words any of them can use.

Decides:    what counts as "the same rules": forms, enumerations, dates, check digits, kana, agreement of the
            gaiji counts, the sender's own municipality. Not asked of them: characters by class, stray selectors,
            lengths, futures, corrections, all logical checks.
"""

from __future__ import annotations

import psycopg

TABLE = "people"
KEY = "resident_code"

COLUMNS = (
    "notice_no", "notified_at", "kind", "reason", "event_date", "resident_code", "individual_number", "name",
    "name_kana", "former_name", "former_name_kana", "alias", "birth_date", "sex", "municipality_code", "address",
    "is_foreign", "name_gaiji", "address_gaiji", "previous_resident_code", "previous_individual_number",
)  # fmt: skip
KINDS = ("entry", "deletion", "correction")
REASONS = (
    "国内転入", "国外転入等", "出生", "職権記載等（帰化等）", "職権記載等（国籍喪失）", "職権記載等", "国内転出",
    "国外転出", "死亡", "職権消除等（帰化等）", "職権消除等（国籍喪失）", "職権消除等", "転居", "軽微な修正",
    "職権修正等", "個人番号の変更請求",
    "個人番号の職権修正", "個人番号の職権記載等", "住民票コードの変更請求", "住民票コードの職権記載等",
)  # fmt: skip
SEXES = ("", "1", "2")
FLAGS = ("0", "1")

PATTERNS = {
    "notice_no": r"^[1-9][0-9]{0,17}$",
    "notified_at": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[+-][0-9]{2}:[0-9]{2}$",
    "event_date": r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$",
    "resident_code": r"^[0-9]{11}$",
    "individual_number": r"^([0-9]{12})?$",
    "birth_date": r"^[0-9]{4}([0-9]{2}|[A-D][1-4])([0-9]{2}|A[1-3])$",
    "municipality_code": r"^[0-9]{6}$",
    "name_kana": r"^[ァ-ヾㇰ-ㇿ　]*$",
    "former_name_kana": r"^[ァ-ヾㇰ-ㇿ　]*$",
    "name_gaiji": r"^[0-9]{1,3}$",
    "address_gaiji": r"^[0-9]{1,3}$",
    "previous_resident_code": r"^([0-9]{11})?$",
    "previous_individual_number": r"^([0-9]{12})?$",
}
GAIJI = "〓"
NUMBER_WEIGHTS = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
CODE_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
"""Of the digits from the left; the check digit is 11 less the remainder by 11, or 0 if that is 10 or 11."""

_DDL = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
    notice_no bigint NOT NULL, notified_at timestamptz NOT NULL, kind text NOT NULL, reason text NOT NULL,
    event_date date, resident_code text PRIMARY KEY, individual_number text, name text, name_kana text,
    former_name text, former_name_kana text, alias text, birth_date text NOT NULL, sex text,
    municipality_code text, address text, is_foreign boolean NOT NULL, name_gaiji smallint NOT NULL,
    address_gaiji smallint NOT NULL, previous_resident_code text, previous_individual_number text
);
CREATE UNIQUE INDEX IF NOT EXISTS people_number_key ON people (individual_number) WHERE kind <> 'deletion'
"""
MERGE = (
    f"INSERT INTO {TABLE} ({', '.join(COLUMNS)}) SELECT {', '.join(COLUMNS)} FROM staged "
    f"ON CONFLICT ({KEY}) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name != KEY)
)


def created(url: str) -> None:
    """Create the table of the peers: one record a person, one standing holder a number, no further index."""
    with psycopg.connect(url) as connection:
        connection.execute(_DDL)
