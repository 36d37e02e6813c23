"""`python -m juki`: the `juki` command where its script is not on the path."""

from juki.cli import main

main()
