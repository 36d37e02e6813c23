"""The catalogue of events: what can happen, how often, and in which months more often.

Decides:    yearly rates per 1,000 residents and the seasons.
Leaves:     what an event does to its module.
Invariants: every event has a name, which is its key in counts and reports; functions return False, and nothing
            has happened, when nobody fits.
Source:     rates after the vital statistics and migration reports of the prefecture (domain.md section 7: 7.8 k
            births, 20.8 k deaths a year); the rare ones are guesses of the right order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from simulator import corrections, families, moves, reversals
from simulator.scene import Scene

_SATURDAY = 5
_WEEKDAY_FACTOR, _WEEKEND_FACTOR = 1.36, 0.1
_MOVING_SEASON = {3: 2.6, 4: 2.1, 1: 0.7, 2: 0.8}
_REST_OF_THE_YEAR = 0.73


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to people: yearly rate per 1,000 residents; `is_move` follows the moving season."""

    name: str
    act: Callable[[Scene], bool]
    per_thousand: float
    is_move: bool = False

    def expected(self, residents: int, day: date) -> float:
        """Say how many of these a day brings on average."""
        season = _MOVING_SEASON.get(day.month, _REST_OF_THE_YEAR) if self.is_move else 1.0
        office = _WEEKEND_FACTOR if day.weekday() >= _SATURDAY else _WEEKDAY_FACTOR
        return residents * self.per_thousand / 1000 / 365 * season * office


EVENTS: tuple[Event, ...] = (
    Event("birth", families.born, 5.9),
    Event("birth on an unknown day", families.born_on_unknown_day, 0.001),
    Event("death", families.died, 15.6),
    Event("death on an unknown day", families.died_on_unknown_day, 0.08),
    Event("death elsewhere", families.died_elsewhere, 1.2),
    Event("marriage", families.married, 3.6),
    Event("転籍", families.transferred, 2.0),
    Event("転籍, old keeper late", families.transferred_deleted_late, 0.5),
    Event("転籍 to another prefecture", families.transferred_out, 3.0),
    Event("転籍 from another prefecture", families.transferred_in, 2.4),
    Event("帰化", families.naturalised, 0.07),
    Event("国籍喪失", families.lost_nationality, 0.02),
    Event("move within", moves.moved_within, 24.0, is_move=True),
    Event("move between", moves.moved_between, 4.0, is_move=True),
    Event("move between, days apart", moves.moved_between_days_apart, 7.0, is_move=True),
    Event("move between, deletion late", moves.moved_between_deleted_late, 1.0, is_move=True),
    Event("move out", moves.moved_out, 20.5, is_move=True),
    Event("move in", moves.moved_in, 13.0, is_move=True),
    Event("move in from elsewhere", moves.moved_in_from_elsewhere, 5.0, is_move=True),
    Event("move back", moves.moved_back, 0.5, is_move=True),
    Event("move elsewhere", moves.moved_elsewhere, 9.0, is_move=True),
    Event("move abroad", moves.moved_abroad, 0.5, is_move=True),
    Event("return from abroad", moves.returned_from_abroad, 0.4, is_move=True),
    Event("foreigner came", moves.foreigner_came, 3.2, is_move=True),
    Event("foreigner left", moves.foreigner_left, 1.6, is_move=True),
    Event("軽微な修正 of an address", corrections.address_renumbered, 5.0),
    Event("軽微な修正 of a character", corrections.character_identified, 0.2),
    Event("reading corrected", corrections.reading_corrected, 1.2),
    Event("given name changed", corrections.given_name_changed, 0.06),
    Event("birth date found", corrections.birth_date_found, 0.03),
    Event("sex recorded", corrections.sex_recorded, 0.02),
    Event("旧氏 recorded", corrections.former_name_recorded, 0.4),
    Event("通称 recorded", corrections.alias_recorded, 0.1),
    Event("number changed on request", corrections.number_changed_on_request, 0.05),
    Event("number corrected", corrections.number_corrected, 0.02),
    Event("number entered", corrections.number_entered, 0.04),
    Event("code changed", corrections.code_changed, 0.12),
    Event("code entered", corrections.code_entered, 0.02),
    Event("move out cancelled", reversals.move_out_cancelled, 0.25, is_move=True),
    Event("death cancelled", reversals.death_cancelled, 0.01),
    Event("struck off", reversals.struck_off, 0.5),
    Event("notice sent again", reversals.sent_again, 0.3),
    Event("fuhyo notice sent again", reversals.sent_again_fuhyo, 0.2),
    Event("notice sent again with another reason", reversals.sent_again_with_other_reason, 0.15),
)
