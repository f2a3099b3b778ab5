"""What the checks of EKS accept and reject."""

from dataclasses import replace
from datetime import timedelta

from orgscan.check import Problem
from orgscan.model import Blindness, Gap, Severity
from orgscan.services.eks.checks import (
    LOG_TYPES,
    eks_control_plane_logging_incomplete,
    eks_endpoint_public_unrestricted,
    eks_secrets_not_kms_encrypted,
    eks_version_unsupported_or_extended,
)
from orgscan.services.eks.facts import Cluster, ClusterVersion
from tests.cases.case import NOW, Case, cannot_tell, fails, passes, usd

EKS = "arn:aws:eks:eu-west-1:123456789012"
DENIED = Gap("-", Blindness.DENIED, "eks:DescribeClusterVersions")
CLUSTER = Cluster(
    arn=f"{EKS}:cluster/shop",
    tags={},
    name="shop",
    version="1.33",
    support="EXTENDED",
    public=False,
    public_cidrs=("0.0.0.0/0",),
    logs=frozenset(LOG_TYPES),
    secrets_key="arn:aws:kms:eu-west-1:123456789012:key/1",
)
PUBLIC = replace(CLUSTER, public=True)
OFFICE = "198.51.100.0/24"
ENDPOINT_CASES: list[Case] = [
    passes(eks_endpoint_public_unrestricted, CLUSTER),
    passes(eks_endpoint_public_unrestricted, replace(CLUSTER, public_cidrs=())),
    fails(eks_endpoint_public_unrestricted, PUBLIC, Problem("the public endpoint answers to 0.0.0.0/0")),
    fails(
        eks_endpoint_public_unrestricted,
        replace(PUBLIC, public_cidrs=("0.0.0.0/0", "::/0")),
        "the public endpoint answers to 0.0.0.0/0",
        "the public endpoint answers to ::/0",
    ),
    fails(
        eks_endpoint_public_unrestricted,
        replace(PUBLIC, public_cidrs=(OFFICE, "0.0.0.0/1", "128.0.0.0/1")),
        "the public endpoint answers to 0.0.0.0/0",
    ),
    fails(
        eks_endpoint_public_unrestricted,
        replace(PUBLIC, public_cidrs=()),
        Problem("the public endpoint answers to everyone"),
    ),
    fails(
        eks_endpoint_public_unrestricted,
        replace(PUBLIC, public_cidrs=(OFFICE, "203.0.113.7/32")),
        Problem(
            f"the public endpoint answers to {OFFICE}, 203.0.113.7/32",
            severity=Severity.INFORMATIONAL,
        ),
    ),
]

LOGGING_CASES: list[Case] = [
    passes(eks_control_plane_logging_incomplete, CLUSTER),
    passes(
        eks_control_plane_logging_incomplete,
        replace(CLUSTER, logs=frozenset({"audit"})),
        parameters={"required_types": ["audit"]},
    ),
    passes(eks_control_plane_logging_incomplete, replace(CLUSTER, logs=frozenset({*LOG_TYPES, "new"}))),
    fails(
        eks_control_plane_logging_incomplete,
        replace(CLUSTER, logs=frozenset()),
        Problem("off: api, audit, authenticator, controllerManager, scheduler"),
    ),
    fails(
        eks_control_plane_logging_incomplete,
        replace(CLUSTER, logs=frozenset(LOG_TYPES) - {"audit"}),
        Problem("off: audit"),
    ),
    fails(
        eks_control_plane_logging_incomplete,
        replace(CLUSTER, logs=frozenset({"audit", "api", "authenticator"})),
        Problem("off: controllerManager, scheduler", severity=Severity.LOW),
    ),
    fails(
        eks_control_plane_logging_incomplete,
        replace(CLUSTER, logs=frozenset()),
        Problem("off: api", severity=Severity.LOW),
        parameters={"required_types": ["api"]},
    ),
]

