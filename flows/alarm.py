"""警報: what the automations of the site run when something about schedules or runs needs somebody.

Decides nothing: the automations say what happened, and the log says whether it was told today.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated
from uuid import UUID

from prefect import flow
from pydantic import Field

from flows.choices import titled
from flows.naming import named_by
from juki.alarms import AlarmKind
from tasks.alarming import post_letters, tell_alarm
from tasks.boundary import WHOLE, sealed
from tasks.checkpointing import logs_signed

AlarmChoice = Enum("AlarmChoice", {kind.name: kind.japanese for kind in AlarmKind}, module=__name__)  # type: ignore[misc]
AlarmChoice.__doc__ = """What happened, in the words of the run form."""

Kind = Annotated[AlarmChoice, Field(json_schema_extra=titled("種類"))]
SeenBy = Annotated[UUID | None, Field(json_schema_extra=titled("警報のもとになった実行"))]


@flow(name="警報", flow_run_name=named_by("kind"), **WHOLE)
@sealed
@logs_signed()
def alarm(kind: Kind, flow_run: SeenBy = None) -> None:
    """操作ログに記録し、通知のフォルダに書き、メールで知らせます。同じ対象の同じ警報は一日に一度だけです。

    Args:
        kind: 何が起きたか。
        flow_run: 警報のもとになった実行（flow run）の番号。なければ空。
    """
    tell_alarm(AlarmKind[kind.name], flow_run)
    post_letters()
