"""The steps of the benchmark of the operation log, each as a process of its own does it."""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import shutil
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.measured import Measured, Meter
from config.logs import log_keys, log_place
from config.settings import home_of, load_settings
from config.stores import admin_url
from juki.columns import IdentityFile
from juki.home import Home
from juki.merkle import leaf_hash
from juki.oplog.exporting import export_log
from juki.oplog.signing import sign_log
from juki.oplog.standing import LogPlace
from juki.oplog.verifying import verify_all, verify_news
from juki.store.roles import Duty
from juki.store.unit import open_unit

FILE = IdentityFile.RESIDENT
DOES = {
    "floor": ("下限: 読出し + SHA-256", "全件を DB から読み、葉のハッシュを取るだけ"),
    "sign": (
        "署名",
        "最後のチェックポイントの後の全件を検査し、つながりの証明を確かめて署名し、保管先に書く",
    ),
    "verify": (
        "juki log verify",
        "全件を保存したハッシュ・木と照らし、すべてのチェックポイントと突き合わせる",
    ),
    "news": ("juki log verify --since-checkpoint", "最後のチェックポイントの後だけ"),
    "export": ("juki log export", "全件・葉・チェックポイント・つながりの証明を書き出す"),
    "verifier": ("juki_verify.py", "書き出したものと保管先を、何も共有しない一つのファイルで検証する"),
}
STEPS = tuple(DOES)


def run_step(step: str) -> Measured:
    """Run one step on the home of this process."""
    home = home_of()
    settings = load_settings(home)
    place, url = log_place(home, settings, FILE), admin_url(home, settings, FILE)
    if step == "sign":
        key = log_keys(home, settings).signing_key
        with open_unit(url, FILE, Duty.AUDITOR) as unit:
            last = unit.checkpoints.last()
        with Meter(home) as meter:
            signing = sign_log(url, place, key, datetime.now(UTC))
        if not signing.is_new or signing.alarms:
            raise RuntimeError("nothing was signed")
        return meter.measured(signing.size - (last.size if last else 0))
    if step == "verifier":
        return _verifier(home)
    return _reading(step, home, url, place)


def _reading(step: str, home: Home, url: str, place: LogPlace) -> Measured:
    with open_unit(url, FILE, Duty.AUDITOR) as unit, Meter(home) as meter:
        if step == "floor":
            count = sum(1 for row in unit.journal_reader.rows() if leaf_hash(row.entry.encode()))
        elif step == "export":
            shutil.rmtree(_exported(home), ignore_errors=True)
            count = export_log(unit, place, _exported(home)).entries
        else:
            verified = verify_all(unit, place) if step == "verify" else verify_news(unit, place)
            if verified.alarms:
                raise RuntimeError("the log does not verify")
            count = verified.last - verified.first + 1
    return meter.measured(max(count, 1))


def _verifier(home: Home) -> Measured:
    program = Path(__file__).parents[1] / "verifier" / "juki_verify.py"
    folder, out = _exported(home) / FILE.value, io.StringIO()
    sys.argv = [str(program), str(folder), "--witness", str(home.witness), "--key", str(folder / "keys.vkey")]
    with Meter(home) as meter, contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        runpy.run_path(str(program), run_name="__main__")
    if "verified" not in out.getvalue():
        raise RuntimeError(out.getvalue())
    return meter.measured((folder / "leaves.bin").stat().st_size // 32)


def _exported(home: Home) -> Path:
    return home.root / "bench" / "log-export"


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(run_step(sys.argv[1]))) + "\n")
