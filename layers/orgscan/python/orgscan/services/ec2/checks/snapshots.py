"""What we expect of snapshots."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

from orgscan import prices
from orgscan.check import Problem, Problems, View, check
from orgscan.model import Category, Confidence, Money, Severity, Target, Unread
from orgscan.services.ec2.facts import Image, PublicSnapshot, Snapshot, SnapshotSharing, Volume

GIB = 2**30
BLOCKED = "block-all-sharing"
MANAGED = ("aws:backup:source-resource", "aws:dlm:lifecycle-policy-id")
"""Tags by which AWS Backup and Data Lifecycle Manager know what they delete in time."""
AUTOMATED = {"BackupType=Automated": 7}
COPY = "vol-ffffffff"
"""What EC2 says is the volume of a copied snapshot."""
IMAGE = re.compile(r"\bami-[0-9a-f]{8,17}\b")
"""In descriptions: 'Created by CreateImage(i-1) for ami-1', 'Copied for DestinationAmi ami-1 from ...'."""


@check(
    Snapshot,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    fix="Make the snapshot private, and consider what was on it disclosed.",
    also=(PublicSnapshot, SnapshotSharing),
    maps=("FSBP EC2.1",),
    equivalent=(
        "prowler:ec2_ebs_public_snapshot",
        "trusted-advisor:Amazon EBS Public Snapshots",
    ),
    cli=(
        (
            "aws ec2 modify-snapshot-attribute --snapshot-id {name} --attribute "
            "createVolumePermission --operation-type remove --group-names all --region {region}"
        ),
    ),
    cdk="""
        ec2.CfnSnapshotBlockPublicAccess(self, "NoPublicSnapshots", state="block-all-sharing")
    """,
)
def ebs_snapshot_public(snapshot: Snapshot, view: View) -> Problems:
    """A snapshot can be restored by everyone.

    Any AWS account can make a volume of it and read what was on the disk; there are people who collect those.
    Low where the region blocks all public sharing: then it is public again once somebody lifts the block.
    """
    if not view.related(PublicSnapshot, "arn", snapshot.arn):
        return
    try:
        blocked = any(each.state == BLOCKED for each in view.every(SnapshotSharing))
    except Unread:
        yield "every AWS account may restore it"
        raise
    if blocked:
        yield Problem("shared with everyone; only the region's block stops that", severity=Severity.LOW)
    else:
        yield "every AWS account may restore it"


@check(
    Snapshot,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Delete it, move it to the archive tier, or say in a tag RetentionDays how long it is needed.",
    also=(Image,),
    cli=(
        (
            "aws ec2 describe-snapshots --snapshot-ids {name} --query 'Snapshots[].[StartTime, "
            "Description, Tags]' --region {region}"
        ),
        "aws ec2 delete-snapshot --snapshot-id {name} --region {region}",
    ),
)
def ebs_snapshot_old(
    snapshot: Snapshot,
    view: View,
    *,
    max_days: int = 90,
    per_tag: Mapping[str, int] = AUTOMATED,
    retention_tag: str = "RetentionDays",
    hold_tags: Sequence[str] = ["LegalHold"],
) -> Problems:
    """A snapshot is older than it was to be kept.

    It is kept for as many days as its tag RetentionDays says, or else as `per_tag` says of one of its tags
    (`Key=Value`), or else for `max_days`. Left out are snapshots of images, those in the archive tier,
    those that AWS Backup or Data Lifecycle Manager will delete, and those with a tag of `hold_tags`, in
    any case. The saving is an upper bound: what newer snapshots share with it stays.
    """
    tags = view.tags(snapshot)
    held = {key.casefold() for key in hold_tags} & {key.casefold() for key in tags}
    if snapshot.archived or held or _managed(tags):
        return
    days, said = _retention(tags, retention_tag, per_tag) or (max_days, "the limit")
    if snapshot.started >= view.now - timedelta(days=days) or view.related(Image, "snapshots", snapshot.id):
        return
    age = (view.now - snapshot.started).days
    yield Problem(
        f"{_size(snapshot)}, {age} days old, where {said} is {days}", saving=monthly(snapshot, view.target)
    )


def _retention(tags: Mapping[str, str], own: str, per_tag: Mapping[str, int]) -> tuple[int, str] | None:
    """Days, and who says so. A tag that is no number says nothing; of several rules the shortest holds."""
    if tags.get(own, "").strip().isdecimal():
        return int(tags[own]), f"its tag {own}"
    rules = [
        (days, f"the limit for {rule}")
        for rule, days in per_tag.items()
        if tags.get(rule.partition("=")[0]) == rule.partition("=")[2]
    ]
    return min(rules, default=None)


@check(
    Snapshot,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Delete it once its description and tags show that nobody needs it.",
    also=(Volume, Image),
    cli=(
        (
            "aws ec2 describe-snapshots --snapshot-ids {name} --query 'Snapshots[].[StartTime, "
            "Description, Tags]' --region {region}"
        ),
        "aws ec2 delete-snapshot --snapshot-id {name} --region {region}",
    ),
)
def ebs_snapshot_orphaned(snapshot: Snapshot, view: View, *, min_age_days: int = 30) -> Problems:
    """A snapshot has lost its source volume and is used by no image.

    Nothing shows what it was for. Snapshots that were copied count as such too, because EC2 does not say of
    which volume they are. Left out are those that AWS Backup or Data Lifecycle Manager will delete. The
    saving is an upper bound: what other snapshots share with it stays.
    """
    if snapshot.started > view.now - timedelta(days=min_age_days) or _managed(view.tags(snapshot)):
        return
    if view.related(Volume, "id", snapshot.volume):
        return
    if view.related(Image, "snapshots", snapshot.id):
        return
    lost = "a copy" if snapshot.volume == COPY else f"its volume {snapshot.volume} is gone"
    image = IMAGE.search(snapshot.description)
    if image and not view.related(Image, "id", image[0]):
        lost += f", and {image[0]}, for which it was made, too"
    yield Problem(
        f"{_size(snapshot)} of {snapshot.started:%Y-%m-%d}: {lost}; no image uses it",
        saving=monthly(snapshot, view.target),
    )


def _managed(tags: Mapping[str, str]) -> bool:
    return any(key in tags for key in MANAGED)


def _size(snapshot: Snapshot) -> str:
    stored = snapshot.stored_bytes
    return f"{snapshot.size_gib} GiB" if stored is None else f"{stored / GIB:.1f} GiB stored"


def monthly(snapshot: Snapshot, target: Target) -> Money | None:
    """At most: blocks that it shares with others are billed once."""
    stored = snapshot.stored_bytes
    gib = snapshot.size_gib if stored is None else round(stored / GIB, 3)
    key = "ebs.snapshot_archive_gb" if snapshot.archived else "ebs.snapshot_gb"
    return prices.doubted(prices.monthly(target, key, gib), Confidence.LOW)
