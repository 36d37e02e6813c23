"""The page of all codes, docs/codes.md, written from the enumeration so that it can not fall behind.

Decides:    how the table looks. Leaves: what it says to `juki.reasons`.
Use:        python -m juki.reference > docs/codes.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from juki.reasons import Code, Scope, Severity

_SCOPES = {
    Scope.RECORD: "レコード (record)",
    Scope.PACKAGE: "パッケージ (package)",
    Scope.CHANNEL: "経路 (channel)",
    Scope.REQUEST: "要求 (request)",
    Scope.RUN: "実行 (run)",
}
_SEVERITIES = {Severity.ERROR: "エラー", Severity.ALERT: "注意"}
_HEAD = """# 理由コード一覧 (codes)

Generated from `juki/reasons.py` by `python -m juki.reference`; do not edit.

Every refusal and alert bears one of these codes. **エラー** (error) blocks what it is said of, **注意** (alert)
lets it pass and is shown. A code is never reused, and no sentence ever holds a value.
"""


def codes_page() -> str:
    """Write the page: one table per scope, in the order of evaluation."""
    parts = [_HEAD]
    for scope, title in _SCOPES.items():
        parts += [f"\n## {title}\n\n", *_table(code for code in Code if code.scope is scope)]
    return "".join(parts)


def _table(codes: Iterable[Code]) -> Iterable[str]:
    yield "| コード | 区分 | 意味 | 根拠 | 次にすること |\n|---|---|---|---|---|\n"
    for code in codes:
        cells = (f"`{code.value}`", _SEVERITIES[code.severity], code.message, code.source, code.next_step)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(codes_page().encode("utf-8"))
