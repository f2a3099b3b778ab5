"""What the checks of volumes accept and reject."""

from dataclasses import replace
from datetime import datetime

from orgscan.check import Problem
from orgscan.model import Confidence, Series, Severity
from orgscan.services.ec2.checks.volumes import (
    ebs_default_encryption_disabled,
    ebs_volume_gp2,
    ebs_volume_idle,
    ebs_volume_no_recent_snapshot,
    ebs_volume_tags_differ_from_instance,
    ebs_volume_unattached,
    ebs_volume_unencrypted,
)
from orgscan.services.ec2.facts import Attachment, EbsEncryption, Instance, Snapshot
from tests.cases.case import Case, cannot_tell, fails, passes, usd
from tests.cases.ec2 import DENIED, DISK, EC2, INSTANCE, ago

LOOSE = replace(
    DISK, state="available", attachments=(), created=datetime.fromisoformat("2025-12-24T00:00:00Z")
)
UNUSED = "100 GiB of gp3, created 2025-12-24, attached to nothing"
BOUND_AGAIN = Problem(
    f"{UNUSED}; made by Kubernetes", severity=Severity.INFORMATIONAL, saving=usd(8.88, Confidence.LOW)
)
UNATTACHED_CASES: list[Case] = [
    passes(ebs_volume_unattached, DISK),
    passes(ebs_volume_unattached, replace(LOOSE, state="creating")),
    passes(ebs_volume_unattached, replace(LOOSE, created=ago(6))),
    fails(ebs_volume_unattached, replace(LOOSE, created=ago(7)), UNUSED.replace("2025-12-24", "2026-01-08")),
    fails(ebs_volume_unattached, LOOSE, Problem(UNUSED, saving=usd(8.88))),
    fails(ebs_volume_unattached, replace(LOOSE, type="gp9"), Problem(UNUSED.replace("gp3", "gp9"))),
    fails(
        ebs_volume_unattached,
        replace(LOOSE, tags={"kubernetes.io/created-for/pvc/name": "data"}),
        BOUND_AGAIN,
    ),
    fails(ebs_volume_unattached, replace(LOOSE, tags={"ebs.csi.aws.com/cluster": "true"}), BOUND_AGAIN),
]
OPEN = replace(DISK, encrypted=False)
UNENCRYPTED_CASES: list[Case] = [
    passes(ebs_volume_unencrypted, DISK),
    fails(ebs_volume_unencrypted, OPEN, Problem("not encrypted, attached to i-1")),
    fails(
        ebs_volume_unencrypted,
        replace(OPEN, attachments=(*OPEN.attachments, Attachment(instance="i-2", state="attached"))),
        Problem("not encrypted, attached to i-1, i-2"),
    ),
    fails(
        ebs_volume_unencrypted,
        replace(LOOSE, encrypted=False),
        Problem("not encrypted, attached to nothing", severity=Severity.LOW),
    ),
]

PROD = replace(DISK, tags={"Environment": "prod"})


def snapshot(days: float, volume: str = "vol-1", *, completed: bool = True) -> Snapshot:
    id_ = f"snap-{volume}-{days}"
    return Snapshot(
        arn=f"arn:aws:ec2:eu-west-1::snapshot/{id_}",
        tags={},
        id=id_,
        volume=volume,
        started=ago(days),
        completed=completed,
        size_gib=100,
    )


NO_SNAPSHOT = "no completed snapshot"
SNAPSHOT_CASES: list[Case] = [
    passes(ebs_volume_no_recent_snapshot, PROD, beside=[snapshot(60), snapshot(7)]),
    fails(
        ebs_volume_no_recent_snapshot,
        PROD,
        "the newest completed snapshot is of 2026-01-07",
        beside=[snapshot(60), snapshot(8)],
    ),
    passes(ebs_volume_no_recent_snapshot, PROD, beside=[snapshot(8)], parameters={"max_age_days": 10}),
    fails(ebs_volume_no_recent_snapshot, PROD, NO_SNAPSHOT),
    fails(ebs_volume_no_recent_snapshot, PROD, NO_SNAPSHOT, beside=[snapshot(1, "vol-2")]),
    fails(ebs_volume_no_recent_snapshot, PROD, NO_SNAPSHOT, beside=[snapshot(1, completed=False)]),
    fails(ebs_volume_no_recent_snapshot, replace(PROD, tags={"Environment": "Production"}), NO_SNAPSHOT),
    passes(ebs_volume_no_recent_snapshot, DISK),
    passes(ebs_volume_no_recent_snapshot, replace(PROD, tags={"Environment": "dev"})),
    fails(ebs_volume_no_recent_snapshot, DISK, NO_SNAPSHOT, parameters={"scope_tag": {}}),
    fails(
        ebs_volume_no_recent_snapshot,
        replace(DISK, tags={"Tier": "1"}),
        NO_SNAPSHOT,
        parameters={"scope_tag": {"Tier": []}},
    ),
    passes(
        ebs_volume_no_recent_snapshot,
        replace(PROD, tags={"Environment": "prod", "Use": "Swap"}),
        parameters={"exempt_tag": {"Use": ["swap", "scratch"]}},
    ),
    passes(ebs_volume_no_recent_snapshot, replace(PROD, state="available")),
    passes(ebs_volume_no_recent_snapshot, replace(PROD, created=ago(6))),
    cannot_tell(ebs_volume_no_recent_snapshot, PROD, "DescribeSomething", lost={Snapshot: DENIED}),
]

