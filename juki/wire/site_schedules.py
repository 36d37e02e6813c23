"""The deployments and schedules that the server of the site has.

Leaves:     what there should be to `config.schedules`, comparing to `juki.schedules`.
Invariants: nothing is changed by reading; what is dropped is what the caller names.
Source:     ADR-0034.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from juki.errors import SourceError
from juki.reasons import Code
from juki.schedules import Deployed, Schedule
from juki.wire.site_api import SiteApi

_FILTER = "/deployments/filter"
_MOST = 200


def deployments_there(api: SiteApi) -> list[Deployed]:
    """Read what the server has.

    Raises: SourceError(SITE_SILENT) when it does not answer, or not as hoped.
    """
    found = api.post(_FILTER, {"limit": _MOST})
    try:
        return [_deployed(one) for one in found]
    except (KeyError, TypeError, AttributeError):
        pass
    raise SourceError(Code.SITE_SILENT, _FILTER, is_transient=True)


def drop_surplus(api: SiteApi, wanted: Iterable[Deployed]) -> int:
    """Remove the deployments and schedules nobody wants any more, which Prefect leaves to run; return how many.

    Raises: SourceError(SITE_SILENT); the key of the site is needed.
    """
    slugs = {one.name: frozenset(one.schedules) for one in wanted}
    surplus = list[str]()
    for one in api.post(_FILTER, {"limit": _MOST}):
        place = f"/deployments/{one['id']}"
        if one["name"] not in slugs:
            surplus.append(place)
        else:
            kept = slugs[one["name"]]
            others = [each["id"] for each in one["schedules"] if each["slug"] not in kept]
            surplus += [f"{place}/schedules/{number}" for number in others]
    for place in surplus:
        api.delete(place)
    return len(surplus)


def _deployed(said: dict[str, Any]) -> Deployed:
    schedules = {str(one["slug"] or one["id"]): _schedule(one) for one in said["schedules"]}
    return Deployed(said["name"], schedules, said["paused"], said["entrypoint"])


def _schedule(said: dict[str, Any]) -> Schedule:
    """Read one; an interval, which we never make, has no cron and differs from everything wanted."""
    when = said["schedule"]
    return Schedule(
        when.get("cron", ""), when.get("timezone") or "", said["active"], said["parameters"] or {}
    )
