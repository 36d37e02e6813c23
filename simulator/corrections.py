"""Events: corrections of what stands — addresses, names, dates, numbers and codes.

Decides:    which item changes and the reason it is notified with.
Leaves:     how often to `simulator.events`.
Invariants: a correction of the number or the code carries what stood before, if anything did; both files get the
            correction of a code; items the fuhyo does not have (旧氏, 通称, number) leave it alone.
Source:     施行令30条の5三号–五号, 施行規則11条3項–5項, 44条, 46条.
"""

from __future__ import annotations

from collections.abc import Callable

from juki.notices import Reason
from simulator.draws import (
    address_in,
    has_two_part_name,
    identifiers,
    japanese_name,
    municipality,
    new_resident,
    with_surname_of,
)
from simulator.names import GETA, SPACE
from simulator.pools import People
from simulator.registers import Record, fuhyo_items
from simulator.scene import RESIDENT, Scene

_VOICED = str.maketrans("カガサザタダハバ", "ガカザサダタバハ")
_IDENTIFIED = "龍"


def address_renumbered(scene: Scene) -> bool:
    """軽微な修正 after a change of house numbers: nobody has moved."""
    return _correct_one(
        scene,
        None,
        Reason.MINOR_CORRECTION,
        lambda record: address_in(scene, record["municipality_code"]),
    )


def character_identified(scene: Scene) -> bool:
    """軽微な修正 after 文字の同定: a gaiji gets its code, so the count of 〓 falls to none."""
    return _correct_one(
        scene,
        scene.pools.with_gaiji,
        Reason.MINOR_CORRECTION,
        lambda record: {"name": record["name"].replace(GETA, _IDENTIFIED), "name_gaiji": "0"},
        lambda record: GETA in record["name"],
    )


def reading_corrected(scene: Scene) -> bool:
    """職権修正等 of the reading of the name (テラダ for テラタ)."""
    return _correct_one(
        scene,
        scene.pools.japanese,
        Reason.CORRECTED_EX_OFFICIO,
        lambda record: {"name_kana": record["name_kana"].translate(_VOICED)},
        lambda record: record["name_kana"].translate(_VOICED) != record["name_kana"],
    )


def given_name_changed(scene: Scene) -> bool:
    """職権修正等 after a change of the given name by the family court."""

    def renamed(record: Record) -> Record:
        given = japanese_name(scene, is_man=record["sex"] == "1", born=scene.today)
        return with_surname_of(given, record)

    return _correct_one(scene, scene.pools.japanese, Reason.CORRECTED_EX_OFFICIO, renamed, has_two_part_name)


def birth_date_found(scene: Scene) -> bool:
    """職権修正等 of an inexact birth date that became known."""

    def exact(record: Record) -> Record:
        month, day = scene.rng.integers(1, 13), scene.rng.integers(1, 29)
        return {"birth_date": f"{record['birth_date'][:4]}{month:02d}{day:02d}"}

    return _correct_one(
        scene, scene.pools.inexact_birth, Reason.CORRECTED_EX_OFFICIO, exact, lambda r: not _is_exact(r)
    )


def sex_recorded(scene: Scene) -> bool:
    """職権修正等 of a record that had no sex."""
    return _correct_one(
        scene,
        scene.pools.without_sex,
        Reason.CORRECTED_EX_OFFICIO,
        lambda _: {"sex": str(scene.rng.integers(1, 3))},
        lambda record: not record["sex"],
    )


def former_name_recorded(scene: Scene) -> bool:
    """A 旧氏 is recorded on request; the fuhyo has no such item."""

    def former(_: Record) -> Record:
        drawn = japanese_name(scene, is_man=False, born=scene.today)
        return {
            "former_name": drawn["name"].partition(SPACE)[0],
            "former_name_kana": drawn["name_kana"].partition(SPACE)[0],
        }

    return _correct_one(
        scene,
        scene.pools.women,
        Reason.CORRECTED_EX_OFFICIO,
        former,
        lambda record: not record["former_name"] and record["is_foreign"] == "0",
    )


def alias_recorded(scene: Scene) -> bool:
    """A 通称 of a foreign resident is recorded."""
    return _correct_one(
        scene,
        scene.pools.foreign,
        Reason.CORRECTED_EX_OFFICIO,
        lambda _: {"alias": japanese_name(scene, is_man=True, born=scene.today)["name"].replace(GETA, "藤")},
        lambda record: not record["alias"] and record["is_foreign"] == "1",
    )


def number_changed_on_request(scene: Scene) -> bool:
    """個人番号の変更請求: the old number is never used again."""
    return _change_number(scene, Reason.NUMBER_CHANGED_ON_REQUEST)


def number_corrected(scene: Scene) -> bool:
    """個人番号の職権修正."""
    return _change_number(scene, Reason.NUMBER_CORRECTED_EX_OFFICIO)


def number_entered(scene: Scene) -> bool:
    """個人番号の職権記載等 of a record that had none: no previous number."""
    person = scene.pick(scene.pools.without_number, RESIDENT, lambda record: not record["individual_number"])
    if person is None:
        return False
    number = {"individual_number": identifiers(scene.issuer)["individual_number"]}
    scene.correct(person, number, Reason.NUMBER_ENTERED_EX_OFFICIO, scene.today)
    return True


def code_changed(scene: Scene) -> bool:
    """住民票コードの変更請求: both files get a correction with the previous code."""
    person = scene.pick_resident()
    if person is None:
        return False
    previous = {"previous_resident_code": scene.resident(person)["resident_code"]}
    code = {"resident_code": identifiers(scene.issuer)["resident_code"]}
    scene.correct(person, code, Reason.CODE_CHANGED_ON_REQUEST, scene.today, previous)
    scene.amend(person, code, previous)
    return True


def code_entered(scene: Scene) -> bool:
    """住民票コードの職権記載等 of records that had none and so could not be notified before."""
    record, person = new_resident(scene, municipality(scene)), scene.new_person()
    scene.correct_unheard_of(person, record, Reason.CODE_ENTERED_EX_OFFICIO)
    scene.amend_unheard_of(person, record["municipality_code"], fuhyo_items(record))
    return True


def _change_number(scene: Scene, reason: Reason) -> bool:
    person = scene.pick_resident(lambda record: bool(record["individual_number"]))
    if person is None:
        return False
    previous = {"previous_individual_number": scene.resident(person)["individual_number"]}
    number = {"individual_number": identifiers(scene.issuer)["individual_number"]}
    scene.correct(person, number, reason, scene.today, previous)
    return True


def _correct_one(
    scene: Scene,
    pool: People | None,
    reason: Reason,
    changes_of: Callable[[Record], Record],
    fits: Callable[[Record], bool] = lambda _: True,
) -> bool:
    """Correct one resident of the pool (None: any) and the fuhyo record as far as it has the items."""
    person = scene.pick_resident(fits) if pool is None else scene.pick(pool, RESIDENT, fits)
    if person is None:
        return False
    changes = changes_of(scene.resident(person))
    scene.correct(person, changes, reason, scene.today)
    scene.amend(person, changes)
    return True


def _is_exact(record: Record) -> bool:
    text = record["birth_date"]
    return text.isdigit() and "00" not in (text[4:6], text[6:8])
