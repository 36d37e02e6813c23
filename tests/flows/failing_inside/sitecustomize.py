"""Lets the runs of a worker fail inside, as careless code does, while a file says where. Test-only.

Python reads this at its start where the folder is on PYTHONPATH: the processes of a site started so are spoilt from
outside, without a switch in the product.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

WHERE = "FAILING_INSIDE"
"""Names the file that says where: `run` or `reconcile`; without it nothing fails."""
_SPOILT = {"run": "tasks.applying", "reconcile": "tasks.reconciling"}
_kept: list[Any] = []


class _Spoiling(MetaPathFinder):
    """Spoils one module right after it was loaded."""

    def __init__(self, where: str) -> None:
        self.where, self.name = where, _SPOILT[where]

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        assert spec is not None and spec.loader is not None
        load = spec.loader.exec_module

        def load_and_spoil(module: ModuleType) -> None:
            load(module)
            self.spoil()

        spec.loader.exec_module = load_and_spoil  # type: ignore[method-assign]
        return spec

    def spoil(self) -> None:
        """Let it fail until the process ends."""
        from tests.flows import canary_run

        failing = {"run": canary_run._failing_inside, "reconcile": canary_run._failing_comparison}
        _kept.append(failing[self.where]())
        _kept[-1].__enter__()


_file = Path(os.environ.get(WHERE, ""))
if _file.is_file() and (_where := _file.read_text("ascii").strip()):
    sys.meta_path.insert(0, _Spoiling(_where))
