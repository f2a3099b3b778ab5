"""Facts that no API call sets, because time or AWS itself sets them: written straight into moto's objects.

The embedded AWS runs in the process that plants, so its objects are at hand.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from moto.acm.models import acm_backends
from moto.autoscaling.models import autoscaling_backends
from moto.awslambda.models import lambda_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.config.models import ConfigDeliveryChannel, ConfigRecorder, RecordingGroup, config_backends
from moto.dynamodb.models import dynamodb_backends
from moto.ec2.models import ec2_backends
from moto.ec2.models.flow_logs import FlowLogs
from moto.ec2.utils import random_flow_log_id
from moto.elasticache.models import elasticache_backends
from moto.elbv2.models import FakeHealthStatus, elbv2_backends
from moto.guardduty.models import guardduty_backends
from moto.iam.models import iam_backends
from moto.logs.models import logs_backends
from moto.organizations import utils as organizations_utils
from moto.organizations.models import organizations_backends
from moto.rds.models import rds_backends
from moto.secretsmanager.models import secretsmanager_backends


def days_ago(days: float) -> datetime:
    """A moment as moto keeps it: UTC without saying so."""
    return datetime.now(UTC).replace(tzinfo=None) - timedelta(days=days)


def age_instance(account: str, region: str, instance: str, *, days: float) -> None:
    """LaunchTime is when AWS started it."""
    _ec2(account, region).get_instance(instance).launch_time = days_ago(days)


def age_stop(account: str, region: str, instance: str, *, days: float) -> None:
    """When an instance stopped stands in StateTransitionReason only."""
    stopped = days_ago(days).strftime("%Y-%m-%d %H:%M:%S GMT")
    _ec2(account, region).get_instance(instance)._reason = f"User initiated ({stopped})"


def age_volume(account: str, region: str, volume: str, *, days: float) -> None:
    """CreateTime is when AWS made it."""
    _ec2(account, region).volumes[volume].create_time = days_ago(days)


def age_snapshot(account: str, region: str, snapshot: str, *, days: float) -> None:
    """StartTime is when AWS began to copy."""
    _ec2(account, region).snapshots[snapshot].start_time = days_ago(days)


def age_nat_gateway(account: str, region: str, gateway: str, *, days: float) -> None:
    """CreateTime is when AWS made it."""
    _ec2(account, region).nat_gateways[gateway]._created_at = days_ago(days)


def age_function(account: str, region: str, function: str, *, days: float) -> None:
    """LastModified is when AWS was last told to change it."""
    made = lambda_backends[account][region].get_function(function)
    made.last_modified = f"{days_ago(days).isoformat(timespec='milliseconds')}+0000"


def age_balancer(account: str, region: str, arn: str, *, days: float) -> None:
    """CreatedTime is when AWS made it."""
    balancer = elbv2_backends[account][region].load_balancers[arn]
    balancer.created_time = f"{days_ago(days).isoformat(timespec='milliseconds')}Z"


def set_target_health(account: str, region: str, group: str, *, healthy: bool) -> None:
    """What the health checks of a target group find; moto's targets are always well."""
    made = elbv2_backends[account][region].target_groups[group]
    if healthy:
        del made.health_for
    else:
        made.health_for = lambda target, _: FakeHealthStatus(
            target["Id"], target["Port"], "traffic-port", "unhealthy", "Target.FailedHealthChecks"
        )


def age_database(account: str, region: str, name: str, *, days: float) -> None:
    """InstanceCreateTime is when RDS made it."""
    rds_backends[account][region].databases[name].instance_create_time = days_ago(days)


def age_database_snapshot(account: str, region: str, name: str, *, days: float) -> None:
    """SnapshotCreateTime is when RDS made it."""
    rds_backends[account][region].database_snapshots[name].created = days_ago(days)


def age_table(account: str, region: str, name: str, *, days: float) -> None:
    """CreationDateTime is when DynamoDB made it."""
    dynamodb_backends[account][region].tables[name].created_at = days_ago(days)


def age_cache(account: str, region: str, name: str, *, days: float) -> None:
    """CacheClusterCreateTime is when ElastiCache made it."""
    elasticache_backends[account][region].cache_clusters[name].cache_cluster_create_time = days_ago(days)


def join_replication_group(account: str, region: str, group: str, members: Sequence[str]) -> None:
    """ElastiCache makes a group's nodes itself; moto only names some of them."""
    elasticache_backends[account][region].replication_groups[group].member_clusters = list(members)


def age_access_key(account: str, user: str, key: str, *, days: float, used: float | None = None) -> None:
    """The credential report dates a key by its creation. `used`: days since it was, None: never."""
    keys = iam_backends[account]["aws"].users[user].access_keys
    found = next(each for each in keys if each.access_key_id == key)
    found.create_date = days_ago(days)
    found.last_used = None if used is None else days_ago(used)


def age_user(account: str, user: str, *, days: float, used: float | None = None) -> None:
    """Since when there are a user and its password; `used`: days since it signed in, None: never."""
    found = iam_backends[account]["aws"].users[user]
    found.create_date = days_ago(days)
    found.password_last_used = None if used is None else days_ago(used)


