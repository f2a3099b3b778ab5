"""What the collectors of trails' buckets, alarms, log groups, AWS Config and GuardDuty see."""

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from local import past
from orgscan.model import Blindness, Gap, Target
from orgscan.services.cloudtrail.collect import cloudtrail_trail_buckets
from orgscan.services.cloudtrail.facts import TrailBucket
from orgscan.services.cloudwatch.collect import cloudwatch_alarms
from orgscan.services.cloudwatch.facts import Watched
from orgscan.services.config.collect import config_recordings
from orgscan.services.config.facts import Recorder, Status
from orgscan.services.guardduty.collect import guardduty_threat_detections
from orgscan.services.guardduty.facts import Detector
from orgscan.services.logs.collect import logs_log_groups
from orgscan.services.logs.facts import LogGroup
from orgscan.session import Clients
from tests.answers import answer, refuse

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
ACCOUNT, HERE = "123456789012", "eu-west-1"
ALARMS = f"arn:aws:cloudwatch:{HERE}:{ACCOUNT}:alarm"
CPU = {
    "Namespace": "AWS/EC2",
    "MetricName": "CPUUtilization",
    "Dimensions": [{"Name": "InstanceId", "Value": "i-1"}],
}
OF_CPU = Watched(namespace="AWS/EC2", dimensions={"InstanceId": "i-1"})


def alarm(name: str, **more: Any) -> dict[str, Any]:
    return {
        "AlarmArn": f"{ALARMS}:{name}",
        "AlarmName": name,
        "ActionsEnabled": True,
        "StateValue": "OK",
        "StateUpdatedTimestamp": NOW,
        **more,
    }


def stat(metric: Any = CPU, period: int = 60, **more: Any) -> dict[str, Any]:
    return {"Id": "m", "MetricStat": {"Metric": metric, "Period": period, "Stat": "Sum"}, **more}


def test_buckets_of_the_trails_that_a_region_shows(
    aws: boto3.Session, clients: Clients, target: Target
) -> None:
    aws.client("s3", region_name="us-east-1").create_bucket(Bucket="archive")
    for region, everywhere in ((HERE, False), ("us-east-1", True), ("us-west-2", False)):
        aws.client("cloudtrail", region_name=region).create_trail(
            Name=region, S3BucketName="archive", IsMultiRegionTrail=everywhere
        )
    found = {each.trail: each for each in cloudtrail_trail_buckets.read(clients, target)}
    assert found.keys() == {HERE, "us-east-1"}
    arn = f"arn:aws:cloudtrail:{HERE}:{ACCOUNT}:trail/{HERE}"
    assert found[HERE] == TrailBucket(arn=arn, trail=HERE, bucket="archive")


def test_an_odd_trail_costs_itself(clients: Clients, target: Target) -> None:
    told = {"Name": "main", "TrailARN": "arn:main", "S3BucketName": "archive"}
    answer(clients, target, "cloudtrail:DescribeTrails", {"trailList": [{"Name": "odd"}, told]})
    lost: list[Gap] = []
    (seen,) = cloudtrail_trail_buckets.read(clients, target, spoil=lost.append)
    assert (seen.trail, len(lost)) == ("main", 1)


def test_alarms_as_they_are_made(aws: boto3.Session, clients: Clients, target: Target) -> None:
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName="processor",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        Period=10,
        Statistic="Average",
        Threshold=90,
        AlarmActions=["arn:topic"],
        TreatMissingData="notBreaching",
        **CPU,
    )
    past.compose_alarm(ACCOUNT, HERE, "whole", 'ALARM("processor") OR ALARM("other")', "arn:topic", [])
    metric, whole = cloudwatch_alarms.read(clients, target)
    assert (metric.arn, metric.name, metric.aws_type) == (
        f"{ALARMS}:processor",
        "processor",
        "AWS::CloudWatch::Alarm",
    )
    assert (metric.actions, metric.actions_enabled, metric.state) == (("arn:topic",), True, "OK")
    assert (metric.watched, metric.missing, metric.high_resolution) == ((OF_CPU,), "notBreaching", True)
    assert (whole.aws_type, whole.children, whole.watched) == (
        "AWS::CloudWatch::CompositeAlarm",
        ("processor", "other"),
        None,
    )


