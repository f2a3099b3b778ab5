"""What IAM Access Analyzer sees. Moto lacks it: elsewhere two analyzers are at work and find nothing."""

from typing import Any

from local.place import Place, scenario

MISSING, FINDING = "accessanalyzer-external-analyzer-missing", "accessanalyzer-active-finding"
ANALYZERS, FINDINGS = "accessanalyzer:ListAnalyzers", "accessanalyzer:ListFindings"
MADE = "2025-01-01T00:00:00Z"
ARN = "arn:aws:access-analyzer:us-east-1:123456789012:analyzer"


def _analyzer(name: str, kind: str, status: str = "ACTIVE") -> dict[str, Any]:
    return {"arn": f"{ARN}/{name}", "name": name, "type": kind, "status": status, "createdAt": MADE}


EXTERNAL, UNUSED = _analyzer("external", "ACCOUNT"), _analyzer("unused", "ACCOUNT_UNUSED_ACCESS")
ABSENT = {ANALYZERS: {"analyzers": [UNUSED, EXTERNAL]}, FINDINGS: {"findings": []}}


def _finding(place: Place, number: str, *, public: bool) -> dict[str, Any]:
    bucket = f"arn:aws:s3:::shared-{place.account.id}-{number}"
    dates = dict.fromkeys(("createdAt", "analyzedAt", "updatedAt"), MADE)
    return {
        "id": f"00000000-0000-4000-8000-{number:0>12}",
        "resource": bucket,
        "resourceType": "AWS::S3::Bucket",
        "resourceOwnerAccount": place.account.id,
        "isPublic": public,
        "principal": {"AWS": "*" if public else "998877665544"},
        "action": ["s3:GetObject"],
        "condition": {},
        "status": "ACTIVE",
        **dates,
    }


@scenario(copies=2)
def access_from_outside(place: Place) -> None:
    found = [_finding(place, "1", public=False), _finding(place, "2", public=True)]
    place.answers(FINDINGS, {"findings": found}, analyzerArn=EXTERNAL["arn"])

    def mend() -> None:
        place.answers(FINDINGS, {"findings": []}, analyzerArn=EXTERNAL["arn"])

    for each in found:
        place.fails(FINDING, resource=EXTERNAL["arn"], key=each["id"], mend=mend)


@scenario()
def unused_access(place: Place) -> None:
    """Another question, which an analyzer of another type answers."""
    found = [_finding(place, "3", public=False)]
    place.answers(FINDINGS, {"findings": found}, analyzerArn=UNUSED["arn"])
    place.looks_like(FINDING, resource=UNUSED["arn"])


@scenario(copies=2)
def analyzer_turned_off(place: Place) -> None:
    off = {**EXTERNAL, "status": "DISABLED"}
    place.answers(ANALYZERS, {"analyzers": [UNUSED, off]})
    place.fails(
        MISSING,
        resource=place.arn("access-analyzer", "account"),
        mend=lambda: place.answers(ANALYZERS, {"analyzers": [UNUSED, EXTERNAL]}),
    )
