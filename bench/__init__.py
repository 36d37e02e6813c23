"""Measurements of the product: how fast it is, and whether its tests notice when a rule is broken."""
