"""From a request to a sealed answer, as far as runs and the command line do the same: it combines store and wire."""
