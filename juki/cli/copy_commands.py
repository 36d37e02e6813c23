"""`juki export` and `juki backup`: copies of what is kept, sealed to a named certificate.

Decides:    what is asked for and what is printed.
Leaves:     the act and its record to `juki.cli.copy_actions`; that two administrators agree to `juki.cli.acting`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from juki.cli.acting import operated
from juki.cli.copy_actions import Copied, Order, back_up
from juki.cli.copy_actions import export as export_rows
from juki.cli.installation import Installation, OneFile, OneMunicipality, checked_municipality, chosen_files
from juki.cli.output import AsJson, Result, Table, finish
from juki.columns import IdentityFile
from juki.copies import MANIFEST, Extent, Wanted

_File = Annotated[IdentityFile, typer.Option("--file", help="resident 本人確認情報 / fuhyo 附票本人確認情報")]
_To = Annotated[
    Path, typer.Option(metavar="DIR", help="写しを置く新しいフォルダ（絶対パス、JUKI_HOME の外）")
]
_Certificate = Annotated[
    Path, typer.Option(metavar="FILE", help="写しを封緘する、受け取る者の証明書（PEM、RSA 3072ビット以上）")
]
_Fingerprint = Annotated[
    str,
    typer.Option(metavar="SHA256", help="その証明書のフィンガープリント（承認する管理者もこれを確かめる）"),
]
_Reason = Annotated[str, typer.Option(help="理由（操作ログに残る。人を特定する値を書かない）")]
_History = Annotated[Extent, typer.Option(help="current 現在のものだけ / all 履歴も")]
_WithNumber = Annotated[bool, typer.Option("--with-number", help="個人番号も取り出す（操作ログに残る）")]


@operated("export", "file", "municipality", "history", "with_number", "to", "fingerprint")
def export(
    file: _File, to: _To, certificate: _Certificate, fingerprint: _Fingerprint, reason: _Reason,
    municipality: OneMunicipality = "", history: _History = Extent.CURRENT, with_number: _WithNumber = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """保存しているレコードを CSV の写しとして、証明書に封緘して取り出す。管理者二人の認証が要る。

    終了コード: 0 取り出した、2 取り出していない（書きかけは残らない）。
    """
    wanted = Wanted(file, history, checked_municipality(municipality), with_number)
    order = Order(
        [file],
        wanted.said(),
        to,
        certificate,
        fingerprint,
        reason,
        wanted.has_number,
        wanted.municipality_code,
    )
    finish(_told(export_rows(Installation.open(), wanted, order)), as_json=as_json)


@operated("backup", "file", "to", "fingerprint")
def backup(
    to: _To, certificate: _Certificate, fingerprint: _Fingerprint, reason: _Reason, file: OneFile = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """データベースの写しを、証明書に封緘して取る。管理者二人の認証が要る。戻し方は docs/backup.md にある。

    終了コード: 0 取った、2 取っていない（書きかけは残らない）。
    """
    # A sealed number is still a number.
    order = Order(chosen_files(file), "backup", to, certificate, fingerprint, reason, has_number=True)
    finish(_told(back_up(Installation.open(), order)), as_json=as_json)


def _told(copied: Copied) -> Result:
    rows = [(*name.split(".", 1), f"{many:,}") for name, many in sorted(copied.rows.items()) if many]
    data = {"folder": str(copied.place), "parts": copied.parts, "rows": dict(copied.rows)}
    lines = [
        f"{copied.place.name}: 封緘したファイル {copied.parts:,} 個と {MANIFEST}。",
        "開き方と戻し方は docs/backup.md にあります。鍵（JUKI_HOME/keys）は別に保管してください。",
    ]
    return Result(data, [Table("写したもの", ("ファイル", "表", "行数"), rows)], lines)
