"""The settings as people see them: the template of juki.toml and the list of `juki config show`.

Invariants: a secret is shown by where it leads, without user, password or options.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from config.reading import read_toml
from config.settings import PREFIX, Period, Settings
from juki.home import Home

_HEADER = """\
# 住基連携の設定。同じ名前の環境変数（JUKI_ を付けた大文字）があれば、そちらが優先します。
# 知らない項目があると誤りになります。秘密は *_file の項目でファイル（0600）に置けます。
"""


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """One setting on a screen: name, value with secrets masked, where it came from, what it means."""

    key: str
    value: str
    origin: str
    meaning: str


def shown_settings(
    settings: Settings, home: Home, environ: Mapping[str, str] = os.environ
) -> list[ShownSetting]:
    """List all settings with secrets masked; `origin` is `env`, `file`, `default` or `missing`."""
    in_file = read_toml(home.settings_file)
    shown = []
    for key, field in Settings.model_fields.items():
        value = getattr(settings, key)
        origin = "env" if PREFIX + key.upper() in environ else "file" if key in in_file else "default"
        if value is None and key in set(Period):
            origin = "missing"
        shown.append(ShownSetting(key, _masked(value), origin, field.description or ""))
    return shown


def template(decided: Mapping[Period, int] | None = None) -> str:
    """Write a juki.toml in which everything is explained and nothing is set but what was decided."""
    decisions = {period.value: hours for period, hours in (decided or {}).items()}
    parts = [_HEADER]
    for key, field in Settings.model_fields.items():
        value = decisions.get(key)
        line = f"# {key} = {_example(key, field.default)}" if value is None else f"{key} = {value}"
        parts.append(f"# {field.description}\n{line}\n")
    return "\n".join(parts)


def _example(key: str, default: object) -> str:
    """Show how a value is written; a period that must be decided is left blank on purpose."""
    if default is None:
        text = '"…"' if key.endswith(("_url", "_file", "_folders")) or key.startswith("smtp_") else "…"
        return f"[{text}]" if key.endswith(("_folders", "_to")) else text
    return json.dumps(default, ensure_ascii=False)


def _masked(value: object) -> str:
    if isinstance(value, SecretStr):
        parts = urlsplit(value.get_secret_value())
        place = parts.netloc.rsplit("@", 1)[-1]
        return f"{parts.scheme}://***@{place}{parts.path}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
