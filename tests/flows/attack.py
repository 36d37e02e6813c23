"""What an attack on a channel needs: lay any content out sealed, take in, and look at everything it left.

The sealing is genuine, as of a municipality whose software or staff went wrong: what is refused here is
refused by what the content says and not by its envelope.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from juki.cli.installation import Installation
from juki.columns import IdentityFile, Layout, columns_of
from juki.health import ChannelHealth
from juki.packages import NoticeManifest, PackageKind, PackageName, sha256_hex
from juki.reasons import Code
from juki.records import format_records
from simulator.identifiers import Issuer
from tests.flows import driver
from tests.flows.conftest import CODES, Town

IDENTITY_TABLES = ("current", "history", "former_code", "rejection", "quarantine", "outbox")


def name_of(town: Town, sequence: int = 1) -> PackageName:
    """Name a package of the channel."""
    return PackageName(town.channel.municipality_code, town.channel.file, PackageKind.NOTICE, sequence)


def manifest_of(town: Town, csv: bytes, records: int, sequence: int = 1, first: int = 1) -> NoticeManifest:
    """Describe a CSV truthfully."""
    return NoticeManifest(
        municipality_code=town.channel.municipality_code, file=town.channel.file, recipient="350001",
        sequence=sequence, first_notice_no=first, last_notice_no=first + records - 1, records=records,
        created_at=datetime.now(UTC), sha256=sha256_hex(csv),
    )  # fmt: skip


def good_table(town: Town, count: int = 5) -> pa.Table:
    """The first notices of the channel's municipality."""
    return town.tables[town.channel.municipality_code].slice(0, count)


def content_of(town: Town, csv: bytes, records: int, /, **said: object) -> bytes:
    """Join a CSV to a manifest that fits it, but for what is said otherwise."""
    return replace(manifest_of(town, csv, records), **said).line() + csv  # type: ignore[arg-type]


def good_content(town: Town, count: int = 5) -> bytes:
    """A package nothing is wrong with."""
    return content_of(town, format_records(good_table(town, count)), count)


def with_words(town: Town, **said: object) -> bytes:
    """A good CSV under a manifest with other values; `...` leaves a key out."""
    csv = format_records(good_table(town))
    values = json.loads(manifest_of(town, csv, 5).line()) | said
    kept = {key: value for key, value in values.items() if value is not ...}
    return json.dumps(kept).encode() + b"\n" + csv


def lay(town: Town, data: bytes, sequence: int = 1) -> None:
    """Put a file into the outbox by rename, dated later than any before it."""
    path = town.office.folder / "outbox" / str(name_of(town, sequence))
    path.parent.mkdir(parents=True, exist_ok=True)
    laid_at = max(int(time.time()), int(path.stat().st_mtime) + 1 if path.exists() else 0)
    temporary = path.with_name(".laying")
    temporary.write_bytes(data)
    os.utime(temporary, (laid_at, laid_at))
    temporary.replace(path)


def lay_sealed(town: Town, content: bytes, sequence: int = 1) -> bytes:
    """Seal a content as the municipality does and put it into the outbox; return the file."""
    data = town.office.desk.seal(content)
    lay(town, data, sequence)
    return data


def take_in(town: Town) -> None:
    """Fetch, settle and answer in this process."""
    driver.work_untaken(town.channel)


def counts(town: Town) -> dict[str, int]:
    """Count the rows of every table a package could have touched."""
    return {table: town.rows(f"SELECT count(*) FROM {table}")[0][0] for table in IDENTITY_TABLES}


def health_of(town: Town) -> ChannelHealth:
    """Judge the channel as `juki status` does."""
    installation = Installation.open()
    judged = installation.health(datetime.now(UTC), installation.limits())
    return next(one for one in judged if one.facts.channel == town.channel)


def assert_refused_whole(town: Town, data: bytes, code: Code) -> None:
    """Nothing of the package was applied, everybody was told, and it lies in quarantine as it came."""
    ((package_id, state, found),) = town.rows("SELECT package_id, state, code FROM package")
    assert (state, found) == ("refused", code.value)
    assert counts(town) == dict.fromkeys(IDENTITY_TABLES, 0)
    assert town.rows("SELECT last_sequence, last_notice_no FROM channel") == [(0, 0)]
    (kept,) = town.home.quarantine.rglob("*.p7m")
    assert kept.name == f"{package_id}-{name_of(town)}" and kept.read_bytes() == data
    assert [path for path in town.home.spool.rglob("*") if path.is_file()] == []
    entries = town.rows("SELECT entry::jsonb ->> 'code' FROM journal WHERE action = 'package.refused'")
    assert entries == [(code.value,)]
    (receipt,) = town.office.tidy(datetime.now(UTC))
    assert (receipt.manifest.code, receipt.manifest.records) == (code.value, 0)
    condition = health_of(town).conditions[0]
    assert condition.code is Code.CHANNEL_REFUSED_OPEN
    assert [one.code for one in condition.packages] == [code]


def assert_next_good_one_is_applied(town: Town, count: int = 5) -> None:
    """The sequence is still expected: the good package that replaces the bad one is taken."""
    lay_sealed(town, good_content(town, count))
    take_in(town)
    assert town.rows("SELECT state FROM package ORDER BY package_id") == [("refused",), ("applied",)]
    assert town.rows("SELECT count(*) FROM current") == [(count,)]
    assert town.rows("SELECT last_sequence FROM channel") == [(1,)]
    assert Code.CHANNEL_REFUSED_OPEN not in [one.code for one in health_of(town).conditions]


def made_up_people(file: IdentityFile, count: int) -> pa.Table:
    """Entries of as many foreign residents (or people of the fuhyo) as are asked for, alike but in their codes.

    Foreign, because their records may bear every text column there is.
    """
    issuer = Issuer.draw(np.random.default_rng(count))
    said = {
        "notified_at": "2026-11-20T09:00:00+09:00", "kind": "entry", "reason": "国内転入",
        "event_date": "2026-11-19", "name": "山口　試", "name_kana": "ヤマグチ　タメス", "birth_date": "19900101",
        "sex": "2", "municipality_code": CODES[0], "address": "山口県山口市滝町1番1号", "is_foreign": "1",
        "is_abroad": "0", "name_gaiji": "0", "address_gaiji": "0",
    }  # fmt: skip
    table = {
        name: pa.repeat(pa.scalar(said.get(name, "")), count) for name in columns_of(Layout.NOTICE, file)
    }
    table |= {"notice_no": pa.array(np.arange(1, count + 1)).cast(pa.string())}
    table |= {"resident_code": issuer.issue_codes(count)}
    if file is IdentityFile.RESIDENT:
        table |= {"individual_number": issuer.issue_numbers(count)}
    return pa.table(table)
