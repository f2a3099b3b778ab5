"""What we expect of images."""

from collections.abc import Sequence
from datetime import timedelta

from orgscan import prices
from orgscan.check import Problem, Problems, View, check
from orgscan.model import Blindness, Category, Confidence, Gap, Money, Severity, Unread, known
from orgscan.services.autoscaling.facts import AutoScalingGroup, LaunchConfiguration
from orgscan.services.ec2.facts import Image, Instance, LaunchTemplateVersion

BACKUP = "AwsBackup_"
"""How the names of images begin that AWS Backup made, and will delete."""
PARAMETER = "resolve:ssm:"
OF_AWS = f"{PARAMETER}/aws/service/"
"""AWS's own parameters hold AWS's own images."""


@check(
    Image,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    fix="Remove the group `all` from its launch permissions, or list it in publish_allow_list.",
    equivalent=("prowler:ec2_ami_public",),
    cli=(
        (
            'aws ec2 modify-image-attribute --image-id {name} --launch-permission \'{"Remove": '
            '[{"Group": "all"}]}\' --region {region}'
        ),
    ),
)
def ec2_ami_public(image: Image, *, publish_allow_list: Sequence[str] = ()) -> Problems:
    """An image is public.

    Any AWS account can start it and read its disks, with the keys, code and data that were left on them.
    Those whose id or name is in `publish_allow_list` are meant to be.
    """
    if image.public and image.id not in publish_allow_list and image.name not in publish_allow_list:
        yield f"every AWS account may launch {image.name}"


@check(
    Image,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Deregister it together with its snapshots.",
    also=(Image, Instance, LaunchTemplateVersion, LaunchConfiguration, AutoScalingGroup),
    cli=(
        "aws ec2 disable-image --image-id {name} --region {region}",
        "aws ec2 deregister-image --image-id {name} --delete-associated-snapshots --region {region}",
    ),
)
def ec2_ami_unused(image: Image, view: View, *, max_days: int = 90) -> Problems:
    """An image is used by nothing, and is older than the limit.

    No instance in any state, no launch template in its latest or default version, no launch configuration
    and no Auto Scaling group of the account names it, and none was launched from it for as long. Left out
    are images of AWS Backup. Informational where others may use it. The saving counts the snapshots that no
    other image needs, and is an upper bound: what they share with other snapshots stays.
    """
    oldest = view.now - timedelta(days=max_days)
    young = image.created >= oldest or (image.launched is not None and image.launched >= oldest)
    if young or image.name.startswith(BACKUP) or image.shared_with is None or _used(image, view):
        return
    last = f"last launched {image.launched:%Y-%m-%d}" if image.launched else "never launched"
    unused = f"{image.name}, created {image.created:%Y-%m-%d}, {last}"
    saving = _monthly(image, view)
    shared_with = ("everyone",) if image.public else known(image.shared_with)
    if shared_with:
        shared = f"{unused}; shared with {', '.join(shared_with)}, where its use is not seen"
        yield Problem(shared, severity=Severity.INFORMATIONAL, saving=saving)
    else:
        yield Problem(unused, saving=saving)


def _used(image: Image, view: View) -> bool:
    """Unread: something may use it, that does not say which image it uses."""
    if any(
        view.related(kind, "image", image.id)
        for kind in (Instance, LaunchTemplateVersion, LaunchConfiguration)
    ) or view.related(AutoScalingGroup, "images", image.id):
        return True
    for version in view.every(LaunchTemplateVersion):
        if version.image and version.image.startswith(PARAMETER) and not version.image.startswith(OF_AWS):
            parameter = version.image.removeprefix(PARAMETER)
            raise _cannot_tell(f"launch template version {version.name} uses the image of {parameter}")
    for group in view.every(AutoScalingGroup):
        for pinned in group.pinned:
            if not view.related(LaunchTemplateVersion, "name", pinned):
                raise _cannot_tell(f"{group.name} uses {pinned}, an older version of a launch template")
    return False


def _cannot_tell(detail: str) -> Unread:
    return Unread(Gap("ec2-ami-unused", Blindness.NO_DATA, detail))


def _monthly(image: Image, view: View) -> Money | None:
    sizes = {each.snapshot: each.size_gib for each in image.disks}
    gib = sum(size for id_, size in sizes.items() if len(view.related(Image, "snapshots", id_)) == 1)
    if not gib:
        return None
    return prices.doubted(prices.monthly(view.target, "ebs.snapshot_gb", gib), Confidence.LOW)
