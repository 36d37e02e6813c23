"""Exported logs of any size without a database, and everything somebody may do to a copy of one."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from juki.checkpoints import Checkpoint, sign_checkpoint, verifier_of
from juki.journal import canonical_bytes
from juki.merkle import Frontier, leaf_hash
from juki.merkle_proofs import successive_proofs
from juki.witnesses import file_name
from tests.oplog_case import FILE, NOW, ORIGINS, entry_of

ORIGIN = ORIGINS[FILE]
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
VKEY = verifier_of(KEY, ORIGIN).to_text()


@dataclass(frozen=True, slots=True)
class Export:
    """An export in memory: the entries, and the sizes at which it was signed."""

    entries: list[bytes]
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, count: int, sizes: Sequence[int]) -> Export:
        """Make a log of so many entries."""
        at = [NOW + timedelta(seconds=number) for number in range(count + 1)]
        made = [canonical_bytes(entry_of(number), number, at[number]) for number in range(1, count + 1)]
        return cls(made, tuple(sizes))

    def write(self, folder: Path, key: Ed25519PrivateKey = KEY, origin: str = ORIGIN) -> Path:
        """Write it as the product does, hashes and signatures of these entries."""
        (folder / "checkpoints").mkdir(parents=True)
        leaves = [leaf_hash(entry) for entry in self.entries]
        (folder / "entries.jsonl").write_bytes(b"".join(entry + b"\n" for entry in self.entries))
        (folder / "leaves.bin").write_bytes(b"".join(leaves))
        notes, root = self.signed(key, origin)
        for size, note in notes.items():
            (folder / "checkpoints" / file_name(size)).write_bytes(note)
        with (folder / "proofs.jsonl").open("w") as file:
            for first, size, proof in successive_proofs(leaves, self.sizes):
                line = {"first": first, "size": size, "proof": [node.hex() for node in proof]}
                file.write(json.dumps(line) + "\n")
        (folder / "keys.vkey").write_text(verifier_of(key, origin).to_text() + "\n")
        manifest = {
            "format": "juki-log-export/1", "origin": origin, "file": FILE.value, "entries": len(self.entries),
            "root": root.hex(),
        }  # fmt: skip
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return folder

    def signed(self, key: Ed25519PrivateKey = KEY, origin: str = ORIGIN) -> tuple[dict[int, bytes], bytes]:
        """Sign at every size, and give the last root too."""
        notes, tree = dict[int, bytes](), Frontier()
        for entry in self.entries:
            tree = tree.grown(leaf_hash(entry))
            if tree.size in self.sizes:
                notes[tree.size] = sign_checkpoint(Checkpoint(origin, tree.size, tree.root), key)
        return notes, tree.root

    def witness(self, folder: Path) -> Path:
        """Write a witness folder of it."""
        place = folder.joinpath(*ORIGIN.split("/"))
        place.mkdir(parents=True)
        for size, note in self.signed()[0].items():
            (place / file_name(size)).write_bytes(note)
        return folder


def copied(folder: Path, to: Path) -> Path:
    """Copy an export cheaply: what is not altered is linked."""
    shutil.copytree(folder, to, copy_function=_link)
    return to


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def alter_lines(folder: Path, change: Callable[[list[bytes]], None]) -> None:
    """Change the lines of the entries of a copy."""
    path = folder / "entries.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    change(lines)
    path.unlink()
    path.write_bytes(b"".join(lines))


def hash_anew(folder: Path) -> None:
    """Make the leaves and the manifest of a copy fit its entries again, as a forger without the key can."""
    tree, leaves = Frontier(), []
    for line in (folder / "entries.jsonl").read_bytes().splitlines():
        leaf = hashlib.sha256(b"\x00" + line).digest()
        leaves.append(leaf)
        tree = tree.grown(leaf)
    manifest = json.loads((folder / "manifest.json").read_text()) | {
        "entries": tree.size,
        "root": tree.root.hex(),
    }
    for name, content in (("leaves.bin", b"".join(leaves)), ("manifest.json", json.dumps(manifest).encode())):
        (folder / name).unlink()
        (folder / name).write_bytes(content)


def renumbered(lines: list[bytes], first: int) -> None:
    """Give every line from a place on the number of its place."""
    for index in range(first - 1, len(lines)):
        said = json.loads(lines[index]) | {"entry_no": index + 1}
        text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        lines[index] = text.encode() + b"\n"