def age_role(account: str, role: str, *, days: float, used: float | None = None) -> None:
    """`used`: days since it was assumed, None: never."""
    found = iam_backends[account]["aws"].get_role(role)
    found.create_date = days_ago(days)
    found.last_used = None if used is None else days_ago(used)


def set_root_keys(account: str, *, present: bool) -> None:
    """Only the root user makes its own keys."""
    iam_backends[account]["aws"].account_summary._account_access_keys_present = int(present)


def set_root_use(account: str, *, days: float) -> None:
    """When root signed in last. The credential report begins with root; moto knows of users only."""
    backend = iam_backends[account]["aws"]
    used = f"{days_ago(days):%Y-%m-%dT%H:%M:%S+00:00}"
    root = f"<root_account>,arn:aws:iam::{account}:root,2020-01-01T00:00:00+00:00,not_supported,{used},"
    root += "not_supported,not_supported,true" + 2 * ",false,N/A,N/A,N/A,N/A" + 2 * ",false,N/A"

    def report() -> str:
        heading, _, rows = type(backend).get_credential_report(backend).partition("\n")
        return f"{heading}\n{root}\n{rows}"

    backend.get_credential_report = report


def set_root_mfa(account: str, *, on: bool) -> None:
    """Only the root user enrols its own device; moto always answers that there is none."""
    iam_backends[account]["aws"].account_summary._account_mfa_enabled = int(on)


def empty_default_groups(account: str, region: str) -> None:
    """The API can do this too, in three calls for each of hundreds of regions."""
    for groups in _ec2(account, region).groups.values():
        for group in groups.values():
            if group.name == "default":
                group.ingress_rules.clear()
                group.egress_rules.clear()


def tell_of_secret(account: str, region: str, secret: str, **members: Any) -> None:
    """What Secrets Manager notes itself: CreatedDate, LastAccessedDate, OwningService and so on."""
    found = secretsmanager_backends[account][region].secrets[secret]
    original = found.to_dict
    found.to_dict = lambda: {**original(), **_in_seconds(members)}


def tell_of_certificate(account: str, region: str, arn: str, **members: Any) -> None:
    """What ACM finds out itself: InUseBy, NotAfter, RenewalSummary and so on."""
    found = acm_backends[account][region]._certificates[arn]
    told = {**found.describe()["Certificate"], **_in_seconds(members)}
    found.describe = lambda: {"Certificate": dict(told)}


def _in_seconds(members: dict[str, Any]) -> dict[str, Any]:
    """As moto keeps these moments: seconds since 1970."""
    return {
        name: value.replace(tzinfo=UTC).timestamp() if isinstance(value, datetime) else value
        for name, value in members.items()
    }


def encrypt_volumes(account: str, region: str, *, on: bool = True) -> None:
    """EBS encryption by default; the API would take a call for each of hundreds of regions."""
    _ec2(account, region).ebs_encryption_by_default = on


def age_image(account: str, region: str, image: str, *, days: float, launched: float | None = None) -> str:
    """CreationDate and LastLaunchedTime are when AWS made and last started it. Returns its snapshot's id."""
    made = _ec2(account, region).amis[image]
    made.creation_date = made.ebs_snapshot.start_time = days_ago(days)
    made.last_launched_time = None if launched is None else f"{days_ago(launched):%Y-%m-%dT%H:%M:%SZ}"
    return str(made.ebs_snapshot.id)


def mark(account: str, region: str, resource: str, **tags: str) -> None:
    """Tags of AWS's own, whose keys begin with `aws:`."""
    _ec2(account, region).tags[resource] |= tags


def balance(account: str, region: str, group: str) -> None:
    """A target group sends an Auto Scaling group its traffic; moto wants to know all about it."""
    arn = f"arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{group[:32]}/0123456789abcdef"
    autoscaling_backends[account][region].autoscaling_groups[group].target_group_arns = [arn]


def complete_scaling(account: str, region: str, *, disabled: Sequence[str] = ()) -> None:
    """Whether a policy is enabled, and a scheduled action's ARN, AWS says and moto does not."""
    scaling = autoscaling_backends[account][region]
    for name, policy in scaling.policies.items():
        policy.enabled = getattr(policy, "enabled", name not in disabled)
    for action in scaling.scheduled_actions.values():
        arn = f"arn:aws:autoscaling:{region}:{account}:scheduledUpdateGroupAction:{uuid4()}"
        of_group = f"autoScalingGroupName/{action.auto_scaling_group_name}"
        action.scheduled_action_arn = f"{arn}:{of_group}:scheduledActionName/{action.scheduled_action_name}"


def keep_vpcs(account: str, region: str, *, vpc: str = "") -> None:
    """All of them, or one, as the company wants them: with a flow log, SSH and RDP denied by the default ACL.

    The API can do this too, in half a dozen calls for each of hundreds of regions.
    """
    ec2 = _ec2(account, region)
    for each in [vpc] if vpc else [*ec2.vpcs]:
        record_traffic(account, region, each)
        for acl in ec2.network_acls.values():
            if acl.vpc_id == each and acl.default:
                close_admin_ports(account, region, acl.id)


