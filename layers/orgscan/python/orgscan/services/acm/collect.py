"""How we learn about certificates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.errors import fact
from orgscan.services.acm.facts import Certificate

if TYPE_CHECKING:
    from mypy_boto3_acm import ACMClient
    from mypy_boto3_acm.literals import KeyAlgorithmType
    from mypy_boto3_acm.type_defs import CertificateSummaryTypeDef

KEY_TYPES: Sequence[KeyAlgorithmType] = (
    *("RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096"),
    *("EC_prime256v1", "EC_secp384r1", "EC_secp521r1"),
)
"""All there are: ACM lists certificates of RSA_1024 and RSA_2048 only, unless it is told."""
MANAGED = ("AMAZON_ISSUED", "PRIVATE")
RENEWED_BEFORE = timedelta(days=60)
"""So long before the end, or later, ACM begins to renew."""


@collector(Certificate, calls=("acm:ListCertificates", "acm:DescribeCertificate"))
def acm_certificates(aws: Reader) -> Iterator[Certificate]:
    acm: ACMClient = aws.client("acm")
    listing = acm.get_paginator("list_certificates")
    for page in aws.pages(listing, Includes={"keyTypes": KEY_TYPES}, PaginationConfig={"PageSize": 1000}):
        yield from aws.each(partial(_certificate, aws, acm), page["CertificateSummaryList"])


def _certificate(aws: Reader, acm: ACMClient, listed: CertificateSummaryTypeDef) -> Certificate | None:
    arn, status, managed = listed["CertificateArn"], listed["Status"], listed["Type"] in MANAGED
    issued = status == "ISSUED"
    expires = listed["NotAfter"] if issued or status == "EXPIRED" else listed.get("NotAfter")
    renewal = None
    if managed and issued and expires and expires <= aws.now + RENEWED_BEFORE:
        renewal = certificate_renewal(acm, arn)
        if renewal is None:
            return None
    return Certificate(
        arn=arn,
        domain=listed["DomainName"],
        status=status,
        used=listed["InUse"] or listed.get("Exported", False),
        requested=listed["CreatedAt"] if status == "PENDING_VALIDATION" else listed.get("CreatedAt"),
        expires=expires,
        managed=managed,
        renewable=managed and listed.get("RenewalEligibility") == "ELIGIBLE",
        renewal=renewal,
    )


@fact(absent="ResourceNotFoundException")
def certificate_renewal(acm: ACMClient, arn: str) -> str:
    """None of a certificate that was deleted since it was listed."""
    certificate = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    return certificate["RenewalSummary"]["RenewalStatus"] if "RenewalSummary" in certificate else ""
