"""What a flow run by a command failed with, as the command line says it."""

from __future__ import annotations

from collections.abc import Callable

from juki.errors import JukiError


def failure_of(run: Callable[[], object]) -> JukiError | None:
    """Run a flow to its end; what kept it from it comes back with its code. For use once Prefect may be imported."""
    from tasks.boundary import PipelineError

    try:
        run()
    except PipelineError as error:
        return JukiError(error.code, error.ref)
    return None
