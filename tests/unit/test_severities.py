"""Which codes let something pass, said a second time: whoever flips a severity must say so here, with a reason."""

from __future__ import annotations

import pytest

from juki.reasons import Code, Scope, Severity

ALERTS: dict[Scope, dict[str, frozenset[Code]]] = {
    Scope.RECORD: {
        "clocks and planned days differ, and no register can prove another wrong by them": frozenset(
            {Code.NOTIFIED_AT_FUTURE, Code.EVENT_DATE_FUTURE}
        ),
        "the formula of the check digit is not published": frozenset({Code.RESIDENT_CODE_CHECK_DIGIT}),
        "municipalities merge before our list knows it": frozenset({Code.MUNICIPALITY_UNKNOWN}),
        "a register may still hold it, though the law does not give it to foreign residents": frozenset(
            {Code.FORMER_NAME_OF_FOREIGNER}
        ),
        "a complete notice is believed, or an outdated record would stay current (ADR-0011)": frozenset(
            {
                Code.LOGIC_ALREADY_STANDING, Code.LOGIC_ALREADY_ERASED, Code.LOGIC_UNKNOWN_PERSON,
                Code.LOGIC_STANDING_ELSEWHERE, Code.LOGIC_BORN_BEFORE, Code.LOGIC_ENTERED_AFTER_DEATH,
                Code.LOGIC_NATIONALITY_KIND_DIFFERS, Code.LOGIC_NATIONALITY_KIND_SAME,
                Code.LOGIC_PREVIOUS_NUMBER_DIFFERS,
            }
        ),
        "moves arrive in either order and pairs one after the other": frozenset(
            {Code.LOGIC_ARRIVED_LATE, Code.LOGIC_PAIR_MISSING}
        ),
        "the municipality that never erased the person speaks last (ADR-0017)": frozenset(
            {Code.LOGIC_ERASURE_DISPUTED}
        ),
        "a complete notice is believed also where its number is new or gone (ADR-0017)": frozenset(
            {Code.LOGIC_NUMBER_DIFFERS_ON_ENTRY, Code.LOGIC_NUMBER_BLANK}
        ),
        "somebody who returns may have two codes with no link": frozenset({Code.LOGIC_NUMBER_SEEN_BEFORE}),
    },
    Scope.PACKAGE: {
        "a repeat is answered again and changes nothing": frozenset({Code.PACKAGE_REPEATED}),
        "what J-LIS said before was taken in then": frozenset({Code.JLIS_ANSWER_REPLAYED}),
        "the file is kept or fetched again, and nothing of it was applied": frozenset(
            {Code.PACKAGE_REPLACED, Code.PACKAGE_SPOOL_LOST, Code.PACKAGE_WITHDRAWN}
        ),
    },
    Scope.CHANNEL: {
        "it settles by itself or within its deadline": frozenset(
            {Code.CHANNEL_GAP, Code.CHANNEL_BUSY, Code.CHANNEL_WAITING, Code.CHANNEL_RECEIPT_DUE}
        ),
        "the channel works; somebody should look": frozenset(
            {
                Code.CHANNEL_RECORDS_REJECTED, Code.CHANNEL_NEVER_CONTACTED, Code.CHANNEL_UNKNOWN_FILES,
                Code.CHANNEL_UNREGISTERED, Code.CHANNEL_CLOSED_WAITING,
            }
        ),
        "both files go on; what is not confirmed has to be looked at (M11)": frozenset(
            {
                Code.CHANNEL_NEVER_CONFIRMED, Code.CHANNEL_CONFIRMED_LONG_AGO, Code.CHANNEL_DIFFERENCES_OPEN,
                Code.RECONCILIATION_BUSY, Code.RECONCILIATION_BEHIND,
            }
        ),
        "what has no room waits at the CS and loses nothing": frozenset({Code.CHANNEL_SPOOL_QUOTA}),
    },
    Scope.REQUEST: {
        "the same request again changes nothing": frozenset({Code.REQUEST_REPEATED}),
    },
    Scope.RUN: {
        "the term stays what it is": frozenset({Code.RECEIPT_REPEATED}),
        "somebody has to fetch it; nothing waits for it": frozenset({Code.MEDIUM_OVERDUE}),
        "whether files are scanned is for each prefecture to configure, and said every time (M10)": frozenset(
            {Code.SCANNER_OFF}
        ),
        "the file was refused; what came of it has to be looked at (M10)": frozenset({Code.INFECTION_OPEN}),
        "what was found stays found until an auditor has looked": frozenset({Code.REVIEW_UNACKNOWLEDGED}),
        "the run that holds the file goes on": frozenset({Code.JLIS_BUSY}),
        "J-LIS is told the rest, and of the repair when it is made": frozenset(
            {Code.JLIS_UPDATE_LOST, Code.JLIS_NUMBER_UNOPENED}
        ),
        "the municipality has to be asked; the file stays as it is (法30条の8, 30条の43)": frozenset(
            {Code.JLIS_REPORTED}
        ),
        "requests go on being answered; somebody should look": frozenset(
            {
                Code.PROVISION_REFUSED_RECENTLY, Code.PROVISION_UNDELIVERED, Code.PROVISION_TRIED_OFTEN,
                Code.RECIPIENT_QUARANTINE_FILLING,
            }
        ),
        "the numbers are erased; what may lie in a folder is looked for again": frozenset({Code.HOLD_DELIVERY_LEFT}),
        "the next run goes on with the work; somebody should look (ADR-0034)": frozenset(
            {
                Code.ALARM_RUN_LATE, Code.ALARM_RUN_CRASHED, Code.ALARM_RUN_SILENT, Code.ALARM_RUN_FAILED,
                Code.ALARM_RECONCILIATION_FAILED, Code.ALARM_PURGE_OVERDUE, Code.ALARM_CHECKPOINT_STALE,
                Code.ALARM_SITE_RESTARTED,
            }
        ),
        "the alarm is logged and in the folder; the letter is tried again": frozenset(
            {Code.NOTIFICATION_UNDELIVERED, Code.NOTIFICATION_REFUSED}
        ),
        "lineage is for others to read; the run itself is not touched (ADR-0041)": frozenset(
            {Code.LINEAGE_UNWRITTEN}
        ),
        "a person waits for an answer; the files stay as they are (法30条の33, 30条の35)": frozenset(
            {Code.DISCLOSURE_DUE_SOON, Code.DISCLOSURE_OVERDUE, Code.CORRECTION_UNANSWERED}
        ),
        "the log goes on; what is not signed outside yet has to be looked at (M8)": frozenset(
            {Code.JOURNAL_CHECKPOINT_STALE, Code.WITNESS_UNREACHABLE, Code.WITNESS_INCOMPLETE}
        ),
        "it works today; somebody has to see to it in time (juki doctor)": frozenset(
            {
                Code.CLOCK_APART, Code.CERTIFICATE_EXPIRING, Code.DISK_LOW, Code.SITE_DOWN, Code.SCHEDULE_OFF,
                Code.OPERATOR_ADMINISTRATORS_ENDING, Code.SCHEDULE_UNCOVERED,
            }
        ),
        "an installation begins without operators, and the log says so (M7)": frozenset(
            {Code.OPERATOR_INSTALLATION_OPEN}
        ),
        "both files go on; that nobody has checked them as a whole has to be looked at (M11)": frozenset(
            {Code.QUALITY_STALE}
        ),
    },
}  # fmt: skip


@pytest.mark.parametrize("scope", list(Scope), ids=lambda scope: scope.value)
def test_what_lets_something_pass_does_so_for_a_reason(scope: Scope) -> None:
    """Everything else blocks what it is said of: no code passes by mistake, none blocks by mistake."""
    agreed = frozenset[Code]().union(*ALERTS[scope].values())
    assert {code for code in Code if code.scope is scope and code.severity is Severity.ALERT} == agreed
