"""提供の再送: deliver a kept provision again, by an operator, from the Prefect UI."""

from __future__ import annotations

from typing import Annotated

from prefect import flow
from pydantic import Field

from flows.choices import NUMBER, Assertion, titled
from flows.naming import named_by
from juki.operators import Act
from juki.package_id import PackageId
from tasks.authorising import started_by
from tasks.boundary import WHOLE, sealed
from tasks.by_hand import resend_provision
from tasks.checkpointing import logs_signed

Provision = Annotated[str, Field(pattern=NUMBER, json_schema_extra=titled("提供の番号"))]


@flow(name="提供の再送", flow_run_name=named_by("provision"), **WHOLE)
@sealed
@logs_signed()
def resend(provision: Provision, assertion: Assertion = "") -> None:
    """送付した提供を、同じファイルのまま再送します（一時保存の期限は延びません）。

    Args:
        provision: 提供の番号（R12、F12 の形）。
        assertion: 操作者の認証結果。操作は「provision resend」、対象は提供の番号。一度しか使えません。
    """
    wanted = PackageId.parse(provision)
    resend_provision(wanted, started_by(Act("provision resend", str(wanted)), assertion))
