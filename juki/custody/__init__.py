"""What becomes of a sealed provision: kept, handed over, handed over again, acknowledged, erased.

The steps stand here without any engine, so that a flow and a command do the very same.
"""
