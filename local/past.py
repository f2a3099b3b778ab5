"""Facts that no API call sets, because time or AWS itself sets them: written straight into moto's objects.

The embedded AWS runs in the process that plants, so its objects are at hand.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.config.models import ConfigDeliveryChannel, ConfigRecorder, RecordingGroup, config_backends
from moto.ec2.models import ec2_backends
from moto.guardduty.models import guardduty_backends
from moto.iam.models import iam_backends
from moto.logs.models import logs_backends
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
