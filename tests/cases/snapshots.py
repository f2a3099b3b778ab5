"""What the checks of snapshots accept and reject."""

from dataclasses import replace

from orgscan.check import Problem
from orgscan.model import Confidence, Severity
from orgscan.services.ec2.checks.snapshots import (
    ebs_snapshot_old,
    ebs_snapshot_orphaned,
    ebs_snapshot_public,
)
from orgscan.services.ec2.facts import Image, ImageDisk, PublicSnapshot, Snapshot, SnapshotSharing, Volume
from tests.cases.case import Case, cannot_tell, fails, passes, usd
from tests.cases.ec2 import DENIED, DISK, EC2, ago

SNAPSHOT = Snapshot(
    arn="arn:aws:ec2:eu-west-1::snapshot/snap-1",
    tags={},
    id="snap-1",
    volume="vol-1",
    started=ago(100),
    completed=True,
    size_gib=100,
)
IMAGE = Image(
    arn="arn:aws:ec2:eu-west-1::image/ami-0123456789abcdef0",
    tags={},
    id="ami-0123456789abcdef0",
    name="web",
    public=False,
    created=ago(100),
    disks=(ImageDisk(snapshot="snap-1", size_gib=100),),
)

PUBLIC = PublicSnapshot(arn=SNAPSHOT.arn)
OPEN = SnapshotSharing(arn=f"{EC2}:snapshot-block-public-access", state="unblocked")
EVERYONE = "every AWS account may restore it"
PUBLIC_CASES: list[Case] = [
    passes(ebs_snapshot_public, SNAPSHOT, beside=[OPEN]),
    passes(ebs_snapshot_public, SNAPSHOT, beside=[OPEN, PublicSnapshot(arn=f"{SNAPSHOT.arn}2")]),
    fails(ebs_snapshot_public, SNAPSHOT, Problem(EVERYONE), beside=[OPEN, PUBLIC]),
    fails(
        ebs_snapshot_public,
        SNAPSHOT,
        Problem(EVERYONE),
        beside=[replace(OPEN, state="block-new-sharing"), PUBLIC],
    ),
    fails(ebs_snapshot_public, SNAPSHOT, Problem(EVERYONE), beside=[replace(OPEN, state="new"), PUBLIC]),
    fails(
        ebs_snapshot_public,
        SNAPSHOT,
        Problem("shared with everyone; only the region's block stops that", severity=Severity.LOW),
        beside=[replace(OPEN, state="block-all-sharing"), PUBLIC],
    ),
    fails(
        ebs_snapshot_public,
        SNAPSHOT,
        Problem(EVERYONE),
        beside=[PUBLIC],
        lost={SnapshotSharing: DENIED},
        unread="DescribeSomething",
    ),
    passes(ebs_snapshot_public, SNAPSHOT, lost={SnapshotSharing: DENIED}),
    cannot_tell(ebs_snapshot_public, SNAPSHOT, "DescribeSomething", lost={PublicSnapshot: DENIED}),
]

OLD = "100 GiB, 100 days old, where the limit is 90"


def tagged(days: float, **tags: str) -> Snapshot:
    return replace(SNAPSHOT, started=ago(days), tags=tags)


