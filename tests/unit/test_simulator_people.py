"""The simulated people: identifiers, names, places and the rare forms a register really holds."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from stdnum.jp import in_

from juki.codes import is_individual_number, is_municipality_code, is_resident_code
from juki.columns import RECORD_COLUMNS, IdentityFile
from simulator.households import UNCOMMON_BIRTH_DATES, day_number
from simulator.identifiers import FALSE_PREFIX, Issuer, Permutation
from simulator.people import Population, draw_elsewhere, populate
from simulator.towns import load_towns, populations

START = date(2026, 11, 24)
RESIDENT, FUHYO = IdentityFile.RESIDENT, IdentityFile.FUHYO
SELECTORS = "[\U000e0100-\U000e01ef]"


@lru_cache(maxsize=4)
def prefecture(people: int = 20_000, seed: int = 1) -> Population:
    rng = np.random.default_rng(seed)
    return populate(people, START, rng, Issuer.draw(rng))


def column(file: IdentityFile, name: str) -> pa.ChunkedArray:
    return prefecture().records[file][name]


def texts(file: IdentityFile, name: str) -> list[str]:
    found: list[str] = column(file, name).to_pylist()
    return found


def test_same_seed_gives_the_same_people_and_another_seed_others() -> None:
    """Everything follows from the seed."""
    first, second, other = (
        populate(300, START, rng, Issuer.draw(rng)).records
        for rng in (np.random.default_rng(9), np.random.default_rng(9), np.random.default_rng(10))
    )
    assert all(first[file].equals(second[file]) for file in IdentityFile)
    assert not any(first[file].equals(other[file]) for file in IdentityFile)


@pytest.mark.parametrize("file", list(IdentityFile))
def test_records_have_exactly_the_statutory_columns_as_text(file: IdentityFile) -> None:
    """The layout is the one of a snapshot: all text, nothing null."""
    table = prefecture().records[file]
    assert tuple(table.column_names) == RECORD_COLUMNS[file]
    assert all(field.type == pa.string() for field in table.schema)
    assert sum(values.null_count for values in table.columns) == 0


def test_individual_numbers_are_valid_unique_and_visibly_made_up() -> None:
    """Valid by an implementation that is not ours, unique in the first eleven digits, beginning with 999."""
    numbers = [number for number in texts(RESIDENT, "individual_number") if number]
    assert all(in_.is_valid(number) and is_individual_number(number) for number in numbers[:3000])
    assert len({number[:11] for number in numbers}) == len(numbers)
    assert {number[:3] for number in numbers} == {FALSE_PREFIX}


def test_resident_codes_are_valid_unique_and_scattered() -> None:
    """No range of codes is favoured, and leading zeros occur."""
    codes = texts(RESIDENT, "resident_code") + texts(FUHYO, "resident_code")[prefecture().both :]
    assert all(is_resident_code(code) for code in codes)
    assert len(set(codes)) == len(codes)
    share = np.bincount([int(code[0]) for code in codes], minlength=10) / len(codes)
    assert share.min() > 0.08
    assert share.max() < 0.12


def test_permutation_is_one_to_one() -> None:
    """Every number of the range comes out once."""
    shuffled = Permutation.draw(4, np.random.default_rng(3)).apply(np.arange(10**4, dtype=np.uint64))
    assert sorted(shuffled.tolist()) == list(range(10**4))


def test_residents_live_in_the_municipalities_in_proportion_to_population() -> None:
    """Each municipality has its census share, and the address names its prefecture and itself."""
    expected = populations()
    codes = texts(RESIDENT, "municipality_code")
    total = sum(expected.values())
    for code, population in expected.items():
        assert codes.count(code) == pytest.approx(len(codes) * population / total, abs=8)
    names = {place.code: place.name for place in load_towns().municipalities}
    addresses = zip(codes, texts(RESIDENT, "address"), strict=True)
    assert all(text.startswith("山口県") and names[code][:2] in text for code, text in addresses)


def test_every_municipality_of_japan_has_towns_and_valid_code() -> None:
    """All 1,741 codes can stand on a fuhyo record."""
    towns = load_towns()
    drawn = towns.draw(np.arange(len(towns.municipalities)), np.random.default_rng(1))
    assert len(towns.municipalities) == 1741
    assert np.diff(towns.starts).min() >= 1
    assert all(is_municipality_code(place.code) for place in towns.municipalities)
    written = list(zip(towns.municipalities, drawn.text.to_pylist(), strict=True))
    assert all(text.startswith(place.prefecture) for place, text in written)
    # The two public sources spell a character or two differently (檮原町, 梼原町).
    assert sum(place.name in text for place, text in written) > 1730


def test_people_elsewhere_may_live_in_any_municipality_outside() -> None:
    """Drawn often enough, all municipalities outside the prefecture appear and none inside."""
    towns = load_towns()
    drawn = set(draw_elsewhere(60_000, np.random.default_rng(1)).tolist())
    assert drawn == set(range(len(towns.municipalities))) - set(towns.home().tolist())


def test_ages_are_those_of_an_ageing_prefecture() -> None:
    """About a third is 65 or older, a tenth under 15; most of the very old are women."""
    population = prefecture()
    years = (day_number(START) - population.born) / 365.25
    assert 0.26 < (years >= 65).mean() < 0.36
    assert 0.08 < (years < 15).mean() < 0.13
    assert population.is_man[years >= 80].mean() < 0.45
    assert years.min() >= 0


def test_households_share_an_address_and_mostly_a_surname() -> None:
    """There are about two people at an address, and they bear one surname."""
    by_address: dict[str, set[str]] = {}
    for name, address in zip(texts(RESIDENT, "name"), texts(RESIDENT, "address"), strict=True):
        by_address.setdefault(address, set()).add(name.partition("\u3000")[0])
    assert 1.7 < 20_000 / len(by_address) < 2.6
    surnames = [names for names in by_address.values() if not any(name.isascii() for name in names)]
    assert sum(len(names) == 1 for names in surnames) > 0.95 * len(surnames)


def test_frequent_surnames_are_the_real_ones() -> None:
    """Surnames follow the real frequencies."""
    names = [name.partition("\u3000")[0] for name in texts(RESIDENT, "name")]
    assert names.count("佐藤") > names.count("田中") > names.count("脇本")


@pytest.mark.parametrize("file", list(IdentityFile))
@pytest.mark.parametrize("counted", ["name", "address"])
def test_gaiji_are_counted_and_occur(file: IdentityFile, counted: str) -> None:
    """The count agrees with the text everywhere, and there are some."""
    pairs = zip(texts(file, counted), texts(file, f"{counted}_gaiji"), strict=True)
    counts = [(text.count("〓"), int(count)) for text, count in pairs]
    assert all(found == said for found, said in counts)
    assert any(said for _, said in counts)


@pytest.mark.parametrize("pattern", [f"\\p{{Han}}{SELECTORS}", "\U00020bb7", "[\ufa11\ufa19\ufa1b]", "髙"])
def test_rare_characters_occur_in_names(pattern: str) -> None:
    """IVS, SIP characters and compatibility ideographs are in a world of 20,000."""
    assert pc.any(pc.match_substring_regex(column(RESIDENT, "name"), pattern)).as_py()


def test_every_uncommon_birth_date_occurs() -> None:
    """Unknown and non-calendar birth dates of every form are present."""
    assert set(UNCOMMON_BIRTH_DATES) <= set(texts(RESIDENT, "birth_date"))
    seasons = {text[4:6] for text in UNCOMMON_BIRTH_DATES}
    assert {letter + digit for letter in "ABCD" for digit in "1234"} | {"00"} <= seasons


def test_foreign_residents_have_latin_names_and_no_fuhyo() -> None:
    """About one in a hundred; no reading, sometimes a 通称, never a 旧氏 or a fuhyo record."""
    rows = [row for row in prefecture().records[RESIDENT].to_pylist() if row["is_foreign"] == "1"]
    kept = set(texts(FUHYO, "resident_code"))
    assert 0.008 < len(rows) / 20_000 < 0.017
    assert all(row["name"].isascii() and row["name"].isupper() for row in rows if row["name"])
    assert not any(row["name_kana"] or row["former_name"] for row in rows)
    assert not any(row["resident_code"] in kept for row in rows)
    assert any(row["alias"] for row in rows)


def test_japanese_have_a_reading_in_katakana_and_no_alias() -> None:
    """Surname and given name are joined by one full-width space, in writing and reading."""
    rows = [row for row in prefecture().records[RESIDENT].to_pylist() if row["is_foreign"] == "0"]
    kana = pa.array([row["name_kana"] for row in rows if row["name"]])
    assert pc.all(pc.match_substring_regex(kana, "^[ァ-ヶー]+\u3000[ァ-ヶー]+$")).as_py()
    assert not any(row["alias"] for row in rows)
    assert any(row["former_name"] and row["former_name_kana"] for row in rows)


def test_sex_and_number_are_blank_now_and_then() -> None:
    """Blank items occur, and rarely."""
    for name in ("sex", "individual_number"):
        assert 0 < texts(RESIDENT, name).count("") < 20


def test_fuhyo_says_the_same_of_those_who_also_have_a_resident_record() -> None:
    """Same words in both files; the keeper is mostly the municipality of the address."""
    population = prefecture()
    shared = [name for name in RECORD_COLUMNS[FUHYO] if name != "is_abroad"]
    residents, fuhyo = (population.records[f].slice(0, population.both) for f in IdentityFile)
    assert residents.select(shared).equals(fuhyo.select(shared))
    keepers, places = population.senders[FUHYO][: population.both], population.senders[RESIDENT]
    assert 0.75 < (keepers == places[: population.both]).mean() < 0.95


def test_fuhyo_address_is_empty_exactly_abroad() -> None:
    """A 国外転出者 has no municipality and no address; everybody else has both."""
    for row in prefecture().records[FUHYO].to_pylist():
        is_abroad = row["is_abroad"] == "1"
        assert (row["address"] == "") is is_abroad
        assert (row["municipality_code"] == "") is is_abroad
    assert "1" in texts(FUHYO, "is_abroad")


def test_there_are_about_as_many_fuhyo_records_as_residents() -> None:
    """Both files have the same order of size, and neither contains the other."""
    population = prefecture()
    assert len(population.records[FUHYO]) == population.residents
    assert population.both < population.residents
