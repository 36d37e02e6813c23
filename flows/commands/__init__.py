"""Commands that run flows in this process, plugged into `juki` from outside (ADR-0001)."""
