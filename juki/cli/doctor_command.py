"""`juki doctor`: whether the machine under the installation is fit, before it is noticed by what fails.

Decides:    the order of the looks, and what the screen says: one line a subject, then what is wrong and what to do.
Leaves:     looking to `juki.cli.doctor_looks`, judging to `juki.doctor`.
Invariants: whatever is broken, the other looks are still made, and it ends with 0, 1 or 2 and no traceback.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from config.municipalities import load_municipalities
from config.schedules import wanted_deployments
from config.settings import Settings, home_of, load_settings
from config.stores import ensure_servers
from juki.cli.doctor_looks import Looks, looked, now_utc
from juki.cli.installation import explained, iso
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.reasons_shown import code_lines
from juki.columns import IdentityFile
from juki.doctor import Finding, State, Subject, worst
from juki.errors import ConfigurationError
from juki.home import Home
from juki.reasons import Code
from juki.schedules import uncovered

_PROGRAMS = ("juki-renkei", "prefect", "sqlalchemy", "psycopg", "cryptography")
_EXIT_CODES = {State.OK: ExitCode.OK, State.ALERT: ExitCode.FOUND, State.ERROR: ExitCode.ERROR}


def doctor(as_json: AsJson = False) -> None:
    """鍵・権限・時計・空き・証明書の期限・データベースの版と役割・保管先・予定・警報のメールを調べる。何も変えない。

    終了コード: 0 すべて良好、1 注意、2 誤り。
    """
    findings = list(examined(home_of()))
    versions = _versions()
    data = {
        "as_of": iso(now_utc()), "state": worst(findings).value, "versions": versions,
        "findings": [_described(one) for one in findings],
    }  # fmt: skip
    told = "、".join(f"{name} {found}" for name, found in versions.items())
    lines = [*_lines(findings), f"版: {told}"]
    finish(Result(data, [_table(findings)], lines, _EXIT_CODES[worst(findings)]), as_json=as_json)


def examined(home: Home) -> Iterator[Finding]:
    """Look at everything of a home; without its settings there is nothing else to look by."""
    settings = list[Settings]()
    yield from looked(Subject.SETTINGS, home.settings_file.name, partial(_settings, home, settings))
    for one in settings:
        yield from _all(Looks(home, one, now_utc))


def _settings(home: Home, read: list[Settings]) -> Iterator[Finding]:
    if not home.exists:
        raise ConfigurationError(Code.CONFIG_NOT_INITIALISED, "JUKI_HOME")
    read.append(load_settings(home))
    yield Finding(Subject.SETTINGS, home.settings_file.name)


def _all(looks: Looks) -> Iterator[Finding]:
    yield from looked(Subject.PERMISSIONS, "JUKI_HOME", looks.permissions)
    yield from looked(Subject.KEYS, "keys", looks.keys)
    yield from looked(Subject.SETTINGS, "municipalities.toml", partial(_registrations, looks))
    yield from looked(Subject.DISK, "JUKI_HOME", looks.disks)
    yield from looked(Subject.STORE, "postgres", partial(_servers, looks))
    for file in IdentityFile:
        yield from looked(Subject.STORE, file.value, partial(looks.store, file))
    yield from looked(Subject.WITNESS, "witness_folders", looks.witnesses)
    yield from looked(Subject.SITE, "site", looks.site)
    yield from looked(Subject.MAIL, "smtp", looks.mail)


def _registrations(looks: Looks) -> Iterator[Finding]:
    registered = load_municipalities(looks.home, looks.settings.prefecture_code)
    yield Finding(Subject.SETTINGS, "municipalities.toml")
    yield from looks.validities(registered)
    yield from uncovered(wanted_deployments(), registered.codes)


def _servers(looks: Looks) -> Iterator[Finding]:
    ensure_servers(looks.home, looks.settings)
    return iter(())


def _versions() -> dict[str, str]:
    """Name what runs here, without loading it."""
    return {"Python": platform.python_version(), **{name: _version(name) for name in _PROGRAMS}}


def _version(program: str) -> str:
    try:
        return version(program)
    except PackageNotFoundError:
        return "-"


def _described(one: Finding) -> dict[str, object]:
    reason = explained(one.code) if one.code else {}
    return {"subject": one.subject.value, "state": one.state.value, "ref": one.ref, **reason}


def _table(findings: Sequence[Finding]) -> Table:
    rows = []
    for subject in Subject:
        found = [one for one in findings if one.subject is subject]
        wrong = sum(one.code is not None for one in found)
        state = worst(found).japanese if found else "調べていません"
        rows.append((subject.japanese, state, str(len(found)), str(wrong)))
    return Table("点検", ("対象", "状態", "調べた数", "問題"), rows)


def _lines(findings: Sequence[Finding]) -> list[str]:
    """Write each code once with its places, errors first."""
    places: dict[Code, list[str]] = {}
    for one in findings:
        if one.code is not None:
            places.setdefault(one.code, []).append(one.ref)
    lines = list[str]()
    for state in (State.ERROR, State.ALERT):
        for code in [one for one in places if Finding(Subject.STORE, "", one).state is state]:
            first, *step = code_lines(code, f"{state.japanese} ")
            lines += [first, "  " + "、".join(dict.fromkeys(places[code])), *step]
    return lines
