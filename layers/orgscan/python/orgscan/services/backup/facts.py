"""What we know about AWS Backup."""

from dataclasses import dataclass
from datetime import datetime

from orgscan.model import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedResource(Resource):
    """Something of which AWS Backup holds a recovery point; `arn` is that of the resource itself."""

    aws_types = ()

    last_backup: datetime | None
