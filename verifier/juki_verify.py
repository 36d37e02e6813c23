#!/usr/bin/env python3
"""操作ログの検証 / verify an exported operation log offline, with nothing of the system that wrote it.

Needs Python 3.11 and the package `cryptography`, and no other file.

    python juki_verify.py EXPORT/resident --witness /mnt/witness --key keys.vkey
    python juki_verify.py --witness /mnt/witness-a --witness /mnt/witness-b --key keys.vkey     checkpoints alone
    python juki_verify.py --inclusion entry-17.json --key keys.vkey                              one entry

The export may be forged altogether; the public keys and the witness folders must come from elsewhere. Without --key
the keys enclosed in the export are used, which shows accidents and not forgery, and that is said.

Decides:    whether every entry is what was hashed, in its place, and the tree what was signed; else where it is not.
Invariants: one pass, one frontier, however long the log; nothing is written. What is found first ends the walk: what
            follows is hashed over it. No entry is printed, only numbers.
Exit codes: 0 nothing found, 1 something found, 2 could not be verified.
Source:     RFC 6962, c2sp.org/signed-note, c2sp.org/tlog-checkpoint; docs/formats/log-export.md.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMATS = {"log": "juki-log-export/1", "inclusion": "juki-log-inclusion/1"}
MESSAGES = {
    "entry.edited": ("記録が書き換えられています。", "An entry was edited."),
    "entry.deleted": ("記録が消されています。", "Entries were deleted."),
    "entry.inserted": ("記録が差し込まれています。", "An entry was inserted."),
    "entry.duplicated": ("記録が二重になっています。", "An entry stands twice."),
    "entry.swapped": ("記録の順序が入れ替えられています。", "Entries were put in another order."),
    "log.cut": ("操作ログの末尾が欠けています。", "The end of the log is missing."),
    "log.forked": ("操作ログが署名と食い違っています。この範囲が書き換えられています。",
                   "The log disagrees with what was signed: these entries were rewritten."),
    "log.rolled_back": ("操作ログが、保管先の署名より古い写しです。", "An older copy than what was signed."),
    "log.manifest": ("書き出した内容が目録と合いません。", "The export disagrees with its manifest."),
    "checkpoint.form": ("チェックポイントの形ではありません。", "This is no checkpoint."),
    "checkpoint.signature": ("既知の鍵の署名が正しくありません。", "The signature of a known key does not hold."),
    "checkpoint.unknown_key": ("知らない鍵で署名されています。", "Signed with an unknown key."),
    "checkpoint.other_log": ("別の操作ログ（別のシステム）のチェックポイントです。", "A checkpoint of another log."),
    "checkpoint.name": ("ファイル名の件数が内容と違います。", "The size in the file name is not the one signed."),
    "checkpoint.none": ("この操作ログのチェックポイントがありません。", "There is no checkpoint of this log."),
    "checkpoint.forked": ("同じ件数で根の異なる署名が二つあります。", "Two roots were signed for the same size."),
    "proof.consistency": ("二つのチェックポイントのつながりの証明が成り立ちません。",
                          "The proof that one checkpoint continues another does not hold."),
    "proof.inclusion": ("記録が含まれるという証明が成り立ちません。", "The proof of an entry does not hold."),
    "key.enclosed": ("同封の公開鍵を使いました。偽造でないことは示せません。",
                     "The enclosed keys were used: this shows accidents, not forgery."),
    "log.unsigned": ("最後のチェックポイントより後の記録には署名がありません。",
                     "Entries after the last checkpoint are not signed."),
}  # fmt: skip
MOST_LINE_BYTES = 1 << 20
"""No entry comes near it; a longer line is read in pieces, and no piece is an entry."""
NOTICES = frozenset({"key.enclosed", "log.unsigned"})
"""What is told and is no fault."""

# -- hashes (RFC 6962) ---------------------------------------------------------------------------------------


def leaf_of(entry: bytes) -> bytes:
    """Hash an entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_of(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """The tree so far: the roots of its perfect subtrees, by their height, the lowest first."""

    def __init__(self) -> None:
        self.size = 0
        self.levels: list[bytes | None] = []

    def add(self, leaf: bytes) -> None:
        """Add a leaf: carry, as when counting in binary."""
        height, node = 0, leaf
        while height < len(self.levels) and (left := self.levels[height]) is not None:
            self.levels[height], node, height = None, node_of(left, node), height + 1
        if height == len(self.levels):
            self.levels.append(None)
        self.levels[height] = node
        self.size += 1

    def root(self) -> bytes:
        """The root: lower subtrees joined to the right of higher ones."""
        node: bytes | None = None
        for level in self.levels:
            if level is not None:
                node = level if node is None else node_of(level, node)
        return hashlib.sha256(b"").digest() if node is None else node


def path_root(number: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes | None:
    """Fold an inclusion proof, going down the tree of the definition; None when its length does not fit."""
    if not 1 <= number <= size:
        return None
    turns, index, leaves = list[bool](), number - 1, size
    while leaves > 1:
        half = 1 << (leaves - 1).bit_length() - 1
        is_right = index >= half
        turns.append(is_right)
        index, leaves = (index - half, leaves - half) if is_right else (index, half)
    if len(turns) != len(path):
        return None
    node = leaf
    for is_right, other in zip(reversed(turns), path, strict=True):
        node = node_of(other, node) if is_right else node_of(node, other)
    return node


def grown_roots(older: int, newer: int, root: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Fold a consistency proof into the roots of both trees, going down the definition; None when it does not fit."""
    nodes = list(proof)

    def fold(size: int, leaves: int, is_whole: bool) -> tuple[bytes, bytes]:
        if size == leaves:
            node = root if is_whole else nodes.pop(0)
            return node, node
        half = 1 << (leaves - 1).bit_length() - 1
        if size <= half:
            old, new = fold(size, half, is_whole)
            return old, node_of(new, nodes.pop(0))
        old, new = fold(size - half, leaves - half, False)
        left = nodes.pop(0)
        return node_of(left, old), node_of(left, new)

    if not 0 < older <= newer:
        return None
    try:
        folded = fold(older, newer, True)
    except IndexError:
        return None
    return None if nodes else folded


# -- what is found -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """One thing found: the code, where (entries or a file), from which entry to which."""

    code: str
    where: str = ""
    first: int | None = None
    last: int | None = None

    @property
    def is_fault(self) -> bool:
        """Tell whether something is wrong."""
        return self.code not in NOTICES

    def line(self) -> str:
        """Write it for people, in both languages."""
        entries = (
            ""
            if self.first is None
            else f" {self.first}" + (f"-{self.last}" if self.last != self.first else "")
        )
        place = f"{self.where}{' 記録/entry' + entries if entries else ''}".strip()
        return f"[{self.code}] {' '.join(MESSAGES[self.code])}" + (f"（{place}）" if place else "")


class CannotVerifyError(Exception):
    """The export, a key or a witness is not there or is nothing of the kind."""


# -- keys and checkpoints (C2SP signed-note, tlog-checkpoint) ------------------------------------------------


@dataclass(frozen=True)
class Key:
    """A public key and the name under which it signs."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that name it in a signature line."""
        return hashlib.sha256(self.name.encode() + b"\n\x01" + self.public).digest()[:4]


@dataclass(frozen=True)
class Checkpoint:
    """What was signed, and the file it is in."""

    origin: str
    size: int
    root: bytes
    path: str


def strict_base64(text: str) -> bytes:
    """Decode base64 written in the one canonical way, else raise ValueError."""
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError from None
    if base64.b64encode(content).decode() != text:
        raise ValueError
    return content


def key_of(line: str) -> Key:
    """Read a verifier key: name, id, type and key, joined by plus signs."""
    try:
        name, key_id, rest = line.strip().split("+", 2)
        content = strict_base64(rest)
        key = Key(name, content[1:])
        if content[:1] != b"\x01" or len(key.public) != 32 or key.key_id.hex() != key_id:
            raise ValueError
    except ValueError:
        raise CannotVerifyError("公開鍵ではありません / not a verifier key") from None
    return key


def keys_in(source: str) -> list[Key]:
    """Read keys from a file of lines, or one that is given itself."""
    path = Path(source)
    if "+" in source and not path.exists():
        return [key_of(source)]
    return [key_of(line) for line in read_text(path).splitlines() if line.strip()]


def opened(content: bytes, path: str, keys: Sequence[Key], origin: str | None) -> Checkpoint | Finding:
    """Open a signed checkpoint; what is wrong with it otherwise. `origin` is the log it must be of."""
    try:
        text = content.decode()
        if len(content) > 65536 or re.search(r"[\x00-\x09\x0b-\x1f]", text):
            raise ValueError
        body, _, lines = text.rpartition("\n\n")
        said_origin, size, root, end = (body + "\n").split("\n")
        signatures = [signature_of(line) for line in lines.removesuffix("\n").split("\n")]
        if (
            not lines.endswith("\n")
            or end
            or not said_origin
            or not re.fullmatch(r"0|[1-9][0-9]{0,18}", size)
        ):
            raise ValueError
        checkpoint = Checkpoint(said_origin, int(size), strict_base64(root), path)
        if len(checkpoint.root) != 32:
            raise ValueError
    except ValueError:
        return Finding("checkpoint.form", path)
    if origin is not None and checkpoint.origin != origin:
        return Finding("checkpoint.other_log", path)
    return signed_by((body + "\n").encode(), signatures, keys, checkpoint)


def signature_of(line: str) -> tuple[str, bytes, bytes]:
    """Read a signature line: name, key id, signature; ValueError for anything else."""
    found = re.fullmatch(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)", line)
    content = strict_base64(found[2]) if found else b""
    if found is None or len(content) <= 4:
        raise ValueError
    return found[1], content[:4], content[4:]


def signed_by(
    text: bytes, signatures: Iterable[tuple[str, bytes, bytes]], keys: Sequence[Key], checkpoint: Checkpoint
) -> Checkpoint | Finding:
    """Believe a checkpoint when a known key signed it under the name of the log, and no known signature fails."""
    is_known = False
    for name, key_id, signature in signatures:
        for key in keys:
            if (key.name, key.key_id) == (name, key_id) and name == checkpoint.origin:
                is_known = True
                try:
                    Ed25519PublicKey.from_public_bytes(key.public).verify(signature, text)
                except InvalidSignature:
                    return Finding("checkpoint.signature", checkpoint.path)
    return checkpoint if is_known else Finding("checkpoint.unknown_key", checkpoint.path)


def checkpoint_files(source: Path, origin: str | None) -> list[Path]:
    """List the checkpoints of a log: a file itself, those below a folder, those below the log's part of a witness."""
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise CannotVerifyError(f"保管先がありません / no such witness: {source}")
    part = source.joinpath(*origin.split("/")) if origin else source
    folder = part if part.is_dir() else source
    return sorted(path for path in folder.rglob("*.checkpoint") if not path.name.startswith("."))


def gathered(
    sources: Sequence[Path], keys: Sequence[Key], origin: str | None
) -> tuple[dict[tuple[str, int], Checkpoint], list[Finding]]:
    """Open all checkpoints: one for each log and size, and what is wrong with others."""
    kept, findings = dict[tuple[str, int], Checkpoint](), list[Finding]()
    for source in sources:
        paths = checkpoint_files(source, origin)
        if not paths:
            findings.append(Finding("checkpoint.none", str(source)))
        for path in paths:
            one = opened(path.read_bytes(), str(path), keys, origin)
            if isinstance(one, Finding):
                findings.append(one)
                continue
            if re.fullmatch(r"[0-9]+\.checkpoint", path.name) and int(path.stem) != one.size:
                findings.append(Finding("checkpoint.name", str(path)))
            if kept.setdefault((one.origin, one.size), one).root != one.root:
                findings.append(
                    Finding(
                        "checkpoint.forked", f"{kept[one.origin, one.size].path} ≠ {path}", one.size, one.size
                    )
                )
    return kept, findings


# -- the entries ---------------------------------------------------------------------------------------------


@dataclass
class Walked:
    """How far the walk came, the roots on the way, and the first fault of an entry."""

    tree: Tree = field(default_factory=Tree)
    roots: dict[int, bytes] = field(default_factory=dict)
    fault: Finding | None = None


def walked(folder: Path, sizes: Iterable[int]) -> Walked:
    """Go through entries and leaves side by side."""
    walk, wanted = Walked(), set(sizes)
    for line, following, leaf, next_leaf in looked_ahead(folder):
        place = walk.tree.size + 1
        if line is None:
            walk.fault = Finding("log.cut", "", place, place + leaves_left(folder, place))
            return walk
        entry = line.removesuffix(b"\n")
        if leaf_of(entry) != leaf or number_of(entry) != place or not line.endswith(b"\n"):
            walk.fault = fault_at(place, entry, following, leaf, next_leaf)
            return walk
        walk.tree.add(leaf)
        if place in wanted:
            walk.roots[place] = walk.tree.root()
    return walk


def looked_ahead(folder: Path) -> Iterator[tuple[bytes | None, bytes | None, bytes | None, bytes | None]]:
    """Give each line with its leaf, and the line and the leaf after it; None where there is none."""
    with (folder / "entries.jsonl").open("rb") as lines, (folder / "leaves.bin").open("rb") as leaves:
        entries = iter(lambda: lines.readline(MOST_LINE_BYTES) or None, None)
        hashes = iter(lambda: leaves.read(32) or None, None)
        before: tuple[bytes | None, bytes | None] | None = None
        for now in zip_longest(entries, hashes):
            if before is not None:
                yield before[0], now[0], before[1], now[1]
            before = now
        if before is not None:
            yield before[0], None, before[1], None


def number_of(entry: bytes) -> int | None:
    """Tell the number an entry says of itself."""
    try:
        said = json.loads(entry)
    except (ValueError, RecursionError):
        return None
    number = said.get("entry_no") if isinstance(said, dict) else None
    return number if isinstance(number, int) else None


def fault_at(
    place: int, entry: bytes, following: bytes | None, leaf: bytes | None, next_leaf: bytes | None
) -> Finding:
    """Say what happened at a place, by where this entry and the one after it belong."""
    after = following.removesuffix(b"\n") if following is not None else None
    number, later = number_of(entry), number_of(after) if after is not None else None
    belongs_here = after is not None and (leaf_of(after) == leaf if leaf else later == place)
    if number == place - 1:
        return Finding("entry.duplicated", "", place, place)
    if number is not None and number > place:
        is_swapped = belongs_here or (later is not None and later < number)
        if is_swapped:
            return Finding("entry.swapped", "", place, number)
        return Finding("entry.deleted", "", place, number - 1)
    if belongs_here or leaf is None:
        return Finding("entry.inserted", "", place, place)
    return Finding("entry.edited", "", place, place)


def leaves_left(folder: Path, place: int) -> int:
    """Count the leaves after a place."""
    return max((folder / "leaves.bin").stat().st_size // 32 - place, 0)


# -- an export -----------------------------------------------------------------------------------------------


@dataclass
class Verdict:
    """What was verified of one thing, and what was found."""

    name: str
    entries: int = 0
    signed: int = 0
    checkpoints: int = 0
    root: str = ""
    findings: list[Finding] = field(default_factory=list)


def verify_export(folder: Path, given: Sequence[Key], witnesses: Sequence[Path]) -> Verdict:
    """Verify one exported log against its own checkpoints and those of the witnesses."""
    manifest = manifest_of(folder)
    origin = str(manifest["origin"])
    keys = list(given) or keys_in(str(folder / "keys.vkey"))
    verdict = Verdict(origin, findings=[] if given else [Finding("key.enclosed")])
    enclosed, faults = gathered([folder / "checkpoints"], keys, origin)
    outside, more = gathered(witnesses, keys, origin)
    verdict.findings += faults + more
    signed = dict[int, bytes]()
    for (_, size), one in {**enclosed, **outside}.items():
        signed[size] = one.root
    for key in enclosed.keys() & outside.keys():
        if enclosed[key].root != outside[key].root:
            verdict.findings.append(Finding("checkpoint.forked", outside[key].path, key[1], key[1]))
    walk = walked(folder, signed)
    if walk.fault is not None:
        verdict.findings.append(walk.fault)
    verdict.findings += against_signatures(walk, signed, {size for _, size in enclosed}, manifest)
    verdict.findings += [] if walk.fault else against_proofs(folder, signed)
    agreeing = [size for size, root in signed.items() if walk.roots.get(size) == root]
    verdict.entries, verdict.root = walk.tree.size, walk.tree.root().hex()
    verdict.signed, verdict.checkpoints = max(agreeing, default=0), len(agreeing)
    if not walk.fault and verdict.signed < verdict.entries:
        verdict.findings.append(Finding("log.unsigned", "", verdict.signed + 1, verdict.entries))
    return verdict


def against_signatures(
    walk: Walked, signed: dict[int, bytes], enclosed: set[int], manifest: dict[str, Any]
) -> Iterator[Finding]:
    """Hold the tree to what was signed: the first disagreement, with the entries since the last agreement."""
    agreed = 0
    for size in sorted(signed):
        if size in walk.roots and walk.roots[size] == signed[size]:
            agreed = size
        elif size in walk.roots:
            yield Finding("log.forked", "", agreed + 1, size)
            return
        elif walk.fault is None:
            code = "log.cut" if size in enclosed else "log.rolled_back"
            yield Finding(code, "", walk.tree.size + 1, max(signed))
            return
    if walk.fault is None:
        yield from against_manifest(walk, agreed, manifest)


def against_manifest(walk: Walked, agreed: int, manifest: dict[str, Any]) -> Iterator[Finding]:
    """Hold the end of the log to what the export says of itself, also where nothing is signed."""
    size, said = walk.tree.size, int(manifest["entries"])
    if size < said:
        yield Finding("log.cut", "", size + 1, said)
    elif size > said:
        yield Finding("entry.inserted", "", said + 1, size)
    elif walk.tree.root().hex() != manifest["root"]:
        yield Finding("log.manifest", "manifest.json", min(agreed + 1, size), size)


def against_proofs(folder: Path, signed: dict[int, bytes]) -> Iterator[Finding]:
    """Check each consistency proof between the roots that were signed."""
    with (folder / "proofs.jsonl").open("rb") as lines:
        for line in lines:
            older, newer, holds = 0, 0, False
            try:
                said = json.loads(line)
                older, newer = int(said["first"]), int(said["size"])
                proof = [bytes.fromhex(node) for node in said["proof"]]
                folded = grown_roots(older, newer, signed[older], proof)
                holds = folded == (signed[older], signed[newer])
            except (ValueError, KeyError, TypeError):
                holds = False
            if not holds:
                yield Finding("proof.consistency", "", older + 1, newer)


def manifest_of(folder: Path) -> dict[str, Any]:
    """Read the manifest of an export."""
    try:
        said = json.loads(read_text(folder / "manifest.json"))
        is_ours = said["format"] == FORMATS["log"] and isinstance(said["origin"], str)
        is_ours = is_ours and isinstance(said["entries"], int) and isinstance(said["root"], str)
    except (ValueError, KeyError, TypeError):
        is_ours = False
    if not is_ours:
        raise CannotVerifyError(f"書き出した操作ログではありません / not an exported log: {folder}")
    return dict(said)


def read_text(path: Path) -> str:
    """Read a file, or say that it can not be."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise CannotVerifyError(f"読めません / can not be read: {path}") from None


# -- checkpoints alone, and one entry ------------------------------------------------------------------------


def verify_checkpoints(witnesses: Sequence[Path], keys: Sequence[Key]) -> list[Verdict]:
    """Verify witnesses without a log: every signature, and that no two of them disagree."""
    kept, findings = gathered(witnesses, keys, None)
    verdicts = {origin: Verdict(origin) for origin, _ in kept}
    for (origin, size), one in kept.items():
        verdict = verdicts[origin]
        verdict.checkpoints += 1
        if size >= verdict.signed:
            verdict.signed, verdict.root = size, one.root.hex()
    first = next(iter(verdicts.values()), Verdict("-"))
    first.findings += findings
    return list(verdicts.values()) or [first]


def verify_inclusion(path: Path, keys: Sequence[Key]) -> Verdict:
    """Verify the proof of one entry, told in full or by its hash, against the checkpoint it encloses."""
    try:
        said = json.loads(read_text(path))
        number, size = said["entry_no"], said["size"]
        entry = said["entry"].encode() if "entry" in said else None
        leaf = bytes.fromhex(said["leaf_hash"]) if entry is None else leaf_of(entry)
        proof = [bytes.fromhex(node) for node in said["proof"]]
        note, root = said["checkpoint"].encode(), bytes.fromhex(said["root"])
        is_ours = said["format"] == FORMATS["inclusion"] and isinstance(number, int) and isinstance(size, int)
    except (ValueError, KeyError, TypeError, AttributeError):
        is_ours = False
    if not is_ours:
        raise CannotVerifyError(f"証明ではありません / not a proof: {path}")
    one = opened(note, str(path), keys, None)
    if isinstance(one, Finding):
        return Verdict(str(path), findings=[one])
    is_told = (entry is None or number_of(entry) == number) and (one.size, one.root) == (size, root)
    folded = path_root(number, size, leaf, proof)
    findings = [] if is_told and folded == one.root else [Finding("proof.inclusion", "", number, number)]
    return Verdict(one.origin, 1, one.size, 1, one.root.hex(), findings)


# -- the command ---------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify what is named on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "exports", nargs="*", type=Path, metavar="EXPORT", help="書き出した操作ログのフォルダ"
    )
    parser.add_argument(
        "--witness", action="append", default=[], type=Path, help="保管先、またはチェックポイントのファイル"
    )
    parser.add_argument("--key", action="append", default=[], help="公開鍵のファイル、または公開鍵そのもの")
    parser.add_argument(
        "--inclusion",
        action="append",
        default=[],
        type=Path,
        help="一件の証明（juki log verify --entry --json）",
    )
    parser.add_argument("--json", action="store_true", help="結果を JSON で出力する")
    asked = parser.parse_args(arguments)
    try:
        verdicts = verified(asked)
    except CannotVerifyError as error:
        told = {"error": {"code": "verify.impossible", "message": str(error)}}
        print(json.dumps(told, ensure_ascii=False) if asked.json else f"[verify.impossible] {error}")  # noqa: T201
        return 2
    print(as_json(verdicts) if asked.json else as_text(verdicts))  # noqa: T201
    return int(any(finding.is_fault for one in verdicts for finding in one.findings))


def verified(asked: argparse.Namespace) -> list[Verdict]:
    """Verify everything that was asked for."""
    keys = [key for source in asked.key for key in keys_in(source)]
    folders = [one for export in asked.exports for one in logs_in(export)]
    if not folders and not keys:
        raise CannotVerifyError("書き出した操作ログか --key が要ります / an export or --key is needed")
    verdicts = [verify_export(folder, keys, asked.witness) for folder in folders]
    verdicts += [verify_inclusion(path, keys) for path in asked.inclusion]
    if not folders and asked.witness:
        verdicts += verify_checkpoints(asked.witness, keys)
    return verdicts


def logs_in(export: Path) -> list[Path]:
    """List the logs of an export: itself, or the folders in it."""
    if (export / "manifest.json").is_file() or not export.is_dir():
        return [export]
    return sorted(path.parent for path in export.glob("*/manifest.json")) or [export]


def as_text(verdicts: Sequence[Verdict]) -> str:
    """Write the verdicts for people."""
    lines = []
    for one in verdicts:
        lines.append(
            f"{one.name}: 記録/entries {one.entries:,}、署名/signed {one.signed:,}、"
            f"一致したチェックポイント/checkpoints {one.checkpoints:,}"
        )
        lines += [f"  {finding.line()}" for finding in one.findings]
        if not any(finding.is_fault for finding in one.findings):
            lines.append("  一致しました / verified")
    return "\n".join(lines)


def as_json(verdicts: Sequence[Verdict]) -> str:
    """Write the verdicts for programs."""
    told = [
        {
            "name": one.name, "entries": one.entries, "signed": one.signed, "checkpoints": one.checkpoints,
            "root": one.root,
            "is_verified": not any(finding.is_fault for finding in one.findings),
            "findings": [
                {"code": finding.code, "where": finding.where, "first": finding.first, "last": finding.last}
                for finding in one.findings
            ],
        }
        for one in verdicts
    ]  # fmt: skip
    return json.dumps({"logs": told}, ensure_ascii=False, indent=2)


if __name__ == "__main__":
    sys.exit(main())
