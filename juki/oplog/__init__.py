"""The operation log as a whole: its stored entries, its keys and its witnesses together."""
