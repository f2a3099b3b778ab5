"""What we know about EFS."""

from dataclasses import dataclass

from orgscan.model import DataStore


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystem(DataStore):
    aws_types = ("AWS::EFS::FileSystem",)

    encrypted: bool
