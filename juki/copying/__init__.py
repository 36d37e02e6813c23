"""Copies of what is kept (複製): sealed to one certificate as they come, in parts, never in clear on a disk (M9)."""
