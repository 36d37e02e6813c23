"""What a server needs before it is of use: a pool, our deployments with their schedules, the automations.

Decides:    that `deployments.yaml` of this version is what holds, also over what was switched on the screens and
            over what an older version scheduled.
Leaves:     deployments to Prefect's own command, automations to `flows.serving.automations`.
Invariants: done again, it changes nothing.
Source:     ADR-0034.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from config.schedules import deployments_file, wanted_deployments
from config.settings import Settings
from flows.serving.automations import ensure_automations
from flows.serving.children import POOL, client_environment, start_child
from juki.errors import JukiError, SourceError, StoreError
from juki.home import Home
from juki.reasons import Code
from juki.wire.site_api import SiteApi
from juki.wire.site_schedules import drop_surplus

_ATTEMPTS = 3
WaitFor = Callable[[Callable[[], bool]], None]


def furnish(api: SiteApi, home: Home, settings: Settings, wait_for: WaitFor) -> None:
    """Furnish a server whose worker is starting.

    Raises: ConfigurationError(CONFIG_MISSING, CONFIG_INVALID) for the file; StoreError(SITE_NOT_STARTED) when Prefect
            does not take it; whatever `wait_for` raises.
    """
    wait_for(lambda: has_pool(api))
    if not any(_deploys(home, settings, wait_for) for _ in range(_ATTEMPTS)):
        raise StoreError(Code.SITE_NOT_STARTED, deployments_file().name)
    # Prefect adds and alters schedules, and leaves those that are in the file no more to run for ever.
    wait_for(taken(lambda: drop_surplus(api, wanted_deployments())))
    wait_for(taken(lambda: ensure_automations(api, settings)))


def _deploys(home: Home, settings: Settings, wait_for: WaitFor) -> bool:
    """Let Prefect's own command deploy what the file says; on a busy machine its server may break off."""
    file = deployments_file()
    command = [
        sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)
    ]  # fmt: skip
    environment = client_environment(home, settings.prefect_port)
    child = start_child(command, environment, home.logs / "prefect-deploy.log", file.parent)
    wait_for(lambda: child.poll() is not None)
    return child.returncode == 0


def taken(tell: Callable[[], object]) -> Callable[[], bool]:
    """Tell something that may be told again, until the server takes it: a busy one does not answer at once.

    Raises: what is no matter of patience.
    """

    def is_taken() -> bool:
        try:
            tell()
        except SourceError as error:
            if not error.is_transient:
                raise
            return False
        return True

    return is_taken


def has_pool(api: SiteApi) -> bool:
    """Tell whether the worker has made its pool yet."""
    try:
        return any(one["name"] == POOL for one in api.post("/work_pools/filter"))
    except JukiError:
        return False
