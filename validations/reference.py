"""The page of all contracts, docs/contracts.md, written from the contracts so that it can not fall behind.

Decides:    how the page looks, and which boundaries there are.
Leaves:     columns to `juki.columns`, checks to `juki.rules`, decisions to `juki.decisions`, meanings to
            `juki.reasons`, keys to the classes of the formats, forms to `validations.reference_forms`.
Use:        python -m validations.reference > docs/contracts.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from juki.columns import BY_NAME, JLIS_COLUMNS, IdentityFile, Layout, columns_of
from juki.decisions import CODE_ORDER, DECISIONS, EVENTS, Effect, Event, State
from juki.difference_reports import REPORT_COLUMNS as DIFFERENCE_COLUMNS
from juki.jlis_manifests import REPORT_COLUMNS as JLIS_REPORT_COLUMNS
from juki.jlis_manifests import Acknowledgement, JlisManifest, ReportManifest
from juki.manifest_line import Line
from juki.manifests import NoticeManifest, ReceiptManifest
from juki.packages import RECEIPT_COLUMNS
from juki.provision_manifests import LINE_COLUMNS, ProvisionManifest
from juki.provision_receipts import ProvisionReceipt
from juki.reasons import Code, Scope, Severity
from juki.requests import FORMAT as REQUEST_FORMAT
from juki.requests import REQUIRED_KEYS
from juki.rules import RULES, Rule
from juki.snapshot_manifests import DifferencesManifest, DigestManifest, SnapshotManifest
from juki.snapshot_requests import SnapshotRequest
from validations.models import BOUNDARIES
from validations.reference_forms import FORMS, KEYS, OPTIONAL, PARTS, REQUEST_KEYS, REQUIRED

_HEAD = """# データ契約 (data contracts)

Generated from the contracts by `python -m validations.reference`; do not edit.

What may come in and what goes out, boundary by boundary: every column and key with its Japanese term, its form,
when it is filled, and every check with its code. Layouts are ours: those of the real systems are not public. How a
file is sealed, named and laid out is in [formats](formats/package.md), what to do about a code in [codes](codes.md).

