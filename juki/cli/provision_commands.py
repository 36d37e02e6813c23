"""`juki provision`: which requests were answered or refused, on which basis, with what result.

Decides:    what is shown of a provision: states, counts, the article and the reason; never whom it was about.
Leaves:     what may be done with a hold (resend, receipt, hand-over) to `juki.cli.hold_commands`.
Invariants: reads the register only, in the role of a reader; the people of a provision are in no output.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from juki.cli.acting import operated
from juki.cli.hold_commands import hang_into
from juki.cli.installation import Installation, OneFile, chosen_files, explained, iso, shown, shown_briefly
from juki.cli.output import AsJson, Result, Table, finish
from juki.cli.reasons_shown import code_lines
from juki.cli.request_actions import desk_of, entered_by
from juki.package_id import PackageId
from juki.provide.registering import run_again
from juki.provisions import ProvisionState
from juki.store.provisions import Provision
from juki.store.roles import Duty
from juki.store.unit import open_unit

app = typer.Typer(
    help="提供・移転を調べる・答え直す・再送する・受領を記録する", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False, rich_markup_mode=None,
)  # fmt: skip

_TITLE = "提供・移転（R 本人確認情報、F 附票本人確認情報）"
_HEADINGS = ("番号", "提供先", "要求", "根拠", "人数", "状態", "受付", "結果")

Id = Annotated[
    str,
    typer.Argument(metavar="ID", help="提供・移転の番号（本人確認情報は R12、附票本人確認情報は F12 の形）"),
]
OneRecipient = Annotated[str, typer.Option("--recipient", metavar="CODE", help="提供先で絞る")]
State = Annotated[
    ProvisionState | None,
    typer.Option(help="状態で絞る: " + "、".join(f"{one.value} {one.japanese}" for one in ProvisionState)),
]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="新しいものから何件まで示すか")]
By = Annotated[
    str,
    typer.Option("--by", metavar="照合ID", help="答え直す操作者（操作ログに残る。認証結果があれば要らない）"),
]


@app.callback()
def _root() -> None:
    """Keep `provision` a group of commands."""


@app.command("list")
def list_provisions(
    recipient: OneRecipient = "",
    file: OneFile = None,
    state: State = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """提供・移転を新しい順に示す（誰についてのものかは示さない）。"""
    installation = Installation.open()
    found = list[Provision]()
    for one in chosen_files(file):
        with open_unit(installation.store_url(one), one, Duty.READER) as unit:
            found += unit.provisions.listed(limit + 1, recipient=recipient, state=state)
    found.sort(key=lambda one: (one.received_at, one.provision_id), reverse=True)
    listed, is_cut, now = found[:limit], len(found) > limit, datetime.now(UTC)
    data = {"provisions": [described(one) for one in listed], "is_cut": is_cut}
    lines = [f"{len(listed)} 件" + ("（続きがあります。--limit で増やせます）" if is_cut else "")]
    finish(
        Result(data, [Table(_TITLE, _HEADINGS, [_row(one, now) for one in listed])], lines), as_json=as_json
    )


@app.command()
def show(provision_id: Id, as_json: AsJson = False) -> None:
    """一つの提供・移転について登録されたことをすべて示す（誰についてのものかは示さない）。"""
    wanted, installation = PackageId.parse(provision_id), Installation.open()
    with open_unit(installation.store_url(wanted.file), wanted.file, Duty.READER) as unit:
        provision = unit.provisions.by_id(wanted.number)
    tables = [Table(f"提供・移転 {wanted}", ("項目", "内容"), _facts(provision))]
    lines = code_lines(provision.code) if provision.code else []
    lines += [f"  条項: {provision.article}"] if provision.code and provision.article else []
    finish(Result(described(provision), tables, lines), as_json=as_json)


@app.command()
@operated("provision rerun", "provision_id")
def rerun(provision_id: Id, by: By = "", as_json: AsJson = False) -> None:
    """前の要求に、今の根拠と記録でもう一度答える（新しい番号・新しい一時保存になる）。"""
    wanted, operator = PackageId.parse(provision_id), entered_by(by)
    new = run_again(desk_of(Installation.open(), operator), wanted, datetime.now(UTC))
    lines = [f"{wanted} の要求を {new} として受け付けました。", "次にすること: juki provide"]
    finish(Result({"id": str(new), "rerun_of": str(wanted)}, lines=lines), as_json=as_json)


def described(one: Provision) -> dict[str, object]:
    """Write a provision for programs."""
    return {
        "id": str(one.provision_id), "file": one.provision_id.file.value, "recipient": one.recipient,
        "request_no": one.request_no, "rerun_of": str(one.rerun_of) if one.rerun_of else None,
        "method": one.method.value, "entered_by": one.entered_by, "basis": one.basis,
        "basis_version": one.basis_version, "article": one.article, "purpose": one.purpose,
        "consent_document": one.consent_document, "fields": list(one.fields), "with_number": one.with_number,
        "lines": one.lines, "state": one.state.value, "state_japanese": one.state.japanese,
        "reason": explained(one.code) if one.code else None, "received_at": iso(one.received_at),
        "decided_at": iso(one.decided_at), "sealed_at": iso(one.sealed_at), "delivered_at": iso(one.delivered_at),
        "counts": {outcome.value: count for outcome, count in one.counts.items()}, "sequence": one.sequence,
        "package_sha256": one.package_sha256.hex() if one.package_sha256 else None,
        "package_bytes": one.package_bytes, "resent": one.resent, "receipt_at": iso(one.receipt_at),
    }  # fmt: skip


hang_into(app)


def _row(one: Provision, now: datetime) -> tuple[str, ...]:
    counts = "・".join(f"{outcome.japanese} {count:,}" for outcome, count in one.counts.items() if count)
    return (
        str(one.provision_id), one.recipient, str(one.request_no), one.basis, f"{one.lines:,}", one.state.japanese,
        shown_briefly(one.received_at, now), one.code.value if one.code else counts,
    )  # fmt: skip


def _facts(one: Provision) -> list[tuple[str, str]]:
    numbers = "あり" if one.with_number else "なし"
    return [
        ("提供先", one.recipient),
        ("要求の番号", str(one.request_no) + (f"（{one.rerun_of} の答え直し）" if one.rerun_of else "")),
        ("受付の方法", "ファイル" if one.entered_by is None else f"入力（{one.entered_by}）"),
        ("根拠", f"{one.basis} {one.basis_version or ''}".strip()),
        ("条項", one.article or "-"),
        ("目的", one.purpose),
        ("同意の文書", one.consent_document or "-"),
        ("項目", "、".join(one.fields) or "-"),
        ("個人番号", numbers),
        ("人数", f"{one.lines:,} 人"),
        ("状態", one.state.japanese),
        ("受付", shown(one.received_at)),
        ("決定", shown(one.decided_at)),
        ("封緘", shown(one.sealed_at)),
        ("送付", shown(one.delivered_at)),
        ("受領", shown(one.receipt_at)),
        ("連番", str(one.sequence or "-")),
        ("再送", f"{one.resent} 回"),
        *((outcome.japanese, f"{count:,} 人") for outcome, count in one.counts.items()),
    ]
