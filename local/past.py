"""Facts that no API call sets, because time or AWS itself sets them: written straight into moto's objects.

The embedded AWS runs in the process that plants, so its objects are at hand.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.flow_logs import FlowLogs
from moto.ec2.utils import random_flow_log_id
from moto.elbv2.models import FakeHealthStatus, elbv2_backends
from moto.iam.models import iam_backends
from moto.organizations import utils as organizations_utils
from moto.organizations.models import organizations_backends


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


def age_access_key(account: str, user: str, key: str, *, days: float) -> None:
    """The credential report dates a key by its creation."""
    keys = iam_backends[account]["aws"].users[user].access_keys
    next(each for each in keys if each.access_key_id == key).create_date = days_ago(days)


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
