"""The synthesized stacks, and how to read their templates."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from infra import ROOT

Json = dict[str, Any]

DECIDED: dict[str, Any] = {
    "accounts": {"ous": ["ou-ab12-cdefgh34"]},
    "role": {"name": "looker", "external_id": "our-secret", "organization_id": "o-a1b2c3d4e5"},
    "deployment": {"ous": ["r-ab12", "ou-ab12-cdefgh34", "r-ab12"]},
    "schedules": [
        {"name": "daily", "expression": "cron(0 6 * * ? *)", "timezone": "Europe/Berlin"},
        {
            "name": "costs",
            "expression": "rate(7 days)",
            "digest": True,
            "scope": {
                "accounts": ["111111111111"],
                "ous": ["ou-ab12-cdefgh34"],
                "account_tags": {"stage": "production"},
                "regions": ["eu-*", "global"],
                "checks": ["ec2-instance-idle"],
                "categories": ["cost"],
            },
        },
    ],
    "routes": [
        {"name": "security", "emails": ["a@example.com", "b@example.com"]},
        {"name": "cost", "emails": ["b@example.com", "c@example.com"], "chat": True},
        {"name": "data-lake", "machine": True, "copy": True},
    ],
    "events": {"scans": True, "findings": True, "bus": "security"},
    "links": {"presigned_minutes": 30},
    "limits": {"concurrency": 7, "scan_memory": 2048, "log_retention_days": 30},
}


@dataclass(frozen=True)
class Template:
    text: str

    @cached_property
    def json(self) -> Json:
        return dict(json.loads(self.text))

    def all(self, kind: str) -> dict[str, Json]:
        """Logical id, without the hash that CDK appends -> properties."""
        return {
            plain(name): each.get("Properties", {})
            for name, each in self.json["Resources"].items()
            if each["Type"] == kind
        }

    def one(self, kind: str) -> Json:
        (only,) = self.all(kind).values()
        return only


@dataclass(frozen=True)
class Assembly:
    folder: Path

    def template(self, stack: str) -> Template:
        return Template((self.folder / f"{stack}.template.json").read_text())

    def acknowledged(self) -> Iterator[tuple[str, str]]:
        """Path of a construct, rule."""
        for stack in ("OrgscanHub", "OrgscanMember"):
            noted = json.loads((self.folder / f"{stack}.metadata.json").read_text())
            for path, entries in noted.items():
                for entry in entries:
                    if entry["type"] == "aws:cdk:acknowledged-rules":
                        yield from ((path.lstrip("/"), rule) for rule in entry["data"])


def synthesized(folder: Path) -> Assembly:
    """As `cdk synth` makes it. It fails where cdk-nag has something to say that is not acknowledged."""
    told = folder / "other.yaml"
    told.write_text(json.dumps(DECIDED))
    done = synthesize(told, folder / "cdk.out")
    assert done.returncode == 0, done.stderr
    return Assembly(folder / "cdk.out")


def synthesize(told: Path, out: Path) -> subprocess.CompletedProcess[str]:
    context = json.dumps({"config": str(told)})
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**os.environ, "CDK_OUTDIR": str(out), "CDK_CONTEXT_JSON": context},
        capture_output=True,
        text=True,
        check=False,
    )


def definition(hub: Template) -> Json:
    """Of the state machine; what is only known in AWS is named by its logical id."""
    _, parts = hub.one("AWS::StepFunctions::StateMachine")["DefinitionString"]["Fn::Join"]
    return dict(json.loads("".join(part if isinstance(part, str) else named(part) for part in parts)))


def every_state(machine: Json) -> Iterator[tuple[str, Json]]:
    """By name, those of maps too."""
    for name, state in machine["States"].items():
        yield name, state
        yield from every_state(state.get("ItemProcessor", {"States": {}}))


def keys(hub: Template) -> list[Any]:
    """The KMS key of the table, the bucket, Athena's answers, both topics and each log group."""
    (bucket,) = hub.one("AWS::S3::Bucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    default = bucket["ServerSideEncryptionByDefault"]
    assert default["SSEAlgorithm"] == "aws:kms"
    answers = hub.one("AWS::Athena::WorkGroup")["WorkGroupConfiguration"]["ResultConfiguration"]
    return [
        hub.one("AWS::DynamoDB::Table")["SSESpecification"]["KMSMasterKeyId"],
        default["KMSMasterKeyID"],
        answers["EncryptionConfiguration"]["KmsKey"],
        *(each["KmsMasterKeyId"] for each in hub.all("AWS::SNS::Topic").values()),
        *(each["KmsKeyId"] for each in hub.all("AWS::Logs::LogGroup").values()),
    ]


def plain(text: str) -> str:
    return re.sub(r"(?<=[A-Za-z])(?=[0-9A-F]*[0-9])[0-9A-F]{8}(?![0-9A-Za-z])", "", text)


def named(reference: Mapping[str, Any]) -> str:
    """{"Ref": "Table1F2E3D4C"} -> "Table"; {"Fn::GetAtt": ["Plan1F2E3D4C", "Arn"]} -> "Plan.Arn"."""
    match reference:
        case {"Ref": str(name)}:
            return plain(name)
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{plain(name)}.{attribute}"
        case {"Fn::Join": [glue, parts]}:
            return str(glue).join(part if isinstance(part, str) else named(part) for part in parts)
    return json.dumps(reference)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def granted(template: Template, policy: str) -> dict[str, set[str]]:
    """Resource -> actions, of one role's policy."""
    on: dict[str, set[str]] = {}
    for statement in template.all("AWS::IAM::Policy")[policy]["PolicyDocument"]["Statement"]:
        for resource in listed(statement["Resource"]):
            name = resource if isinstance(resource, str) else named(resource)
            on.setdefault(name, set()).update(listed(statement["Action"]))
    return on