DEFAULT = EbsEncryption(arn=f"{EC2}:ebs-encryption-by-default", by_default=True)
DEFAULT_CASES: list[Case] = [
    passes(ebs_default_encryption_disabled, DEFAULT),
    fails(
        ebs_default_encryption_disabled,
        replace(DEFAULT, by_default=False),
        Problem("new volumes are encrypted only where their maker asks for it"),
    ),
]

GP2 = replace(DISK, type="gp2", iops=300, mibps=None)


def gp2(size: int, iops: int, mibps: int, saving: float, confidence: Confidence = Confidence.MEDIUM) -> Case:
    text = f"{size} GiB of gp2, to be replaced by gp3 with {iops} IOPS and {mibps} MiB/s"
    return fails(ebs_volume_gp2, replace(GP2, size_gib=size), Problem(text, saving=usd(saving, confidence)))


GP2_CASES: list[Case] = [
    passes(ebs_volume_gp2, DISK),
    passes(ebs_volume_gp2, replace(DISK, type="io2")),
    gp2(1, 3000, 125, 0.02),
    gp2(100, 3000, 125, 2.22),
    gp2(170, 3000, 125, 3.77),
    # From here on gp3 with as much throughput costs more than gp2.
    gp2(171, 3000, 125, 3.8, Confidence.LOW),
    gp2(250, 3000, 125, 5.55, Confidence.LOW),
    gp2(251, 3000, 250, 0.02),
    gp2(1000, 3000, 250, 16.65),
    gp2(1001, 3003, 250, 16.65),
    gp2(5334, 16000, 250, 40.71),
    gp2(16384, 16000, 250, 286.02),
    fails(
        ebs_volume_gp2,
        replace(GP2, state="available", attachments=()),
        "100 GiB of gp2, to be replaced by gp3 with 3000 IOPS and 125 MiB/s",
    ),
]

DATA = replace(DISK, id="vol-data", arn=f"{EC2}:volume/vol-data")
HOST = replace(INSTANCE, root_volume="vol-1")


def week(*operations: float) -> Series:
    return Series(operations, 7)


QUIET = week(*[0] * 7)
IDLE = "100 GiB of gp3, attached to i-1: 0 reads and writes at most on each of the last 7 days"
IDLE_CASES: list[Case] = [
    fails(ebs_volume_idle, DATA, Problem(IDLE, saving=usd(8.88)), beside=[HOST], measured=[QUIET, QUIET]),
    passes(
        ebs_volume_idle,
        DATA,
        beside=[HOST],
        measured=[week(0, 0, 0, 1, 0, 0, 0), QUIET],
        asked=("VolumeReadOps",),
    ),
    passes(ebs_volume_idle, DATA, beside=[HOST], measured=[QUIET, week(0, 0, 0, 0, 0, 0, 1)]),
    passes(ebs_volume_idle, DATA, beside=[HOST], measured=[week(*[0.5] * 7), week(*[0.5] * 7)]),
    fails(
        ebs_volume_idle,
        DATA,
        IDLE.replace("0 reads", "90 reads"),
        beside=[HOST],
        measured=[week(90, 0, 0, 0, 0, 0, 0), week(0, 90, 0, 0, 0, 0, 0)],
        parameters={"max_ops_per_day": 91},
    ),
    # Which days are missing is not known: they may be the same ones.
    passes(
        ebs_volume_idle,
        DATA,
        beside=[HOST],
        measured=[week(90, 0, 0, 0, 0, 0), week(0, 90, 0, 0, 0, 0, 0)],
        parameters={"max_ops_per_day": 91},
    ),
    fails(ebs_volume_idle, DATA, IDLE, beside=[HOST], measured=[week(*[0] * 6), QUIET]),
    cannot_tell(ebs_volume_idle, DATA, "less than 80%", beside=[HOST], measured=[week(*[0] * 5), QUIET]),
    cannot_tell(ebs_volume_idle, DATA, "less than 80%", beside=[HOST], measured=[QUIET, week()]),
    cannot_tell(ebs_volume_idle, DATA, "DescribeSomething", beside=[HOST], measured=[DENIED, QUIET]),
    cannot_tell(ebs_volume_idle, DATA, "DescribeSomething", lost={Instance: DENIED}),
    passes(ebs_volume_idle, DISK, beside=[HOST]),
    passes(ebs_volume_idle, replace(DATA, state="available", attachments=()), beside=[HOST]),
    passes(ebs_volume_idle, replace(DATA, attachments=()), beside=[HOST]),
    passes(ebs_volume_idle, replace(DATA, created=ago(6.9)), beside=[HOST]),
    fails(ebs_volume_idle, replace(DATA, created=ago(7)), IDLE, beside=[HOST], measured=[QUIET, QUIET]),
    passes(ebs_volume_idle, DATA, beside=[replace(HOST, state="stopped")]),
    passes(ebs_volume_idle, DATA, beside=[replace(HOST, launched=ago(6.9))]),
    fails(ebs_volume_idle, DATA, IDLE, beside=[replace(HOST, launched=ago(7))], measured=[QUIET, QUIET]),
    passes(ebs_volume_idle, DATA),
    passes(
        ebs_volume_idle,
        replace(DATA, attachments=(*DATA.attachments, Attachment(instance="i-2", state="attached"))),
        beside=[HOST, replace(HOST, arn=f"{EC2}:instance/i-2", id="i-2", state="stopped")],
    ),
]

