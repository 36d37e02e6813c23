"""`juki disclose`: the document a person is given of their own record."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from juki.cli.acting import operated
from juki.cli.disclose_action import disclose as make
from juki.cli.installation import Installation
from juki.cli.output import AsJson, Result, finish
from juki.disclosures import number_of

Id = Annotated[str, typer.Argument(metavar="ID", help="開示の請求の番号（D3 の形、juki disclosure receive）")]
To = Annotated[Path, typer.Option("--to", metavar="DIR", help="書面を置くフォルダ（自分だけが読めるもの）")]


@operated("disclose", "disclosure", "to")
def disclose(disclosure: Id, to: To, as_json: AsJson = False) -> None:
    """本人に開示する書面を作る。両方のファイルの記録と、誰に提供し誰が見たかを載せる（法30条の32第2項）。"""
    installation = Installation.open()
    done = make(installation, number_of(disclosure), to.absolute(), datetime.now(UTC))
    lines = [
        f"{done.pdf.name} と {done.html.name} を作りました。",
        f"記録 {done.versions:,} 件、提供・閲覧の記録 {done.accesses:,} 件",
        "印刷して本人に渡し、ファイルを消してください。",
        f"次にすること: juki disclosure close {done.request} --decision "
        f"{'disclosed' if done.versions else 'not_held'} --reason 窓口で交付",
    ]
    data = {
        "id": str(done.request), "pdf": str(done.pdf), "html": str(done.html), "versions": done.versions,
        "accesses": done.accesses,
    }  # fmt: skip
    finish(Result(data, lines=lines), as_json=as_json)
