"""Rules on where a person lives: municipality and address, in Japan or abroad.

Leaves:     what is in an address to nobody: a municipality knows its own towns better than we do.
Invariants: a resident record is of the sender's own municipality. A fuhyo record may be of any municipality
            in Japan or of a person abroad: that an address lies in the prefecture is never asked.
Source:     法7条7号, 17条3号, 30条の6①, 30条の41①; spec/packages.md section 3.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from juki.rules.characters import characters_of
from juki.rules.identifiers import MUNICIPALITY, has_wrong_digit, is_malformed
from juki.rules.view import Mask, Records


def lacks_municipality(records: Records) -> Mask:
    """Mark records of people in Japan that name no municipality."""
    return records.is_blank("municipality_code") & _is_in_japan(records)


def lacks_address(records: Records) -> Mask:
    """Mark records of people in Japan without an address; spaces are no address."""
    found: Mask = characters_of(records, "address").is_only_spaces & _is_in_japan(records)
    return found


def has_place_abroad(records: Records, column: str) -> Mask:
    """Mark a municipality or an address on the record of a person who has left Japan."""
    return ~records.is_blank(column) & _is_abroad(records)


def is_of_other_municipality(records: Records) -> Mask:
    """Mark resident records that are not of the municipality that sent them (M2)."""
    return _is_well_formed(records) & ~_is_code_in(records, frozenset({records.context.sender_code}))


def is_unknown_municipality(records: Records) -> Mask:
    """Mark well-formed codes that are on no list of municipalities: municipalities merge, hence an alert."""
    return _is_well_formed(records) & ~_is_code_in(records, records.context.known_municipalities)


def _is_well_formed(records: Records) -> Mask:
    """Mark the codes that are present and which no rule on form or check digit has found."""
    column = "municipality_code"
    is_bad = is_malformed(records, column, MUNICIPALITY) | has_wrong_digit(records, column, MUNICIPALITY)
    return ~records.is_blank(column) & ~is_bad


def _is_code_in(records: Records, municipalities: frozenset[str]) -> Mask:
    known = pa.array(sorted(municipalities), pa.string())
    found: Mask = pc.is_in(records.text("municipality_code").array, known).to_numpy(zero_copy_only=False)
    return found


def _is_in_japan(records: Records) -> Mask:
    """Mark the records of people in Japan: all of the resident file."""
    return _is_flag(records, "0") if records.has("is_abroad") else ~records.nowhere()


def _is_abroad(records: Records) -> Mask:
    """Mark the records of people abroad: none of the resident file."""
    return _is_flag(records, "1") if records.has("is_abroad") else records.nowhere()


def _is_flag(records: Records, flag: str) -> Mask:
    found: Mask = pc.equal(records.text("is_abroad").array, flag).to_numpy(zero_copy_only=False)
    return found
