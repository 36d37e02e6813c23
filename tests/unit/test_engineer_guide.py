"""The guide for engineers names no file, target or command that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_TEXT = (_ROOT / "docs" / "engineer.md").read_text("utf-8")
_NAMED = sorted(set(re.findall(r"`([a-z_-]+(?:/[A-Za-z0-9_.-]+)+|[a-z]+\.(?:yaml|toml))`", _TEXT)))
_LINKS = sorted(set(re.findall(r"\]\(([^)#]+)\)", _TEXT)))
_TARGETS = sorted(set(re.findall(r"make ([a-z-]+)", _TEXT)))
_MODULES = sorted(set(re.findall(r"python -m ([a-z_.]+)", _TEXT)) - {"pytest"})


@pytest.mark.parametrize("path", _NAMED)
def test_every_path_of_the_guide_is_there(path: str) -> None:
    """A moved module turns this red, not the guide wrong."""
    assert (_ROOT / path).exists()


@pytest.mark.parametrize("target", _LINKS)
def test_every_link_of_the_guide_leads_somewhere(target: str) -> None:
    """From where the page is."""
    assert (_ROOT / "docs" / target).exists()


@pytest.mark.parametrize("target", _TARGETS)
def test_every_target_of_the_guide_is_one_of_make(target: str) -> None:
    """What is to be typed can be typed."""
    assert re.search(rf"^{target}:", (_ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("module", _MODULES)
def test_every_module_of_the_guide_can_be_run(module: str) -> None:
    """As a file, or as a package with a main."""
    path = _ROOT / module.replace(".", "/")
    assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def test_the_guide_is_about_many_paths() -> None:
    """That the tests above look at something."""
    assert len(_NAMED) > 50 and len(_LINKS) > 5 and len(_MODULES) > 3