def empty_default_group(account: str, region: str, vpc: str) -> None:
    """Of a new VPC."""
    for group in _ec2(account, region).groups[vpc].values():
        group.ingress_rules.clear()
        group.egress_rules.clear()


def close_admin_ports(account: str, region: str, acl: str) -> None:
    """Deny SSH and RDP before everything is allowed."""
    for number, (protocol, port) in enumerate((("6", 22), ("6", 3389), ("17", 3389)), start=90):
        _ec2(account, region).create_network_acl_entry(
            network_acl_id=acl,
            rule_number=number,
            protocol=protocol,
            rule_action="deny",
            egress=False,
            cidr_block="0.0.0.0/0",
            icmp_code=None,
            icmp_type=None,
            port_range_from=port,
            port_range_to=port,
            ipv6_cidr_block=None,
        )


def record_traffic(account: str, region: str, vpc: str, *, delivered: bool = True) -> None:
    """A flow log to a bucket of another account, which moto would want to see."""
    ec2 = _ec2(account, region)
    bucket, made = "arn:aws:s3:::acme-flow-logs", random_flow_log_id()
    status = "SUCCESS" if delivered else "FAILED"
    ec2.flow_logs[made] = FlowLogs(ec2, made, vpc, "ALL", bucket, "", "", 600, "s3", "", status)


def forget_traffic(account: str, region: str, vpc: str) -> None:
    """Delete the flow logs of a VPC."""
    logs = _ec2(account, region).flow_logs
    for made in [each.id for each in logs.values() if each.resource_id == vpc]:
        del logs[made]


def fill_subnet(account: str, region: str, subnet: str, *, free: int) -> None:
    """AvailableIpAddressCount, without as many interfaces."""
    _ec2(account, region).get_subnet(subnet)._available_ip_addresses = free


def age_vpc_endpoint(account: str, region: str, endpoint: str, *, days: float) -> None:
    """CreationTimestamp is when AWS made it."""
    _ec2(account, region).vpc_end_points[endpoint].creation_timestamp = days_ago(days)


def hand_over(account: str, region: str, interfaces: Sequence[str]) -> None:
    """What services made is theirs and in use; moto calls it the customer's, and attached to nothing."""
    for each in interfaces:
        interface = _ec2(account, region).get_network_interface(each)
        interface.requester_managed, interface.status = True, "in-use"


def age_alarm(account: str, region: str, alarm: str, *, days: float) -> None:
    """Since when an alarm is in its state is CloudWatch's to say."""
    cloudwatch_backends[account][region].alarms[alarm].state_updated_timestamp = days_ago(days)


def compose_alarm(account: str, region: str, name: str, rule: str, action: str, tags: Any) -> None:
    """A composite alarm: moto knows them, but not the call that makes one."""
    cloudwatch_backends[account][region].put_metric_alarm(
        name=name,
        rule=rule,
        alarm_actions=[action],
        tags=tags,
        dimensions=[],
        **dict.fromkeys(
            (
                "namespace",
                "metric_name",
                "comparison_operator",
                "evaluation_periods",
                "period",
                "threshold",
                "statistic",
                "description",
            )
        ),
    )


def age_log_group(account: str, region: str, group: str, *, days: float, stored_bytes: int) -> None:
    """What is stored has been there since; it needs a stream."""
    found = logs_backends[account][region].groups[group]
    found.creation_time = days_ago(days)
    for stream in found.streams.values():
        stream.stored_bytes = stored_bytes


def record_configuration(account: str, region: str) -> None:
    """AWS Config records everything. The API can do this too, in three calls for each region."""
    config = config_backends[account][region]
    role = f"arn:aws:iam::{account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    config.recorders = {"default": ConfigRecorder(role, RecordingGroup(include_global_resource_types=True))}
    config.delivery_channels = {"default": ConfigDeliveryChannel("default", "acme-configuration")}
    config.start_configuration_recorder("default")


def detect_threats(account: str, region: str) -> None:
    """GuardDuty is on."""
    guardduty = guardduty_backends[account][region]
    guardduty.detectors.clear()
    guardduty.create_detector(
        enable=True, finding_publishing_frequency="SIX_HOURS", data_sources={}, tags={}, features=[]
    )


@contextmanager
def account_ids(ids: Sequence[str]) -> Iterator[None]:
    """Accounts created within get these ids, in this order; AWS invents its own."""
    supply, original = iter(ids), organizations_utils.make_random_account_id
    organizations_utils.make_random_account_id = lambda: next(supply)
    try:
        yield
    finally:
        organizations_utils.make_random_account_id = original


def name_management_account(account: str, name: str) -> None:
    """It had a name before there was an organization; moto calls it 'master'."""
    organizations_backends[account]["aws"].get_account_by_id(account).name = name


def _ec2(account: str, region: str) -> Any:
    return ec2_backends[account][region]
