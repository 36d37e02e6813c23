"""Events: what is taken back or said twice — cancelled moves and deaths, 職権消除, re-sent notices.

Decides:    the notices of a cancellation and which notices are made again.
Leaves:     how often to `simulator.events`.
Invariants: a cancellation is a new entry on top of the deletion, with the record as it stood; a re-sent notice
            is the newest of its person, so that it says nothing that is no longer true.
Source:     domain.md section 3 (異動の取消し, re-sends).
"""

from __future__ import annotations

from datetime import timedelta

from juki.columns import IdentityFile
from juki.notices import Reason
from simulator.scene import FUHYO, RESIDENT, Scene, Told

_OTHER_REASON = {
    Reason.MOVED_IN: Reason.ENTERED_EX_OFFICIO,
    Reason.MOVED_IN_FROM_ABROAD: Reason.ENTERED_EX_OFFICIO,
    Reason.MOVED_OUT: Reason.MOVED_ABROAD,
    Reason.MOVED_WITHIN: Reason.CORRECTED_EX_OFFICIO,
    Reason.MINOR_CORRECTION: Reason.CORRECTED_EX_OFFICIO,
    Reason.CORRECTED_EX_OFFICIO: Reason.MINOR_CORRECTION,
}
"""The reason a municipality may find to be the right one after it has notified another. A move out stays one:
only its day may be a planned one."""


def move_out_cancelled(scene: Scene) -> bool:
    """国内転出 notified, then cancelled: the record is entered again as it stood."""
    person = scene.pick_resident()
    if person is None:
        return False
    record = scene.resident(person)
    scene.erase(person, Reason.MOVED_OUT, scene.today + timedelta(days=int(scene.rng.integers(1, 14))))
    scene.later(1, person, lambda: scene.enter(person, record, Reason.ENTERED_EX_OFFICIO, scene.today))
    return True


def death_cancelled(scene: Scene) -> bool:
    """死亡 notified of the wrong person, then cancelled in both files."""
    person = scene.pick(scene.pools.old, RESIDENT)
    if person is None:
        return False
    record, kept = scene.resident(person), scene.kept(person)

    def restore() -> None:
        scene.enter(person, record, Reason.ENTERED_EX_OFFICIO, scene.today)
        if kept is not None:
            scene.keep(person, kept.sender_code, kept.record)

    scene.erase(person, Reason.DEATH, scene.today)
    scene.drop(person)
    scene.later(1, person, restore)
    return True


def struck_off(scene: Scene) -> bool:
    """職権消除等 of somebody who no longer lives at the address."""
    person = scene.pick_resident()
    if person is None:
        return False
    scene.erase(person, Reason.DELETED_EX_OFFICIO, scene.today)
    return True


def sent_again(scene: Scene) -> bool:
    """A resident notice is made a second time, the same in everything but its number."""
    return _send_again(scene, RESIDENT)


def sent_again_fuhyo(scene: Scene) -> bool:
    """A fuhyo notice is made a second time."""
    return _send_again(scene, FUHYO)


def sent_again_with_other_reason(scene: Scene) -> bool:
    """A resident notice is made a second time because its reason was wrong."""
    for told in _still_newest(scene, RESIDENT):
        reason = _OTHER_REASON.get(Reason(told.notice["reason"]))
        if reason is not None:
            scene.tell_again(told, reason)
            return True
    return False


def _send_again(scene: Scene, file: IdentityFile) -> bool:
    for told in _still_newest(scene, file):
        scene.tell_again(told)
        return True
    return False


def _still_newest(scene: Scene, file: IdentityFile) -> list[Told]:
    """List remembered notices that are the newest of their person with nothing to follow, shuffled."""
    found = [
        told
        for told in scene.told
        if told.channel.file is file
        and scene.newest[file, told.person] is told.notice
        and not scene.is_pending(told.person)
    ]
    return [found[n] for n in scene.rng.permutation(len(found))]
