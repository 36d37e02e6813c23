"""The custody of this installation, as a run acts in it."""

from __future__ import annotations

from config.leaving import refusal_to_leave
from config.recipients import delivery_of, load_recipients
from juki.columns import IdentityFile
from juki.custody.custody import Custody
from juki.operators import Acting
from tasks import clock
from tasks.boundary import run_actor
from tasks.workshop import Workshop


def custody_of(shop: Workshop) -> Custody:
    """Open the custody of an installation; who acts is the run.

    Raises: ConfigurationError(CONFIG_MISSING) naming the period nobody has decided.
    """
    return Custody(
        home=shop.home,
        urls={file: shop.store_url(file) for file in IdentityFile},
        terms=shop.settings.hold_terms,
        delivery=lambda code: delivery_of(shop.home, load_recipients(shop.home).of(code)),
        now=clock.now,
        may_leave=lambda hold, at: refusal_to_leave(shop.home, hold, at),
        acting=Acting(run_actor()),
    )
