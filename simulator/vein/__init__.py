"""A vein gateway for exercises: made-up palms, protected templates, a second factor, signed operator assertions.

Leaves:     deciding whether an assertion authorises an act to the product; nothing here is imported by it.
Invariants: palms are numbers drawn from a seed. No figure found here says anything of a human palm or a real device.
Source:     assessment M7; docs/formats/operator-assertion.md; ADR-0035.
"""
