"""What the stores say after the demo: packages by state, records by verdict, findings by code, the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from config.settings import load_settings
from config.stores import admin_url
from juki.columns import IdentityFile
from juki.home import Home
from juki.reasons import Code, Severity
from juki.store.roles import Duty
from juki.store.unit import open_unit

_RECORDS = ("records", "accepted", "alerted", "rejected", "repeated")
_ROWS = ("current", "history", "package", "rejection", "quarantine", "outbox")


@dataclass(frozen=True, slots=True)
class Findings:
    """Both stores together."""

    packages: dict[str, int]
    records: dict[str, int]
    codes: dict[str, int]
    rows: dict[str, int]

    def explained(self) -> Iterator[tuple[str, int, str, str]]:
        """List code, count, severity and sentence, errors first."""
        known = {code.value: code for code in Code}
        found = sorted(self.codes, key=lambda code: (known[code].severity is Severity.ALERT, code))
        for code in found:
            severity = "注意" if known[code].severity is Severity.ALERT else "拒否"
            yield code, self.codes[code], severity, known[code].message


def findings_of(home: Home) -> Findings:
    """Read both stores."""
    packages, records, codes, rows = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for file in IdentityFile:
        with psycopg.connect(admin_url(home, load_settings(home), file)) as connection:
            packages.update(
                dict(connection.execute("SELECT state, count(*) FROM package GROUP BY 1").fetchall())
            )
            sums = ", ".join(f"coalesce(sum({name}), 0)" for name in _RECORDS)
            totals = (
                connection.execute(f"SELECT {sums} FROM package WHERE state = 'applied'").fetchone() or ()
            )
            records.update({name: int(total) for name, total in zip(_RECORDS, totals, strict=True)})
            for query in (
                "SELECT code, count(*) FROM rejection GROUP BY 1",
                "SELECT code, count(*) FROM package WHERE code IS NOT NULL GROUP BY 1",
            ):
                codes.update(dict(connection.execute(query).fetchall()))
            for table in _ROWS:
                counted = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
                rows[table] += counted[0] if counted else 0
    return Findings(dict(packages), dict(records), dict(codes), dict(rows))


def open_gaps(home: Home) -> int:
    """Count the channels in which a package is missing just now."""
    count = 0
    for file in IdentityFile:
        with psycopg.connect(admin_url(home, load_settings(home), file)) as connection:
            row = connection.execute("SELECT count(*) FROM channel WHERE gap_since IS NOT NULL").fetchone()
            count += row[0] if row else 0
    return count


def journal_sizes(home: Home) -> dict[str, int]:
    """Verify both logs and count their entries."""
    sizes = {}
    for file in IdentityFile:
        with open_unit(admin_url(home, load_settings(home), file), file, Duty.AUDITOR) as unit:
            sizes[file.value] = unit.journal.verify().size
    return sizes
