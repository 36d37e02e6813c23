"""One answer in a process of its own: `python -m bench.provide_child CASE`. Prints one line of JSON.

Decides:    where the clock starts (the sealed request is registered) and ends (the answer is sealed, kept and said in
            the store); what the floor does, and what a plain way does.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
from sqlalchemy import select

from bench.measured import Measured, Meter
from bench.workplace import CHANNEL, Workplace
from config.identities import encryption_certificate_of, signing_identity
from config.recipients import load_recipients
from config.settings import home_of
from juki.codes import individual_number_check_digits
from juki.columns import IdentityFile
from juki.kana import search_key, search_keys
from juki.numbers import bound_to, key_id_of, number_index, number_indexes, seal_column, unseal, unseal_each
from juki.provide.registering import register
from juki.provisions import LineOutcome
from juki.records import format_records
from juki.requests import RequestName
from juki.store.bulk import as_bytea, copy_in, copy_out
from juki.store.engine import open_engine
from juki.store.roles import Duty
from juki.store.tables import TABLES
from juki.store.unit import open_unit
from juki.wire.envelope import seal_envelope
from tasks.requesting import desk_of, opener_of
from tasks.workshop import Workshop

FILE = IdentityFile.RESIDENT
OURS, UNLOGGED, FLOOR, PLAIN, PREPARE = "ours", "unlogged", "floor", "plain", "prepare"
FIELDS = ("name", "name_kana", "address", "birth_date", "sex")
_NAMES = ("山田　太郎", "佐藤　花子", "田中　一郎", "𠮷田　次郎")
_KANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワ"


class Search(StrEnum):
    """How people are asked for."""

    NUMBER = "number"
    FOUR = "four"


@dataclass(frozen=True, slots=True)
class Case:
    """What to run: a way, how people are asked for, how many."""

    way: str
    search: Search
    size: int


def main(case: Case) -> None:
    """Run a case in the home of the environment and print what it found and measured."""
    place = Workplace(home_of())
    if case.way == PREPARE:
        _prepare(place, case.size)
        found, measured = 0, Measured(case.size, 0.0, 0.0, 0, 0)
    elif case.way in (OURS, UNLOGGED):
        found, measured = _ours(place, case, is_logged=case.way == OURS)
    else:
        found, measured = (_floor if case.way == FLOOR else _plain)(place, case)
    sys.stdout.write(json.dumps({"found": found, **asdict(measured)}) + "\n")


# -- the people ---------------------------------------------------------------------------------------------


def _bodies(count: int) -> np.ndarray[Any, Any]:
    """Eleven digits for each person, in no order of theirs."""
    order = np.random.default_rng(5).permutation(count) + 12_345
    return np.array([list(f"{one:011d}") for one in order]).astype(np.uint8)


def people(count: int) -> dict[str, list[str]]:
    """Make up people: their code, number, reading and birth date; every one can be found by either search."""
    bodies = _bodies(count)
    digits = np.hstack([bodies, individual_number_check_digits(bodies)[:, None]])
    numbers = ["".join(map(str, row)) for row in digits.tolist()]
    width = len(_KANA)
    kana = [
        f"{_KANA[n % width]}{_KANA[n // width % width]}{_KANA[n // width**2 % width]}　タロウ"
        for n in range(count)
    ]
    births = [(date(1940, 1, 1) + timedelta(days=n % 25_000)).strftime("%Y%m%d") for n in range(count)]
    return {"code": [number[:11] for number in numbers], "number": numbers, "kana": kana, "birth": births}


def _prepare(place: Workplace, count: int) -> None:
    """Fill the store and register one recipient that may ask for all of it."""
    from simulator import installation, pki, recipients

    made = pki.build(installation.folder(place.home) / "pki", [CHANNEL.municipality_code])
    limits = {"daily_lines": 10_000_000, "daily_misses": 1_000_000, "daily_same_person": 1_000_000}
    board = recipients.Described(
        "kyoiku", "演習県教育委員会", "provide", "教育委員会", ("beppyo6-3",), limits
    )
    offices = recipients.build(place.home, made, [board])
    recipients.register(place.home, offices.values())
    recipients.allow_numbers(place.home, ["beppyo6-3"], date(2026, 1, 1))
    made_up, keys = people(count), Workshop.open().keyring(FILE)
    codes = [code.encode() for code in made_up["code"]]
    sealed = seal_column(
        [number.encode() for number in made_up["number"]],
        bound_to(FILE, "individual_number", codes, keys.number.key_id), keys.number,
    )  # fmt: skip
    numbers, at = pa.array(made_up["number"]), datetime(2026, 11, 1, tzinfo=UTC)

    def same(value: object, kind: pa.DataType) -> pa.Array:
        return pa.repeat(pa.scalar(value, kind), count)

    text, names = pa.string(), [_NAMES[n % len(_NAMES)] for n in range(count)]
    rows = {
        "notified_at": same(at, pa.timestamp("us", "UTC")), "kind": same("entry", text), "reason": same("出生", text),
        "resident_code": pa.array(made_up["code"]), "name": pa.array(names), "name_kana": pa.array(made_up["kana"]),
        "birth_date": pa.array(made_up["birth"]), "sex": same("1", text),
        "municipality_code": same(CHANNEL.municipality_code, text),
        "address": pa.array([f"山口県山口市亀山町{n}番地" for n in range(count)]),
        "is_foreign": same(False, pa.bool_()), "name_gaiji": same(0, pa.int16()),
        "address_gaiji": same(0, pa.int16()),
        "number_sealed": sealed,
        "number_index": as_bytea(number_indexes(numbers, keys.index)),
        "search_key": search_keys(pa.array(made_up["kana"])),
        "record_digest": same(b"d", pa.binary()), "sender_code": same(CHANNEL.municipality_code, text),
        "notice_no": pa.array(np.arange(1, count + 1)), "package_id": same(1, pa.int64()),
        "received_on": same(date(2026, 11, 1), pa.date32()),
    }  # fmt: skip
    with psycopg.connect(place.store_url) as connection:
        copy_in(connection.cursor(), "current", pa.table(rows))


def _lines(case: Case) -> list[dict[str, object]]:
    made_up = people(case.size)
    if case.search is Search.NUMBER:
        named = [{"individual_number": number} for number in made_up["number"]]
    else:
        pairs = zip(made_up["kana"], made_up["birth"], strict=True)
        named = [{"name_kana": kana, "birth_date": birth} for kana, birth in pairs]
    order = np.random.default_rng(7).permutation(case.size)
    return [{"line": line, **named[place]} for line, place in enumerate(order.tolist(), 1)]


# -- the ways -----------------------------------------------------------------------------------------------


def _ours(place: Workplace, case: Case, *, is_logged: bool) -> tuple[int, Measured]:
    """Answer a registered request as a run does: open, decide, search, seal, keep, say whose data it was."""
    from juki.store.journal import Journal
    from simulator.sealing import seal
    from tasks.providing import answer_request

    shop, at, office = Workshop.open(), datetime.now(UTC), _office(place)
    number = int(at.timestamp()) % 90_000_000 + 1
    document = office.document([], file=FILE, at=at, fields=list(FIELDS), with_number=True, request_no=number)
    document["people"] = _lines(case)
    content = json.dumps(document, ensure_ascii=False).encode()
    sealed = seal(content, office.signer, office.prefecture.certificate)
    opener = opener_of(shop, load_recipients(shop.home).of("kyoiku"))
    request = opener.request(RequestName("kyoiku", FILE, number), sealed, at, at)
    done = register(desk_of(shop), request, sealed, at)
    if done.provision is None:
        raise RuntimeError("the request was not registered")
    if not is_logged:
        Journal.append_many = lambda *_: range(0)  # type: ignore[method-assign]
    meter = Meter(place.home)
    with meter:
        answered = answer_request.fn(done.provision)
    return answered.counts.get(LineOutcome.FOUND.value, 0), meter.measured(case.size)


def _office(place: Workplace) -> Any:
    from simulator import installation, pki, recipients

    made = pki.build(installation.folder(place.home) / "pki", [CHANNEL.municipality_code])
    board = recipients.Described("kyoiku", "演習県教育委員会", "provide", "教育委員会", ("beppyo6-3",))
    return recipients.build(place.home, made, [board])["kyoiku"]


def _floor(place: Workplace, case: Case) -> tuple[int, Measured]:
    """One keyed join, every number opened, one CSV encrypted and written: no request, no law, no log."""
    shop, made_up = Workshop.open(), people(case.size)
    keys, certificate = (
        shop.keyring(FILE),
        encryption_certificate_of(shop.home, load_recipients(shop.home).of("kyoiku")),
    )
    identity, columns = signing_identity(shop.home), ("resident_code", *FIELDS, "number_sealed")
    schema = pa.schema([("line", pa.int32()), *((name, pa.string()) for name in columns)])
    shown = ", ".join(f"c.{name}" for name in columns[:-1]) + ", encode(c.number_sealed, 'hex')"
    meter = Meter(place.home)
    with meter, open_unit(shop.store_url(FILE), FILE, Duty.PROVIDER) as unit:
        cursor = unit.cursor
        lines = pa.array(np.arange(1, case.size + 1, dtype=np.int32))
        if case.search is Search.NUMBER:
            cursor.execute("CREATE TEMPORARY TABLE asked (line integer, number_index bytea) ON COMMIT DROP")
            indexes = as_bytea(number_indexes(pa.array(made_up["number"]), keys.index))
            copy_in(cursor, "asked", pa.table({"line": lines, "number_index": indexes}))
            joined = "c.number_index = a.number_index"
        else:
            cursor.execute(
                "CREATE TEMPORARY TABLE asked (line integer, search_key text, birth_date text) ON COMMIT DROP"
            )
            folded, births = search_keys(pa.array(made_up["kana"])), pa.array(made_up["birth"])
            copy_in(cursor, "asked", pa.table({"line": lines, "search_key": folded, "birth_date": births}))
            joined = "c.search_key = a.search_key AND c.birth_date = a.birth_date"
        cursor.execute("ANALYZE asked")
        query = f"SELECT a.line, {shown} FROM asked a JOIN current c ON {joined} WHERE c.kind <> 'deletion'"
        found = copy_out(cursor, query, schema)
        codes = [code.encode() for code in found.column("resident_code").to_pylist()]
        sealed = [bytes.fromhex(one) for one in found.column("number_sealed").to_pylist()]
        numbers = unseal_each(
            sealed, bound_to(FILE, "individual_number", codes, keys.number.key_id), keys.number
        )
        given = {name: found.column(name) for name in FIELDS} | {
            "individual_number": pa.array(numbers).cast(pa.string())
        }
        package = seal_envelope(
            format_records(pa.table(given)), signer=identity, recipient_certificate=certificate
        )
        _write(place, package)
    return found.num_rows, meter.measured(case.size)


def _plain(place: Workplace, case: Case) -> tuple[int, Measured]:
    """As one would write it: a query and a cipher for each line, csv, one row in the register for each person."""
    shop, made_up, found = Workshop.open(), people(case.size), 0
    keys, certificate = (
        shop.keyring(FILE),
        encryption_certificate_of(shop.home, load_recipients(shop.home).of("kyoiku")),
    )
    identity, current = signing_identity(shop.home), TABLES[FILE].current
    provided, written = TABLES[FILE].provided, io.StringIO()
    columns = [current.c[name] for name in ("resident_code", *FIELDS, "number_sealed")]
    asked: Sequence[Any] = (
        made_up["number"]
        if case.search is Search.NUMBER
        else list(zip(made_up["kana"], made_up["birth"], strict=True))
    )
    meter = Meter(place.home)
    with meter, open_engine(shop.store_url(FILE), FILE, Duty.PROVIDER).begin() as connection:
        writer = csv.writer(written)
        provision = -int(datetime.now(UTC).timestamp())
        for line, one in enumerate(asked, 1):
            query = select(*columns).where(current.c.kind != "deletion")
            if case.search is Search.NUMBER:
                query = query.where(current.c.number_index == number_index(one.encode(), keys.index))
            else:
                query = query.where(
                    current.c.search_key == search_key(one[0]), current.c.birth_date == one[1]
                )
            row = connection.execute(query).one()
            (binding,) = bound_to(
                FILE, "individual_number", [row.resident_code.encode()], key_id_of(row.number_sealed)
            )
            number = unseal(bytes(row.number_sealed), binding, keys.number)
            writer.writerow([line, "found", *row[1:-1], number.decode()])
            values = {
                "provision_id": provision,
                "line": line,
                "outcome": "found",
                "resident_code": row.resident_code,
            }
            connection.execute(provided.insert(), values)
            found += 1
        package = seal_envelope(
            written.getvalue().encode(), signer=identity, recipient_certificate=certificate
        )
        _write(place, package)
    return found, meter.measured(case.size)


def _write(place: Workplace, package: bytes) -> None:
    path = place.home.root / "bench" / "answer.p7m"
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        file.write(package)
        file.flush()
        os.fsync(file.fileno())


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    main(Case(given["way"], Search(given["search"]), given["size"]))
