"""How the operation log is shown: what was verified, signed, proved and found.

Invariants: of a person only the keyed index is shown, never what opens it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from juki.cli.installation import Installation, explained, shown
from juki.cli.log_actions import FoundEntries
from juki.cli.operator_actions import listed
from juki.cli.output import ExitCode, Result, Table
from juki.cli.reasons_shown import SHORT, code_lines
from juki.columns import IdentityFile
from juki.journal import Outcome
from juki.merkle import leaf_hash
from juki.oplog.signing import Signing
from juki.oplog.standing import Alarm
from juki.oplog.verifying import Proved, Verified
from juki.reasons import known_code

_VERIFIED = ("操作ログ", "検証した記録", "一致したチェックポイント", "署名のない記録", "結果")
_SIGNED = ("操作ログ", "署名した件数", "新しい署名", "異常")
_FOUND = (
    "ファイル",
    "番号",
    "日時",
    "操作",
    "結果",
    "操作者",
    "端末",
    "市町村",
    "対象",
    "個人番号",
    "コード",
)
_OUTCOMES = {Outcome.DONE: "実施", Outcome.REFUSED: "拒否"}


def verified_result(found: Mapping[IdentityFile, Verified]) -> Result:
    """Show what was verified of each log."""
    rows = [
        (
            file.japanese, _range(one), f"{one.checkpoints:,}", f"{max(one.last - one.last_checkpoint, 0):,}",
            "・".join(dict.fromkeys(alarm.code.value for alarm in one.alarms)) or "一致",
        )
        for file, one in found.items()
    ]  # fmt: skip
    data = {
        "logs": [
            {
                "file": file.value, "first": one.first, "last": one.last, "root": one.root.hex(),
                "checkpoints": one.checkpoints, "last_checkpoint": one.last_checkpoint,
                "alarms": described_alarms(one.alarms),
            }
            for file, one in found.items()
        ]
    }  # fmt: skip
    alarms = [alarm for one in found.values() for alarm in one.alarms]
    return Result(data, [Table("操作ログの検証", _VERIFIED, rows)], alarm_lines(alarms), _exit_code(alarms))


def signed_result(found: Mapping[IdentityFile, Signing]) -> Result:
    """Show what was signed of each log."""
    rows = [
        (
            file.japanese, f"{one.size:,}", "あり" if one.is_new else "なし",
            "・".join(dict.fromkeys(alarm.code.value for alarm in one.alarms)) or "-",
        )
        for file, one in found.items()
    ]  # fmt: skip
    data = {
        "logs": [
            {
                "file": file.value, "size": one.size, "is_new": one.is_new,
                "alarms": described_alarms(one.alarms),
            }
            for file, one in found.items()
        ]
    }  # fmt: skip
    alarms = [alarm for one in found.values() for alarm in one.alarms]
    return Result(data, [Table("操作ログの署名", _SIGNED, rows)], alarm_lines(alarms), _exit_code(alarms))


def proved_result(file: IdentityFile, proved: Proved) -> Result:
    """Show the proof of one entry, by its hash: what it says is told by a search only, which is in the log."""
    leaf, number = leaf_hash(proved.entry.entry.encode()), proved.entry.entry_no
    data = {
        "format": "juki-log-inclusion/1", "file": file.value, "entry_no": number, "leaf_hash": leaf.hex(),
        "size": proved.size, "root": proved.root.hex(),
        "proof": [node.hex() for node in proved.path], "checkpoint": proved.note.decode(),
    }  # fmt: skip
    signed = "署名したチェックポイント" if proved.note else "今の（まだ署名のない）操作ログ"
    lines = [
        f"{file.japanese} の記録 {number:,} は、{proved.size:,} 件の{signed}に含まれています。",
        f"葉のハッシュ {leaf.hex()}",
        *(f"証明 {step} {node.hex()}" for step, node in enumerate(proved.path, 1)),
        f"根のハッシュ {proved.root.hex()}",
    ]
    return Result(data, [], lines)


def found_result(
    installation: Installation, found: Mapping[IdentityFile, FoundEntries], limit: int
) -> Result:
    """Show the entries that were looked for, the newest of both logs first."""
    entries = sorted(
        (entry for one in found.values() for entry in one.entries),
        key=lambda entry: (entry["recorded_at"], entry["entry_no"]), reverse=True,
    )[:limit]  # fmt: skip
    total = sum(one.total for one in found.values())
    data = {"entries": entries, "total": total, "is_cut": total > len(entries)}
    cut = f"（うち {len(entries):,} 件を表示。--limit で増やせます）" if total > len(entries) else ""
    names = {one.operator_id: one.name for one in listed(installation)}
    data["operators"] = {
        one: name for one, name in names.items() if any(_is_of(entry, one) for entry in entries)
    }
    rows = [_row(installation, entry, names) for entry in entries]
    tables = [Table("操作ログ", _FOUND, rows)] if rows else []
    return Result(data, tables, [f"{total:,} 件{cut}"])


def alarm_lines(alarms: Iterable[Alarm]) -> list[str]:
    """Write each alarm once, with every place it holds for."""
    places: dict[str, list[str]] = {}
    for alarm in alarms:
        places.setdefault(alarm.code.value, []).append(alarm.ref)
    lines = []
    for value, refs in places.items():
        code = known_code(value)
        first, *step = code_lines(code) if code else [value]
        lines += [first, "  " + "、".join(dict.fromkeys(refs)), *step]
    return lines


def described_alarms(alarms: Iterable[Alarm]) -> list[dict[str, str]]:
    """Write alarms for programs."""
    return [{**explained(alarm.code), "ref": alarm.ref} for alarm in alarms]


def _range(one: Verified) -> str:
    return f"{one.first:,}～{one.last:,}" if one.last >= one.first else "なし"


def _exit_code(alarms: Iterable[Alarm]) -> ExitCode:
    return ExitCode.FOUND if any(True for _ in alarms) else ExitCode.OK


def _is_of(entry: Mapping[str, Any], operator_id: str) -> bool:
    return f"operator:{operator_id}" in (entry["actor"], entry.get("approver"))


def _who(entry: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Name who acted and who approved; operators who were removed are still in the register for this."""
    people = [entry["actor"], entry.get("approver") or ""]
    shown_as = []
    for one in filter(None, people):
        operator_id = one.removeprefix("operator:")
        name = names.get(operator_id) if one.startswith("operator:") else None
        shown_as.append(f"{operator_id}（{name}）" if name else one)
    return " 承認 ".join(shown_as)


def _row(installation: Installation, entry: Mapping[str, Any], names: Mapping[str, str]) -> tuple[str, ...]:
    municipality = entry["municipality_code"]
    return (
        SHORT[IdentityFile(entry["file"])], str(entry["entry_no"]),
        shown(datetime.fromisoformat(entry["recorded_at"])), entry["action"],
        _OUTCOMES[Outcome(entry["outcome"])], _who(entry, names), entry["terminal"],
        installation.name(municipality) if municipality else "-",
        str(entry.get("subject_index") or entry["package_id"] or entry.get("provision") or "-"),
        "あり" if entry["number_accessed"] else "-", entry["code"] or "-",
    )  # fmt: skip
