"""The municipal side by hand: `python -m simulator pki | serve | publish | tidy | faults`; the device: `… vein`.

`… offices` keeps the municipalities of `make demo` going beside `make up`.

Decides:    how an exercise lies in its folder: `pki/` the certificates and keys, `cs/<code>/` the accounts.
Leaves:     everything else to the modules it calls.
"""

from __future__ import annotations

import argparse
import threading
from datetime import UTC, datetime
from pathlib import Path

import asyncssh

from juki.columns import NOTICE_COLUMNS, IdentityFile
from juki.records import parse_records
from juki.wire.envelope import fingerprint
from simulator import offices_command, pki
from simulator.drafts import Desk, Prefecture
from simulator.faults import EXPECTED, Fault
from simulator.office import MunicipalOffice
from simulator.sealing import Sealer
from simulator.sftp_server import make_key, public_line, serve
from simulator.vein import command as vein

PREFECTURE_CODE = "350001"


def main(arguments: list[str] | None = None) -> None:
    """Run one command of the municipal side."""
    chosen = _parser().parse_args(arguments)
    chosen.run(chosen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator", description="市町村CSの代わりをします（演習用）。"
    )
    parser.add_argument("--home", type=Path, default=Path(".simulator"), help="演習のフォルダ")
    commands = parser.add_subparsers(required=True)
    make = commands.add_parser("pki", help="認証局・都道府県・市町村の鍵と証明書を作る")
    make.add_argument("codes", nargs="+", help="市町村コード（6桁）")
    make.set_defaults(run=_make_pki)
    listen = commands.add_parser("serve", help="SFTPサーバーを動かす（Ctrl+C で終わる）")
    listen.add_argument("--port", type=int, default=0)
    listen.set_defaults(run=_serve)
    publish = commands.add_parser("publish", help="CSVの通知を封緘して outbox に置く")
    publish.add_argument("code")
    publish.add_argument("file", type=IdentityFile, choices=list(IdentityFile))
    publish.add_argument("csv", type=Path)
    publish.add_argument("--sequence", type=int, default=1, help="最初のパッケージの連番")
    publish.add_argument("--fault", type=Fault, choices=list(Fault))
    publish.add_argument("--sealer", type=Sealer, choices=list(Sealer), default=Sealer.OURS)
    publish.set_defaults(run=_publish)
    tidy = commands.add_parser("tidy", help="inbox の受領書を読む")
    tidy.add_argument("code")
    tidy.set_defaults(run=_tidy)
    commands.add_parser("faults", help="起こせる障害と、現れるべきコードの一覧").set_defaults(
        run=_list_faults
    )
    offices_command.add_to(commands)
    vein.add_to(commands)
    return parser


def _make_pki(chosen: argparse.Namespace) -> None:
    made = pki.build(chosen.home / "pki", chosen.codes)
    for code, office in made.offices.items():
        print(f"{code} {fingerprint(office.signer.certificate)}")


def _serve(chosen: argparse.Namespace) -> None:
    client, host = (_kept_key(chosen.home / "pki" / name) for name in ("sftp_client.key", "sftp_host.key"))
    accounts = dict.fromkeys(_codes(chosen.home), public_line(client))
    with serve(chosen.home / "cs", accounts, host, port=chosen.port) as server:
        print(f"{server.host}:{server.port} {server.host_key}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()


def _publish(chosen: argparse.Namespace) -> None:
    office = _office(chosen.home, chosen.code, chosen.sealer)
    office.next_sequence[chosen.file] = chosen.sequence
    table = parse_records(chosen.csv.read_bytes(), NOTICE_COLUMNS[chosen.file])
    for name in office.publish(chosen.file, table, datetime.now(UTC), fault=chosen.fault):
        print(name)


def _tidy(chosen: argparse.Namespace) -> None:
    for receipt in _office(chosen.home, chosen.code, Sealer.OURS).tidy(datetime.now(UTC)):
        answer = receipt.manifest
        print(f"{answer.file} {answer.sequence:08d} {answer.verdict} {answer.code} {answer.message}")
        for line in receipt.lines.to_pylist():
            print("  ", *line.values())


def _list_faults(_: argparse.Namespace) -> None:
    for fault, expected in EXPECTED.items():
        print(f"{fault:<22}{expected.effect:<10}{expected.code or ''}")


def _office(home: Path, code: str, sealer: Sealer) -> MunicipalOffice:
    made = pki.build(home / "pki", _codes(home))
    others = [office for other, office in made.offices.items() if other != code]
    known = Prefecture(
        PREFECTURE_CODE, made.prefecture.certificate, made.prefecture_as_sender(PREFECTURE_CODE)
    )
    desk = Desk(made.offices[code], known, sealer, others[0] if others else None, made.root)
    return MunicipalOffice(desk, home / "cs" / code)


def _codes(home: Path) -> list[str]:
    return sorted(path.name[:6] for path in (home / "pki").glob("*-signer.crt"))


def _kept_key(path: Path) -> asyncssh.SSHKey:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_key().write_private_key(str(path))
        path.chmod(0o600)
    return asyncssh.read_private_key(path)


if __name__ == "__main__":
    main()
