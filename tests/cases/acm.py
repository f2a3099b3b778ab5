"""What the check of certificates accepts and rejects."""

from dataclasses import replace
from datetime import timedelta

from orgscan.check import Problem
from orgscan.model import Blindness, Gap, Severity
from orgscan.services.acm.checks import acm_certificate_expiring
from orgscan.services.acm.facts import Certificate
from tests.cases.case import ACCOUNT, NOW, Case, cannot_tell, fails, passes

IMPORTED = Certificate(
    arn=f"arn:aws:acm:eu-west-1:{ACCOUNT}:certificate/5d3c",
    domain="shop.example",
    status="ISSUED",
    used=True,
    requested=None,
    expires=NOW + timedelta(days=200),
    managed=False,
    renewable=False,
    renewal=None,
)
MANAGED = replace(IMPORTED, managed=True, renewable=True, renewal="", requested=NOW - timedelta(days=300))
REQUEST = replace(MANAGED, used=False, expires=None, renewable=False, renewal=None)
DENIED = Gap("certificate_renewal", Blindness.DENIED, "acm:DescribeCertificate")
NOT_RENEWED = "imported certificates are not renewed"
SECOND = timedelta(seconds=1)


def ends(certificate: Certificate, **left: float) -> Certificate:
    return replace(certificate, expires=NOW + timedelta(**left))


def pending(age: timedelta) -> Certificate:
    return replace(REQUEST, status="PENDING_VALIDATION", requested=NOW - age)


DATES: list[Case] = [
    passes(acm_certificate_expiring, IMPORTED),
    passes(acm_certificate_expiring, ends(IMPORTED, days=60, seconds=1)),
    fails(
        acm_certificate_expiring,
        ends(IMPORTED, days=60),
        Problem(f"shop.example: expires on 2026-03-16, in 60 days; {NOT_RENEWED}", severity=Severity.MEDIUM),
    ),
    fails(
        acm_certificate_expiring,
        ends(IMPORTED, days=30, seconds=1),
        Problem(f"shop.example: expires on 2026-02-14, in 30 days; {NOT_RENEWED}", severity=Severity.MEDIUM),
    ),
    fails(
        acm_certificate_expiring,
        ends(IMPORTED, days=30),
        Problem(f"shop.example: expires on 2026-02-14, in 30 days; {NOT_RENEWED}", severity=Severity.HIGH),
    ),
    fails(
        acm_certificate_expiring,
        ends(IMPORTED, days=7),
        Problem(f"shop.example: expires on 2026-01-22, in 7 days; {NOT_RENEWED}", severity=Severity.CRITICAL),
    ),
    fails(
        acm_certificate_expiring,
        replace(ends(IMPORTED, days=0), status="EXPIRED"),
        Problem(f"shop.example: expired on 2026-01-15; {NOT_RENEWED}", severity=Severity.CRITICAL),
    ),
    fails(
        acm_certificate_expiring,
        replace(ends(IMPORTED, days=-40), status="EXPIRED", used=False),
        Problem(f"shop.example: expired on 2025-12-06; {NOT_RENEWED}; nobody uses it", severity=Severity.LOW),
    ),
    fails(
        acm_certificate_expiring,
        replace(ends(IMPORTED, days=3), used=False),
        Problem(
            f"shop.example: expires on 2026-01-18, in 3 days; {NOT_RENEWED}; nobody uses it",
            severity=Severity.LOW,
        ),
    ),
    passes(
        acm_certificate_expiring, ends(IMPORTED, days=20), parameters={"high_days": 10, "medium_days": 15}
    ),
]
RENEWALS: list[Case] = [
    passes(acm_certificate_expiring, replace(MANAGED, renewal=None)),
    passes(acm_certificate_expiring, ends(MANAGED, days=31)),
    passes(acm_certificate_expiring, replace(ends(MANAGED, days=31), renewal="PENDING_AUTO_RENEWAL")),
    fails(
        acm_certificate_expiring,
        ends(MANAGED, days=30),
        Problem("shop.example: expires on 2026-02-14, in 30 days", severity=Severity.HIGH),
    ),
    fails(
        acm_certificate_expiring,
        replace(ends(MANAGED, days=59), renewal="PENDING_VALIDATION"),
        Problem(
            "shop.example: expires on 2026-03-15, in 59 days; its renewal waits for validation",
            severity=Severity.MEDIUM,
        ),
    ),
    # A failed renewal is told however far the end is.
    fails(
        acm_certificate_expiring,
        replace(ends(MANAGED, days=59), renewal="FAILED"),
        Problem(
            "shop.example: expires on 2026-03-15, in 59 days; ACM could not renew it",
            severity=Severity.MEDIUM,
        ),
        parameters={"medium_days": 40},
    ),
    fails(
        acm_certificate_expiring,
        replace(ends(MANAGED, days=20), renewal="FAILED"),
        Problem(
            "shop.example: expires on 2026-02-04, in 20 days; ACM could not renew it", severity=Severity.HIGH
        ),
    ),
    passes(acm_certificate_expiring, replace(MANAGED, renewable=False, renewal=None)),
    fails(
        acm_certificate_expiring,
        replace(ends(MANAGED, days=45), renewable=False),
        Problem(
            "shop.example: expires on 2026-03-01, in 45 days; ACM does not renew it (ineligible)",
            severity=Severity.MEDIUM,
        ),
    ),
    cannot_tell(
        acm_certificate_expiring, replace(ends(MANAGED, days=45), renewal=DENIED), "acm:DescribeCertificate"
    ),
    # That it ends so soon is enough.
    fails(
        acm_certificate_expiring,
        replace(ends(MANAGED, days=5), renewal=DENIED),
        Problem("shop.example: expires on 2026-01-20, in 5 days", severity=Severity.CRITICAL),
    ),
]
REQUESTS: list[Case] = [
    passes(acm_certificate_expiring, pending(timedelta(days=3))),
    fails(
        acm_certificate_expiring,
        pending(timedelta(days=3) + SECOND),
        Problem("shop.example: its request has waited for validation for 3 days", severity=Severity.LOW),
    ),
    passes(acm_certificate_expiring, pending(timedelta(days=5)), parameters={"pending_days": 5}),
    fails(
        acm_certificate_expiring,
        replace(REQUEST, status="VALIDATION_TIMED_OUT"),
        Problem("shop.example: nobody validated its request in time", severity=Severity.LOW),
    ),
    fails(
        acm_certificate_expiring,
        replace(REQUEST, status="FAILED"),
        Problem("shop.example: its request failed", severity=Severity.LOW),
    ),
    fails(
        acm_certificate_expiring,
        replace(MANAGED, status="REVOKED"),
        Problem("shop.example: its status is REVOKED"),
    ),
]
CASES = [*DATES, *RENEWALS, *REQUESTS]
