"""What we know about an account as a whole."""

from dataclasses import dataclass

from orgscan.model import Gap, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class UnscannedRegion(Resource):
    """What there is, by the cheapest way to tell, in an enabled region that no scan looks at."""

    aws_types = ()

    region: str
    interfaces: int | Gap | None
    """Network interfaces: whatever has an address has one. As many as one call tells."""
    tagged: tuple[str, ...] | Gap | None
    """What kinds of resources that cost money carry tags, as far as one call tells: 'rds:db', sorted."""
    buckets: int | Gap | None
