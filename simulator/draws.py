"""Single draws for events: an address, a name, a new person, drawn as the first load is.

Decides:    the items of people who appear after the first day, and of changed addresses and names.
Leaves:     when and why to the events.
Invariants: the gaiji counts always agree with the text they count.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from juki.columns import RECORD_COLUMNS, IdentityFile
from simulator.identifiers import Issuer
from simulator.names import GETA, SPACE, load_names
from simulator.people import draw_elsewhere, draw_home
from simulator.registers import Record
from simulator.scene import Scene
from simulator.towns import load_towns

_ADULT_FROM, _ADULT_TO = 19, 72


def municipality(scene: Scene, *, other_than: str = "") -> str:
    """Draw a municipality of the prefecture, another one than given."""
    while True:
        code = load_towns().municipalities[int(draw_home(1, scene.rng)[0])].code
        if code != other_than:
            return code


def address_in(scene: Scene, code: str) -> Record:
    """Draw an address in a municipality: the three items that say where somebody lives."""
    position = next(i for i, place in enumerate(load_towns().municipalities) if place.code == code)
    return _address(scene, position)


def address_elsewhere(scene: Scene) -> Record:
    """Draw an address outside the prefecture, anywhere in Japan."""
    return _address(scene, int(draw_elsewhere(1, scene.rng)[0]))


def abroad() -> Record:
    """Say that somebody is a 国外転出者: no municipality and no address."""
    return {"municipality_code": "", "address": "", "address_gaiji": "0", "is_abroad": "1"}


def japanese_name(scene: Scene, *, is_man: bool, born: date) -> Record:
    """Draw a name with its reading and gaiji count."""
    names = load_names()
    surnames = names.draw_surnames(1, scene.rng)
    given = names.draw_given(np.array([is_man]), np.array([born.year]), scene.rng)
    text, kana, gaiji = names.full(surnames, given)
    return {"name": text[0].as_py(), "name_kana": kana[0].as_py(), "name_gaiji": str(gaiji[0])}


def latin_name(scene: Scene) -> Record:
    """Draw the name of a foreign resident, which has no reading."""
    return {"name": load_names().draw_latin(1, scene.rng)[0].as_py(), "name_kana": "", "name_gaiji": "0"}


def with_surname_of(record: Record, surname_of: Record) -> Record:
    """Give the name items of a record under the surname of another."""
    text, kana = (
        surname_of[column].partition(SPACE)[0] + SPACE + record[column].partition(SPACE)[2]
        for column in ("name", "name_kana")
    )
    return {"name": text, "name_kana": kana, "name_gaiji": str(text.count(GETA))}


def has_two_part_name(record: Record) -> bool:
    """Tell whether surname and given name can be told apart, in writing and in reading."""
    return SPACE in record["name"] and SPACE in record["name_kana"]


def birthday(scene: Scene) -> date:
    """Draw the birth date of an adult."""
    years = scene.rng.integers(_ADULT_FROM, _ADULT_TO)
    return scene.today - timedelta(days=int(years * 365.25) + int(scene.rng.integers(365)))


def identifiers(issuer: Issuer) -> Record:
    """Issue a resident code and an individual number that nobody had before."""
    return {
        "resident_code": issuer.issue_codes(1)[0].as_py(),
        "individual_number": issuer.issue_numbers(1)[0].as_py(),
    }


def new_resident(scene: Scene, code: str, *, is_foreign: bool = False) -> Record:
    """Draw a whole record of an adult who has never been registered in the prefecture."""
    is_man, born = bool(scene.rng.random() < 0.5), birthday(scene)
    name = latin_name(scene) if is_foreign else japanese_name(scene, is_man=is_man, born=born)
    return {
        **dict.fromkeys(RECORD_COLUMNS[IdentityFile.RESIDENT], ""),
        **identifiers(scene.issuer),
        **name,
        **address_in(scene, code),
        "birth_date": f"{born:%Y%m%d}",
        "sex": "1" if is_man else "2",
        "is_foreign": "1" if is_foreign else "0",
    }


def resident_from_fuhyo(scene: Scene, fuhyo: Record, code: str) -> Record:
    """Make the resident record of somebody of whom only the fuhyo was known here."""
    known = {name: fuhyo[name] for name in fuhyo if name != "is_abroad"}
    return {
        **dict.fromkeys(RECORD_COLUMNS[IdentityFile.RESIDENT], ""),
        **known,
        **address_in(scene, code),
        "individual_number": scene.issuer.issue_numbers(1)[0].as_py(),
        "is_foreign": "0",
    }


def _address(scene: Scene, position: int) -> Record:
    drawn = load_towns().draw(np.array([position]), scene.rng)
    return {
        "municipality_code": load_towns().municipalities[position].code,
        "address": drawn.text[0].as_py(),
        "address_gaiji": str(drawn.gaiji[0]),
    }
