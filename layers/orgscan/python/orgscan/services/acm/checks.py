"""What we expect of certificates."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from orgscan.check import Problem, Problems, View, check
from orgscan.model import Category, Severity, known
from orgscan.services.acm.facts import Certificate

TROUBLE = {
    "FAILED": "ACM could not renew it",
    "PENDING_VALIDATION": "its renewal waits for validation",
}
"""Renewals that come to nothing unless somebody does something."""
NOT_ISSUED = {
    "FAILED": "its request failed",
    "VALIDATION_TIMED_OUT": "nobody validated its request in time",
}


@check(
    Certificate,
    severity=Severity.MEDIUM,
    category=Category.OPERATIONS,
    fix="Import its successor, correct the DNS records that validate it, or delete what nobody uses.",
    maps=("FSBP ACM.1",),
    equivalent=("prowler:acm_certificates_expiration_check",),
    cli=(
        (
            "aws acm describe-certificate --certificate-arn {arn} --query "
            "'Certificate.[Type,Status,InUseBy,DomainValidationOptions]' --region {region}"
        ),
        (
            "aws route53 change-resource-record-sets --hosted-zone-id '<zone>' --change-batch "
            "'file://<records-that-validate-it>' --region {region}"
        ),
        (
            "aws acm import-certificate --certificate-arn '<of-an-imported-one>' --certificate "
            "'fileb://<its-successor>' --private-key 'fileb://<private-key>' "
            "--certificate-chain 'fileb://<chain>' --region {region}"
        ),
        "aws acm delete-certificate --certificate-arn '<of-one-that-nobody-uses>' --region {region}",
    ),
    cdk="""
        certificatemanager.CfnCertificate(
            self,
            "Certificate",
            domain_name="<domain>",
            validation_method="DNS",
            domain_validation_options=[
                certificatemanager.CfnCertificate.DomainValidationOptionProperty(
                    domain_name="<domain>", hosted_zone_id="<zone>"
                )
            ],
        )
    """,
)
def acm_certificate_expiring(
    certificate: Certificate,
    view: View,
    *,
    critical_days: int = 7,
    high_days: int = 30,
    medium_days: int = 60,
    pending_days: int = 3,
) -> Problems:
    """A certificate expires soon, has expired, or its renewal or validation failed.

    What presents an expired certificate is down for everybody who checks it. ACM never renews what was
    imported, nor what it calls ineligible. What it does renew is judged from `high_days` on, or once the
    renewal fails or waits for validation: before, it is at work. What nobody uses is low, and so are requests
    that failed or wait for longer than `pending_days`.
    """
    if certificate.status not in ("ISSUED", "EXPIRED"):
        yield from _not_issued(certificate, view.now, timedelta(days=pending_days))
    elif certificate.expires:
        left = certificate.expires - view.now
        stages = {
            Severity.CRITICAL: timedelta(days=critical_days),
            Severity.HIGH: timedelta(days=high_days),
            Severity.MEDIUM: timedelta(days=medium_days),
        }
        stage = next((severity for severity, limit in stages.items() if left <= limit), None)
        yield from _expiring(certificate, certificate.expires, left, stage)


def _expiring(
    certificate: Certificate, expires: datetime, left: timedelta, stage: Severity | None
) -> Iterator[Problem]:
    """`stage`: how near the end is, None while it is far."""
    if certificate.renewable and stage in (None, Severity.MEDIUM):
        if known(certificate.renewal) not in TROUBLE:
            return
    elif stage is None:
        return
    when = f"{expires:%Y-%m-%d}"
    text = f"expired on {when}" if left <= timedelta() else f"expires on {when}, in {left.days} days"
    told = [f"{certificate.domain}: {text}", *_why(certificate)]
    severity = (stage or Severity.MEDIUM) if certificate.used else Severity.LOW
    yield Problem("; ".join(told), severity=severity)


def _why(certificate: Certificate) -> Iterator[str]:
    if not certificate.managed:
        yield "imported certificates are not renewed"
    elif not certificate.renewable:
        yield "ACM does not renew it (ineligible)"
    elif certificate.renewal in TROUBLE:
        yield TROUBLE[str(certificate.renewal)]
    if not certificate.used:
        yield "nobody uses it"


def _not_issued(certificate: Certificate, now: datetime, patience: timedelta) -> Iterator[Problem]:
    status, requested = certificate.status, certificate.requested
    if status == "PENDING_VALIDATION":
        if requested and now - requested > patience:
            days = (now - requested).days
            text = f"{certificate.domain}: its request has waited for validation for {days} days"
            yield Problem(text, severity=Severity.LOW)
        return
    text = NOT_ISSUED.get(status, f"its status is {status}")
    yield Problem(f"{certificate.domain}: {text}", severity=None if certificate.used else Severity.LOW)
