"""The `juki` command. The outermost room of the core: it may import `config`, and nothing imports it."""

from __future__ import annotations


def main() -> None:
    """Run the command line; see `juki.cli.app.main`."""
    from juki.cli.app import main as run

    run()
