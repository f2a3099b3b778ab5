"""What we know about EFS."""

from dataclasses import dataclass

from orgscan.model import Taggable


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystem(Taggable):
    aws_types = ("AWS::EFS::FileSystem",)

    encrypted: bool
