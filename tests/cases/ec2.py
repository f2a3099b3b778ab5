"""What the checks of instances accept and reject."""

from dataclasses import replace
from datetime import datetime, timedelta

from orgscan.check import Problem
from orgscan.model import Blindness, Confidence, Gap, Series, Severity
from orgscan.secrets import Secret, hide
from orgscan.services.ec2.checks.instances import (
    MIB,
    ec2_instance_idle,
    ec2_instance_imdsv1_allowed,
    ec2_instance_stopped_long,
    ec2_instance_user_data_secret,
)
from orgscan.services.ec2.facts import Address, Attachment, Instance, Metadata, Volume
from tests.cases.case import NOW, Case, cannot_tell, fails, passes, usd

EC2 = "arn:aws:ec2:eu-west-1:123456789012"
DENIED = Gap("-", Blindness.DENIED, "ec2:DescribeSomething")


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def daily(*values: float, expected: int = 14) -> Series:
    return Series(values, expected)


INSTANCE = Instance(
    arn=f"{EC2}:instance/i-1",
    tags={},
    id="i-1",
    type="t3.micro",
    state="running",
    image="ami-1",
    launched=ago(100),
    metadata=Metadata(enabled=True, tokens_required=True),
    platform="Linux/UNIX",
)
V1 = replace(INSTANCE, metadata=Metadata(enabled=True, tokens_required=False))
TOKENLESS = "requests without a session token are answered"
IMDS_CASES: list[Case] = [
    passes(ec2_instance_imdsv1_allowed, INSTANCE),
    passes(ec2_instance_imdsv1_allowed, replace(V1, metadata=Metadata(enabled=False, tokens_required=False))),
    fails(ec2_instance_imdsv1_allowed, V1, TOKENLESS, measured=[daily()]),
    fails(ec2_instance_imdsv1_allowed, V1, TOKENLESS, measured=[DENIED]),
    fails(
        ec2_instance_imdsv1_allowed,
        V1,
        f"{TOKENLESS}; there were some in the last 14 days",
        measured=[daily(0, 0, 7)],
    ),
    fails(
        ec2_instance_imdsv1_allowed,
        V1,
        f"{TOKENLESS}; there were none on the 14 days measured",
        measured=[daily(*[0] * 14)],
    ),
    fails(ec2_instance_imdsv1_allowed, replace(V1, state="stopped"), TOKENLESS),
    fails(ec2_instance_imdsv1_allowed, replace(V1, state="pending"), TOKENLESS),
    cannot_tell(ec2_instance_imdsv1_allowed, replace(V1, metadata=None), "does not say"),
]


def load(
    cpu: float = 1.0,
    *,
    peak: float = 2.0,
    network_in: float = 1.0,
    network_out: float = 1.0,
    points: int = 168,
) -> list[Series]:
    """A week: CPU in percent by the hour, traffic in MiB by the day."""
    hours = Series((peak, *[cpu] * (points - 1)), 168)
    return [hours, Series((network_in * MIB,) * 7, 7), Series((network_out * MIB,) * 7, 7)]


def spared(instance: Instance, reason: str, *, priced: bool = True) -> Case:
    text = f"{IDLE}; it is {reason}"
    saving = usd(8.43, Confidence.LOW) if priced else None
    return fails(
        ec2_instance_idle,
        instance,
        Problem(text, severity=Severity.INFORMATIONAL, saving=saving),
        measured=load(),
    )


IDLE = "over 7 days: CPU 1.0% on average, 2.0% in the busiest hour; network 2.0 MiB per day"
IDLE_CASES: list[Case] = [
    passes(ec2_instance_idle, replace(INSTANCE, state="stopped")),
    passes(ec2_instance_idle, replace(INSTANCE, launched=ago(6.9))),
    fails(ec2_instance_idle, INSTANCE, Problem(IDLE, saving=usd(8.43)), measured=load()),
    fails(ec2_instance_idle, replace(INSTANCE, launched=ago(7)), IDLE, measured=load()),
    passes(ec2_instance_idle, INSTANCE, measured=load(cpu=5.1), asked=("CPUUtilization",)),
    passes(ec2_instance_idle, INSTANCE, measured=load(peak=20)),
    passes(ec2_instance_idle, INSTANCE, measured=load(network_out=4)),
    passes(ec2_instance_idle, INSTANCE, measured=load(), parameters={"max_network_mib": 2}),
    passes(ec2_instance_idle, INSTANCE, measured=load(), parameters={"max_avg_cpu": 1}),
    fails(ec2_instance_idle, INSTANCE, IDLE, measured=load(points=135)),
    cannot_tell(ec2_instance_idle, INSTANCE, "less than 80%", measured=load(points=134)),
    cannot_tell(ec2_instance_idle, INSTANCE, "less than 80%", measured=[daily(), daily(), daily()]),
    cannot_tell(ec2_instance_idle, INSTANCE, "DescribeSomething", measured=[DENIED, *load()[1:]]),
    spared(replace(INSTANCE, tags={"aws:autoscaling:groupName": "web"}), "in an Auto Scaling group"),
    spared(replace(INSTANCE, tags={"kubernetes.io/cluster/main": "owned"}), "a Kubernetes node"),
    spared(replace(INSTANCE, tags={"AmazonECSManaged": ""}), "an ECS node"),
    spared(replace(INSTANCE, tags={"keep-idle": "true"}), "tagged keep-idle"),
    spared(replace(INSTANCE, spot=True), "a spot instance", priced=False),
    *(
        fails(ec2_instance_idle, unpriced, Problem(IDLE), measured=load())
        for unpriced in (
            replace(INSTANCE, platform="Windows"),
            replace(INSTANCE, platform=None),
            replace(INSTANCE, type="z9.metal"),
            replace(INSTANCE, dedicated=True),
        )
    ),
]

