"""What the AWS Config check accepts and rejects."""

from dataclasses import replace

from orgscan.check import Problem
from orgscan.model import Blindness, Gap, Severity
from orgscan.services.config.checks import config_recorder_off
from orgscan.services.config.facts import Recorder, Recording, Status
from tests.cases.case import Case, cannot_tell, fails, passes

ALL = Recorder(name="default", everything=True, global_types=False)
SOME = replace(ALL, everything=False, included=frozenset({"AWS::EC2::Instance", "AWS::S3::Bucket"}))
BUT = replace(ALL, everything=False, excluded=frozenset({"AWS::EC2::NetworkInterface"}))
ON = Status(recording=True, last="SUCCESS")
DENIED = Gap("recorder_statuses", Blindness.DENIED, "config:DescribeConfigurationRecorderStatus")
HOME = {"global_types_region": "eu-west-1"}


def region(recorder: Recorder = ALL, status: Status = ON) -> Recording:
    return Recording(
        arn="arn:aws:config:eu-west-1:123456789012:configuration-recorder",
        recorders=(recorder,),
        statuses={"default": status},
        delivered=True,
    )


CASES: list[Case] = [
    passes(config_recorder_off, region()),
    fails(
        config_recorder_off,
        replace(region(), recorders=(), statuses=None, delivered=None),
        Problem("there is no configuration recorder"),
    ),
    fails(config_recorder_off, region(status=replace(ON, recording=False)), "recorder default is stopped"),
    fails(
        config_recorder_off,
        region(status=replace(ON, last="FAILURE", error="AccessDenied")),
        "recorder default cannot deliver: FAILURE AccessDenied",
    ),
    fails(
        config_recorder_off,
        region(status=replace(ON, last="UNHEARD-OF")),
        "recorder default cannot deliver: UNHEARD-OF",
    ),
    *(
        passes(config_recorder_off, region(status=replace(ON, last=last)))
        for last in ("", "PENDING", "NOTAPPLICABLE")
    ),
    fails(config_recorder_off, replace(region(), delivered=False), "there is no delivery channel"),
    fails(config_recorder_off, region(SOME), Problem("recorder default records 2 types only")),
    fails(config_recorder_off, region(BUT), Problem("recorder default leaves out 1 types")),
    fails(
        config_recorder_off,
        region(SOME),
        Problem("recorder default records 2 types only", severity=Severity.INFORMATIONAL),
        parameters={"required_types": ["AWS::EC2::Instance"]},
    ),
    fails(
        config_recorder_off,
        region(SOME),
        Problem("recorder default does not record AWS::IAM::Role"),
        parameters={"required_types": ["AWS::EC2::Instance", "AWS::IAM::Role"]},
    ),
    fails(
        config_recorder_off,
        region(BUT),
        Problem("recorder default does not record AWS::EC2::NetworkInterface"),
        parameters={"required_types": ["AWS::EC2::Instance", "AWS::EC2::NetworkInterface"]},
    ),
    fails(
        config_recorder_off,
        region(BUT),
        Problem("recorder default leaves out 1 types", severity=Severity.INFORMATIONAL),
        parameters={"required_types": ["AWS::EC2::Instance"]},
    ),
    passes(config_recorder_off, region(), parameters={"required_types": ["AWS::IAM::Role"]}),
    fails(config_recorder_off, region(), "recorder default does not record IAM's types", parameters=HOME),
    passes(config_recorder_off, region(replace(ALL, global_types=True)), parameters=HOME),
    passes(config_recorder_off, region(), parameters={"global_types_region": "us-east-1"}),
    cannot_tell(config_recorder_off, replace(region(), statuses=DENIED), "RecorderStatus"),
    cannot_tell(config_recorder_off, replace(region(), statuses={}), "no status of recorder default"),
    cannot_tell(
        config_recorder_off,
        replace(region(), delivered=Gap("-", Blindness.THROTTLED, "DescribeDeliveryChannels")),
        "DescribeDeliveryChannels",
    ),
    # What was seen is certain.
    Case(
        config_recorder_off,
        replace(region(SOME), statuses=DENIED),
        ("recorder default records 2 types only",),
        unread="RecorderStatus",
    ),
]
