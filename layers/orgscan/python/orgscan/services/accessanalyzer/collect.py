"""How we learn about IAM Access Analyzer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector, words
from orgscan.errors import fact
from orgscan.services.accessanalyzer.facts import (
    EXTERNAL,
    AccessAnalysis,
    Analyzer,
    ExternalAccess,
    Region,
)

if TYPE_CHECKING:
    from mypy_boto3_accessanalyzer import AccessAnalyzerClient
    from mypy_boto3_accessanalyzer.type_defs import AnalyzerSummaryTypeDef, FindingSummaryTypeDef


KINDS = words(
    *EXTERNAL,
    "ACCOUNT_UNUSED_ACCESS",
    "ORGANIZATION_UNUSED_ACCESS",
    "ACCOUNT_INTERNAL_ACCESS",
    "ORGANIZATION_INTERNAL_ACCESS",
)


@collector(AccessAnalysis, calls=("accessanalyzer:ListAnalyzers", "accessanalyzer:ListFindings"))
def accessanalyzer_analyses(aws: Reader) -> Iterator[AccessAnalysis]:
    client: AccessAnalyzerClient = aws.client("accessanalyzer")
    for number, page in enumerate(aws.pages(client.get_paginator("list_analyzers"))):
        if not number:  # a region that did not answer was not seen
            yield Region(arn=aws.target.arn("access-analyzer", "account"))
        yield from aws.each(partial(_analyzer, client), page["analyzers"])


def _analyzer(client: AccessAnalyzerClient, analyzer: AnalyzerSummaryTypeDef) -> Analyzer:
    arn, kind = analyzer["arn"], KINDS[analyzer["type"]]
    return Analyzer(
        arn=arn,
        name=analyzer["name"],
        kind=kind,
        status=analyzer["status"],
        findings=external_access(client, arn) if kind in EXTERNAL else None,
    )


@fact(absent="ResourceNotFoundException")
def external_access(client: AccessAnalyzerClient, analyzer: str) -> tuple[ExternalAccess, ...]:
    """By ListFindings, not V2: for these analyzers it says who has access, in the list itself."""
    pages = client.get_paginator("list_findings").paginate(
        analyzerArn=analyzer, filter={"status": {"eq": ["ACTIVE"]}}
    )
    return tuple(_external_access(finding) for page in pages for finding in page["findings"])


def _external_access(finding: FindingSummaryTypeDef) -> ExternalAccess:
    kind = finding["resourceType"]
    return ExternalAccess(
        id=finding["id"],
        resource=finding.get("resource", kind),
        kind=kind,
        public=finding.get("isPublic", False),
        principals=tuple(f"{each} {value}" for each, value in sorted(finding.get("principal", {}).items())),
        error=finding.get("error", ""),
    )
