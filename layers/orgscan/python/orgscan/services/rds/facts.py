"""What we know about RDS."""

from dataclasses import dataclass
from datetime import datetime

from orgscan.model import DataStore, Gap, Taggable

ELSEWHERE = {"docdb": "DocDB", "neptune": "Neptune"}
"""Engines of other services that answer through RDS's API -> how CloudFormation calls the service."""
OPEN_SOURCE = ("aurora-mysql", "aurora-postgresql", "mariadb", "mysql", "postgres")
"""Engines whose major versions have dates of support."""
VCPUS = {
    "large": 2,
    "xlarge": 4,
    "2xlarge": 8,
    "4xlarge": 16,
    "8xlarge": 32,
    "12xlarge": 48,
    "16xlarge": 64,
    "24xlarge": 96,
}
REGULAR = ("m4", "m5", "m6g", "m6i", "m7g", "m7i", "r4", "r5", "r6g", "r6i", "r7g", "r7i", "t3", "t4g")
"""Families whose sizes have these vCPUs."""
SMALL = ("micro", "small", "medium")
"""Sizes of t3 and t4g with as many vCPUs as their large one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What RDS says of an engine version. None: nothing."""

    status: str | None
    """'available' or 'deprecated'."""
    standard_until: datetime | None
    extended_from: datetime | None
    extended_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Database(DataStore):
    """What RDS versions and backs up by itself: an instance, or a cluster for all its instances."""

    name: str
    engine: str
    version: str
    lifecycle: str | None
    """Whether Extended Support is agreed to; None where it does not exist."""
    support: Support | Gap | None
    """None for what is in a cluster, and for engines of other services."""
    encrypted: bool
    retention_days: int
    """0 when automated backups are off."""
    replica: bool
    backed_up_continuously: bool
    """AWS Backup keeps a continuous backup of it."""
    cluster: str | None = None
    """Of an instance: the cluster whose version and backups are also its own."""

    @property
    def own_backup(self) -> bool:
        """A replica's data is its source's."""
        return bool(self.cluster or self.replica or self.retention_days)

    @property
    def aurora(self) -> bool:
        return self.engine.startswith("aurora")

    @property
    def of_rds(self) -> bool:
        return self.engine not in ELSEWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class DBInstance(Database):
    aws_types = ("AWS::RDS::DBInstance", "AWS::DocDB::DBInstance", "AWS::Neptune::DBInstance")

    status: str
    created: datetime | None
    """None, like `zone`, until there is one."""
    instance_class: str
    storage: str | None
    zone: str | None
    multi_az: bool | None
    """None: RDS does not say; it need not for RDS Custom."""
    public: bool
    port: int | None
    """None until the instance has an endpoint."""
    security_groups: tuple[str, ...]

    @property
    def aws_type(self) -> str:
        return f"AWS::{ELSEWHERE.get(self.engine, 'RDS')}::DBInstance"

    @property
    def dimensions(self) -> dict[str, str]:
        return {"DBInstanceIdentifier": self.name}

    @property
    def vcpus(self) -> int | None:
        """Of each of its hosts; None for a class that we do not know."""
        family, _, size = self.instance_class.removeprefix("db.").partition(".")
        if family in ("t3", "t4g") and size in SMALL:
            return VCPUS["large"]
        return VCPUS.get(size) if family in REGULAR else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DBCluster(Database):
    aws_types = ("AWS::RDS::DBCluster", "AWS::DocDB::DBCluster", "AWS::Neptune::DBCluster")

    mode: str | None
    """'provisioned', or 'serverless' for the first generation of Aurora Serverless."""
    multi_az: bool
    members: tuple[str, ...]
    writer: str | None
    least_acus: float | None
    """Aurora capacity units below which Serverless v2 does not go; None: it has no such instances."""

    @property
    def aws_type(self) -> str:
        return f"AWS::{ELSEWHERE.get(self.engine, 'RDS')}::DBCluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Taggable):
    """One that somebody made. Those that RDS and AWS Backup make are not listed."""

    name: str
    source: str
    """Name of the instance or cluster it was made of, which may be gone."""
    engine: str
    created: datetime | None
    """None until it is made."""
    size_gib: int
    encrypted: bool
    public: bool | Gap | None
    """None: nobody asked, because it is encrypted, or it was deleted meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DBSnapshot(Snapshot):
    aws_types = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DBClusterSnapshot(Snapshot):
    aws_types = ()
