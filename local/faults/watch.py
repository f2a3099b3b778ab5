"""Who watches: trails' buckets, AWS Config, GuardDuty and alarms."""

from functools import partial
from typing import Any

from local import past
from local.faults.compute import run
from local.faults.storage import ALL_ON, OWN_BLOCK, POLICY, bucket, let_everyone_read
from local.place import Place, scenario, tag_list

BUCKET = "cloudtrail-bucket-public"
RECORDER, DETECTOR = "config-recorder-off", "guardduty-disabled"
SILENT, ORPHANED = "cloudwatch-alarm-no-actions", "cloudwatch-alarm-orphaned"


def guard(place: Place) -> None:
    """What every region has."""
    past.record_configuration(place.account.id, place.region)
    past.detect_threats(place.account.id, place.region)


def trail_to(place: Place, name: str) -> None:
    """A trail of this region alone."""
    place.client("cloudtrail").create_trail(Name=place.name("audit"), S3BucketName=name)


def alarm(place: Place, what: str, *, instance: str = "", **options: Any) -> tuple[str, str]:
    """An alarm's name and ARN, on one instance's processor or on the bill; it tells somebody."""
    cloudwatch, name = place.client("cloudwatch"), place.name(what)
    settings: dict[str, Any] = {
        "Namespace": "AWS/EC2" if instance else "AWS/Billing",
        "MetricName": "CPUUtilization" if instance else "EstimatedCharges",
        "Dimensions": [{"Name": "InstanceId", "Value": instance}] if instance else [],
        "Statistic": "Average",
        "Period": 300,
        "EvaluationPeriods": 3,
        "Threshold": 90,
        "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": [place.arn("sns", "operations")],
        **options,
    }
    cloudwatch.put_metric_alarm(AlarmName=name, Tags=tag_list(place.tags(name)), **settings)
    return name, place.arn("cloudwatch", f"alarm:{name}")


def silence(place: Place, name: str, *, days: float) -> None:
    """It has received no data for that long."""
    place.client("cloudwatch").set_alarm_state(
        AlarmName=name, StateValue="INSUFFICIENT_DATA", StateReason="no data"
    )
    past.age_alarm(place.account.id, place.region, name, days=days)


def delete(place: Place, name: str) -> None:
    place.client("cloudwatch").delete_alarms(AlarmNames=[name])


@scenario(exposed=True)
def public_bucket_of_a_trail(place: Place) -> None:
    name, arn = bucket(place, "open-trail", blocked=False)
    let_everyone_read(place, name)
    trail_to(place, name)
    place.fails(BUCKET, POLICY, OWN_BLOCK, resource=arn)


@scenario(exposed=True)
def bucket_of_a_trail_with_a_block_of_its_own(place: Place) -> None:
    name, arn = bucket(place, "closed-trail")
    let_everyone_read(place, name)
    place.client("s3").put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=ALL_ON)
    trail_to(place, name)
    place.looks_like(BUCKET, POLICY, resource=arn)


@scenario(copies=2)
def configuration_not_recorded(place: Place) -> None:
    place.client("config").stop_configuration_recorder(ConfigurationRecorderName="default")
    place.fails(
        RECORDER,
        resource=place.arn("config", "configuration-recorder"),
        mend=lambda: past.record_configuration(place.account.id, place.region),
    )


@scenario(copies=2)
def threats_not_detected(place: Place) -> None:
    """Suspended in one region, never enabled in the next."""
    guardduty = place.client("guardduty")
    suspended = place.book.number("regions without GuardDuty") % 2
    for detector in guardduty.list_detectors()["DetectorIds"]:
        if suspended:
            guardduty.update_detector(DetectorId=detector, Enable=False)
        else:
            guardduty.delete_detector(DetectorId=detector)
    place.fails(
        DETECTOR,
        resource=place.arn("guardduty", "detector"),
        mend=lambda: past.detect_threats(place.account.id, place.region),
    )


@scenario(copies=2)
def alarm_that_tells_nobody(place: Place) -> None:
    name, arn = alarm(place, "bill", AlarmActions=[])
    place.fails(
        SILENT,
        resource=arn,
        mend=lambda: place.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Namespace="AWS/Billing",
            MetricName="EstimatedCharges",
            Statistic="Maximum",
            Period=21600,
            EvaluationPeriods=1,
            Threshold=5000,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[place.arn("sns", "operations")],
        ),
        remove=partial(delete, place, name),
    )


@scenario()
def alarm_whose_actions_are_disabled(place: Place) -> None:
    _, arn = alarm(place, "muted-bill", ActionsEnabled=False)
    place.fails(SILENT, resource=arn)


@scenario()
def alarms_of_a_composite_alarm(place: Place) -> None:
    """Only the whole of them tells somebody."""
    name, arn = alarm(place, "part", AlarmActions=[])
    whole = place.name("whole")
    past.compose_alarm(
        place.account.id,
        place.region,
        whole,
        rule=f'ALARM("{name}")',
        action=place.arn("sns", "operations"),
        tags=tag_list(place.tags(whole)),
    )
    place.looks_like(SILENT, resource=arn)
    place.looks_like(ORPHANED, resource=place.arn("cloudwatch", f"alarm:{whole}"))


@scenario(copies=2)
def alarm_on_an_instance_that_is_gone(place: Place) -> None:
    name, arn = alarm(place, "gone-processor", instance="i-0a1b2c3d4e5f60718")
    silence(place, name, days=10)
    place.fails(ORPHANED, resource=arn, remove=partial(delete, place, name))


@scenario()
def alarm_that_hides_that_its_instance_is_gone(place: Place) -> None:
    _, arn = alarm(place, "calm-processor", instance="i-0a1b2c3d4e5f60719", TreatMissingData="notBreaching")
    place.fails(ORPHANED, resource=arn)


@scenario()
def alarm_on_what_stopped_long_ago(place: Place) -> None:
    name, arn = alarm(place, "old-bill")
    silence(place, name, days=40)
    place.fails(ORPHANED, resource=arn)


@scenario()
def alarm_on_an_instance_without_data_yet(place: Place) -> None:
    name, arn = alarm(place, "new-processor", instance=run(place, "new").id)
    silence(place, name, days=10)
    place.looks_like(ORPHANED, resource=arn)
