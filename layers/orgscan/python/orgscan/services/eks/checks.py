"""What we expect of EKS."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from orgscan import prices
from orgscan.check import Problem, Problems, View, check
from orgscan.model import Blindness, Category, Gap, Money, Severity, Target, Unread
from orgscan.network import worlds
from orgscan.services.eks.facts import Cluster, ClusterVersion

ENCRYPTED_SINCE = (1, 28)
"""From this version on, AWS encrypts all that the API keeps, with a key of its own."""
LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")


@check(
    Cluster,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Limit the public endpoint to known addresses, or turn it off and use the private one.",
    maps=("FSBP EKS.1",),
    equivalent=("prowler:eks_cluster_not_publicly_accessible",),
    cli=(
        (
            "aws eks update-cluster-config --name {name} --resources-vpc-config "
            "endpointPrivateAccess=true,endpointPublicAccess=true,publicAccessCidrs='<known-cidr>' "
            "--region {region}"
        ),
    ),
    cdk="""
        eks.CfnCluster(
            self,
            "Cluster",
            role_arn="<role-arn>",
            resources_vpc_config=eks.CfnCluster.ResourcesVpcConfigProperty(
                subnet_ids=["<subnet-id>", "<another-subnet-id>"],
                endpoint_private_access=True,
                endpoint_public_access=True,
                public_access_cidrs=["<known-cidr>"],
            ),
        )
    """,
)
def eks_endpoint_public_unrestricted(cluster: Cluster) -> Problems:
    """The cluster's Kubernetes API can be reached from anywhere.

    One leaked credential, or one flaw of the API server, is then enough for anybody. An endpoint that is
    public for some addresses only is informational.
    """
    if not cluster.public:
        return
    # With no addresses named, AWS answers to all.
    open_to = worlds(cluster.public_cidrs) if cluster.public_cidrs else ("everyone",)
    for world in open_to:
        yield f"the public endpoint answers to {world}"
    if not open_to:
        known = ", ".join(cluster.public_cidrs)
        yield Problem(f"the public endpoint answers to {known}", severity=Severity.INFORMATIONAL)


@check(
    Cluster,
    severity=Severity.MEDIUM,
    category=Category.OPERATIONS,
    fix="Turn on the missing log types of the control plane.",
    maps=("FSBP EKS.8",),
    equivalent=("prowler:eks_control_plane_logging_all_types_enabled",),
    cli=(
        (
            "aws eks update-cluster-config --name {name} --region {region} --logging "
            """'{"clusterLogging": [{"enabled": true, "types": """
            """["api", "audit", "authenticator", "controllerManager", "scheduler"]}]}'"""
        ),
    ),
    cdk="""
        eks.CfnCluster(
            self,
            "Cluster",
            role_arn="<role-arn>",
            resources_vpc_config=eks.CfnCluster.ResourcesVpcConfigProperty(
                subnet_ids=["<subnet-id>", "<another-subnet-id>"],
            ),
            logging=eks.CfnCluster.LoggingProperty(
                cluster_logging=eks.CfnCluster.ClusterLoggingProperty(
                    enabled_types=[
                        eks.CfnCluster.LoggingTypeConfigProperty(type="api"),
                        eks.CfnCluster.LoggingTypeConfigProperty(type="audit"),
                        eks.CfnCluster.LoggingTypeConfigProperty(type="authenticator"),
                        eks.CfnCluster.LoggingTypeConfigProperty(type="controllerManager"),
                        eks.CfnCluster.LoggingTypeConfigProperty(type="scheduler"),
                    ],
                ),
            ),
        )
    """,
)
def eks_control_plane_logging_incomplete(
    cluster: Cluster, *, required_types: Sequence[str] = LOG_TYPES
) -> Problems:
    """Log types of the cluster's control plane are off.

    Without the audit log nobody can tell who did what in the cluster: medium. Others are missed when
    something fails: low.
    """
    missing = [each for each in required_types if each not in cluster.logs]
    if missing:
        severity = None if "audit" in missing else Severity.LOW
        yield Problem(f"off: {', '.join(missing)}", severity=severity)


