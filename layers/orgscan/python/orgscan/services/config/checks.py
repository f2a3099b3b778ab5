"""What we expect of AWS Config."""

from collections.abc import Sequence

from orgscan.check import Problem, Problems, View, check
from orgscan.model import Blindness, Category, Gap, Severity, Unread, known
from orgscan.services.config.facts import Recorder, Recording, Status

DELIVERING = ("", "PENDING", "SUCCESS", "NOTAPPLICABLE")
CHECK = "config-recorder-off"


@check(
    Recording,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Start a recorder for all resource types, with a delivery channel.",
    maps=("CIS AWS 3.0 3.3", "CIS AWS 5.0 3.3", "CIS AWS 6.0 4.3", "CIS AWS 7.0 4.3", "FSBP Config.1"),
    equivalent=(
        "prowler:config_recorder_all_regions_enabled",
        "prowler:config_recorder_using_aws_service_role",
    ),
    cli=(
        "aws configservice describe-configuration-recorders --region {region}",
        "aws iam create-service-linked-role --aws-service-name config.amazonaws.com --region {region}",
        (
            "aws configservice put-configuration-recorder --configuration-recorder "
            '\'{"name": "default", "roleARN": "arn:{partition}:iam::{account}:role/aws-service-role/'
            'config.amazonaws.com/AWSServiceRoleForConfig", "recordingGroup": {"allSupported": true, '
            '"includeGlobalResourceTypes": true}}\' --region {region}'
        ),
        (
            "aws configservice put-delivery-channel --delivery-channel "
            "'name=default,s3BucketName=<bucket>' --region {region}"
        ),
        (
            "aws configservice start-configuration-recorder --configuration-recorder-name default --region "
            "{region}"
        ),
    ),
    cdk="""
        config.CfnConfigurationRecorder(
            self,
            "Recorder",
            role_arn="<role>",
            recording_group=config.CfnConfigurationRecorder.RecordingGroupProperty(
                all_supported=True, include_global_resource_types=True
            ),
        )
        config.CfnDeliveryChannel(self, "Channel", s3_bucket_name="<bucket>")
    """,
)
def config_recorder_off(
    region: Recording, view: View, *, required_types: Sequence[str] = [], global_types_region: str = ""
) -> Problems:
    """AWS Config does not record in a region.

    Without a record nobody can tell what a resource was like before. A recorder that is stopped, cannot
    deliver, or leaves out types counts as well; leaving out is informational where `required_types`
    ('AWS::EC2::Instance') are named and recorded. `global_types_region`: the region whose recorder must
    record IAM's types too. Recorders of AWS services are theirs alone.
    """
    if not region.recorders:
        yield "there is no configuration recorder"
        return
    for recorder in region.recorders:
        yield from _left_out(recorder, frozenset(required_types))
        if view.target.region == global_types_region and not recorder.global_types:
            yield f"recorder {recorder.name} does not record IAM's types"
    if region.delivered is False:
        yield "there is no delivery channel"
    statuses = known(region.statuses) or {}
    for recorder in region.recorders:
        yield from _status(recorder.name, statuses.get(recorder.name))
    known(region.delivered)


def _left_out(recorder: Recorder, required: frozenset[str]) -> Problems:
    if recorder.everything:
        return
    lacking = ", ".join(sorted(recorder.lacks(required)))
    if lacking:
        yield f"recorder {recorder.name} does not record {lacking}"
        return
    how = (
        f"leaves out {len(recorder.excluded)} types"
        if recorder.excluded
        else f"records {len(recorder.included)} types only"
    )
    yield Problem(f"recorder {recorder.name} {how}", severity=Severity.INFORMATIONAL if required else None)


def _status(name: str, status: Status | None) -> Problems:
    if status is None:
        raise Unread(Gap(CHECK, Blindness.NO_DATA, f"AWS tells no status of recorder {name}"))
    if not status.recording:
        yield f"recorder {name} is stopped"
    elif status.last not in DELIVERING:
        yield f"recorder {name} cannot deliver: {status.last} {status.error}".rstrip()
