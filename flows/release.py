"""パッケージの解除: put a package aside that stands in the way, by an operator, from the Prefect UI."""

from __future__ import annotations

from prefect import flow

from flows.choices import Assertion, Number, ReleaseReason
from juki.operators import Act
from juki.package_id import PackageId
from tasks.authorising import started_by
from tasks.boundary import WHOLE, sealed
from tasks.by_hand import release as put_aside


@flow(name="パッケージの解除", flow_run_name="{package}", **WHOLE)
@sealed
def release(package: Number, reason: ReleaseReason, assertion: Assertion = "") -> None:
    """受入の妨げとなっているパッケージを待ちから外します。ファイルは隔離に残り、適用したものは変わりません。

    Args:
        package: パッケージの番号（R12、F12 の形）。
        reason: 解除する理由（操作ログに残ります）。
        assertion: 操作者の認証結果。操作は「package release」、対象はパッケージの番号。一度しか使えません。
    """
    wanted = PackageId.parse(package)
    put_aside(wanted, reason.value, started_by(Act("package release", str(wanted)), assertion))
