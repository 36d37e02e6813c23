"""`juki request`: enter a request from paper, list what came in and what was refused before it was a request.

Invariants: nothing of the people a request is about is in an argument or an output.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated

import typer

from juki.cli.acting import operated
from juki.cli.installation import Installation, chosen_files, explained, iso, shown_briefly
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.private_input import PrivateDocument
from juki.cli.reasons_shown import code_lines
from juki.cli.request_actions import enter_request, entered_by
from juki.reasons import Code, known_code
from juki.requests import MAX_REQUEST_BYTES
from juki.store.provisions import Provision
from juki.store.roles import Duty
from juki.store.unit import open_unit

app = typer.Typer(
    help="提供先の要求を紙から入力する・一覧する", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False, rich_markup_mode=None,
)  # fmt: skip

_HEADINGS = ("番号", "提供先", "要求", "受付の方法", "人数", "受付", "状態")

Source = Annotated[
    PrivateDocument,
    typer.Argument(
        metavar="FILE|-", parser=lambda source: PrivateDocument(source, MAX_REQUEST_BYTES),
        help="要求の文書（juki-request/1）。自分だけが読めるファイルか標準入力（-）",
    ),
]  # fmt: skip
By = Annotated[
    str,
    typer.Option("--by", metavar="照合ID", help="入力した操作者（操作ログに残る。認証結果があれば要らない）"),
]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="新しいものから何件まで示すか")]


@app.callback()
def _root() -> None:
    """Keep `request` a group of commands."""


@app.command()
@operated("request enter", "source")
def enter(source: Source, by: By = "", as_json: AsJson = False) -> None:
    """紙の要求を、提供先の出す文書と同じ形で入力する。封緘して保管し、平文では残さない。"""
    operator = entered_by(by)
    done = enter_request(Installation.open(), source.content, operator, datetime.now(UTC))
    lines = [f"{done.provision} として受け付けました。", "次にすること: juki provide"]
    if done.code is not None:
        lines = [*code_lines(done.code), f"  {done.provision}"]
    data = {"id": str(done.provision), "reason": explained(done.code) if done.code else None}
    finish(Result(data, lines=lines), as_json=as_json)


@app.command("list")
def list_requests(limit: Limit = 50, as_json: AsJson = False) -> None:
    """受け付けた要求を新しい順に、受け付けなかったファイルをコード別に示す。

    終了コード: 0 受け付けなかったものはない、1 ある。
    """
    installation, found = Installation.open(), list[Provision]()
    for file in chosen_files(None):
        with open_unit(installation.store_url(file), file, Duty.READER) as unit:
            found += unit.provisions.listed(limit)
    found = sorted(found, key=lambda one: (one.received_at, one.provision_id), reverse=True)[:limit]
    refused, now = _refused_files(installation), datetime.now(UTC)
    rows = [_row(one, now) for one in found]
    lines = [f"{len(found)} 件"]
    for (recipient, code), count in sorted(refused.items()):
        lines += code_lines(code, f"{recipient} {count:,} 件 ")
    data = {
        "requests": [_described(one) for one in found],
        "refused": [
            {"recipient": recipient, "count": count, **explained(code)}
            for (recipient, code), count in sorted(refused.items())
        ],
    }
    ended = ExitCode.FOUND if refused else ExitCode.OK
    finish(Result(data, [Table("要求", _HEADINGS, rows)], lines, ended), as_json=as_json)


def _refused_files(installation: Installation) -> Counter[tuple[str, Code]]:
    """Count the files kept in quarantine by recipient and code, which stands in the name of each."""
    counted = Counter[tuple[str, Code]]()
    folder = installation.home.quarantine / "requests"
    for path in folder.glob("*/*.p7m") if folder.exists() else ():
        code = known_code(path.name.split("-")[1])
        counted[path.parent.name, code or Code.RUN_UNEXPECTED] += 1
    return counted


def _described(one: Provision) -> dict[str, object]:
    return {
        "id": str(one.provision_id), "recipient": one.recipient, "request_no": one.request_no,
        "file": one.provision_id.file.value, "method": one.method.value, "entered_by": one.entered_by,
        "lines": one.lines, "received_at": iso(one.received_at), "state": one.state.value,
    }  # fmt: skip


def _row(one: Provision, now: datetime) -> tuple[str, ...]:
    method = "ファイル" if one.entered_by is None else f"入力（{one.entered_by}）"
    return (
        str(one.provision_id), one.recipient, str(one.request_no), method, f"{one.lines:,}",
        shown_briefly(one.received_at, now), one.state.japanese,
    )  # fmt: skip
