"""修復の承認: approve repairs of differences, or changes beyond the bound, by an operator, from the Prefect UI."""

from __future__ import annotations

from typing import Annotated

from prefect import flow
from pydantic import Field

from flows.choices import NUMBER, NUMBERS, Assertion, titled
from flows.naming import named_by
from juki.operators import Act
from juki.package_id import PackageId
from tasks.authorising import started_by
from tasks.boundary import WHOLE, sealed
from tasks.by_hand import approve_differences, approve_reconciliation
from tasks.checkpointing import logs_signed

_MOST_CHARACTERS = 4000
Differences = Annotated[
    str, Field(pattern=NUMBERS, max_length=_MOST_CHARACTERS, json_schema_extra=titled("差異の番号"))
]
Run = Annotated[str, Field(pattern=NUMBER, json_schema_extra=titled("整合処理の番号"))]


@flow(name="修復の承認", flow_run_name=named_by("differences"), **WHOLE)
@sealed
@logs_signed()
def approve(differences: Differences, assertion: Assertion = "") -> None:
    """差異の修復を承認します。承認したものは、次の「修復まで」の整合処理が行います。

    Args:
        differences: 差異の番号（R12、F12 の形。空白で区切って並べられます）。
        assertion: 操作者の認証結果。操作は「difference approve」、対象は差異の番号を空白でつないだもの。
    """
    wanted = [PackageId.parse(one) for one in differences.split()]
    target = " ".join(map(str, wanted))
    approve_differences(wanted, started_by(Act("difference approve", target), assertion))


@flow(name="上限を超える変更の承認", flow_run_name=named_by("run"), **WHOLE)
@sealed
@logs_signed()
def approve_beyond(run: Run, assertion: Assertion = "") -> None:
    """上限を超えて止まった整合処理について、その件数までの変更を承認します。その実行を始めた人は承認できません。

    Args:
        run: 整合処理の番号（R12、F12 の形。juki difference list --runs で示されます）。
        assertion: 操作者の認証結果。操作は「difference approve」、対象は「--run=R12」の形。
    """
    wanted = PackageId.parse(run)
    approve_reconciliation(wanted, started_by(Act("difference approve", f"--run={wanted}"), assertion))
