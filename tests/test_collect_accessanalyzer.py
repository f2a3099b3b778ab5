"""What the collector of IAM Access Analyzer sees. Moto knows nothing of it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orgscan.model import Blindness, Gap, Target
from orgscan.services.accessanalyzer.collect import accessanalyzer_analyses
from orgscan.services.accessanalyzer.facts import Analyzer, ExternalAccess, Region
from orgscan.session import Clients
from tests.answers import answer, refuse

HERE = "arn:aws:access-analyzer:eu-west-1:123456789012"
REGION = Region(arn=f"{HERE}:account")
LIST, FINDINGS = "accessanalyzer:ListAnalyzers", "accessanalyzer:ListFindings"
DAY = datetime(2025, 1, 1, tzinfo=UTC)


def analyzer(name: str, kind: str = "ACCOUNT", status: str = "ACTIVE") -> dict[str, Any]:
    arn = f"{HERE}:analyzer/{name}"
    return {"arn": arn, "name": name, "type": kind, "status": status, "createdAt": DAY}


def seen(name: str, findings: tuple[ExternalAccess, ...] | Gap | None = (), **more: str) -> Analyzer:
    facts = {"kind": "ACCOUNT", "status": "ACTIVE", **more}
    return Analyzer(arn=f"{HERE}:analyzer/{name}", name=name, findings=findings, **facts)


def finding(id_: str, **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "resource": "arn:aws:s3:::b",
        "resourceType": "AWS::S3::Bucket",
        "status": "ACTIVE",
        **more,
    }


def test_a_region_without_analyzers_is_one_all_the_same(clients: Clients, target: Target) -> None:
    answer(clients, target, LIST, {"analyzers": []})
    assert list(accessanalyzer_analyses.read(clients, target)) == [REGION]


def test_analyzers_of_two_pages_and_what_they_found(clients: Clients, target: Target) -> None:
    unused = analyzer("unused", "ORGANIZATION_UNUSED_ACCESS", "CREATING")
    answer(
        clients,
        target,
        LIST,
        {"analyzers": [unused], "nextToken": "more"},
        {"analyzers": [analyzer("all", "ORGANIZATION", "DISABLED")]},
    )
    role = finding("2", resourceType="AWS::IAM::Role", isPublic=True, error="INTERNAL_ERROR")
    del role["resource"]
    answer(
        clients,
        target,
        FINDINGS,
        {"findings": [finding("1", principal={"Federated": "x", "AWS": "9"})], "nextToken": "more"},
        {"findings": [role]},
    )
    found = (
        ExternalAccess(
            "1", "arn:aws:s3:::b", "AWS::S3::Bucket", public=False, principals=("AWS 9", "Federated x")
        ),
        ExternalAccess(
            "2", "AWS::IAM::Role", "AWS::IAM::Role", public=True, principals=(), error="INTERNAL_ERROR"
        ),
    )
    assert list(accessanalyzer_analyses.read(clients, target)) == [
        REGION,
        seen("unused", None, kind="ORGANIZATION_UNUSED_ACCESS", status="CREATING"),
        seen("all", found, kind="ORGANIZATION", status="DISABLED"),
    ]


def test_only_active_findings_are_asked_for(clients: Clients, target: Target) -> None:
    asked: list[Any] = []
    answer(clients, target, LIST, {"analyzers": [analyzer("all")]})
    answer(clients, target, FINDINGS, {"findings": []})
    client = clients.get("accessanalyzer", target.api_region)
    client.meta.events.register(
        "provide-client-params.accessanalyzer.ListFindings", lambda params, **_: asked.append(params)
    )
    assert list(accessanalyzer_analyses.read(clients, target)) == [REGION, seen("all")]
    assert asked == [{"analyzerArn": f"{HERE}:analyzer/all", "filter": {"status": {"eq": ["ACTIVE"]}}}]


def test_an_analyzer_that_makes_no_sense_costs_itself(clients: Clients, target: Target) -> None:
    odd = analyzer("odd")
    del odd["status"]
    answer(clients, target, LIST, {"analyzers": [analyzer("a"), odd, analyzer("b")]})
    answer(clients, target, FINDINGS, {"findings": []})
    lost: list[Gap] = []
    found = accessanalyzer_analyses.read(clients, target, spoil=lost.append)
    assert list(found) == [REGION, seen("a"), seen("b")]
    assert [(each.scope, each.reason) for each in lost] == [("accessanalyzer-analyses", Blindness.FAULT)]


def test_analyzers_that_are_not_listed_are_not_none(clients: Clients, target: Target) -> None:
    refuse(clients, target, LIST, "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        list(accessanalyzer_analyses.read(clients, target))


def test_an_answer_without_analyzers_is_not_one_of_none(clients: Clients, target: Target) -> None:
    answer(clients, target, LIST, {})
    with pytest.raises(KeyError, match="analyzers"):
        list(accessanalyzer_analyses.read(clients, target))


@pytest.mark.parametrize(
    ("code", "findings"),
    [
        ("ResourceNotFoundException", None),
        ("AccessDeniedException", Gap("external_access", Blindness.DENIED, FINDINGS)),
    ],
)
def test_findings_that_cannot_be_read(
    clients: Clients, target: Target, code: str, findings: Gap | None
) -> None:
    answer(clients, target, LIST, {"analyzers": [analyzer("all")]})
    refuse(clients, target, FINDINGS, code)
    assert list(accessanalyzer_analyses.read(clients, target)) == [REGION, seen("all", findings)]


def test_a_finding_that_makes_no_sense_is_not_none(clients: Clients, target: Target) -> None:
    odd = finding("1")
    del odd["resourceType"]
    answer(clients, target, LIST, {"analyzers": [analyzer("all")]})
    answer(clients, target, FINDINGS, {"findings": [odd]})
    _, found = accessanalyzer_analyses.read(clients, target)
    assert isinstance(found, Analyzer)
    assert isinstance(found.findings, Gap)


def test_an_analyzer_of_a_type_that_nobody_knows_costs_itself(clients: Clients, target: Target) -> None:
    answer(clients, target, LIST, {"analyzers": [{**analyzer("odd"), "type": "ACCOUNT_SOMETHING"}]})
    lost: list[Gap] = []
    assert list(accessanalyzer_analyses.read(clients, target, spoil=lost.append)) == [REGION]
    assert [each.reason for each in lost] == [Blindness.FAULT]
