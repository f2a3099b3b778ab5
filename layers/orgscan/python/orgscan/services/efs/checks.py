"""What we expect of EFS."""

from orgscan.check import Problems, check
from orgscan.model import Category, Severity
from orgscan.services.efs.facts import FileSystem


@check(
    FileSystem,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Copy the data to an encrypted file system.",
    maps=(
        "CIS AWS 3.0 2.4.1",
        "CIS AWS 5.0 2.3.1",
        "CIS AWS 6.0 3.3.1",
        "CIS AWS 7.0 3.3.1",
        "FSBP EFS.1",
        "FSBP EFS.8",
    ),
    equivalent=("prowler:efs_encryption_at_rest_enabled",),
    cli=(
        (
            "aws efs create-replication-configuration --source-file-system-id {name} --destinations "
            "Region={region} --region {region}"
        ),
        "aws efs describe-replication-configurations --file-system-id {name} --region {region}",
        (
            "aws efs create-mount-target --file-system-id '<the-copy>' --subnet-id '<subnet>' --region "
            "{region}"
        ),
        (
            "aws efs delete-replication-configuration --source-file-system-id "
            "'<the-old-one-once-nobody-writes-to-it>' --region {region}"
        ),
    ),
    cdk="""
        efs.CfnFileSystem(self, "FileSystem", encrypted=True)
    """,
)
def efs_file_system_unencrypted(system: FileSystem) -> Problems:
    """A file system is not encrypted at rest.

    It cannot be turned on later, and the backups of a file system without it are not encrypted either.
    """
    if not system.encrypted:
        yield "the file system is not encrypted at rest"
