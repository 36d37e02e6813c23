"""Take in what J-LIS sends: acknowledgements of packages, and reports of errors.

Decides:    nothing of its own: `juki.jlis` says what an answer does, `tasks.jlis_reports` what a report does.
Invariants: a file is read once, by name, size and time; it is registered with what it did, or with the code for which
            it was refused, in one transaction. Nothing is removed from the folder: it is J-LIS's. What keeps us from
            judging (our own revocation lists) refuses nothing: the file waits.
Source:     法30条の7, 30条の8, 30条の42, 30条の43; ADR-0027.
"""

from __future__ import annotations

import hashlib
from collections import Counter

from juki.columns import IdentityFile
from juki.errors import ContractError, SourceError
from juki.jlis import JlisState, MessageKind, judge_answer
from juki.jlis_manifests import MESSAGE_BYTES, MESSAGE_NAME, MessageName, read_acknowledgement
from juki.journal import Action, Outcome
from juki.order import FileMark
from juki.packages import PackageVerdict
from juki.reasons import Code
from juki.store.jlis_messages import JlisMessages, Message
from juki.store.jlis_packages import JlisPackages
from juki.store.roles import Duty
from juki.store.unit import Unit, open_unit
from juki.wire.folders import Arrived, arrivals, read
from tasks import clock
from tasks.jlis_desk import JlisDesk
from tasks.jlis_reports import take_report


def take_answers(file: IdentityFile) -> dict[str, int]:
    """Take in what lies in the folder and was not read before; count by what became of it."""
    desk, done = JlisDesk.open(file), Counter[str]()
    desk.shop.scan_gate.check_ready(clock.machine_now())
    with open_unit(desk.url, file, Duty.PROVIDER) as unit:
        known = JlisMessages(file, unit.connection).marks()

    def is_not_new(one: Arrived) -> bool:
        # The folder is shared by both files: what is the other's takes no place among ours.
        name = MessageName.parse(one.name)
        return name is None or name.file is not file or _mark(one) in known

    listed = arrivals(desk.arrivals, MESSAGE_NAME, max(MESSAGE_BYTES.values()), is_known=is_not_new)
    for one in listed.files:
        name = MessageName.parse(one.name)
        message = _read(desk, name, one) if name else None
        if name is not None and message is not None:
            done[_take(desk, name, message)] += 1
    return dict(done)


def _read(desk: JlisDesk, name: MessageName, one: Arrived) -> Message | None:
    """Read a file; one that was exchanged for something else since it was listed waits for the next look."""
    try:
        content = read(desk.arrivals, one.name, max(MESSAGE_BYTES.values()))
    except SourceError:
        return None
    if content is None:
        return None
    digest = hashlib.sha256(content).digest()
    return Message(name.kind, name.sequence, _mark(one), digest, clock.now(), content)


def _mark(one: Arrived) -> FileMark:
    return FileMark(one.name, one.size, one.modified_at)


def _take(desk: JlisDesk, name: MessageName, message: Message) -> str:
    """Take one file in, or refuse it with its code and keep it."""
    duty = Duty.PROVIDER if name.kind is MessageKind.ACKNOWLEDGEMENT else Duty.INTAKE
    try:
        desk.shop.scan_gate.check(message.content, message.mark.name, clock.machine_now())
        with open_unit(desk.url, desk.file, duty) as unit:
            return _opened(desk, unit, name, message)
    except (SourceError, ContractError) as refusal:
        code = refusal.code
    with open_unit(desk.url, desk.file, duty) as unit:
        JlisMessages(desk.file, unit.connection).refused(message, code)
        entry = desk.entry(Action.JLIS_MESSAGE_REFUSED, message.mark.name, Outcome.REFUSED, code=code)
        unit.journal.append(entry, clock.now())
    return code.value


def _opened(desk: JlisDesk, unit: Unit, name: MessageName, message: Message) -> str:
    messages = JlisMessages(desk.file, unit.connection)
    if name.prefecture_code != desk.shop.settings.prefecture_code:
        raise SourceError(Code.JLIS_MESSAGE_NAME, message.mark.name)
    if len(message.content) > MESSAGE_BYTES[name.kind]:
        raise SourceError(Code.PACKAGE_TOO_LARGE, message.mark.name)
    content = desk.opened(message.content, message.received_at)
    digest = hashlib.sha256(content).digest()
    if messages.is_taken(digest):
        messages.repeated(message, digest)
        return Code.JLIS_ANSWER_REPLAYED.value
    if name.kind is MessageKind.REPORT:
        messages.taken(message, digest, take_report(desk, unit, messages, name, content))
        return MessageKind.REPORT.value
    state = _answer(desk, unit, name, content)
    messages.taken(message, digest)
    return state.value


def _answer(desk: JlisDesk, unit: Unit, name: MessageName, content: bytes) -> JlisState:
    """Let an acknowledgement do what it may do."""
    answer, at = read_acknowledgement(name, content), clock.now()
    packages, package = JlisPackages(desk.file, unit.connection), desk.package_name(name.sequence)
    sent = packages.sent(name.sequence)
    answered = judge_answer(sent, answer.package_sha256, answer.verdict)
    if sent is None or answered.state is None:
        raise ContractError(answered.code or Code.JLIS_MESSAGE_FORM, str(name))
    if not sent.is_delivered:
        # A run died between the folder and its note: the answer shows that the package was there.
        packages.delivered(name.sequence, at)
        unit.journal.append(desk.entry(Action.JLIS_DELIVERED, package), at)
    if answer.verdict is PackageVerdict.ACCEPTED:
        packages.acknowledged(name.sequence, at)
        entry = desk.entry(Action.JLIS_ACKNOWLEDGED, package)
    else:
        packages.refused(name.sequence, Code.JLIS_REFUSED, answer.code, at)
        entry = desk.entry(Action.JLIS_REFUSED, package, Outcome.REFUSED, code=Code.JLIS_REFUSED)
    unit.journal.append(entry, at)
    return answered.state
