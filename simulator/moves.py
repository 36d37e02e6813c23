"""Events: moving within, between, into and out of the municipalities, to and from abroad.

Decides:    which notices a move makes in both files, and in which order the municipalities make them.
Leaves:     how often to `simulator.events`.
Invariants: a move out is notified before the planned day, so its date may lie ahead; who moves keeps code and
            number; the fuhyo follows the address wherever its keeper is.
Source:     法22–24条, 施行令30条の5, 施行規則11条.
"""

from __future__ import annotations

from datetime import date, timedelta

from juki.notices import Reason
from simulator.draws import (
    abroad,
    address_elsewhere,
    address_in,
    municipality,
    new_resident,
    resident_from_fuhyo,
)
from simulator.registers import Record, fuhyo_items
from simulator.scene import FUHYO, RESIDENT, Scene

_PLANNED_AHEAD_DAYS = 14
_REPORTED_WITHIN_DAYS = 14
_KEPT_HERE_SHARE = 0.3
_AWAY_AT_LEAST = timedelta(days=2)


def moved_within(scene: Scene) -> bool:
    """転居 inside one municipality."""
    person = scene.pick_resident()
    if person is None:
        return False
    address = address_in(scene, scene.resident(person)["municipality_code"])
    scene.correct(person, address, Reason.MOVED_WITHIN, _lately(scene))
    scene.amend(person, address)
    return True


def moved_between(scene: Scene) -> bool:
    """A move inside the prefecture, both municipalities notifying on the same day."""
    return _move_between(scene, arrives_after_days=0)


def moved_between_days_apart(scene: Scene) -> bool:
    """A move inside the prefecture: out at one municipality, in at the other some days later."""
    return _move_between(scene, arrives_after_days=int(scene.rng.integers(1, 4)))


def moved_between_deleted_late(scene: Scene) -> bool:
    """A move inside the prefecture where the old municipality notifies after the new one."""
    person = scene.pick_resident()
    if person is None:
        return False
    left = scene.registers[RESIDENT].get(person)
    if left is None:
        return False
    on = _lately(scene)
    _arrive(scene, person, _moved(scene, left.record), Reason.MOVED_IN, on)
    scene.later(
        int(scene.rng.integers(1, 3)),
        person,
        lambda: scene.tell_belated(RESIDENT, left, Reason.MOVED_OUT, on),
    )
    return True


def moved_out(scene: Scene) -> bool:
    """国内転出 to another prefecture; the fuhyo learns the new address later."""
    person = scene.pick_resident()
    if person is None:
        return False
    scene.erase(person, Reason.MOVED_OUT, _planned(scene))
    scene.departed.append(person)
    scene.later(int(scene.rng.integers(1, 4)), person, lambda: scene.amend(person, address_elsewhere(scene)))
    return True


def moved_in(scene: Scene) -> bool:
    """国内転入 of somebody new to the prefecture; the 本籍 may be here."""
    record = new_resident(scene, municipality(scene))
    person = scene.new_person()
    scene.enter(person, record, Reason.MOVED_IN, _lately(scene))
    if scene.rng.random() < _KEPT_HERE_SHARE:
        scene.keep(person, municipality(scene), fuhyo_items(record))
    return True


def moved_in_from_elsewhere(scene: Scene) -> bool:
    """国内転入 of somebody whose fuhyo is kept here: both files then say the new address."""
    person = scene.pick(scene.pools.elsewhere, FUHYO, lambda record: record["is_abroad"] == "0")
    return person is not None and _register_kept(scene, person, Reason.MOVED_IN)


def moved_back(scene: Scene) -> bool:
    """国内転入 of somebody who left before: same code, same number."""
    for person in list(scene.departed):
        if (
            scene.has_been_left_alone(person, _AWAY_AT_LEAST)
            and scene.registers[RESIDENT].get(person) is None
        ):
            scene.departed.remove(person)
            _arrive(scene, person, _moved(scene, scene.last_records[person]), Reason.MOVED_IN, _lately(scene))
            return True
    return False


def moved_abroad(scene: Scene) -> bool:
    """国外転出 of a Japanese: the fuhyo says 国外転出者 from then on."""
    person = scene.pick(scene.pools.japanese, RESIDENT)
    if person is None:
        return False
    scene.erase(person, Reason.MOVED_ABROAD, _planned(scene))
    scene.amend(person, abroad())
    return True


def foreigner_left(scene: Scene) -> bool:
    """国外転出 of a foreign resident, of whom no fuhyo exists."""
    person = scene.pick(scene.pools.foreign, RESIDENT)
    if person is None:
        return False
    scene.erase(person, Reason.MOVED_ABROAD, _planned(scene))
    return True


def returned_from_abroad(scene: Scene) -> bool:
    """国外転入等 of a 国外転出者: registered again, no longer abroad in the fuhyo."""
    person = scene.pick(scene.pools.abroad, FUHYO, lambda record: record["is_abroad"] == "1")
    return person is not None and _register_kept(scene, person, Reason.MOVED_IN_FROM_ABROAD)


def foreigner_came(scene: Scene) -> bool:
    """国外転入等 of a foreigner (法30条の46)."""
    record = new_resident(scene, municipality(scene), is_foreign=True)
    scene.enter(scene.new_person(), record, Reason.MOVED_IN_FROM_ABROAD, _lately(scene))
    return True


def moved_elsewhere(scene: Scene) -> bool:
    """Somebody living in another prefecture moves there: only the fuhyo is concerned."""
    person = scene.pick(scene.pools.elsewhere, FUHYO, lambda record: record["is_abroad"] == "0")
    if person is None or scene.registers[RESIDENT].get(person) is not None:
        return False
    scene.amend(person, address_elsewhere(scene))
    return True


def _move_between(scene: Scene, arrives_after_days: int) -> bool:
    person = scene.pick_resident()
    if person is None:
        return False
    moved = _moved(scene, scene.resident(person))
    planned = scene.today + timedelta(days=arrives_after_days)
    scene.erase(person, Reason.MOVED_OUT, planned)
    if arrives_after_days:
        scene.later(
            arrives_after_days, person, lambda: _arrive(scene, person, moved, Reason.MOVED_IN, scene.today)
        )
    else:
        _arrive(scene, person, moved, Reason.MOVED_IN, planned)
    return True


def _register_kept(scene: Scene, person: int, reason: Reason) -> bool:
    """Register somebody whose fuhyo stands here, with the number known from before if there is one."""
    kept = scene.kept(person)
    if kept is None or scene.registers[RESIDENT].get(person) is not None:
        return False
    record = resident_from_fuhyo(scene, kept.record, municipality(scene))
    if person in scene.last_records:
        record["individual_number"] = scene.last_records[person]["individual_number"]
    _arrive(scene, person, record, reason, _lately(scene))
    return True


def _arrive(scene: Scene, person: int, record: Record, reason: Reason, on: date) -> None:
    """Enter the record and let the fuhyo follow the address."""
    scene.enter(person, record, reason, on)
    address = {name: record[name] for name in ("municipality_code", "address", "address_gaiji")}
    scene.amend(person, {**address, "is_abroad": "0"})


def _moved(scene: Scene, record: Record) -> Record:
    return {**record, **address_in(scene, municipality(scene, other_than=record["municipality_code"]))}


def _planned(scene: Scene) -> date:
    return scene.today + timedelta(days=int(scene.rng.integers(_PLANNED_AHEAD_DAYS)))


def _lately(scene: Scene) -> date:
    return scene.today - timedelta(days=int(scene.rng.integers(_REPORTED_WITHIN_DAYS)))
