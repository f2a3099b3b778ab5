"""Images, and what instances are told at their start."""

from functools import partial
from typing import Any

from local import past
from local.faults.compute import run, terminate
from local.place import Place, scenario, specified, tag_list

PUBLIC, UNUSED, USER_DATA = "ec2-ami-public", "ec2-ami-unused", "ec2-instance-user-data-secret"
OLD, ORPHANED = "ebs-snapshot-old", "ebs-snapshot-orphaned"


def image(
    place: Place, what: str, *, days: float, launched: float | None = None, prefix: str = ""
) -> tuple[str, str]:
    """An image's id and ARN. Its snapshot is as old, and its volume was never there."""
    ec2, name = place.client("ec2"), f"{prefix}{place.name(what)}"
    made = ec2.register_image(Name=name)["ImageId"]
    behind = past.age_image(place.account.id, place.region, made, days=days, launched=launched)
    ec2.create_tags(Resources=[made, behind], Tags=tag_list(place.tags(name)))
    place.looks_like(OLD, ORPHANED, resource=f"arn:aws:ec2:{place.region}::snapshot/{behind}")
    return made, f"arn:aws:ec2:{place.region}::image/{made}"


def share(place: Place, made: str, **how: Any) -> None:
    place.client("ec2").modify_image_attribute(ImageId=made, LaunchPermission=how)


@scenario(copies=2)
def public_image(place: Place) -> None:
    made, arn = image(place, "golden", days=10)
    share(place, made, Add=[{"Group": "all"}])
    place.fails(PUBLIC, resource=arn, mend=partial(share, place, made, Remove=[{"Group": "all"}]))


@scenario()
def image_for_a_customer(place: Place) -> None:
    made, arn = image(place, "appliance", days=10)
    share(place, made, Add=[{"UserId": "999999999999"}])
    place.looks_like(PUBLIC, resource=arn)


@scenario(copies=2)
def unused_image(place: Place) -> None:
    _, arn = image(place, "web-2019", days=300)
    place.fails(UNUSED, resource=arn)


@scenario()
def old_image_for_a_customer(place: Place) -> None:
    """Whether that customer still starts it, nobody here can see."""
    made, arn = image(place, "appliance-old", days=300)
    share(place, made, Add=[{"UserId": "999999999999"}])
    place.fails(UNUSED, resource=arn)


@scenario()
def old_image_of_a_launch_template(place: Place) -> None:
    made, arn = image(place, "batch", days=300)
    name = place.name("batch-template")
    place.client("ec2").create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={"ImageId": made, "MetadataOptions": {"HttpTokens": "required"}},
        TagSpecifications=specified("launch-template", place.tags(name)),
    )
    place.looks_like(UNUSED, resource=arn)


@scenario()
def old_image_of_a_launch_configuration(place: Place) -> None:
    made, arn = image(place, "legacy", days=300)
    place.client("autoscaling").create_launch_configuration(
        LaunchConfigurationName=place.name("legacy"),
        ImageId=made,
        InstanceType="m5.large",
        MetadataOptions={"HttpTokens": "required"},
    )
    place.looks_like(UNUSED, resource=arn)


@scenario()
def old_image_that_was_launched_last_week(place: Place) -> None:
    _, arn = image(place, "render", days=300, launched=7)
    place.looks_like(UNUSED, resource=arn)


@scenario()
def old_image_of_aws_backup(place: Place) -> None:
    _, arn = image(place, "vault", days=300, prefix="AwsBackup_")
    place.looks_like(UNUSED, resource=arn)


@scenario(copies=2)
def password_in_user_data(place: Place) -> None:
    script = "#!/bin/bash\nset -e\nmysql --host=db --user=app --password=Tr0ub4dor-3xyz\n"
    instance = run(place, "bootstrap", user_data=script)
    place.fails(USER_DATA, resource=instance.arn, remove=partial(terminate, place, instance))


@scenario()
def password_of_user_data_that_stands_elsewhere(place: Place) -> None:
    script = '#!/bin/bash\nexport DB_PASSWORD="{{resolve:secretsmanager:db:SecretString:password}}"\n'
    place.looks_like(USER_DATA, resource=run(place, "bootstrapped", user_data=script).arn)