@pytest.mark.parametrize(
    ("queries", "watched"),
    [
        ([stat(), {"Id": "e", "Expression": "m * 2"}], (OF_CPU,)),
        (
            [stat(), stat({"Namespace": "Acme", "MetricName": "Orders"})],
            (OF_CPU, Watched(namespace="Acme", dimensions={})),
        ),
        ([stat(AccountId=ACCOUNT)], (OF_CPU,)),
        ([stat(AccountId="999999999999")], None),
        ([stat(), {"Id": "e", "Expression": "SUM(SEARCH('{AWS/EC2,InstanceId}', 'Sum'))"}], None),
        ([{"Id": "e", "Expression": 'SELECT MAX(CPUUtilization) FROM "AWS/EC2"'}], None),
        ([{"Id": "e", "Expression": "TIME_SERIES(1)"}], None),
    ],
)
def test_what_metric_math_looks_at(clients: Clients, target: Target, queries: Any, watched: Any) -> None:
    answer(
        clients,
        target,
        "cloudwatch:DescribeAlarms",
        {"MetricAlarms": [alarm("math", Metrics=queries)], "CompositeAlarms": []},
    )
    (seen,) = cloudwatch_alarms.read(clients, target)
    assert (seen.watched, seen.high_resolution) == (watched, False)


@pytest.mark.parametrize(
    ("rule", "children"),
    [
        ('ALARM("too hot") AND NOT OK("b")', ("too hot", "b")),
        (f"ALARM({ALARMS}:a:b) OR ALARM( plain )", ("a:b", "plain")),
        (r'ALARM("say \"hi\" (now)")', ('say "hi" (now)',)),
        ('INSUFFICIENT_DATA("a") OR (ALARM("a"))', ("a",)),
        ("TRUE", ()),
    ],
)
def test_which_alarms_a_rule_names(
    clients: Clients, target: Target, rule: str, children: tuple[str, ...]
) -> None:
    made = alarm("whole", AlarmRule=rule)
    answer(clients, target, "cloudwatch:DescribeAlarms", {"MetricAlarms": [], "CompositeAlarms": [made]})
    (seen,) = cloudwatch_alarms.read(clients, target)
    assert seen.children == children


def test_alarms_come_in_pages_and_an_odd_one_costs_itself(clients: Clients, target: Target) -> None:
    old = datetime(2025, 1, 1, tzinfo=UTC)
    answer(
        clients,
        target,
        "cloudwatch:DescribeAlarms",
        {
            "MetricAlarms": [{"AlarmName": "odd"}, alarm("one", **CPU)],
            "CompositeAlarms": [],
            "NextToken": "more",
        },
        {"MetricAlarms": [alarm("two", StateTransitionedTimestamp=old, **CPU)], "CompositeAlarms": []},
    )
    lost: list[Gap] = []
    one, two = cloudwatch_alarms.read(clients, target, spoil=lost.append)
    assert (one.name, one.since, two.since, len(lost)) == ("one", NOW, old, 1)


def test_log_groups(aws: boto3.Session, clients: Clients, target: Target) -> None:
    logs = aws.client("logs")
    for number in range(51):
        logs.create_log_group(logGroupName=f"group-{number:02}")
    logs.put_retention_policy(logGroupName="group-00", retentionInDays=30)
    logs.create_log_stream(logGroupName="group-00", logStreamName="main")
    past.age_log_group(ACCOUNT, HERE, "group-00", days=10, stored_bytes=7)
    first, *others = logs_log_groups.read(clients, target)
    assert len(others) == 50
    assert first == LogGroup(
        arn=f"arn:aws:logs:{HERE}:{ACCOUNT}:log-group:group-00",
        name="group-00",
        created=first.created,
        stored_bytes=7,
        retention_days=30,
    )
    assert 9 <= (datetime.now(UTC) - first.created).days <= 10
    assert others[0].retention_days is None


def test_what_moto_does_not_say_of_log_groups(clients: Clients, target: Target) -> None:
    told = {
        "logGroupName": "audit",
        "arn": "arn:audit:*",
        "creationTime": 1_736_899_200_000,
        "storedBytes": 0,
        "logGroupClass": "DELIVERY",
        "deletionProtectionEnabled": True,
    }
    answer(clients, target, "logs:DescribeLogGroups", {"logGroups": [{"logGroupName": "odd"}, told]})
    lost: list[Gap] = []
    (seen,) = logs_log_groups.read(clients, target, spoil=lost.append)
    assert (seen.arn, seen.created) == ("arn:audit", datetime(2025, 1, 15, tzinfo=UTC))
    assert (seen.delivery, seen.protected, len(lost)) == (True, True, 1)


