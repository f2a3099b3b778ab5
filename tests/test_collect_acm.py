"""What the collector of certificates sees."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgscan.model import Blindness, Gap, Target
from orgscan.services.acm.collect import KEY_TYPES, acm_certificates
from orgscan.services.acm.facts import Certificate
from orgscan.session import Clients
from tests.answers import answer, refuse

ARN = "arn:aws:acm:eu-west-1:123456789012:certificate/"
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def listed(name: str, days: float, **more: Any) -> dict[str, Any]:
    """An imported one that ends in so many days."""
    return {
        "CertificateArn": ARN + name,
        "DomainName": f"{name}.example",
        "Status": "ISSUED",
        "Type": "IMPORTED",
        "InUse": True,
        "NotAfter": NOW + timedelta(days=days),
        **more,
    }


def managed(name: str, days: float, **more: Any) -> dict[str, Any]:
    mine = {"Type": "AMAZON_ISSUED", "CreatedAt": NOW, "RenewalEligibility": "ELIGIBLE"}
    return listed(name, days, **mine | more)


def read(clients: Clients, target: Target, *certificates: dict[str, Any], **how: Any) -> list[Certificate]:
    if certificates:
        answer(clients, target, "acm:ListCertificates", {"CertificateSummaryList": [*certificates]})
    return list(acm_certificates.read(clients, target, now=NOW, **how))


def renewal(status: str) -> dict[str, Any]:
    return {"Certificate": {"RenewalSummary": {"RenewalStatus": status}}}


def test_all_facts_of_an_imported_certificate(clients: Clients, target: Target) -> None:
    assert read(clients, target, listed("a", 5)) == [
        Certificate(
            arn=ARN + "a",
            domain="a.example",
            status="ISSUED",
            used=True,
            requested=None,
            expires=NOW + timedelta(days=5),
            managed=False,
            renewable=False,
            renewal=None,
            tags=None,
        )
    ]


def test_certificates_of_all_kinds_of_keys_are_listed(clients: Clients, target: Target) -> None:
    acm = clients.get("acm", target.api_region)
    asked: list[Any] = []
    acm.meta.events.register(
        "provide-client-params.acm.ListCertificates", lambda params, **_: asked.append(params["Includes"])
    )
    assert read(clients, target, listed("a", 5))
    assert asked == [{"keyTypes": KEY_TYPES}]
    assert [*KEY_TYPES] == acm.meta.service_model.shape_for("KeyAlgorithm").enum


def test_where_a_renewal_has_come_to_is_asked_near_the_end(clients: Clients, target: Target) -> None:
    answer(clients, target, "acm:DescribeCertificate", renewal("FAILED"), {"Certificate": {}})
    near, later, private, expired = read(
        clients,
        target,
        managed("near", 60),
        managed("later", 60.01),
        managed("private", 59, Type="PRIVATE", RenewalEligibility="INELIGIBLE"),
        managed("expired", -1, Status="EXPIRED"),
    )
    assert [each.renewal for each in (near, later, private, expired)] == ["FAILED", None, "", None]
    assert [each.managed for each in (near, later, private, expired)] == [True] * 4
    assert [near.renewable, private.renewable] == [True, False]


def test_requests_have_no_end_yet(clients: Clients, target: Target) -> None:
    pending = managed("a", 0, Status="PENDING_VALIDATION", InUse=False)
    del pending["NotAfter"]
    (request,) = read(clients, target, pending)
    assert (request.expires, request.requested, request.renewal) == (None, NOW, None)


def test_what_was_exported_may_be_in_use_anywhere(clients: Clients, target: Target) -> None:
    used = read(clients, target, listed("a", 90, InUse=False), listed("b", 90, InUse=False, Exported=True))
    assert [each.used for each in used] == [False, True]


def test_two_pages_and_certificates_that_make_no_sense(clients: Clients, target: Target) -> None:
    endless = {name: value for name, value in listed("odd", 1).items() if name != "NotAfter"}
    answer(
        clients,
        target,
        "acm:ListCertificates",
        {"CertificateSummaryList": [endless, listed("a", 1)], "NextToken": "more"},
        {"CertificateSummaryList": [listed("b", 1, Type="SOMETHING_NEW")]},
    )
    lost: list[Gap] = []
    found = read(clients, target, spoil=lost.append)
    assert [(each.arn, each.managed) for each in found] == [(ARN + "a", False), (ARN + "b", False)]
    assert [(each.scope, each.reason) for each in lost] == [("acm-certificates", Blindness.FAULT)]


def test_a_certificate_that_is_gone_by_now(clients: Clients, target: Target) -> None:
    answer(clients, target, "acm:ListCertificates", {"CertificateSummaryList": [managed("a", 10)]})
    assert read(clients, target) == []


def test_a_renewal_that_is_denied_is_a_gap(clients: Clients, target: Target) -> None:
    refuse(clients, target, "acm:DescribeCertificate", "AccessDeniedException")
    (found,) = read(clients, target, managed("a", 10))
    assert found.renewal == Gap("certificate_renewal", Blindness.DENIED, "acm:DescribeCertificate")


def test_a_denied_listing_is_not_an_empty_one(clients: Clients, target: Target) -> None:
    refuse(clients, target, "acm:ListCertificates", "AccessDeniedException")
    with pytest.raises(ClientError, match="acm:ListCertificates"):
        read(clients, target)
