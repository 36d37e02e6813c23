"""A process that runs the purge as a real flow, with Prefect as talkative as it can be. Test-only."""

from __future__ import annotations

import os
import sys

from config.settings import home_of, load_settings
from flows.environment import prepare


def main() -> int:
    """Run the flow once; the exit code says whether it failed."""
    home = home_of()
    prepare(home, load_settings(home))
    os.environ.update(
        {
            "PREFECT_LOGGING_LEVEL": "DEBUG", "PREFECT_LOGGING_ROOT_LEVEL": "DEBUG",
            "PREFECT_LOGGING_TO_API_ENABLED": "true",
        }
    )  # fmt: skip
    from flows.purge import purge
    from tasks.boundary import PipelineError

    try:
        purge()
    except PipelineError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