OWNED = replace(
    INSTANCE,
    tags={"Name": "web", "Owner": "ann", "Environment": "prod", "aws:autoscaling:groupName": "web"},
)
OTHER = replace(INSTANCE, arn=f"{EC2}:instance/i-2", id="i-2", tags={"Owner": "bob"})
AGREES = {"Owner": "ann", "Environment": "prod", "CostCenter": "7"}
NO_OWNER = "Owner is missing: it is 'ann' on i-1"
BOTH = replace(
    DISK, attachments=(*DISK.attachments, Attachment(instance="i-2", state="attached")), tags=AGREES
)
TAG_CASES: list[Case] = [
    passes(ebs_volume_tags_differ_from_instance, replace(DISK, tags=AGREES), beside=[OWNED]),
    fails(
        ebs_volume_tags_differ_from_instance,
        DISK,
        Problem(NO_OWNER),
        Problem("Environment is missing: it is 'prod' on i-1"),
        beside=[OWNED],
    ),
    fails(
        ebs_volume_tags_differ_from_instance,
        replace(DISK, tags={**AGREES, "Environment": "Prod"}),
        "Environment is 'Prod': it is 'prod' on i-1",
        beside=[OWNED],
    ),
    passes(ebs_volume_tags_differ_from_instance, DISK, beside=[replace(OWNED, tags={"Name": "web"})]),
    passes(ebs_volume_tags_differ_from_instance, DISK, beside=[OTHER]),
    passes(
        ebs_volume_tags_differ_from_instance, DISK, beside=[replace(OWNED, tags={"elasticbeanstalk:x": "1"})]
    ),
    fails(
        ebs_volume_tags_differ_from_instance,
        DISK,
        "awsome is missing: it is 'yes' on i-1",
        beside=[replace(OWNED, tags={"awsome": "yes"})],
    ),
    fails(
        ebs_volume_tags_differ_from_instance,
        replace(DISK, tags=AGREES),
        "Name is missing: it is 'web' on i-1",
        beside=[OWNED],
        parameters={"exclude_keys": []},
    ),
    passes(
        ebs_volume_tags_differ_from_instance,
        replace(DISK, tags={"Owner": "ann"}),
        beside=[OWNED],
        parameters={"copy_keys": ["Owner", "CostCenter"]},
    ),
    fails(
        ebs_volume_tags_differ_from_instance,
        replace(DISK, tags={"Environment": "prod"}),
        "Name is missing: it is 'web' on i-1",
        beside=[OWNED],
        parameters={"copy_keys": ["Name"]},
    ),
    *(
        passes(
            ebs_volume_tags_differ_from_instance,
            replace(DISK, attachments=(Attachment(instance="i-1", state=state),)),
            beside=[OWNED],
        )
        for state in ("attaching", "detaching", "busy")
    ),
    passes(ebs_volume_tags_differ_from_instance, BOTH, beside=[OWNED, OTHER]),
    passes(ebs_volume_tags_differ_from_instance, replace(BOTH, tags={"Owner": "bob"}), beside=[OWNED, OTHER]),
    fails(
        ebs_volume_tags_differ_from_instance,
        replace(BOTH, tags={"Owner": "eve"}),
        "Owner is 'eve': it is 'bob' on i-2",
        beside=[OWNED, OTHER],
    ),
    passes(ebs_volume_tags_differ_from_instance, replace(DISK, attachments=())),
    cannot_tell(ebs_volume_tags_differ_from_instance, DISK, "DescribeSomething", lost={Instance: DENIED}),
]

CASES = [
    *UNATTACHED_CASES,
    *UNENCRYPTED_CASES,
    *SNAPSHOT_CASES,
    *DEFAULT_CASES,
    *GP2_CASES,
    *IDLE_CASES,
    *TAG_CASES,
]
