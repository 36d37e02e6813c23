"""What should be scheduled, as `deployments.yaml` of this version says it.

Decides:    where the file lies: beside the packages in a checkout, within `flows` where they are installed.
Leaves:     giving it to a server to `flows.serving.furnishing`, holding one to it to `juki.schedules`.
Invariants: a file that can not be read is named; that its keys are known is the business of its test.
Source:     ADR-0034.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from juki.errors import ConfigurationError
from juki.reasons import Code
from juki.schedules import Deployed, Schedule

_FILE = "deployments.yaml"


def deployments_file() -> Path:
    """Find the schedules.

    Raises: ConfigurationError(CONFIG_MISSING).
    """
    beside = Path(__file__).parent.parent
    for folder in (beside, beside / "flows"):
        if (folder / _FILE).is_file():
            return folder / _FILE
    raise ConfigurationError(Code.CONFIG_MISSING, _FILE)


def wanted_deployments(file: Path | None = None) -> list[Deployed]:
    """Read what should be deployed, by the file of this version.

    Raises: ConfigurationError(CONFIG_MISSING, CONFIG_INVALID).
    """
    path = file or deployments_file()
    try:
        return [_deployed(one) for one in yaml.safe_load(path.read_text("utf-8"))["deployments"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError):
        pass
    raise ConfigurationError(Code.CONFIG_INVALID, path.name)


def _deployed(said: dict[str, Any]) -> Deployed:
    schedules = {
        one["slug"]: Schedule(one["cron"], one["timezone"], one["active"], one.get("parameters", {}))
        for one in said["schedules"]
    }
    return Deployed(said["name"], schedules, entrypoint=said["entrypoint"])
