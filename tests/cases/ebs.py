"""What the checks of volumes accept and reject."""

from dataclasses import replace
from datetime import datetime

from orgscan.check import Problem
from orgscan.model import Confidence, Severity
from orgscan.services.ec2.checks.volumes import (
    ebs_volume_no_recent_snapshot,
    ebs_volume_unattached,
    ebs_volume_unencrypted,
)
from orgscan.services.ec2.facts import Snapshot
from tests.cases.case import Case, cannot_tell, fails, passes, usd
from tests.cases.ec2 import DENIED, DISK, ago

LOOSE = replace(DISK, state="available", instances=(), created=datetime.fromisoformat("2025-12-24T00:00:00Z"))
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
        replace(OPEN, instances=("i-1", "i-2")),
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
    arn = f"arn:aws:ec2:eu-west-1::snapshot/snap-{volume}-{days}"
    return Snapshot(arn=arn, volume=volume, started=ago(days), completed=completed)


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

CASES = [*UNATTACHED_CASES, *UNENCRYPTED_CASES, *SNAPSHOT_CASES]
