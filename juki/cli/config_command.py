"""`juki config`: what is set, where that came from, and what nobody has decided yet."""

from __future__ import annotations

import typer

from juki.cli.output import AsJson, Result, Table, finish

app = typer.Typer(
    help="設定を表示する",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_ORIGINS = {"env": "環境変数", "file": "juki.toml", "default": "既定", "missing": "未定"}


@app.callback()
def _root() -> None:
    """Keep `config` a group of commands."""


@app.command()
def show(as_json: AsJson = False) -> None:
    """すべての設定を、秘密を伏せて表示する。"""
    from config.presentation import shown_settings
    from config.settings import home_of, load_settings

    home = home_of()
    settings = shown_settings(load_settings(home), home)
    rows = [(one.key, one.value, _ORIGINS[one.origin], one.meaning) for one in settings]
    data = {one.key: {"value": one.value, "origin": one.origin} for one in settings}
    finish(
        Result(
            {"home": str(home.root), "settings": data},
            [Table("設定", ("項目", "値", "出所", "意味"), rows)],
            [f"JUKI_HOME: {home.root}"],
        ),
        as_json=as_json,
    )
