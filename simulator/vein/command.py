"""`python -m simulator vein …`: the device and its gateway by hand.

Decides:    the words of the commands, and that a secret or a person can be given by a file or the standard input.
Leaves:     everything else to `simulator.vein.gateway`.
Invariants: standard output holds what was asked for and nothing else, so that an assertion can be redirected; reasons
            go to the standard error output. Exit code 1: refused.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from juki.keys import read_private, write_private
from simulator.vein import one_time
from simulator.vein.assertions import Act
from simulator.vein.gateway import CAPTURES_TO_ENROL, Gateway, Presented
from simulator.vein.palms import palm_of
from simulator.vein.refusals import VeinRefusedError


def add_to(commands: Any) -> None:
    """Add `vein` and what it can do to the commands of the simulator."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "vein", help="静脈認証装置とゲートウェイの代わり（登録・失効・認証済み証明の発行）"
    )
    parser.add_argument("--prefecture", default="35", help="都道府県コード（2桁）")
    parser.add_argument("--gateway", default="vein-gateway-1", help="ゲートウェイの名前（iss）")
    verbs = parser.add_subparsers(required=True)
    enrol = _verb(verbs, "enrol", "照合IDと手のひらを登録する", _enrol)
    enrol.add_argument("--palm", required=True, metavar="SEED", help="架空の手のひらの種")
    enrol.add_argument(
        "--otp-to", type=Path, required=True, metavar="FILE", help="ワンタイムパスワードの鍵を書く"
    )
    _verb(verbs, "revoke", "登録を失効させる", _revoke)
    _verb(verbs, "unlock", "失敗が続いて止まった登録を、もう一度使えるようにする", _unlock)
    keys = verbs.add_parser("keys", help="公開鍵を書き出す")
    keys.add_argument("folder", type=Path)
    keys.add_argument("--rotate", action="store_true", help="先に次の署名鍵を作る")
    keys.set_defaults(run=_told(_keys))
    _add_assert(verbs)


def _add_assert(verbs: Any) -> None:
    parser = _verb(verbs, "assert", "認証し、一つの命令の証明を発行する", _assert)
    parser.add_argument("--palm", required=True, metavar="SEED")
    factor = parser.add_mutually_exclusive_group(required=True)
    factor.add_argument("--otp", metavar="CODE", help="ワンタイムパスワード（6桁）")
    factor.add_argument("--otp-from", type=Path, metavar="FILE", help="鍵のファイル（演習用）")
    parser.add_argument("--command", required=True, help="juki の命令の語（例: difference approve）")
    parser.add_argument("--target", required=True, help="対象。- なら標準入力から読む")
    parser.add_argument("--person", action="store_true", help="個人についての命令: 対象を証明に書かない")
    parser.add_argument("--terminal", required=True, help="端末の名前")


def _verb(verbs: Any, name: str, told: str, run: Callable[..., None]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=told)
    parser.add_argument("--operator", required=True, help="照合ID")
    parser.set_defaults(run=_told(run))
    return parser


def _told(run: Callable[[argparse.Namespace, Gateway], None]) -> Callable[[argparse.Namespace], None]:
    def told(chosen: argparse.Namespace) -> None:
        gateway = Gateway(chosen.home / "vein", chosen.prefecture, chosen.gateway)
        try:
            run(chosen, gateway.create_missing())
        except VeinRefusedError as refused:
            print(refused, file=sys.stderr)
            raise SystemExit(1) from None

    return told


def _enrol(chosen: argparse.Namespace, gateway: Gateway) -> None:
    palm, draws = palm_of(chosen.palm), np.random.default_rng()
    captures = [palm.hold(draws) for _ in range(CAPTURES_TO_ENROL)]
    if chosen.otp_to.exists():
        raise SystemExit(f"{chosen.otp_to} は既にあります。")
    enrolled = gateway.enrol(chosen.operator, captures, datetime.now(UTC))
    write_private(chosen.otp_to, enrolled.otp_secret.hex().encode("ascii") + b"\n")
    print(f"{chosen.operator} を登録しました。")


def _revoke(chosen: argparse.Namespace, gateway: Gateway) -> None:
    gateway.revoke(chosen.operator, datetime.now(UTC))
    print(f"{chosen.operator} の登録を失効させました。")


def _unlock(chosen: argparse.Namespace, gateway: Gateway) -> None:
    gateway.unlock(chosen.operator, datetime.now(UTC))
    print(f"{chosen.operator} をもう一度使えるようにしました。")


def _keys(chosen: argparse.Namespace, gateway: Gateway) -> None:
    if chosen.rotate:
        gateway.keys.rotate()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    for kid, content in gateway.keys.public().items():
        (chosen.folder / f"{kid}.pub.pem").write_bytes(content)
        print(kid)


def _assert(chosen: argparse.Namespace, gateway: Gateway) -> None:
    now = datetime.now(UTC)
    otp = chosen.otp or one_time.code_at(_otp_secret(chosen.otp_from), now)
    capture = palm_of(chosen.palm).hold(np.random.default_rng())
    target = sys.stdin.readline().rstrip("\n") if chosen.target == "-" else chosen.target
    presented = Presented(chosen.operator, capture, otp, chosen.terminal)
    print(gateway.issue(presented, Act(chosen.command, target, chosen.person), now))


def _otp_secret(path: Path) -> bytes:
    return bytes.fromhex(read_private(path).decode("ascii").strip())
