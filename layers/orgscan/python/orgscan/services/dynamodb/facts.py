"""What we know about DynamoDB."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orgscan.model import DataStore, Gap, Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Index(Resource):
    """A global secondary index: read, and billed, beside its table."""

    table: str
    name: str
    read_units: int
    write_units: int
    """Provisioned; 0 on demand."""
    size_bytes: int

    @property
    def dimensions(self) -> Mapping[str, str]:
        return {"TableName": self.table, "GlobalSecondaryIndexName": self.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(DataStore):
    aws_types = ("AWS::DynamoDB::Table",)

    name: str
    status: str
    created: datetime
    on_demand: bool
    read_units: int
    write_units: int
    """Provisioned; 0 on demand."""
    size_bytes: int
    infrequent: bool
    """Of the class for infrequent access: cheap to keep, dear to use."""
    replicas: tuple[str, ...]
    """Other regions that hold the same global table."""
    indexes: tuple[Index, ...]
    point_in_time: str | Gap | None
    """Status of point-in-time recovery; None: the table was deleted meanwhile."""

    @property
    def own_backup(self) -> bool | Gap:
        if isinstance(self.point_in_time, Gap):
            return self.point_in_time
        return self.point_in_time == "ENABLED"

    @property
    def dimensions(self) -> Mapping[str, str]:
        return {"TableName": self.name}