**必須** says that a record of an ordinary event without it is refused, **任意** that it may be empty. Everything is
text in UTF-8; nothing is repaired, filled in or converted. A column or key that is not listed refuses the whole file
(M1).
"""
_TITLES = {Layout.NOTICE: "異動の通知", Layout.SNAPSHOT: "現況", Layout.DIGEST: "照合値"}
_SEVERITIES = {Severity.ERROR: "エラー", Severity.ALERT: "注意"}
_EFFECTS = {Effect.APPLY: "適用", Effect.RECORD: "履歴のみ", Effect.REJECT: "拒否"}


@dataclass(frozen=True, slots=True)
class Document:
    """One format of one line: the class whose fields are its keys, what its CSV has, and how it is refused."""

    title: str
    form: type[Line]
    refusal: Code
    page: str
    columns: Sequence[str] = ()
    csv: str = ""
    """What the CSV is where its columns are told elsewhere."""


_NOTICES = "通知・現況の列（上のとおり）"
DOCUMENTS: tuple[Document, ...] = (
    Document("異動の通知", NoticeManifest, Code.PACKAGE_MANIFEST, "package.md", csv=_NOTICES),
    Document("受領書", ReceiptManifest, Code.PACKAGE_MANIFEST, "receipt.md", RECEIPT_COLUMNS),
    Document("現況の依頼", SnapshotRequest, Code.SNAPSHOT_REQUEST_FORM, "snapshot-request.md"),
    Document("現況", SnapshotManifest, Code.PACKAGE_MANIFEST, "package.md", csv=_NOTICES),
    Document("照合値", DigestManifest, Code.PACKAGE_MANIFEST, "digest.md", csv="照合値の列（上のとおり）"),
    Document("差異の報告", DifferencesManifest, Code.PACKAGE_MANIFEST, "differences.md", DIFFERENCE_COLUMNS),
    Document(
        "提供・移転の回答", ProvisionManifest, Code.PACKAGE_MANIFEST, "provision.md",
        LINE_COLUMNS, "続いて `fields` の列",
    ),
    Document("提供の受領書", ProvisionReceipt, Code.RECEIPT_FORM, "provision-receipt.md"),
    Document(
        "機構への通知", JlisManifest, Code.PACKAGE_MANIFEST, "jlis.md", csv="機構への通知の列（上のとおり）"
    ),
    Document("機構の受領確認", Acknowledgement, Code.JLIS_MESSAGE_FORM, "jlis.md"),
    Document("機構の誤りの通報", ReportManifest, Code.JLIS_MESSAGE_FORM, "jlis.md", JLIS_REPORT_COLUMNS),
)  # fmt: skip
"""Every format that is one line of JSON, with or without a CSV behind it."""


def contracts_page() -> str:
    """Write the page: the records, what is checked of them, packages as a whole, and the other formats."""
    parts: list[str] = [_HEAD, "\n## 1. レコードの列\n"]
    for boundary in BOUNDARIES:
        title = f"{boundary.file.japanese}の{_TITLES[boundary.layout]}"
        parts += [f"\n### {title}\n\n", *_columns(boundary.columns, boundary.file)]
    for file in IdentityFile:
        parts += [f"\n### {file.japanese}の機構への通知\n\n", *_columns(JLIS_COLUMNS[file], file)]
    parts += [
        f"\n### {_TITLES[Layout.DIGEST]}（両ファイル）\n\n",
        *_columns(columns_of(Layout.DIGEST, IdentityFile.RESIDENT), IdentityFile.RESIDENT),
        "\n## 2. 一つのレコードの検査\n\n", *_rules(),
        "\n## 3. 論理チェック（その人の今の記録に照らした検査）\n", *_decisions(),
        "\n## 4. パッケージ全体の検査\n\n", *_codes(Scope.PACKAGE),
        "\n## 5. マニフェストと文書\n", *_documents(),
        "\n## 6. 提供・移転の要求\n", *_request(),
    ]  # fmt: skip
    return "".join(parts)


def _columns(names: Sequence[str], file: IdentityFile) -> Iterable[str]:
    rows = ((str(at), *_column(name, file)) for at, name in enumerate(names, start=1))
    return _table(("順", "列", "項目", "形", "必須", "根拠"), rows)


def _column(name: str, file: IdentityFile) -> tuple[str, ...]:
    column, form = BY_NAME[name], FORMS[name]
    return f"`{name}`", column.japanese, form.form, form.filled_in(file), column.source


def _rules() -> Iterable[str]:
    yield "順に検査し、エラーが一つでもあるレコードを拒否します。注意は通して示します。○の境界で行います。\n\n"
    marks = [f"{_TITLES[one.layout]} {one.file.value}" for one in BOUNDARIES]
    order = list(Code)
    rows = (_rule(rule) for rule in sorted(RULES, key=lambda rule: order.index(rule.code)))
    yield from _table(("列", "コード", "区分", "意味", "根拠", *marks), rows)


def _rule(rule: Rule) -> tuple[str, ...]:
    marks = (_mark(rule.applies_to(one.layout, one.file)) for one in BOUNDARIES)
    return f"`{rule.column}`", *_coded(rule.code), *marks


def _mark(applies: bool) -> str:
    return "○" if applies else ""


def _decisions() -> Iterable[str]:
    for file, events in EVENTS.items():
        states = [state for state in State if (events[0], state) in DECISIONS[file]]
        rows = ((event.value, *(_decided(file, event, state) for state in states)) for event in events)
        yield f"\n### {file.japanese}\n\n"
        yield from _table(("事由", *(state.japanese for state in states)), rows)
    yield "\n### 論理チェックのコード\n\n"
    yield "上の表のものと、個人番号・住民票コードを保存中のものと比べるもの、修復のためのものです。\n\n"
    logical = [code for code in Code if code.value.startswith(("logic.", "repair."))]
    codes = ((*_coded(code), _mark(code in CODE_ORDER)) for code in logical)
    yield from _table(("コード", "区分", "意味", "根拠", "上の表"), codes)


def _decided(file: IdentityFile, event: Event, state: State) -> str:
    cell = DECISIONS[file][event, state]
    return _EFFECTS[cell.effect] + (f" `{cell.code.value}`" if cell.code else "")


def _codes(scope: Scope) -> Iterable[str]:
    yield from _table(
        ("コード", "区分", "意味", "根拠"), (_coded(code) for code in Code if code.scope is scope)
    )


def _coded(code: Code) -> tuple[str, ...]:
    return f"`{code.value}`", _SEVERITIES[code.severity], code.message, code.source


def _documents() -> Iterable[str]:
    yield "\n1行の JSON で、すべての鍵が要り、ほかの鍵・二度現れる鍵・ほかの型は全体を拒否します。\n"
    for one in DOCUMENTS:
        yield f"\n### {one.title}（`{one.form.FORMAT}`、[形式](formats/{one.page})）\n\n"
        yield f"形が違うときのコード: `{one.refusal.value}`\n\n"
        keys = ((f"`{key.name}`", *KEYS[key.name]) for key in fields(one.form))
        yield from _table(("鍵", "項目", "形"), (_format_key(one.form.FORMAT), *keys))
        if one.columns:
            yield "\n続く CSV の列:\n\n"
            yield from _table(("列", "項目", "形"), (_part(name) for name in one.columns))
        if one.csv:
            yield f"\n続く CSV: {one.csv}\n"


def _format_key(name: str) -> tuple[str, ...]:
    return "`format`", "形式", f"`{name}`"


def _part(name: str) -> tuple[str, ...]:
    if name in PARTS:
        return f"`{name}`", *PARTS[name]
    return f"`{name}`", BY_NAME[name].japanese, FORMS[name].form


def _request() -> Iterable[str]:
    pages = "[形式](formats/request.md)、[JSON Schema](formats/request.schema.json)"
    yield f"\n一つの JSON（`{REQUEST_FORMAT}`、{pages}）。\n\n"
    keys = ((f"`{key}`", *KEYS[key], _asked(key)) for key in REQUEST_KEYS)
    yield from _table(("鍵", "項目", "形", "必須"), ((*_format_key(REQUEST_FORMAT), REQUIRED), *keys))
    yield "\n要求を拒むコード:\n\n"
    yield from _codes(Scope.REQUEST)


def _asked(key: str) -> str:
    return REQUIRED if key in REQUIRED_KEYS else OPTIONAL


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield f"| {' | '.join(headings)} |\n|{'---|' * len(headings)}\n"
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(contracts_page().encode("utf-8"))
