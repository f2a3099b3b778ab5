"""What we know about RDS."""

from dataclasses import dataclass

from orgscan.model import DataStore


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp(DataStore):
    """What RDS backs up by itself: an instance, or a cluster for all its instances."""

    retention_days: int
    """0 when automated backups are off."""
    replica: bool
    backed_up_continuously: bool
    """AWS Backup keeps a continuous backup of it."""
    cluster: str | None = None
    """Of an instance: the cluster whose backups include it."""

    @property
    def own_backup(self) -> bool:
        """A replica's data is its source's."""
        return bool(self.cluster or self.replica or self.retention_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class DBInstance(BackedUp):
    aws_types = ("AWS::RDS::DBInstance",)

    engine: str
    public: bool
    encrypted: bool
    port: int | None
    """None until the instance has an endpoint."""
    security_groups: tuple[str, ...]

    @property
    def aurora(self) -> bool:
        return self.engine.startswith("aurora")


@dataclass(frozen=True, slots=True, kw_only=True)
class DBCluster(BackedUp):
    aws_types = ("AWS::RDS::DBCluster",)
