"""Sessions whose calls nobody listens to."""

from typing import Any

from moto.core.models import botocore_stubber

from orgscan.session import Kept


def unmocked(kept: Kept) -> Kept:
    """Moto listens to every session from the moment it is imported; what it hears goes no short way."""
    events: Any = kept.session.events
    events.unregister("before-send", botocore_stubber)
    return kept
