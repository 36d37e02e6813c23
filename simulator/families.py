"""Events: births, deaths, marriages, 転籍, 帰化 and 国籍喪失.

Decides:    which notices they make in both files.
Leaves:     how often to `simulator.events`.
Invariants: marriage and 転籍 move a fuhyo from one keeper to another without a change of address; 帰化 and 国籍
            喪失 are a deletion and an entry on the same day with the same code and number.
Source:     施行令8条の2, 30条の5, 30条の12の3; 施行規則11条.
"""

from __future__ import annotations

from datetime import timedelta

from juki.notices import Reason
from simulator.draws import (
    has_two_part_name,
    identifiers,
    japanese_name,
    latin_name,
    municipality,
    with_surname_of,
)
from simulator.names import SPACE
from simulator.registers import Record, fuhyo_items
from simulator.scene import FUHYO, RESIDENT, Scene

_FORMER_NAME_SHARE = 0.3
_REPORTED_WITHIN_DAYS = 14


def born(scene: Scene) -> bool:
    """出生: registered with the mother, in the fuhyo of the mother's keeper."""
    mother = scene.pick(scene.pools.women, RESIDENT, has_two_part_name)
    if mother is None:
        return False
    on = scene.today - timedelta(days=int(scene.rng.integers(_REPORTED_WITHIN_DAYS)))
    child = _child_of(scene, scene.resident(mother))
    child["birth_date"] = f"{on:%Y%m%d}"
    person = scene.new_person()
    scene.enter(person, child, Reason.BIRTH, on)
    kept = scene.kept(mother)
    if kept is not None:
        scene.keep(person, kept.sender_code, fuhyo_items(child))
    return True


def born_on_unknown_day(scene: Scene) -> bool:
    """出生 of a foundling: the day is unknown in the birth date and in the date of the event."""
    mother = scene.pick(scene.pools.women, RESIDENT, has_two_part_name)
    if mother is None:
        return False
    child = _child_of(scene, scene.resident(mother))
    child["birth_date"] = f"{scene.today - timedelta(days=31):%Y%m}00"
    person = scene.new_person()
    scene.enter(person, child, Reason.BIRTH, None)
    scene.keep(person, child["municipality_code"], fuhyo_items(child))
    return True


def died(scene: Scene) -> bool:
    """死亡 of a resident; the fuhyo record is deleted too."""
    return _die(scene, is_day_known=True)


def died_on_unknown_day(scene: Scene) -> bool:
    """死亡 on a day nobody knows: the notice has no date."""
    return _die(scene, is_day_known=False)


def died_elsewhere(scene: Scene) -> bool:
    """The death of somebody living elsewhere: only the fuhyo is concerned."""
    person = scene.pick(scene.pools.elsewhere, FUHYO)
    if person is None or scene.registers[RESIDENT].get(person) is not None:
        return False
    scene.drop(person)
    return True


def married(scene: Scene) -> bool:
    """A marriage: the wife takes the husband's surname, and a new 戸籍 is made for both."""
    husband = scene.pick(scene.pools.men, RESIDENT, has_two_part_name)
    wife = scene.pick(scene.pools.women, RESIDENT, has_two_part_name)
    if husband is None or wife is None:
        return False
    before, groom = scene.resident(wife), scene.resident(husband)
    name = with_surname_of(before, groom)
    if scene.rng.random() < _FORMER_NAME_SHARE:
        name |= _former_name(before)
    scene.correct(wife, name, Reason.CORRECTED_EX_OFFICIO, scene.today)
    kept = scene.kept(husband)
    keeper = kept.sender_code if kept and scene.rng.random() < 0.5 else municipality(scene)
    for spouse in (husband, wife):
        _move_fuhyo(scene, spouse, keeper, fuhyo_items(scene.resident(spouse)))
    return True


def transferred(scene: Scene) -> bool:
    """転籍 inside the prefecture: another keeper, the same person at the same address."""
    return _transfer(scene, is_old_keeper_late=False)