BARE = replace(CLUSTER, secrets_key=None)
SECRETS_CASES: list[Case] = [
    passes(eks_secrets_not_kms_encrypted, CLUSTER),
    passes(eks_secrets_not_kms_encrypted, replace(CLUSTER, version="1.27")),
    fails(
        eks_secrets_not_kms_encrypted,
        replace(BARE, version="1.27"),
        Problem("no key encrypts secrets beyond the disk's own (version 1.27)"),
    ),
    fails(
        eks_secrets_not_kms_encrypted,
        replace(BARE, version="1.28"),
        Problem("no key of yours encrypts secrets, only AWS's own (version 1.28)", severity=Severity.LOW),
    ),
    # Numbers, not text.
    fails(
        eks_secrets_not_kms_encrypted,
        replace(BARE, version="1.9"),
        Problem("no key encrypts secrets beyond the disk's own (version 1.9)"),
    ),
    fails(
        eks_secrets_not_kms_encrypted,
        replace(BARE, version="2.0"),
        Problem("no key of yours encrypts secrets, only AWS's own (version 2.0)", severity=Severity.LOW),
    ),
]


def version(status: str, ends: float | None = 200, name: str = "1.33") -> ClusterVersion:
    """`ends`: in how many days standard support does; extended support a year later."""
    standard = None if ends is None else NOW + timedelta(days=ends)
    return ClusterVersion(
        arn=f"{EKS}:cluster-version/{name}",
        version=name,
        status=status,
        standard_ends=standard,
        extended_ends=standard and standard + timedelta(days=365),
    )


CURRENT, EXTENDED = version("STANDARD_SUPPORT"), version("EXTENDED_SUPPORT", -14)
UPGRADED = replace(CLUSTER, support="STANDARD")
SOON = "standard support of version 1.33 ends on 2026-04-15"
LATE = "version 1.33 is in extended support since 2026-01-01, which ends on 2027-01-01"
VERSION_CASES: list[Case] = [
    passes(eks_version_unsupported_or_extended, CLUSTER, beside=[CURRENT]),
    passes(
        eks_version_unsupported_or_extended,
        CLUSTER,
        beside=[CURRENT, version("UNSUPPORTED", -900, "1.25"), version("EXTENDED_SUPPORT", -99, "1.30")],
    ),
    passes(eks_version_unsupported_or_extended, CLUSTER, beside=[version("STANDARD_SUPPORT", 90.01)]),
    fails(
        eks_version_unsupported_or_extended,
        CLUSTER,
        Problem(f"{SOON}; then it costs more", severity=Severity.LOW),
        beside=[version("STANDARD_SUPPORT", 90)],
    ),
    fails(
        eks_version_unsupported_or_extended,
        UPGRADED,
        Problem(f"{SOON}; AWS upgrades the cluster then", severity=Severity.LOW),
        beside=[version("STANDARD_SUPPORT", 90)],
    ),
    passes(
        eks_version_unsupported_or_extended,
        CLUSTER,
        beside=[version("STANDARD_SUPPORT", 90)],
        parameters={"warn_days": 89},
    ),
    fails(
        eks_version_unsupported_or_extended,
        CLUSTER,
        Problem(LATE, saving=usd(365, everywhere=True)),
        beside=[EXTENDED],
    ),
    fails(
        eks_version_unsupported_or_extended,
        replace(CLUSTER, support=None),
        Problem("version 1.33 is in extended support", saving=usd(365, everywhere=True)),
        beside=[version("EXTENDED_SUPPORT", None)],
    ),
    fails(
        eks_version_unsupported_or_extended,
        UPGRADED,
        Problem(f"{LATE}; AWS will upgrade the cluster, as its upgrade policy is STANDARD"),
        beside=[EXTENDED],
    ),
    fails(
        eks_version_unsupported_or_extended,
        CLUSTER,
        Problem("version 1.33 is no longer supported"),
        beside=[version("UNSUPPORTED", -900)],
    ),
    cannot_tell(eks_version_unsupported_or_extended, CLUSTER, "does not describe version 1.33"),
    cannot_tell(
        eks_version_unsupported_or_extended, CLUSTER, "do not know: RETIRED", beside=[version("RETIRED")]
    ),
    cannot_tell(
        eks_version_unsupported_or_extended,
        CLUSTER,
        "does not say when",
        beside=[version("STANDARD_SUPPORT", None)],
    ),
    cannot_tell(
        eks_version_unsupported_or_extended,
        CLUSTER,
        "eks:DescribeClusterVersions",
        lost={ClusterVersion: DENIED},
    ),
]

CASES = [*ENDPOINT_CASES, *LOGGING_CASES, *SECRETS_CASES, *VERSION_CASES]
