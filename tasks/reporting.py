"""The report a municipality gets of a reconciliation: its content is fixed when it ends, delivered afterwards."""

from __future__ import annotations
