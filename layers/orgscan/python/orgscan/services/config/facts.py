"""What we know about AWS Config."""

from collections.abc import Mapping
from dataclasses import dataclass

from orgscan.model import Gap, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a recorder does."""

    recording: bool
    last: str
    """How its last delivery went, in capitals; '' where there was none."""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    name: str
    everything: bool
    """It records all supported types of regional resources."""
    global_types: bool
    """And those of IAM."""
    included: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()
    """Types, where it does not record everything."""

    def lacks(self, types: frozenset[str]) -> frozenset[str]:
        """Those of them that it does not record."""
        if self.everything:
            return frozenset()
        return types & self.excluded if self.excluded else types - self.included


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording(Resource):
    """What AWS Config records in a region, for the account itself and not for an AWS service."""

    aws_types = ()

    recorders: tuple[Recorder, ...]
    statuses: Mapping[str, Status] | Gap | None
    """By the recorder's name."""
    delivered: bool | Gap | None
    """There is a delivery channel."""
