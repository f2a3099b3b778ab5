"""What the EFS check accepts and rejects."""

from orgscan.services.efs.checks import efs_file_system_unencrypted
from orgscan.services.efs.facts import FileSystem
from tests.cases.case import Case, fails, passes

ARN = "arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/fs-0123456789abcdef0"

CASES: list[Case] = [
    passes(efs_file_system_unencrypted, FileSystem(arn=ARN, encrypted=True)),
    fails(
        efs_file_system_unencrypted,
        FileSystem(arn=ARN, encrypted=False),
        "the file system is not encrypted at rest",
    ),
]
