"""`juki forward`: tell J-LIS of what is due, in this process, and say what was done.

Decides:    what is printed of a run, and its exit code.
Leaves:     the work to `flows.forward`, the words to `juki.cli.jlis_shown`.
Invariants: what was done is read from the stores, never from Prefect; nothing of Prefect is imported before its
            environment is set.
"""

from __future__ import annotations

from datetime import UTC, datetime

from flows.commands.failures import failure_of
from flows.environment import prepare
from juki.cli.acting import operated
from juki.cli.installation import Installation, explained
from juki.cli.output import AsJson, ExitCode, Result, finish
from juki.cli.reasons_shown import code_lines
from juki.cli.status_lines import jlis_lines
from juki.errors import JukiError
from juki.overview.described import described_jlis


@operated("forward")
def forward(as_json: AsJson = False) -> None:
    """両ファイルの更新を機構（J-LIS）に通知し、受領確認と誤りの通報を取り込む

    終了コード: 0 すべて通知した、1 確認の要るものがある、2 失敗した。
    """
    installation = Installation.open()
    before = {one.facts.file: one.facts for one in installation.jlis(datetime.now(UTC))}
    prepare(installation.home, installation.settings)
    failure = _run()
    judged = installation.jlis(datetime.now(UTC))
    done = {
        one.facts.file.value: {
            "packages": one.facts.last_sequence - before[one.facts.file].last_sequence,
            "updates": one.facts.last_update_no - before[one.facts.file].last_update_no,
            "acknowledged": one.facts.acknowledged - before[one.facts.file].acknowledged,
        }
        for one in judged
    }
    lines = [
        f"{one.facts.file.japanese}: 更新 {said['updates']:,} 件をパッケージ {said['packages']:,} 個で通知、"
        f"受領確認 {said['acknowledged']:,} 個"
        for one in judged
        for said in [done[one.facts.file.value]]
    ]
    lines += jlis_lines(judged)
    if failure:
        lines += code_lines(failure.code)
    data = {
        "done": done,
        "jlis": [described_jlis(one) for one in judged],
        "error": {**explained(failure.code), "ref": failure.ref} if failure else None,
    }
    has_found = any(one.conditions for one in judged)
    code = ExitCode.ERROR if failure else ExitCode.FOUND if has_found else ExitCode.OK
    finish(Result(data, lines=lines, exit_code=code), as_json=as_json)


def _run() -> JukiError | None:
    """Run the flow; what kept it from its end comes back with its code."""
    from flows.forward import forward as flow

    return failure_of(flow)
