"""A process that checks the quality of a town's stores when it is told to. Test-only.

One process for all tests, since Great Expectations takes seconds to import. Prefect keeps what it is told, so that a
value that came near it would be found in what it stores.
"""

from __future__ import annotations

import os
import sys

from config.settings import home_of, load_settings
from flows.environment import prepare
from juki.columns import IdentityFile

_TALKATIVE = {
    "PREFECT_LOGGING_LEVEL": "INFO",
    "PREFECT_LOGGING_ROOT_LEVEL": "INFO",
    "PREFECT_LOGGING_TO_API_ENABLED": "true",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "true",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_ENABLED": "true",
}


def _check() -> str:
    """Check one file without the engine; say what failed, of how many, and where."""
    from tasks.boundary import PipelineError
    from tasks.quality import check_file

    try:
        report = check_file.fn(IdentityFile.RESIDENT)
    except PipelineError as error:
        return f"{error.code.value} {error.ref}"
    return " ".join(f"{one.check}={one.unexpected}" for one in report.failed) or "-"


def _run() -> str:
    """Run the flow as the command does."""
    from flows.commands.quality import _run as run

    failure = run()
    return f"{failure.code.value} {failure.ref}" if failure else "-"


def main() -> None:
    """Obey each line of standard input."""
    home = home_of()
    prepare(home, load_settings(home))
    os.environ.update(_TALKATIVE)
    for line in sys.stdin:
        said = _check() if line.strip() == "check" else _run()
        print(f"== {said}", flush=True)


if __name__ == "__main__":
    main()
