"""What we expect of instances."""

from collections.abc import Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import partial

from orgscan import prices
from orgscan.check import Problem, Problems, View, check, enough
from orgscan.model import (
    Blindness,
    Category,
    Confidence,
    Gap,
    Metric,
    Money,
    Severity,
    Target,
    Unread,
    known,
)
from orgscan.services.ec2.checks.volumes import monthly
from orgscan.services.ec2.facts import Address, Instance, Volume

HOUR, DAY = 3600, 86400
CPU = Metric("AWS/EC2", "CPUUtilization", "Average", HOUR)
NETWORK_IN = Metric("AWS/EC2", "NetworkIn", "Sum", DAY)
NETWORK_OUT = Metric("AWS/EC2", "NetworkOut", "Sum", DAY)
NO_TOKEN = Metric("AWS/EC2", "MetadataNoToken", "Sum", DAY)
MIB = 2**20
EVIDENCE_DAYS = 14

MEANT_TO_IDLE = {
    "aws:autoscaling:groupName": "in an Auto Scaling group",
    "aws:eks:cluster-name": "an EKS node",
    "eks:cluster-name": "an EKS node",
    "kubernetes.io/cluster/*": "a Kubernetes node",
    "AmazonECSManaged": "an ECS node",
    "keep-idle": "tagged keep-idle",
}
"""Tag keys of instances that something else starts and stops, or somebody wants."""


@check(
    Instance,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Set HttpTokens to required, once the metric MetadataNoToken shows no more use of IMDSv1.",
    measures=(NO_TOKEN,),
    maps=("CIS AWS 3.0 5.6", "CIS AWS 5.0 5.7", "CIS AWS 6.0 6.7", "CIS AWS 7.0 6.7", "FSBP EC2.8"),
    equivalent=("prowler:ec2_instance_imdsv2_enabled",),
    cli=(
        (
            "aws cloudwatch get-metric-statistics --namespace AWS/EC2 --metric-name MetadataNoToken "
            "--dimensions Name=InstanceId,Value={name} --statistics Sum --period 86400 --start-time "
            "'<two-weeks-ago>' --end-time '<today>' --region {region}"
        ),
        (
            "aws ec2 modify-instance-metadata-options --instance-id {name} --http-tokens required "
            "--region {region}"
        ),
    ),
    cdk="""
        ec2.CfnLaunchTemplate(
            self,
            "Template",
            launch_template_data=ec2.CfnLaunchTemplate.LaunchTemplateDataProperty(
                metadata_options=ec2.CfnLaunchTemplate.MetadataOptionsProperty(http_tokens="required"),
            ),
        )
    """,
)
def ec2_instance_imdsv1_allowed(instance: Instance, view: View) -> Problems:
    """The instance metadata service accepts IMDSv1 requests.

    Whoever makes software on the instance fetch a URL for them can read the credentials of its role.
    """
    if instance.metadata is None:
        detail = "EC2 does not say how the metadata service answers"
        raise Unread(Gap("ec2-instance-imdsv1-allowed", Blindness.NO_DATA, detail))
    if instance.metadata.enabled and not instance.metadata.tokens_required:
        yield f"requests without a session token are answered{_use_of_v1(instance, view)}"


def _use_of_v1(instance: Instance, view: View) -> str:
    """Only evidence: the fault stands without it."""
    if instance.state != "running":
        return ""
    try:
        (calls,) = view.measure(instance, days=EVIDENCE_DAYS)
    except Unread:
        return ""
    if any(calls.values):
        return f"; there were some in the last {EVIDENCE_DAYS} days"
    return f"; there were none on the {len(calls.values)} days measured" if calls.values else ""


@check(
    Instance,
    severity=Severity.MEDIUM,
    category=Category.COST,
    fix="Stop or terminate it once its owner confirms, or tag it keep-idle.",
    measures=(CPU, NETWORK_IN, NETWORK_OUT),
    equivalent=("trusted-advisor:Qch7DwouX1",),
    cli=("aws ec2 stop-instances --instance-ids {name} --region {region}",),
)
def ec2_instance_idle(
    instance: Instance,
    view: View,
    *,
    window_days: int = 7,
    max_avg_cpu: float = 5,
    max_peak_cpu: float = 20,
    max_network_mib: float = 5,
    min_datapoint_share: float = 0.8,
) -> Problems:
    """A running instance has been idle over the whole window.

    It costs the same as a busy one. Idle means little CPU on average, in its busiest hour, and little network
    traffic. Informational for spot instances, those in Auto Scaling groups, cluster nodes that their tags
    reveal, and those tagged keep-idle.
    """
    if instance.state != "running" or instance.launched > view.now - timedelta(days=window_days):
        return
    sufficient = partial(enough, "ec2-instance-idle", days=window_days, share=min_datapoint_share)
    (cpu,) = view.measure(instance, CPU, days=window_days)
    sufficient([cpu])
    peak = max(cpu.values)
    if cpu.average >= max_avg_cpu or peak >= max_peak_cpu:
        return
    network = view.measure(instance, NETWORK_IN, NETWORK_OUT, days=window_days)
    sufficient(network)
    mib = sum(series.average for series in network) / MIB
    if mib >= max_network_mib:
        return
    idle = (
        f"over {window_days} days: CPU {cpu.average:.1f}% on average, {peak:.1f}% in the busiest hour; "
        f"network {mib:.1f} MiB per day"
    )
    price = _hourly_for_a_month(instance, view.target)
    reason = _meant_to_idle(instance, view.tags(instance))
    if reason:
        saving = prices.doubted(price, Confidence.LOW)
        yield Problem(f"{idle}; it is {reason}", severity=Severity.INFORMATIONAL, saving=saving)
    else:
        yield Problem(idle, saving=price)