def test_configuration_is_recorded(aws: boto3.Session, clients: Clients, target: Target) -> None:
    (nothing,) = config_recordings.read(clients, target)
    assert (nothing.recorders, nothing.statuses, nothing.delivered) == ((), None, None)
    past.record_configuration(ACCOUNT, HERE)
    (seen,) = config_recordings.read(clients, target)
    assert seen.arn == nothing.arn == f"arn:aws:config:{HERE}:{ACCOUNT}:configuration-recorder"
    assert seen.recorders == (Recorder(name="default", everything=True, global_types=True),)
    assert seen.statuses == {"default": Status(recording=True, last="PENDING")}
    assert seen.delivered is True
    aws.client("config").put_configuration_recorder(
        ConfigurationRecorder={
            "name": "default",
            "roleARN": "arn:role",
            "recordingGroup": {"resourceTypes": ["AWS::EC2::Instance"]},
        }
    )
    (seen,) = config_recordings.read(clients, target)
    assert seen.recorders[0].included == {"AWS::EC2::Instance"}
    assert not seen.recorders[0].everything


def test_recorders_of_services_and_what_they_leave_out(clients: Clients, target: Target) -> None:
    group = {"allSupported": False, "exclusionByResourceTypes": {"resourceTypes": ["AWS::EC2::VPC"]}}
    own = {"name": "default", "recordingGroup": group}
    of_service = {"name": "AWSConfigurationRecorderForX", "servicePrincipal": "x.amazonaws.com"}
    answer(
        clients,
        target,
        "config:DescribeConfigurationRecorders",
        {"ConfigurationRecorders": [of_service, own]},
    )
    refuse(clients, target, "config:DescribeConfigurationRecorderStatus")
    refuse(clients, target, "config:DescribeDeliveryChannels")
    (seen,) = config_recordings.read(clients, target)
    (recorder,) = seen.recorders
    assert recorder.excluded == {"AWS::EC2::VPC"}
    assert isinstance(seen.statuses, Gap)
    assert isinstance(seen.delivered, Gap)
    assert seen.statuses.reason is seen.delivered.reason is Blindness.DENIED


def test_an_odd_recorder_leaves_nothing_to_be_said(clients: Clients, target: Target) -> None:
    answer(
        clients, target, "config:DescribeConfigurationRecorders", {"ConfigurationRecorders": [{"name": "a"}]}
    )
    lost: list[Gap] = []
    assert list(config_recordings.read(clients, target, spoil=lost.append)) == []
    assert len(lost) == 1


def test_threats_are_detected(aws: boto3.Session, clients: Clients, target: Target) -> None:
    (nothing,) = guardduty_threat_detections.read(clients, target)
    assert nothing.detectors == ()
    made = aws.client("guardduty").create_detector(Enable=False)["DetectorId"]
    (seen,) = guardduty_threat_detections.read(clients, target)
    assert (seen.arn, seen.detectors) == (
        f"arn:aws:guardduty:{HERE}:{ACCOUNT}:detector",
        (Detector(id=made, status="DISABLED"),),
    )
    past.detect_threats(ACCOUNT, HERE)
    (seen,) = guardduty_threat_detections.read(clients, target)
    assert [each.status for each in seen.detectors] == ["ENABLED"]
    refuse(clients, target, "guardduty:GetDetector")
    (seen,) = guardduty_threat_detections.read(clients, target)
    (detector,) = seen.detectors
    assert isinstance(detector.status, Gap)


@pytest.mark.parametrize(
    ("call", "collector"),
    [
        ("cloudtrail:DescribeTrails", cloudtrail_trail_buckets),
        ("cloudwatch:DescribeAlarms", cloudwatch_alarms),
        ("config:DescribeConfigurationRecorders", config_recordings),
        ("guardduty:ListDetectors", guardduty_threat_detections),
        ("logs:DescribeLogGroups", logs_log_groups),
    ],
)
def test_a_denied_listing_raises(clients: Clients, target: Target, call: str, collector: Any) -> None:
    refuse(clients, target, call)
    with pytest.raises(Exception, match="AccessDenied"):
        list(collector.read(clients, target))


@pytest.mark.parametrize("odd", [{"StateValue": "HUMMING"}, {"Dimensions": None}])
def test_an_alarm_that_makes_no_sense_costs_itself(
    clients: Clients, target: Target, odd: dict[str, Any]
) -> None:
    told = {name: value for name, value in {**alarm("odd", **CPU), **odd}.items() if value is not None}
    answer(clients, target, "cloudwatch:DescribeAlarms", {"MetricAlarms": [told], "CompositeAlarms": []})
    lost: list[Gap] = []
    assert list(cloudwatch_alarms.read(clients, target, spoil=lost.append)) == []
    assert [each.reason for each in lost] == [Blindness.FAULT]