OLD_CASES: list[Case] = [
    fails(ebs_snapshot_old, SNAPSHOT, Problem(OLD, saving=usd(5.55, Confidence.LOW))),
    fails(
        ebs_snapshot_old,
        replace(SNAPSHOT, stored_bytes=3 * 2**30 // 2),
        Problem(OLD.replace("100 GiB", "1.5 GiB stored"), saving=usd(0.08, Confidence.LOW)),
    ),
    passes(ebs_snapshot_old, tagged(90)),
    fails(ebs_snapshot_old, tagged(90.1), OLD.replace("100 days", "90 days")),
    passes(ebs_snapshot_old, SNAPSHOT, parameters={"max_days": 100}),
    fails(ebs_snapshot_old, SNAPSHOT, OLD.replace("is 90", "is 99"), parameters={"max_days": 99}),
    passes(ebs_snapshot_old, tagged(100, RetentionDays="365")),
    passes(ebs_snapshot_old, tagged(14, RetentionDays=" 14 ")),
    fails(
        ebs_snapshot_old,
        tagged(15, RetentionDays="14"),
        "100 GiB, 15 days old, where its tag RetentionDays is 14",
    ),
    fails(ebs_snapshot_old, tagged(100, RetentionDays="forever"), OLD),
    passes(ebs_snapshot_old, tagged(80, RetentionDays="-1")),
    passes(ebs_snapshot_old, tagged(7, BackupType="Automated")),
    fails(
        ebs_snapshot_old,
        tagged(8, BackupType="Automated"),
        "100 GiB, 8 days old, where the limit for BackupType=Automated is 7",
    ),
    passes(ebs_snapshot_old, tagged(8, BackupType="Manual")),
    passes(ebs_snapshot_old, tagged(8, BackupType="Automated", RetentionDays="30")),
    fails(
        ebs_snapshot_old,
        tagged(31, a="1", b="2"),
        "100 GiB, 31 days old, where the limit for b=2 is 30",
        parameters={"per_tag": {"a=1": 60, "b=2": 30}},
    ),
    passes(ebs_snapshot_old, SNAPSHOT, beside=[IMAGE]),
    fails(ebs_snapshot_old, SNAPSHOT, OLD, beside=[replace(IMAGE, disks=())]),
    passes(ebs_snapshot_old, replace(SNAPSHOT, archived=True)),
    passes(ebs_snapshot_old, replace(SNAPSHOT, tags={"aws:backup:source-resource": "x"})),
    passes(ebs_snapshot_old, replace(SNAPSHOT, tags={"aws:dlm:lifecycle-policy-id": "x"})),
    passes(ebs_snapshot_old, tagged(100, legalhold="case 7")),
    cannot_tell(ebs_snapshot_old, SNAPSHOT, "DescribeSomething", lost={Image: DENIED}),
    passes(ebs_snapshot_old, tagged(90), lost={Image: DENIED}),
]

ORPHAN = f"100 GiB of {ago(100):%Y-%m-%d}: its volume vol-1 is gone; no image uses it"
ORPHANED_CASES: list[Case] = [
    fails(ebs_snapshot_orphaned, SNAPSHOT, Problem(ORPHAN, saving=usd(5.55, Confidence.LOW))),
    passes(ebs_snapshot_orphaned, SNAPSHOT, beside=[DISK]),
    fails(ebs_snapshot_orphaned, SNAPSHOT, ORPHAN, beside=[replace(DISK, id="vol-2")]),
    passes(ebs_snapshot_orphaned, SNAPSHOT, beside=[IMAGE]),
    fails(
        ebs_snapshot_orphaned,
        replace(SNAPSHOT, volume="vol-ffffffff"),
        ORPHAN.replace("its volume vol-1 is gone", "a copy"),
    ),
    passes(ebs_snapshot_orphaned, tagged(29.9)),
    fails(ebs_snapshot_orphaned, tagged(30), ORPHAN.replace(f"{ago(100):%Y-%m-%d}", f"{ago(30):%Y-%m-%d}")),
    passes(ebs_snapshot_orphaned, SNAPSHOT, parameters={"min_age_days": 101}),
    passes(ebs_snapshot_orphaned, replace(SNAPSHOT, tags={"aws:backup:source-resource": "x"})),
    passes(ebs_snapshot_orphaned, replace(SNAPSHOT, tags={"aws:dlm:lifecycle-policy-id": "x"})),
    fails(
        ebs_snapshot_orphaned,
        replace(
            SNAPSHOT, description="Created by CreateImage(i-0123456789abcdef0) for ami-0123456789abcdef0"
        ),
        ORPHAN.replace("is gone", "is gone, and ami-0123456789abcdef0, for which it was made, too"),
    ),
    fails(
        ebs_snapshot_orphaned,
        replace(SNAPSHOT, description="before ami-0123456789abcdef0"),
        ORPHAN,
        beside=[replace(IMAGE, disks=())],
    ),
    fails(
        ebs_snapshot_orphaned,
        replace(SNAPSHOT, archived=True),
        Problem(ORPHAN, saving=usd(1.39, Confidence.LOW)),
    ),
    *(
        cannot_tell(ebs_snapshot_orphaned, SNAPSHOT, "DescribeSomething", lost={kind: DENIED})
        for kind in (Volume, Image)
    ),
    passes(ebs_snapshot_orphaned, SNAPSHOT, beside=[DISK], lost={Image: DENIED}),
]

CASES = [*PUBLIC_CASES, *OLD_CASES, *ORPHANED_CASES]