def _hourly_for_a_month(instance: Instance, target: Target) -> Money | None:
    """The table knows no spot market and no hardware of one's own."""
    if instance.spot or instance.dedicated:
        return None
    return prices.instance(target, instance.type, instance.platform)


def _meant_to_idle(instance: Instance, tags: Mapping[str, str]) -> str | None:
    if instance.spot:
        return "a spot instance"
    reasons = (
        reason for pattern, reason in MEANT_TO_IDLE.items() if any(fnmatchcase(key, pattern) for key in tags)
    )
    return next(reasons, None)


@check(
    Instance,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Create an AMI or snapshots, then terminate it.",
    also=(Volume, Address),
    maps=("FSBP EC2.4",),
    equivalent=(
        "prowler:ec2_instance_stopped_older_than_specific_days",
        "trusted-advisor:c18d2gz150",
    ),
    cli=(
        "aws ec2 create-image --instance-id {name} --name '<image-name>' --region {region}",
        "aws ec2 wait image-available --image-ids '<image-id>' --region {region}",
        "aws ec2 terminate-instances --instance-ids {name} --region {region}",
    ),
)
def ec2_instance_stopped_long(instance: Instance, view: View, *, max_days: int = 30) -> Problems:
    """An instance has been stopped longer than the limit.

    Its volumes and addresses keep billing, and it misses every patch until somebody starts it again.
    """
    since = instance.stopped or max(filter(None, (instance.launched, instance.attached)))
    if instance.state != "stopped" or since > view.now - timedelta(days=max_days):
        return
    approximate = "" if instance.stopped else " (approximate: its last start or newest attachment)"
    stopped = f"stopped since {since:%Y-%m-%d}{approximate}"
    try:
        volumes = view.related(Volume, "instances", instance.id)
        addresses = [each for each in view.related(Address, "instance", instance.id) if not each.own_range]
    except Unread:
        yield stopped
        raise
    costs = [
        *(monthly(volume, view.target) for volume in volumes),
        *(prices.public_ipv4(view.target) for _ in addresses),
    ]
    billed = [*(f"{each.id} ({each.size_gib} GiB)" for each in volumes), *(each.ip for each in addresses)]
    yield Problem(f"{stopped}; still billed: {', '.join(billed) or 'nothing'}", saving=prices.total(costs))


@check(
    Instance,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Rotate the secret, keep it in Secrets Manager or Parameter Store, and read it from there at start.",
    equivalent=("prowler:ec2_instance_secrets_user_data",),
    cli=(
        (
            "aws secretsmanager create-secret --name '<secret-name>' --secret-string "
            "'file://<file-with-the-new-secret>' --region {region}"
        ),
        "aws ec2 stop-instances --instance-ids {name} --region {region}",
        "aws ec2 wait instance-stopped --instance-ids {name} --region {region}",
        (
            "aws ec2 modify-instance-attribute --instance-id {name} --attribute userData --value "
            "'file://<new-user-data-in-base64>' --region {region}"
        ),
        "aws ec2 start-instances --instance-ids {name} --region {region}",
    ),
    cdk="""
        secretsmanager.CfnSecret(
            self,
            "Secret",
            generate_secret_string=secretsmanager.CfnSecret.GenerateSecretStringProperty(password_length=32),
        )
    """,
)
def ec2_instance_user_data_secret(instance: Instance) -> Problems:
    """User data contains a credential or a private key.

    Every process on the instance can read it from the metadata service, and everybody who may describe the
    instance reads it too. Told are what kind of secret it is, the line, and a salted hash; never the secret.
    """
    for secret in known(instance.user_data) or ():
        yield f"{secret.location}: {secret.rule} (sha256 {secret.digest})"