STOPPED = replace(INSTANCE, state="stopped", stopped=datetime.fromisoformat("2025-12-01T10:00:00Z"))
DISK = Volume(
    arn=f"{EC2}:volume/vol-1",
    tags={},
    id="vol-1",
    type="gp3",
    size_gib=100,
    state="in-use",
    created=ago(200),
    encrypted=True,
    iops=3000,
    mibps=125,
    attachments=(Attachment(instance="i-1", state="attached"),),
)
OTHER_DISK = replace(
    DISK, arn=f"{EC2}:volume/vol-2", id="vol-2", attachments=(Attachment(instance="i-2", state="attached"),)
)
ADDRESS = Address(
    arn=f"{EC2}:elastic-ip/eipalloc-1", tags={}, ip="192.0.2.1", associated=True, instance="i-1"
)
SINCE = "stopped since 2025-12-01; still billed: "
STOPPED_CASES: list[Case] = [
    passes(ec2_instance_stopped_long, INSTANCE),
    passes(ec2_instance_stopped_long, replace(STOPPED, stopped=ago(29))),
    passes(ec2_instance_stopped_long, STOPPED, parameters={"max_days": 60}),
    fails(
        ec2_instance_stopped_long,
        STOPPED,
        Problem(f"{SINCE}vol-1 (100 GiB), 192.0.2.1", saving=usd(12.53)),
        beside=[DISK, OTHER_DISK, ADDRESS],
    ),
    fails(
        ec2_instance_stopped_long,
        STOPPED,
        Problem(f"{SINCE}vol-1 (100 GiB)", saving=usd(8.88)),
        beside=[DISK, replace(ADDRESS, own_range=True)],
    ),
    fails(
        ec2_instance_stopped_long,
        STOPPED,
        Problem(f"{SINCE}vol-1 (100 GiB), 192.0.2.1"),
        beside=[replace(DISK, type="gp9"), ADDRESS],
    ),
    fails(ec2_instance_stopped_long, STOPPED, Problem(f"{SINCE}nothing")),
    fails(
        ec2_instance_stopped_long,
        replace(
            STOPPED, stopped=None, launched=ago(400), attached=datetime.fromisoformat("2025-11-01T00:00:00Z")
        ),
        "stopped since 2025-11-01 (approximate: its last start or newest attachment); still billed: nothing",
    ),
    passes(ec2_instance_stopped_long, replace(STOPPED, stopped=None, launched=ago(20))),
    passes(ec2_instance_stopped_long, INSTANCE, lost={Volume: DENIED}),
    # That it is stopped is known even where its cost is not.
    *(
        fails(
            ec2_instance_stopped_long,
            STOPPED,
            Problem("stopped since 2025-12-01"),
            beside=[DISK, ADDRESS],
            lost={kind: DENIED},
            unread="DescribeSomething",
        )
        for kind in (Volume, Address)
    ),
]

FOUND = (
    Secret("private-key", "user data, line 3", "0123456789abcdef"),
    Secret("aws-access-key", "user data, part 2", "fedcba9876543210"),
)
LINE_3 = "user data, line 3: private-key (sha256 0123456789abcdef)"
assert hide(LINE_3) == LINE_3
USER_DATA_CASES: list[Case] = [
    passes(ec2_instance_user_data_secret, INSTANCE),
    passes(ec2_instance_user_data_secret, replace(INSTANCE, user_data=())),
    fails(
        ec2_instance_user_data_secret,
        replace(INSTANCE, user_data=FOUND),
        Problem(LINE_3),
        Problem("user data, part 2: aws-access-key (sha256 fedcba9876543210)"),
    ),
    fails(ec2_instance_user_data_secret, replace(INSTANCE, user_data=FOUND[:1], state="stopped"), LINE_3),
    cannot_tell(ec2_instance_user_data_secret, replace(INSTANCE, user_data=DENIED), "DescribeSomething"),
]

CASES = [*IMDS_CASES, *IDLE_CASES, *STOPPED_CASES, *USER_DATA_CASES]
