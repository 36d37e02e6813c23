"""A process that runs the purge as a real flow with one of its two erasures broken, then the other. Test-only."""

from __future__ import annotations

import sys
from typing import Any
from unittest.mock import patch

from config.settings import home_of, load_settings
from flows.environment import prepare


def main() -> int:
    """Run the flow once for each; a line says by which code it failed."""
    home = home_of()
    prepare(home, load_settings(home))
    from flows.purge import purge
    from juki.custody.expiring import Expiry
    from juki.custody.purging import Purge
    from tasks.boundary import PipelineError

    def broken(_: Any) -> None:
        raise ZeroDivisionError

    for work in (Purge, Expiry):
        with patch.object(work, "run", broken):
            try:
                purge()
            except PipelineError as error:
                sys.stdout.write(f"== {work.__name__} {error.code.value}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
