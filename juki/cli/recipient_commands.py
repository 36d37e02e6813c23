"""`juki recipient`: who is registered, which bases each may use today, and what is wrong with a registration.

Decides:    what is shown of a recipient, and which faults of its registration are told before a request shows them.
Leaves:     the registrations to `config.recipients`, what a basis opens to `juki basis show`.
Invariants: nothing is opened but files of the configuration; works without stores. Exit code 1 when a registered
            basis can not be used today, or a certificate can not be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

import typer

from config.bases import load_bases
from config.identities import encryption_certificate_of, recipient_sender_of
from config.recipients import Recipient, arrivals_of, delivery_of, load_recipients
from config.settings import home_of
from juki.authority import LegalBases, unusable
from juki.cli.basis_commands import standing, today_in_japan
from juki.cli.output import AsJson, ExitCode, Result, Table, finish
from juki.cli.reasons_shown import code_lines
from juki.errors import ConfigurationError, JukiError
from juki.home import Home
from juki.reasons import Code

app = typer.Typer(
    help="登録した提供先（移転・提供・機構・本人への開示）を調べる",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_HEADINGS = ("提供先", "名称", "種類", "執行機関・部署", "根拠", "使えない根拠", "証明書")

OneRecipient = Annotated[
    str, typer.Argument(metavar="RECIPIENT", help="提供先の名前（recipients.toml の code）")
]


@dataclass(frozen=True, slots=True)
class Looked:
    """One registration as it was found: each basis with why it can not be used, and the file at fault."""

    registered: Recipient
    bases: dict[str, Code | None]
    certificates: JukiError | None

    @property
    def faults(self) -> list[Code]:
        """List what is wrong, each code once."""
        codes = [code for code in self.bases.values() if code]
        return list(dict.fromkeys(codes + ([self.certificates.code] if self.certificates else [])))


@app.callback()
def _root() -> None:
    """Keep `recipient` a group of commands."""


@app.command("list")
def list_recipients(as_json: AsJson = False) -> None:
    """登録した提供先をすべて示す。

    終了コード: 0 使えない根拠も証明書の誤りもなし、1 ある、2 誤り。
    """
    home = home_of()
    bases, today = load_bases(home), today_in_japan()
    looked = [_look(home, one, bases, today) for one in load_recipients(home).recipient]
    rows = [
        (one.registered.code, one.registered.name, one.registered.kind.japanese, one.registered.receiver,
         str(len(one.bases)), str(sum(code is not None for code in one.bases.values())),
         one.certificates.ref if one.certificates else "読める")
        for one in looked
    ]  # fmt: skip
    data = {"version": bases.version, "recipients": [_described(home, one) for one in looked]}
    tables = [Table("提供先", _HEADINGS, rows)] if rows else []
    lines = [f"{len(rows):,} 件", f"根拠の一覧の版: {bases.version}", *_fault_lines(looked)]
    finish(Result(data, tables, lines, _exit_code(looked)), as_json=as_json)


@app.command()
def show(recipient: OneRecipient, as_json: AsJson = False) -> None:
    """一つの提供先の登録と、根拠ごとに今日使えるかを示す。"""
    home = home_of()
    bases = load_bases(home)
    registered = next((one for one in load_recipients(home).recipient if one.code == recipient), None)
    if registered is None:
        raise ConfigurationError(Code.PROVISION_RECIPIENT_UNKNOWN, "RECIPIENT")
    one = _look(home, registered, bases, today_in_japan())
    limits = registered.pure.limits
    facts = [
        ("名称", registered.name), ("種類", registered.kind.japanese), ("執行機関・部署", registered.receiver),
        ("署名の証明書", " ".join(registered.signing_certificates)),
        ("暗号化の証明書", registered.encryption_certificate),
        ("証明書", str(one.certificates) if one.certificates else "読める"),
        ("渡す場所", str(delivery_of(home, registered))), ("受ける場所", str(arrivals_of(home, registered))),
        ("一日の行数の上限", f"{limits.daily_lines:,}"), ("一日の該当なしの上限", f"{limits.daily_misses:,}"),
        ("一日の同じ者の上限", f"{limits.daily_same_person:,}"),
    ]  # fmt: skip
    titles = {each.code: each.title for each in bases.bases}
    rows = [(code, titles.get(code, "-"), standing(fault)) for code, fault in one.bases.items()]
    tables = [Table(f"提供先 {registered.code}", ("項目", "内容"), facts)]
    tables += [Table("使ってよい根拠", ("根拠", "名称", "今日"), rows)] if rows else []
    finish(Result(_described(home, one), tables, _fault_lines([one]), _exit_code([one])), as_json=as_json)


def _look(home: Home, registered: Recipient, bases: LegalBases, today: date) -> Looked:
    """Compare a registration with the bases of today, and try to read its certificates."""
    found = {}
    for code in registered.bases:
        basis = bases.of(code)
        found[code] = unusable(basis, registered.pure, today) if basis else Code.PROVISION_BASIS_UNKNOWN
    return Looked(registered, found, _unreadable(home, registered))


def _unreadable(home: Home, registered: Recipient) -> JukiError | None:
    try:
        recipient_sender_of(home, registered)
        encryption_certificate_of(home, registered)
    except ConfigurationError as error:
        return error
    return None


def _fault_lines(looked: list[Looked]) -> list[str]:
    """Write each fault once with its next step and the recipients it was found with."""
    found: dict[Code, list[str]] = {}
    for one in looked:
        for code in one.faults:
            found.setdefault(code, []).append(one.registered.code)
    return [line for code, who in found.items() for line in code_lines(code, "、".join(who) + " ")]


def _exit_code(looked: list[Looked]) -> ExitCode:
    return ExitCode.FOUND if any(one.faults for one in looked) else ExitCode.OK


def _described(home: Home, one: Looked) -> dict[str, object]:
    registered, limits = one.registered, one.registered.pure.limits
    return {
        "recipient": registered.code, "name": registered.name, "kind": registered.kind.value,
        "receiver": registered.receiver, "signing_certificates": list(registered.signing_certificates),
        "encryption_certificate": registered.encryption_certificate,
        "certificates_at_fault": one.certificates.ref if one.certificates else None,
        "delivery": str(delivery_of(home, registered)), "arrivals": str(arrivals_of(home, registered)),
        "bases": {code: fault.value if fault else None for code, fault in one.bases.items()},
        "daily_lines": limits.daily_lines, "daily_misses": limits.daily_misses,
        "daily_same_person": limits.daily_same_person,
    }  # fmt: skip
