"""What the checks of images accept and reject."""

from dataclasses import replace
from typing import Any

from orgscan.check import Problem
from orgscan.model import Confidence, Severity
from orgscan.services.autoscaling.facts import AutoScalingGroup, LaunchConfiguration
from orgscan.services.ec2.checks.images import ec2_ami_public, ec2_ami_unused
from orgscan.services.ec2.facts import Image, ImageDisk, Instance, LaunchTemplateVersion
from tests.cases.autoscaling import ARN, GROUP
from tests.cases.case import Case, cannot_tell, fails, passes, usd
from tests.cases.ec2 import DENIED, EC2, INSTANCE, ago
from tests.cases.snapshots import IMAGE

PUBLIC = replace(IMAGE, public=True)
PUBLIC_CASES: list[Case] = [
    passes(ec2_ami_public, IMAGE),
    passes(ec2_ami_public, replace(IMAGE, shared_with=("999999999999",))),
    fails(ec2_ami_public, PUBLIC, Problem("every AWS account may launch web")),
    passes(ec2_ami_public, PUBLIC, parameters={"publish_allow_list": [IMAGE.id]}),
    passes(ec2_ami_public, PUBLIC, parameters={"publish_allow_list": ["web"]}),
    fails(
        ec2_ami_public,
        PUBLIC,
        "every AWS account may launch web",
        parameters={"publish_allow_list": ["we", "web-2", "*"]},
    ),
]

VERSION = LaunchTemplateVersion(arn=f"{EC2}:launch-template/lt-1:3", name="lt-1:3", image="ami-2")
CONFIGURATION = LaunchConfiguration(arn=f"{ARN}:launchConfiguration:1", image="ami-2")
UNUSED = f"web, created {ago(100):%Y-%m-%d}, never launched"


def spared(image: Image, shared_with: str) -> Case:
    text = f"{UNUSED}; shared with {shared_with}, where its use is not seen"
    saving = usd(5.55, Confidence.LOW)
    return fails(
        ec2_ami_unused,
        image,
        Problem(text, severity=Severity.INFORMATIONAL, saving=saving),
        beside=[image],
    )


def unused(image: Image, text: str = UNUSED, *beside: Any, **world: Any) -> Case:
    return fails(ec2_ami_unused, image, text, beside=[image, *beside], **world)


TWO_DISKS = (*IMAGE.disks, ImageDisk(snapshot="snap-2", size_gib=8))
OTHER = replace(IMAGE, arn=f"{IMAGE.arn}2", id=f"{IMAGE.id}2")
UNUSED_CASES: list[Case] = [
    fails(ec2_ami_unused, IMAGE, Problem(UNUSED, saving=usd(5.55, Confidence.LOW)), beside=[IMAGE]),
    # What two images share is kept by the other; what one names twice counts once.
    fails(
        ec2_ami_unused,
        replace(IMAGE, disks=TWO_DISKS),
        Problem(UNUSED, saving=usd(0.44, Confidence.LOW)),
        beside=[replace(IMAGE, disks=TWO_DISKS), OTHER],
    ),
    fails(
        ec2_ami_unused,
        replace(IMAGE, disks=IMAGE.disks * 2),
        Problem(UNUSED, saving=usd(5.55, Confidence.LOW)),
        beside=[replace(IMAGE, disks=IMAGE.disks * 2)],
    ),
    fails(ec2_ami_unused, replace(IMAGE, disks=()), Problem(UNUSED), beside=[replace(IMAGE, disks=())]),
    passes(ec2_ami_unused, replace(IMAGE, created=ago(90))),
    unused(
        replace(IMAGE, created=ago(90.1)), UNUSED.replace(f"{ago(100):%Y-%m-%d}", f"{ago(90.1):%Y-%m-%d}")
    ),
    passes(ec2_ami_unused, IMAGE, parameters={"max_days": 100}),
    unused(IMAGE, parameters={"max_days": 99}),
    passes(ec2_ami_unused, replace(IMAGE, launched=ago(90))),
    unused(
        replace(IMAGE, launched=ago(91)),
        UNUSED.replace("never launched", f"last launched {ago(91):%Y-%m-%d}"),
    ),
    passes(ec2_ami_unused, IMAGE, beside=[replace(INSTANCE, image=IMAGE.id)]),
    passes(ec2_ami_unused, IMAGE, beside=[replace(INSTANCE, image=IMAGE.id, state="stopped")]),
    passes(ec2_ami_unused, IMAGE, beside=[replace(VERSION, image=IMAGE.id)]),
    passes(ec2_ami_unused, IMAGE, beside=[replace(CONFIGURATION, image=IMAGE.id)]),
    passes(ec2_ami_unused, IMAGE, beside=[replace(GROUP, images=(IMAGE.id,))]),
    unused(IMAGE, UNUSED, INSTANCE, VERSION, CONFIGURATION, replace(GROUP, pinned=("lt-1:3",))),
    unused(IMAGE, UNUSED, replace(VERSION, image=None)),
    unused(IMAGE, UNUSED, replace(VERSION, image="resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023")),
    cannot_tell(
        ec2_ami_unused, IMAGE, "image of /acme/web", beside=[replace(VERSION, image="resolve:ssm:/acme/web")]
    ),
    cannot_tell(
        ec2_ami_unused, IMAGE, "web uses lt-1:2", beside=[VERSION, replace(GROUP, pinned=("lt-1:2",))]
    ),
    passes(ec2_ami_unused, replace(IMAGE, name="AwsBackup_i-1_4b1f")),
    unused(replace(IMAGE, name="AwsBackup"), UNUSED.replace("web", "AwsBackup")),
    spared(replace(IMAGE, shared_with=("999999999999", "arn:x")), "999999999999, arn:x"),
    spared(replace(IMAGE, public=True), "everyone"),
    spared(replace(IMAGE, public=True, shared_with=DENIED), "everyone"),
    passes(ec2_ami_unused, replace(IMAGE, shared_with=None)),
    cannot_tell(
        ec2_ami_unused,
        replace(IMAGE, shared_with=DENIED),
        "DescribeSomething",
        beside=[replace(IMAGE, shared_with=DENIED)],
    ),
    *(
        cannot_tell(ec2_ami_unused, IMAGE, "DescribeSomething", lost={kind: DENIED})
        for kind in (Image, Instance, LaunchTemplateVersion, LaunchConfiguration, AutoScalingGroup)
    ),
    passes(ec2_ami_unused, replace(IMAGE, created=ago(1)), lost={Instance: DENIED}),
]

CASES = [*PUBLIC_CASES, *UNUSED_CASES]
