"""警報: what the automations of the site run when something about schedules or runs needs somebody.

Decides nothing: the automations say what happened, and the log says whether it was told today.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated
from uuid import UUID

from prefect import flow
from pydantic import Field

from juki.alarms import AlarmKind
from tasks.alarming import post_letters, tell_alarm
from tasks.boundary import WHOLE, sealed

AlarmChoice = Enum("AlarmChoice", {kind.name: kind.japanese for kind in AlarmKind}, module=__name__)  # type: ignore[misc]
AlarmChoice.__doc__ = """What happened, in the words of the run form."""

Kind = Annotated[AlarmChoice, Field(title="種類", description="何が起きたか")]
SeenBy = Annotated[
    UUID | None, Field(title="実行の番号", description="警報のもとになった実行（flow run）。なければ空")
]


@flow(name="警報", **WHOLE)
@sealed
def alarm(kind: Kind, flow_run: SeenBy = None) -> None:
    """操作ログに記録し、通知のフォルダに書き、メールで知らせます。同じ対象の同じ警報は一日に一度だけです。"""
    tell_alarm(AlarmKind[kind.name], flow_run)
    post_letters()