@check(
    Cluster,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Associate a KMS key with the cluster for its secrets; this cannot be undone.",
    maps=("FSBP EKS.3",),
    equivalent=("prowler:eks_cluster_kms_cmk_encryption_in_secrets_enabled",),
    cli=(
        (
            "aws eks associate-encryption-config --cluster-name {name} --encryption-config "
            '\'[{"resources": ["secrets"], "provider": {"keyArn": "<key-arn>"}}]\' --region {region}'
        ),
    ),
    cdk="""
        eks.CfnCluster(
            self,
            "Cluster",
            role_arn="<role-arn>",
            resources_vpc_config=eks.CfnCluster.ResourcesVpcConfigProperty(
                subnet_ids=["<subnet-id>", "<another-subnet-id>"],
            ),
            encryption_config=[
                eks.CfnCluster.EncryptionConfigProperty(
                    resources=["secrets"],
                    provider=eks.CfnCluster.ProviderProperty(key_arn="<key-arn>"),
                ),
            ],
        )
    """,
)
def eks_secrets_not_kms_encrypted(cluster: Cluster) -> Problems:
    """Kubernetes secrets are not encrypted with a KMS key of the customer.

    A key of one's own decides who may read them, and logs it. From 1.28 on AWS encrypts them with a key that
    belongs to AWS, so that it is low there.
    """
    if cluster.secrets_key:
        return
    if _release(cluster.version) >= ENCRYPTED_SINCE:
        text = f"no key of yours encrypts secrets, only AWS's own (version {cluster.version})"
        yield Problem(text, severity=Severity.LOW)
    else:
        yield f"no key encrypts secrets beyond the disk's own (version {cluster.version})"


@check(
    Cluster,
    severity=Severity.HIGH,
    category=Category.COST,
    fix="Upgrade the cluster, one minor version at a time.",
    also=(ClusterVersion,),
    refs=("https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html",),
    maps=("FSBP EKS.2",),
    equivalent=("prowler:eks_cluster_uses_a_supported_version",),
    cli=(
        (
            "aws eks list-insights --cluster-name {name} --filter categories=UPGRADE_READINESS "
            "--region {region}"
        ),
        (
            "aws eks update-cluster-version --name {name} --kubernetes-version '<next-minor-version>' "
            "--region {region}"
        ),
        "aws eks wait cluster-active --name {name} --region {region}",
        (
            "aws eks update-nodegroup-version --cluster-name {name} --nodegroup-name "
            "'<nodegroup-name>' --region {region}"
        ),
    ),
    cdk="""
        eks.CfnCluster(
            self,
            "Cluster",
            role_arn="<role-arn>",
            resources_vpc_config=eks.CfnCluster.ResourcesVpcConfigProperty(
                subnet_ids=["<subnet-id>", "<another-subnet-id>"],
            ),
            version="<next-minor-version>",
        )
    """,
)
def eks_version_unsupported_or_extended(cluster: Cluster, view: View, *, warn_days: int = 90) -> Problems:
    """The cluster's version is in extended support, unsupported, or leaves standard support soon.

    Extended support costs several times as much for each hour, and ends too: then AWS upgrades the cluster at
    a time of its own. A cluster with upgrade policy STANDARD is upgraded as soon as standard support ends.
    Within `warn_days` of that it is low.
    """
    seen = view.related(ClusterVersion, "version", cluster.version)
    if not seen:
        raise _unclear(f"AWS does not describe version {cluster.version}")
    (version,) = seen
    match version.status:
        case "UNSUPPORTED":
            yield f"version {cluster.version} is no longer supported"
        case "EXTENDED_SUPPORT":
            yield _extended(cluster, version, view.target)
        case "STANDARD_SUPPORT":
            yield from _ending(cluster, version, view, timedelta(days=warn_days))
        case status:
            raise _unclear(f"version {cluster.version} is in a state that we do not know: {status}")


def _extended(cluster: Cluster, version: ClusterVersion, target: Target) -> Problem:
    since = f" since {version.standard_ends:%Y-%m-%d}" if version.standard_ends else ""
    until = f", which ends on {version.extended_ends:%Y-%m-%d}" if version.extended_ends else ""
    text = f"version {cluster.version} is in extended support{since}{until}"
    if cluster.support == "STANDARD":
        return Problem(f"{text}; AWS will upgrade the cluster, as its upgrade policy is STANDARD")
    return Problem(text, saving=_extra(target))


def _extra(target: Target) -> Money | None:
    """What a month in extended support costs more."""
    extended = prices.hourly(target, "eks.extended_hour")
    standard = prices.hourly(target, "eks.standard_hour", -1)
    return prices.total([extended, standard])


def _ending(cluster: Cluster, version: ClusterVersion, view: View, warning: timedelta) -> Iterator[Problem]:
    ends = version.standard_ends
    if ends is None:
        raise _unclear(f"AWS does not say when standard support of version {cluster.version} ends")
    if ends <= view.now + warning:
        then = "AWS upgrades the cluster then" if cluster.support == "STANDARD" else "then it costs more"
        text = f"standard support of version {cluster.version} ends on {ends:%Y-%m-%d}; {then}"
        yield Problem(text, severity=Severity.LOW)


def _unclear(detail: str) -> Unread:
    return Unread(Gap("eks-version-unsupported-or-extended", Blindness.NO_DATA, detail))


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
