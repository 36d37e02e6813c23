"""The demonstration's chapter on copying: a clerk is refused a copy, two administrators make one, and it is opened.

Decides:    who is registered for it, what is copied, and what of it is told.
Leaves:     making copies to the `juki` command, run as an administrator runs it; opening to the keeper's private key.
Invariants: a chapter is ok only if the clerk was refused with the code of his role and nothing was written, the copy
            has every part its manifest names, is what PostgreSQL calls a dump, and both logs name who made it and who
            agreed. The operators of the exercise are taken away again, so that whoever tries the installation
            afterwards is not asked for assertions nobody can give him.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import sys
import tempfile
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console

from config.settings import load_settings
from config.stores import admin_url
from juki.cli import main
from juki.columns import IdentityFile
from juki.home import Home
from juki.keys import write_private
from juki.reasons import Code
from juki.wire.envelope import Sender, fingerprint, open_envelope
from simulator import installation, pki
from simulator.vein.assertions import Act
from simulator.vein.gateway import Gateway
from simulator.vein.staff import Staff

ADMINISTRATORS, CLERK = ("ensyu-kanri-1", "ensyu-kanri-2"), "ensyu-uketsuke"
_TERMINAL, _ISSUER = "ensyu-tanmatsu", "ensyu-gateway"
_DUMP = b"PGDMP"
"""What every dump of PostgreSQL in its own format begins with."""


@dataclass(slots=True)
class CopyChapter:
    """What `demo-summary.json` says of copies."""

    ok: bool = False
    refused_code: str = ""
    refused_wrote_nothing: bool = False
    parts: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    opened_bytes: int = 0
    opened_by_keeper: bool = False
    named_in_logs: bool = False


def run(home: Home, chapter: CopyChapter) -> None:
    """Go through the chapter, on the stores as the chapters before have left them."""
    with tempfile.TemporaryDirectory(prefix="juki-copy-") as name:
        exercise = _Exercise(home, Path(name).resolve())
        exercise.register()
        try:
            _refuse(exercise, chapter)
            _copy(exercise, chapter)
        finally:
            exercise.leave()
    chapter.ok = (
        chapter.refused_code == Code.OPERATOR_ROLE.value and chapter.refused_wrote_nothing
        and chapter.opened_by_keeper and chapter.named_in_logs and chapter.parts > 0
    )  # fmt: skip


def tell(console: Console, chapter: CopyChapter) -> None:
    """Say in a few lines what the chapter has shown."""
    console.print(
        f"  受入担当が写しを求める → 拒否（{chapter.refused_code or '拒まれていません'}）、何も書かれない"
    )
    people = sum(many for name, many in chapter.rows.items() if name.endswith((".current", ".history")))
    console.print(
        f"  管理者二人が写しを取る → {people:,} 行を {chapter.parts:,} 個に分けて封緘、"
        f"操作ログに二人と宛先: {'あり' if chapter.named_in_logs else 'なし'}"
    )
    opened = f"{chapter.opened_bytes:,} バイト" if chapter.opened_by_keeper else "できない"
    console.print(f"  保管する者の鍵で開く: {opened}")


def _refuse(exercise: _Exercise, chapter: CopyChapter) -> None:
    """Let a clerk ask, with an assertion of his own that is as it should be."""
    said = exercise.juki(
        *exercise.command, "--assertion", exercise.assertion(CLERK, "backup", exercise.target)
    )
    chapter.refused_code = said.get("error", {}).get("code", "")
    chapter.refused_wrote_nothing = not exercise.to.exists()


def _copy(exercise: _Exercise, chapter: CopyChapter) -> None:
    first, second = (exercise.assertion(one, "backup", exercise.target) for one in ADMINISTRATORS)
    said = exercise.juki(*exercise.command, "--assertion", first, "--approval", second)
    chapter.parts, chapter.rows = said.get("parts", 0), said.get("rows", {})
    if not chapter.parts:
        return
    manifest = json.loads(exercise.opened("manifest.p7m"))
    contents = [exercise.opened(one["name"]) for one in manifest["parts"]]
    digests = [
        hashlib.sha256((exercise.to / one["name"]).read_bytes()).hexdigest() for one in manifest["parts"]
    ]
    firsts = [one for one in manifest["parts"] if one["name"].endswith("-00001.p7m")]
    chapter.opened_bytes = sum(map(len, contents))
    chapter.opened_by_keeper = (
        digests == [one["sha256"] for one in manifest["parts"]] and len(firsts) == len(IdentityFile)
        and sum(content.startswith(_DUMP) for content in contents) == len(firsts)
    )  # fmt: skip
    chapter.named_in_logs = all(exercise.is_named(file) for file in IdentityFile)


class _Exercise:
    """The operators of the exercise with the device they stand at, and the keeper of the copy."""

    def __init__(self, home: Home, folder: Path) -> None:
        self.home, self.folder, self.to = home, folder, folder / "copy"
        self.settings = load_settings(home)
        gateway = Gateway(folder / "vein", self.settings.prefecture_code[:2], _ISSUER).create_missing()
        self.staff = Staff(gateway, _TERMINAL)
        kept = installation.folder(home) / "pki"
        self.root, self.ours = pki.load(kept / "root"), pki.load(kept / "prefecture")
        self.keeper = pki.kept(kept / "keeper", lambda: pki.issue(self.root, "演習用保管者", pki.rsa_key()))
        self.command = (
            "backup", "--to", str(self.to), "--certificate", str((kept / "keeper").with_suffix(".crt")),
            "--fingerprint", fingerprint(self.keeper.certificate), "--reason", "演習での保管",
        )  # fmt: skip
        self.target = self.juki(*self.command, "--show-target")["target"]

    def juki(self, *arguments: str) -> dict[str, Any]:
        """Run the command line as somebody at a terminal does, in this process: most of a new one is its start."""
        before, printed = (sys.argv, os.environ.get("JUKI_HOME")), io.StringIO()
        sys.argv, os.environ["JUKI_HOME"] = ["juki", *arguments, "--json"], str(self.home.root)
        try:
            with redirect_stdout(printed), suppress(SystemExit):
                main()
        finally:
            sys.argv = before[0]
            if before[1] is None:
                del os.environ["JUKI_HOME"]
            else:
                os.environ["JUKI_HOME"] = before[1]
        return dict(json.loads(printed.getvalue()))

    def register(self) -> None:
        """Trust the gateway, and register two administrators, with whom the installation closes, and a clerk."""
        for key_id, pem in self.staff.gateway.keys.public().items():
            write_private(self.home.root / "ensyu-gateway.pem", pem)
            write_private(self.home.issuers_file, _registration(key_id).encode())
        for one in (*ADMINISTRATORS, CLERK):
            self.staff.enrol(one, datetime.now(UTC))
        for one in ADMINISTRATORS:
            self._register(one, "administrator", [])
        target = self._register(CLERK, "clerk", ["--show-target"])["target"]
        by = [self.assertion(one, "operator register", target) for one in ADMINISTRATORS]
        self._register(CLERK, "clerk", ["--assertion", by[0], "--approval", by[1]])

    def _register(self, operator: str, role: str, by: list[str]) -> dict[str, Any]:
        who = (
            "--name",
            f"演習 {operator}",
            "--role",
            role,
            "--terminal",
            _TERMINAL,
            "--reason",
            "演習のため",
        )
        return self.juki("operator", "register", operator, *who, *by)

    def assertion(self, operator: str, command: str, target: str) -> str:
        """Let an operator hold his palm for one act, and name the file of the assertion."""
        token = self.staff.assertion(operator, Act(command, target), datetime.now(UTC))
        path = self.folder / f"{secrets.token_hex(8)}.jwt"
        write_private(path, f"{token}\n".encode("ascii"))
        return str(path)

    def opened(self, name: str) -> bytes:
        """Open a part as its keeper does, our signature verified."""
        own = frozenset({fingerprint(self.ours.certificate)})
        sender = Sender(self.settings.prefecture_code, own, (self.root.certificate,))
        sealed = (self.to / name).read_bytes()
        return open_envelope(sealed, recipient=[self.keeper.recipient()], sender=sender, at=datetime.now(UTC))

    def is_named(self, file: IdentityFile) -> bool:
        """Tell whether the log of a file says who made the copy, who agreed, and to whom it was sealed."""
        query = "SELECT entry FROM journal WHERE action IN ('copy.begun', 'copy.made') ORDER BY entry_no DESC LIMIT 2"
        with psycopg.connect(admin_url(self.home, self.settings, file)) as connection:
            told = [json.loads(entry) for (entry,) in connection.execute(query)]
        named = [
            one["actor"] == f"operator:{ADMINISTRATORS[0]}" and one.get("approver") == f"operator:{ADMINISTRATORS[1]}"
            and fingerprint(self.keeper.certificate) in one["change"]
            for one in told
        ]  # fmt: skip
        return [one["action"] for one in told] == ["copy.made", "copy.begun"] and all(named)

    def leave(self) -> None:
        """Take the operators of the exercise away, as no command can: the log goes on naming them."""
        self.home.issuers_file.unlink(missing_ok=True)
        with psycopg.connect(admin_url(self.home, self.settings, IdentityFile.RESIDENT)) as connection:
            wanted = [*ADMINISTRATORS, CLERK]
            connection.execute("DELETE FROM operator WHERE operator_id = ANY(%s)", (wanted,))


def _registration(key_id: str) -> str:
    return (
        f'[[key]]\nissuer = "{_ISSUER}"\nkey_id = "{key_id}"\npublic_key = "ensyu-gateway.pem"\n'
        "valid_from = 2020-01-01\n"
    )
