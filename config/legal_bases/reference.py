"""The page of all legal bases, docs/legal-bases.md, written from the shipped table so that it can not fall behind.

Decides:    how the tables look. Leaves: what they say to the data files.
Use:        python -m config.legal_bases.reference > docs/legal-bases.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from config.legal_bases.statute import Opening, openings, statute_bases, text_of_law
from juki.bases import LegalBases, LegalBasis
from juki.fields import GRANTABLE

_GROUPS = {
    "beppyo5": "別表第五の事務", "beppyo6": "別表第六の事務", "jorei-transfer": "条例の事務（移転）",
    "jorei-provide": "条例の事務（提供）", "consent": "本人の同意", "statistics": "統計資料",
    "disclosure": "本人への開示", "jlis": "機構への通知",
}  # fmt: skip
_HEAD = """# 提供・移転の根拠一覧 (legal bases)

Generated from `config/legal_bases/` by `python -m config.legal_bases.reference`; do not edit.

Text of the law: {law}, in force on {day}. Version word without any file of a prefecture: `{version}`.
What a prefecture adds and decides stands in its own files ([recipients.md](formats/recipients.md)); why it is data is
[ADR-0025](decisions/0025-legal-bases-as-data.md).

住民票コード is in none of these: no basis can open it. 個人番号 goes along where it says 可, and nowhere else:
未定 is no until the prefecture has decided (番号法9条①②), 不可 can not be decided.
"""


def bases_page() -> str:
    """Write the page: what each group opens of each file, then every basis in the order of the table."""
    text = text_of_law()
    version = LegalBases.of_table(text.version, statute_bases()).version
    head = _HEAD.format(law=text.law, day=text.in_force_on, version=version)
    parts = [head, "\n## 開く範囲\n\n", *_opened(), "\n## 根拠\n\n", *_listed(statute_bases())]
    return "".join(parts)


def _opened() -> Iterable[str]:
    headings = ("根拠の種類", "区分", "ファイル", "条項", "対象", "条件", "個人番号の条項", "項目")
    return _table(headings, (_opening(one) for parts in openings().values() for one in parts))


def _opening(one: Opening) -> tuple[str, ...]:
    fields = "・".join(field.japanese for field in GRANTABLE[one.file] if field in one.fields)
    number = one.number_article if one.follows_basis else f"不可（{one.number_article}）"
    return (
        _GROUPS[one.group], one.kind.japanese, one.file.japanese, one.article,
        "国外転出者" if one.abroad_only else "すべての者", "同意の文書の番号" if one.needs_consent else "-",
        number, fields,
    )  # fmt: skip


def _listed(bases: Sequence[LegalBasis]) -> Iterable[str]:
    headings = ("根拠", "名称", "区分", "相手方", "個人番号", "期間", "事務")
    return _table(headings, map(_basis, bases))


def _basis(one: LegalBasis) -> tuple[str, ...]:
    number = one.coverage[0].number.japanese
    days = [str(day) if day else "" for day in (one.valid_from, one.valid_to)]
    term = "〜".join(days) if any(days) else "-"
    return f"`{one.code}`", one.title, one.kind.japanese, one.receiver, number, term, one.work


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield f"| {' | '.join(headings)} |\n|{'---|' * len(headings)}\n"
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(bases_page().encode("utf-8"))
