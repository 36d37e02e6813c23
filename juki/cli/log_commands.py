"""`juki log`: verify, sign, search and copy the operation log, and change the key it is signed with.

Decides:    what is asked for and what is printed.
Leaves:     verifying, signing and copying to `juki.oplog`; who acts to `juki.cli.log_actions`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from config.logs import log_keys, log_place
from juki.cli.acting import operated
from juki.cli.installation import Installation, OneFile, OneMunicipality, checked_municipality, chosen_files
from juki.cli.log_actions import about, export, rotate_key, search, subject_code
from juki.cli.log_shown import found_result, proved_result, signed_result, verified_result
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.person_document import PersonDocument
from juki.columns import IdentityFile
from juki.dates import JAPAN
from juki.errors import ConfigurationError
from juki.journal import Action, Outcome
from juki.oplog.signing import sign_log
from juki.oplog.verifying import prove_entry, verify_all, verify_news
from juki.reasons import Code
from juki.store.journal_reading import Sought
from juki.store.roles import Duty
from juki.store.unit import open_unit
from juki.subjects import is_subject_index

app = typer.Typer(
    help="操作ログを検証する・署名する・調べる・書き出す",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

SinceCheckpoint = Annotated[
    bool, typer.Option("--since-checkpoint", help="最後のチェックポイントより後だけを検証する")
]
OneEntry = Annotated[
    int | None,
    typer.Option("--entry", min=1, metavar="N", help="一件が含まれることを証明する（--file が要る）"),
]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="書き出すフォルダ（新しいもの）")]
Actor = Annotated[str, typer.Option("--actor", help="操作者の照合ID、または flow-run:… などの行為者で絞る")]
SubjectIndex = Annotated[
    str, typer.Option("--subject-index", metavar="INDEX", help="対象者の索引（記録にある32桁の16進数）で絞る")
]
Subject = Annotated[
    PersonDocument | None,
    typer.Option(
        "--subject", metavar="FILE|-", parser=PersonDocument,
        help="対象者で絞る（juki-person/1、住民票コードだけ）。自分だけが読めるファイルか標準入力（-）",
    ),
]  # fmt: skip
WantedAction = Annotated[Action | None, typer.Option("--action", help="操作で絞る")]
Since = Annotated[str, typer.Option("--since", metavar="WHEN", help="この日（2026-11-23）または日時から")]
Until = Annotated[str, typer.Option("--until", metavar="WHEN", help="この日の終わり、または日時の前まで")]
WantedOutcome = Annotated[Outcome | None, typer.Option("--outcome", help="done 実施 / refused 拒否 で絞る")]
Numbers = Annotated[
    bool | None, typer.Option("--number/--no-number", help="個人番号を取り扱ったもの／取り扱わなかったもの")
]
Limit = Annotated[int, typer.Option(min=1, max=1_000_000, help="新しい記録から何件まで示すか")]


@app.callback()
def _root() -> None:
    """Keep `log` a group of commands."""


@app.command()
def verify(
    since_checkpoint: SinceCheckpoint = False, entry: OneEntry = None, file: OneFile = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """操作ログを、保存したハッシュと、保管先のすべてのチェックポイントに照らして検証する。

    終了コード: 0 すべて一致、1 異常がある（番号を示す）、2 検証できない。
    """
    installation = Installation.open()
    if entry is not None:
        finish(_proof(installation, file, entry), as_json=as_json)
    found = {}
    for one in chosen_files(file):
        place = log_place(installation.home, installation.settings, one)
        with open_unit(installation.store_url(one), one, Duty.AUDITOR) as unit:
            found[one] = verify_news(unit, place) if since_checkpoint else verify_all(unit, place)
    finish(verified_result(found), as_json=as_json)


@app.command()
def checkpoint(as_json: AsJson = False) -> None:
    """操作ログに新しい記録があれば、チェックポイントに署名して保管先に写す。

    終了コード: 0 署名した、または新しい記録がない、1 異常がある、2 誤り。
    """
    installation, at = Installation.open(), datetime.now(UTC)
    key = log_keys(installation.home, installation.settings).signing_key
    found = {
        file: sign_log(
            installation.store_url(file), log_place(installation.home, installation.settings, file), key, at
        )
        for file in IdentityFile
    }
    finish(signed_result(found), as_json=as_json)


@app.command("search")
@operated(
    "log search", "--actor", "--subject-index", "--subject", "--action", "--since", "--until", "--outcome",
    "--number", "--municipality", "--file",
)  # fmt: skip
def search_log(
    actor: Actor = "",
    subject_index: SubjectIndex = "",
    subject: Subject = None,
    action: WantedAction = None,
    since: Since = "",
    until: Until = "",
    outcome: WantedOutcome = None,
    number: Numbers = None,
    municipality: OneMunicipality = "",
    file: OneFile = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """操作ログを、新しい記録から示す。調べたこと自体も操作ログに残る。

    終了コード: 0 調べた、2 誤り。
    """
    if subject_index and not is_subject_index(subject_index):
        raise ConfigurationError(Code.COMMAND_ARGUMENT, "--subject-index")
    sought = Sought(
        actor, subject_index, action, _instant(since, "--since", is_end=False),
        _instant(until, "--until", is_end=True), outcome, number, checked_municipality(municipality),
    )  # fmt: skip
    installation = Installation.open()
    at = datetime.now(UTC)
    code = subject_code(subject.query) if subject else ""
    found = {
        one: search(installation, one, about(installation, one, sought, code), limit, at)
        for one in chosen_files(file)
    }
    finish(found_result(installation, found, limit), as_json=as_json)


@app.command("export")
@operated("log export", "folder", "--file")
def export_logs(folder: Folder, file: OneFile = None, as_json: AsJson = False) -> None:
    """操作ログを、証明・チェックポイント・公開鍵とともに書き出す（docs/formats/log-export.md）。

    終了コード: 0 書き出した、1 書き出したが、署名に異常がある、2 誤り。
    """
    installation, at = Installation.open(), datetime.now(UTC)
    done = {one: export(installation, one, folder.absolute(), at) for one in chosen_files(file)}
    rows = [
        (one.japanese, f"{exported.entries:,}", f"{exported.checkpoints:,}", exported.folder.name)
        for one, (exported, _) in done.items()
    ]
    data = {
        "logs": [
            {"file": one.value, "entries": exported.entries, "checkpoints": exported.checkpoints}
            for one, (exported, _) in done.items()
        ]
    }
    table = Table("書き出した操作ログ", ("操作ログ", "件数", "チェックポイント", "フォルダ"), rows)
    signed = signed_result({one: signing for one, (_, signing) in done.items()})
    checked = "検証: python juki_verify.py フォルダ（verifier/juki_verify.py。ほかの部品は要らない）"
    lines = [*(signed.lines if signed.exit_code else ()), checked]
    finish(Result(data, [table], lines, signed.exit_code), as_json=as_json)


@app.command("rotate-key")
@operated("log rotate-key", is_begun=True)
def rotate(as_json: AsJson = False) -> None:
    """チェックポイントに署名する鍵を新しくする。古い署名は、古い公開鍵で検証できる。"""
    installation = Installation.open()
    generation = rotate_key(installation, datetime.now(UTC))
    lines = [
        f"署名の鍵を新しくしました（第{generation}世代）。",
        f"keys/log_signing-{generation}.vkey を監査者に渡してください。",
    ]
    finish(Result({"generation": generation}, [], lines), as_json=as_json)


@app.command("keys")
def show_keys(as_json: AsJson = False) -> None:
    """チェックポイントを検証する公開鍵を示す。監査者に渡してよい。"""
    installation = Installation.open()
    keys = [key.to_text() for key in log_keys(installation.home, installation.settings).verifiers()]
    finish(Result({"keys": keys}, [], keys, ExitCode.OK), as_json=as_json)


def _proof(installation: Installation, file: IdentityFile | None, entry: int) -> Result:
    if file is None:
        raise ConfigurationError(Code.COMMAND_ARGUMENT, "--file")
    place = log_place(installation.home, installation.settings, file)
    with open_unit(installation.store_url(file), file, Duty.AUDITOR) as unit:
        return proved_result(file, prove_entry(unit, place, entry))


def _instant(text: str, option: str, *, is_end: bool) -> datetime | None:
    """Read a day in Japan, or an instant; a day that ends something ends with the next one.

    Raises: ConfigurationError(COMMAND_ARGUMENT).
    """
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None:
        raise ConfigurationError(Code.COMMAND_ARGUMENT, option)
    if at.tzinfo is None:
        at = at.replace(tzinfo=JAPAN)
    return at + timedelta(days=1) if is_end and len(text) == len("2026-11-23") else at
