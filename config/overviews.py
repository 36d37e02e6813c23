"""What is watched of an installation, as its settings and its registrations make it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from config.logs import log_place
from config.municipalities import Municipalities
from config.recipients import load_recipients
from config.settings import Period, Settings
from config.stores import admin_url
from juki.columns import IdentityFile
from juki.disclosures import AlarmDays
from juki.health import Limits
from juki.home import Home
from juki.overview.watched import Watched


def watched_of(home: Home, settings: Settings, registered: Municipalities) -> Watched:
    """Say where everything is and by which periods it is judged; opens nothing.

    Raises: ConfigurationError(CONFIG_MISSING) naming the period nobody has decided; ConfigurationError for
            recipients that can not be read.
    """
    return Watched(
        home=home,
        urls={file: admin_url(home, settings, file) for file in IdentityFile},
        municipalities=registered.codes,
        closed=registered.closed,
        name=registered.name,
        recipients=load_recipients(home).codes,
        log_place=partial(log_place, home, settings),
        limits=limits_of(settings),
        jlis_answer_alert=settings.hours(Period.JLIS_ANSWER_ALERT),
        purge_grace=timedelta(minutes=settings.purge_grace_minutes),
        checkpoint_stale=timedelta(minutes=settings.checkpoint_stale_minutes),
        quality_stale=timedelta(hours=settings.quality_stale_hours),
        review_acknowledge=timedelta(days=settings.review_acknowledge_days),
        disclosure_days=disclosure_days_of(settings),
        refused_files_most=settings.recipient_quarantine_files,
        is_lineage_kept=settings.lineage,
    )


def limits_of(settings: Settings) -> Limits:
    """Return the periods that health is judged by.

    Raises: ConfigurationError(CONFIG_MISSING) naming the one nobody has decided.
    """
    return Limits(
        gap_deadline=settings.hours(Period.GAP_DEADLINE),
        contact_alert=settings.hours(Period.CONTACT_ALERT),
        confirmed_alert=settings.hours(Period.CONFIRMED_ALERT),
    )


def disclosure_days_of(settings: Settings) -> AlarmDays:
    """Tell the days by which requests for disclosure and correction are alarmed."""
    return AlarmDays(settings.disclosure_alert_days, settings.correction_alert_days)
