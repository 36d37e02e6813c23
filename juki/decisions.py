"""The logical checks (論理チェック, M3): what a notice may do, given the state its person is in.

Decides:    for every event (kind and reason) × state of the person: does the notice become the newest version
            (`apply`), is it kept in history only (`record`), or is it refused (`reject`), and with which code.
Leaves:     finding the state and carrying out the effect to `juki.identity`; value rules to `juki.rules`.
Invariants: every cell is decided; an `error` code goes with `reject` and an `alert` code never does.
Source:     施行令30条の5, 30条の12の3, 施行規則11条; ADR-0011 argues the cells.

How the cells were decided, in five sentences. The newest notice of the municipality that keeps a person is
believed. A move inside the prefecture may arrive in either order, so an entry retires what stands elsewhere, and
a deletion or correction that comes after it is kept as history without touching the newer record. An erased
person is never revived by a correction, unless only another municipality erased it, before the correction was
made. A code that was replaced is never used again. What is possible but unusual passes with an alert, what
contradicts the register is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

from juki.columns import IdentityFile
from juki.notices import REASONS_OF_KIND, Kind, Reason
from juki.reasons import Code


class State(IntEnum):
    """The state of the person a notice is about, seen from the municipality that sent it."""

    UNKNOWN = 0
    """No version of this person was ever kept."""
    HERE = 1
    """Stands at the sender."""
    HERE_AS_OTHER = 2
    """Stands at the sender, but as the other kind of resident (Japanese or foreign)."""
    ELSEWHERE = 3
    """Stands at another municipality."""
    ERASED = 4
    """The newest version is a deletion by the sender."""
    ERASED_ELSEWHERE = 5
    """The newest version is a deletion by another municipality."""
    DISPUTED = 6
    """Erased elsewhere, not on death, and the sender, who never erased the person, notifies after that."""
    REPLACED = 7
    """The code was replaced by another one."""

    @property
    def japanese(self) -> str:
        """The state in the words of reports."""
        return (
            "保存なし", "送り元で記載中", "送り元で記載中（日本人・外国人の別が異なる）", "他の市町村で記載中",
            "送り元が消除済み", "他の市町村が消除済み", "他の市町村の消除後も送り元で記載中", "住民票コード変更済み",
        )[self]  # fmt: skip


class Effect(IntEnum):
    """What a notice does to the file."""

    REJECT = 0
    APPLY = 1
    RECORD = 2
    REPEAT = 3
    """The same notice as the newest version: answered, nothing changes. Never stands in a table."""


class FuhyoEvent(StrEnum):
    """What a fuhyo notice says happened; it has no reason (施行令30条の12の3)."""

    ENTRY = "記載"
    DELETION = "消除"
    CORRECTION = "記載の修正"
    CODE_CORRECTION = "住民票コードの記載の修正"


Event = Reason | FuhyoEvent


@dataclass(frozen=True, slots=True)
class Cell:
    """One decision: the effect and the code it is told with, if any."""

    effect: Effect
    code: Code | None


_CODES: dict[str, Code] = {
    "standing": Code.LOGIC_ALREADY_STANDING,
    "elsewhere": Code.LOGIC_STANDING_ELSEWHERE,
    "born-elsewhere": Code.LOGIC_BORN_ELSEWHERE,
    "born-before": Code.LOGIC_BORN_BEFORE,
    "not-standing": Code.LOGIC_NOT_STANDING,
    "erased": Code.LOGIC_ALREADY_ERASED,
    "late": Code.LOGIC_ARRIVED_LATE,
    "disputed": Code.LOGIC_ERASURE_DISPUTED,
    "unknown": Code.LOGIC_UNKNOWN_PERSON,
    "replaced": Code.LOGIC_CODE_REPLACED,
    "other-kind": Code.LOGIC_NATIONALITY_KIND_DIFFERS,
    "same-kind": Code.LOGIC_NATIONALITY_KIND_SAME,
    "no-pair": Code.LOGIC_PAIR_MISSING,
}
_EFFECTS = {"apply": Effect.APPLY, "record": Effect.RECORD, "reject": Effect.REJECT}

RESIDENT_TABLE = """
event                    | unknown       | here            | here as other    | elsewhere             | erased              | erased elsewhere  | disputed          | replaced
国内転入                 | apply         | apply standing  | apply other-kind | apply                 | apply               | apply             | apply             | reject replaced
国外転入等               | apply         | apply standing  | apply other-kind | apply elsewhere       | apply               | apply             | apply             | reject replaced
出生                     | apply         | apply standing  | apply other-kind | reject born-elsewhere | apply born-before   | apply born-before | apply born-before | reject replaced
職権記載等（帰化等）     | apply no-pair | apply same-kind | apply            | apply elsewhere       | apply               | apply no-pair     | apply no-pair     | reject replaced
職権記載等（国籍喪失）   | apply no-pair | apply same-kind | apply            | apply elsewhere       | apply               | apply no-pair     | apply no-pair     | reject replaced
職権記載等               | apply         | apply standing  | apply other-kind | apply elsewhere       | apply               | apply             | apply             | reject replaced
国内転出                 | apply unknown | apply           | apply other-kind | record                | apply erased        | record late       | record late       | reject replaced
国外転出                 | apply unknown | apply           | apply other-kind | record elsewhere      | apply erased        | record late       | record late       | reject replaced
死亡                     | apply unknown | apply           | apply other-kind | record elsewhere      | apply erased        | record late       | apply erased      | reject replaced
職権消除等（帰化等）     | apply unknown | apply           | record           | record elsewhere      | apply erased        | record late       | record late       | reject replaced
職権消除等（国籍喪失）   | apply unknown | apply           | record           | record elsewhere      | apply erased        | record late       | record late       | reject replaced
職権消除等               | apply unknown | apply           | apply other-kind | record elsewhere      | apply erased        | record late       | record late       | reject replaced
転居                     | apply unknown | apply           | apply other-kind | record elsewhere      | reject not-standing | record late       | apply disputed    | reject replaced
軽微な修正               | apply unknown | apply           | apply other-kind | record elsewhere      | reject not-standing | record late       | apply disputed    | reject replaced
職権修正等               | apply unknown | apply           | apply other-kind | record elsewhere      | reject not-standing | record late       | apply disputed    | reject replaced
個人番号の変更請求       | apply unknown | apply           | apply other-kind | record elsewhere      | reject not-standing | record late       | apply disputed    | reject replaced
個人番号の職権修正       | apply unknown | apply           | apply other-kind | record elsewhere      | reject not-standing | record late       | apply disputed    | reject replaced
個人番号の職権記載等     | apply unknown | apply           | apply other-kind | record elsewhere      | reject not-standing | record late       | apply disputed    | reject replaced
住民票コードの変更請求   | apply unknown | apply           | apply other-kind | record elsewhere      | reject not-standing | record late       | apply disputed    | reject replaced
住民票コードの職権記載等 | apply unknown | apply           | apply other-kind | record elsewhere      | reject not-standing | record late       | apply disputed    | reject replaced
"""
"""The resident file: 20 reasons × 8 states. A code correction is judged by the state of the previous code."""

FUHYO_TABLE = """
event                    | unknown       | here           | elsewhere        | erased              | erased elsewhere | disputed          | replaced
記載                     | apply         | apply standing | apply            | apply               | apply            | apply             | reject replaced
消除                     | apply unknown | apply          | record           | apply erased        | record late      | record late       | reject replaced
記載の修正               | apply unknown | apply          | record elsewhere | reject not-standing | record late      | apply disputed    | reject replaced
住民票コードの記載の修正 | apply unknown | apply          | record elsewhere | reject not-standing | record late      | apply disputed    | reject replaced
"""
"""The fuhyo file: its people may live anywhere, so `here` means kept by the sender (附票管理市町村)."""


def _cell(text: str) -> Cell:
    effect, _, word = text.strip().partition(" ")
    return Cell(_EFFECTS[effect], _CODES[word] if word else None)


def _read_table(text: str, events: tuple[Event, ...]) -> dict[tuple[Event, State], Cell]:
    header, *rows = [line.split("|") for line in text.strip().splitlines()]
    states = [State[name.strip().replace(" ", "_").upper()] for name in header[1:]]
    by_name = {event.value: event for event in events}
    return {
        (by_name[row[0].strip()], state): _cell(cell)
        for row in rows
        for state, cell in zip(states, row[1:], strict=True)
    }


EVENTS: dict[IdentityFile, tuple[Event, ...]] = {
    IdentityFile.RESIDENT: tuple(Reason),
    IdentityFile.FUHYO: tuple(FuhyoEvent),
}
"""The events of each file in the order of their numbers."""

DECISIONS: dict[IdentityFile, dict[tuple[Event, State], Cell]] = {
    IdentityFile.RESIDENT: _read_table(RESIDENT_TABLE, EVENTS[IdentityFile.RESIDENT]),
    IdentityFile.FUHYO: _read_table(FUHYO_TABLE, EVENTS[IdentityFile.FUHYO]),
}
"""Every cell of both tables. The fuhyo file has no nationality, so `HERE_AS_OTHER` does not occur in it."""

CODE_ORDER: tuple[Code, ...] = tuple(_CODES.values())
NO_CODE = -1


@dataclass(frozen=True, slots=True)
class Lookup:
    """The table as two matrices, indexed by the number of the event and the state.

    Shape: effects and codes (events, 8) int8; a code is a position in `CODE_ORDER` or `NO_CODE`.
    """

    effects: NDArray[np.int8]
    codes: NDArray[np.int8]


def lookup_of(file: IdentityFile) -> Lookup:
    """Lay a decision table out for whole columns of notices at once."""
    events, cells = EVENTS[file], DECISIONS[file]
    effects = np.full((len(events), len(State)), Effect.REJECT, dtype=np.int8)
    codes = np.full((len(events), len(State)), NO_CODE, dtype=np.int8)
    for (event, state), cell in cells.items():
        effects[events.index(event), state] = cell.effect
        if cell.code is not None:
            codes[events.index(event), state] = CODE_ORDER.index(cell.code)
    return Lookup(effects, codes)


def kind_of(event: Event) -> Kind:
    """Tell which of the three kinds an event is."""
    if isinstance(event, FuhyoEvent):
        return {FuhyoEvent.ENTRY: Kind.ENTRY, FuhyoEvent.DELETION: Kind.DELETION}.get(event, Kind.CORRECTION)
    return next(kind for kind, reasons in REASONS_OF_KIND.items() if event in reasons)