def transferred_deleted_late(scene: Scene) -> bool:
    """転籍 inside the prefecture where the old keeper notifies after the new one."""
    return _transfer(scene, is_old_keeper_late=True)


def transferred_out(scene: Scene) -> bool:
    """転籍 to another prefecture: the fuhyo is deleted here, the resident record stays."""
    person = scene.pick(scene.pools.japanese, FUHYO)
    if person is None:
        return False
    scene.drop(person)
    return True


def transferred_in(scene: Scene) -> bool:
    """転籍 from another prefecture of a resident."""
    person = scene.pick(scene.pools.kept_elsewhere, RESIDENT, lambda record: record["is_foreign"] == "0")
    if person is None or scene.kept(person) is not None:
        return False
    scene.keep(person, municipality(scene), fuhyo_items(scene.resident(person)))
    return True


def naturalised(scene: Scene) -> bool:
    """帰化: the foreign record is deleted, a Japanese one entered, and a 戸籍 made."""
    person = scene.pick(scene.pools.foreign, RESIDENT, lambda record: record["is_foreign"] == "1")
    if person is None:
        return False
    record = scene.resident(person)
    name = japanese_name(scene, is_man=record["sex"] == "1", born=scene.today)
    citizen = {**record, **name, "alias": "", "is_foreign": "0"}
    scene.erase(person, Reason.DELETED_ON_NATURALISATION, scene.today)
    scene.enter(person, citizen, Reason.ENTERED_ON_NATURALISATION, scene.today)
    scene.keep(person, record["municipality_code"], fuhyo_items(citizen))
    return True


def lost_nationality(scene: Scene) -> bool:
    """国籍喪失: the Japanese record is deleted, a foreign one entered, and the fuhyo deleted."""
    person = scene.pick(scene.pools.japanese, RESIDENT, lambda record: record["is_foreign"] == "0")
    if person is None:
        return False
    no_former_name = {"former_name": "", "former_name_kana": ""}
    foreigner = {**scene.resident(person), **latin_name(scene), **no_former_name, "is_foreign": "1"}
    scene.erase(person, Reason.DELETED_ON_LOSS_OF_NATIONALITY, scene.today)
    scene.enter(person, foreigner, Reason.ENTERED_ON_LOSS_OF_NATIONALITY, scene.today)
    scene.drop(person)
    return True


def _child_of(scene: Scene, mother: Record) -> Record:
    is_man = bool(scene.rng.random() < 0.513)
    given = japanese_name(scene, is_man=is_man, born=scene.today)
    return {
        **mother,
        **with_surname_of(given, mother),
        **identifiers(scene.issuer),
        "former_name": "",
        "former_name_kana": "",
        "sex": "1" if is_man else "2",
    }


def _die(scene: Scene, *, is_day_known: bool) -> bool:
    person = scene.pick(scene.pools.old, RESIDENT)
    if person is None:
        return False
    days = int(scene.rng.integers(7))
    scene.erase(person, Reason.DEATH, scene.today - timedelta(days=days) if is_day_known else None)
    scene.drop(person)
    return True


def _transfer(scene: Scene, *, is_old_keeper_late: bool) -> bool:
    person = scene.pick(scene.pools.japanese, FUHYO)
    old = scene.kept(person) if person is not None else None
    if person is None or old is None:
        return False
    keeper = municipality(scene, other_than=old.sender_code)
    if not is_old_keeper_late:
        _move_fuhyo(scene, person, keeper, old.record)
        return True
    on = scene.today
    scene.keep(person, keeper, old.record)
    scene.later(1, person, lambda: scene.tell_belated(FUHYO, old, None, on))
    return True


def _move_fuhyo(scene: Scene, person: int, keeper: str, record: Record) -> None:
    scene.drop(person)
    scene.keep(person, keeper, record)


def _former_name(record: Record) -> Record:
    return {
        "former_name": record["name"].partition(SPACE)[0],
        "former_name_kana": record["name_kana"].partition(SPACE)[0],
    }
