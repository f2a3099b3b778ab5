"""What we expect of RDS."""

from functools import partial

from orgscan.check import Problem, Problems, View, check
from orgscan.model import Blindness, Category, Gap, Severity, Unread
from orgscan.network import Rule, openings
from orgscan.services.ec2.checks.network import entries
from orgscan.services.ec2.facts import PrefixList, SecurityGroup
from orgscan.services.rds.facts import BackedUp, DBInstance


@check(
    DBInstance,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    fix="Make the instance not publicly accessible, and move it to private subnets.",
    also=(SecurityGroup, PrefixList),
    maps=("CIS AWS 3.0 2.3.3", "CIS AWS 5.0 2.2.3", "CIS AWS 6.0 3.2.3", "CIS AWS 7.0 3.2.3", "FSBP RDS.2"),
    equivalent=("prowler:rds_instance_no_public_access",),
)
def rds_instance_public(instance: DBInstance, view: View) -> Problems:
    """The database instance is publicly accessible.

    Databases on the internet are found and attacked within hours. Critical when one of its security groups
    opens the port to the world, else high: one rule away from it. Routes are not looked at.
    """
    if not instance.public:
        return
    yield Problem("the instance has a public address", severity=Severity.HIGH)
    if instance.port is None:
        return
    open_now, unread = False, None
    for group_id in instance.security_groups:
        try:
            for opening in openings(_ingress(view, group_id), instance.port, partial(entries, view)):
                open_now = True
                yield Problem(f"{group_id} opens port {instance.port} to {opening}", Severity.CRITICAL)
        except Unread as lost:
            unread = lost  # another group may open it all the same
    if unread:
        raise unread
    if not open_now:
        yield Problem("not reachable now: no security group opens its port to the world", Severity.HIGH)


def _ingress(view: View, group_id: str) -> tuple[Rule, ...]:
    seen = view.related(SecurityGroup, "id", group_id)
    if not seen:
        detail = f"{group_id} is attached to a database, but cannot be seen from this account"
        raise Unread(Gap("ec2-security-groups", Blindness.NO_DATA, detail))
    return seen[0].ingress


@check(
    DBInstance,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Copy a snapshot with encryption and restore the instance from it.",
    maps=("CIS AWS 3.0 2.3.1", "CIS AWS 5.0 2.2.1", "CIS AWS 6.0 3.2.1", "CIS AWS 7.0 3.2.1", "FSBP RDS.3"),
    equivalent=("prowler:rds_instance_storage_encrypted",),
)
def rds_instance_unencrypted(instance: DBInstance) -> Problems:
    """The storage of a database instance is not encrypted.

    Its snapshots and replicas are not encrypted either. Aurora encrypts per cluster and is not judged here.
    """
    if not instance.encrypted and not instance.aurora:
        yield f"the storage of this {instance.engine} instance is not encrypted"


@check(
    BackedUp,
    severity=Severity.MEDIUM,
    category=Category.RELIABILITY,
    fix="Raise the backup retention period.",
    maps=("FSBP RDS.11",),
    equivalent=("prowler:rds_instance_backup_enabled", "trusted-advisor:opQPADkZvH"),
)
def rds_instance_backup_disabled_or_short(database: BackedUp, *, min_days: int = 7) -> Problems:
    """Automated backups are off or kept for fewer days than required.

    What is lost or corrupted can be brought back only as far as backups reach. Instances in a cluster are
    judged there; a continuous backup by AWS Backup counts as well.
    """
    if database.cluster or database.backed_up_continuously:
        return
    days = database.retention_days
    if days == 0 and database.replica:
        yield Problem("automated backups of this read replica are off", severity=Severity.INFORMATIONAL)
    elif days == 0:
        yield Problem("automated backups are off", severity=Severity.HIGH)
    elif days < min_days:
        yield f"automated backups are kept for {days} of the required {min_days} days"
