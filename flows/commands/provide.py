"""`juki provide`: answer the requests of recipients in this process and say what came of them.

Leaves:     the work to `flows.provide`.
Invariants: what is printed is read from the stores, never from Prefect; nothing of Prefect is imported before its
            environment is set.
"""

from __future__ import annotations

from datetime import UTC, datetime

from flows.commands.failures import failure_of
from flows.environment import prepare
from juki.cli.acting import operated
from juki.cli.installation import Installation, explained, iso
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.provision_commands import described
from juki.columns import IdentityFile
from juki.errors import JukiError
from juki.provisions import ProvisionState
from juki.reasons import Code
from juki.store.provisions import Provision
from juki.store.roles import Duty
from juki.store.unit import open_unit

_HEADINGS = ("番号", "提供先", "要求", "人数", "状態", "理由")
_MOST_SHOWN = 1_000


@operated("provide")
def provide(as_json: AsJson = False) -> None:
    """提供先の要求に答え、封緘して送付フォルダに置く（提供・移転）

    終了コード: 0 すべて終えた、1 拒否したもの・送付していないものがある、2 失敗した。
    """
    installation, started_at = Installation.open(), datetime.now(UTC)
    prepare(installation.home, installation.settings)
    failure = _work()
    done = [one for one in _listed(installation) if _is_new(one, started_at)]
    is_found = any(one.state is not ProvisionState.DELIVERED for one in done)
    code = ExitCode.ERROR if failure else ExitCode.FOUND if is_found else ExitCode.OK
    data = {
        "started_at": iso(started_at), "provisions": [described(one) for one in done],
        "error": {**explained(failure.code), "ref": failure.ref} if failure else None,
    }  # fmt: skip
    lines = [f"{len(done)} 件"] if done else ["新しく答える要求はありませんでした。"]
    lines += [str(failure)] if failure else []
    tables = [Table("提供・移転", _HEADINGS, [_row(one) for one in done])] if done else []
    finish(Result(data, tables, lines, code), as_json=as_json)


def _work() -> JukiError | None:
    """Run the flow; return what it says when something could not be done.

    Raises: JukiError with the code of a failure that kept the run from working at all.
    """
    from flows.provide import provide as flow

    failure = failure_of(flow)
    if failure is not None and failure.code is not Code.RUN_PROVISIONS_FAILED:
        raise failure
    return failure


def _listed(installation: Installation) -> list[Provision]:
    found = list[Provision]()
    for file in IdentityFile:
        with open_unit(installation.store_url(file), file, Duty.READER) as unit:
            found += unit.provisions.listed(_MOST_SHOWN)
    return sorted(found, key=lambda one: one.provision_id)


def _is_new(one: Provision, started_at: datetime) -> bool:
    return any(
        at is not None and at >= started_at for at in (one.decided_at, one.sealed_at, one.delivered_at)
    )


def _row(one: Provision) -> tuple[str, ...]:
    reason = one.code.value if one.code else ""
    return (
        str(one.provision_id), one.recipient, str(one.request_no), f"{one.lines:,}", one.state.japanese, reason
    )  # fmt: skip
