"""Something done again and again beside what is going on, as an office looks into its inbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread


@contextmanager
def repeating(step: Callable[[], object], pause_seconds: float) -> Iterator[None]:
    """Repeat a step in a thread, with pauses, while the block runs."""
    ended = Event()

    def run() -> None:
        while not ended.wait(pause_seconds):
            step()

    thread = Thread(target=run, name="repeating", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
