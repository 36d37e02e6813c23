"""パッケージの解除: put a package aside that stands in the way, by an operator, from the Prefect UI."""

from __future__ import annotations

from typing import Annotated

from prefect import flow
from pydantic import Field

from flows.choices import NUMBER, Assertion, ReleaseReason, titled
from flows.naming import named_by
from juki.operators import Act
from juki.package_id import PackageId
from tasks.authorising import started_by
from tasks.boundary import WHOLE, sealed
from tasks.by_hand import release as put_aside
from tasks.checkpointing import logs_signed

Package = Annotated[str, Field(pattern=NUMBER, json_schema_extra=titled("パッケージの番号"))]
Why = Annotated[ReleaseReason, Field(json_schema_extra=titled("解除する理由"))]


@flow(name="パッケージの解除", flow_run_name=named_by("package"), **WHOLE)
@sealed
@logs_signed()
def release(package: Package, reason: Why, assertion: Assertion = "") -> None:
    """受入の妨げとなっているパッケージを待ちから外します。ファイルは隔離に残り、適用したものは変わりません。

    Args:
        package: パッケージの番号（R12、F12 の形）。
        reason: 解除する理由（操作ログに残ります）。
        assertion: 操作者の認証結果。操作は「package release」、対象はパッケージの番号。一度しか使えません。
    """
    wanted = PackageId.parse(package)
    put_aside(wanted, reason.value, started_by(Act("package release", str(wanted)), assertion))
