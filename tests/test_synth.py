"""What is said of all stacks, and to whoever cannot synthesize them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra import CannotSynthesize, require_node
from tests.stacks import Assembly, Template, plain, synthesize

# One worker of xdist synthesizes, once.
ROLE = "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iam::*:role/looker]"
WORK = "AwsSolutions-IAM5[Resource::<StorageBucket.Arn>/work/*]"
INVENTORY = "AwsSolutions-IAM5[Resource::<StorageBucket.Arn>/inventory/*]"
SCANS = "AwsSolutions-IAM5[Resource::<StorageBucket.Arn>/scans/*]"
ANY = "AwsSolutions-IAM5[Resource::*]"
RUNTIME = "AwsSolutions-L1"
EXECUTIONS = (
    "AwsSolutions-IAM5["
    "Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:"
    '{"Fn::Select":[6,{"Fn::Split":[":",{"Ref":"WorkflowMachine"}]}]}'
)
# What cdk-nag objects to and we decided otherwise. A new line is a decision; its reason stands in infra/.
ACKNOWLEDGED = {
    "OrgscanHub/Plan": [RUNTIME],
    "OrgscanHub/PlanRole": [ANY, SCANS, WORK, ROLE],
    "OrgscanHub/Scan": [RUNTIME],
    "OrgscanHub/ScanRole": [ANY, SCANS, WORK, INVENTORY, ROLE],
    "OrgscanHub/Report": [RUNTIME],
    "OrgscanHub/ReportRole": [
        ANY,
        SCANS,
        WORK,
        *(f"AwsSolutions-IAM5[Resource::<StorageBucket.Arn>/{each}/*]" for each in ("findings", "receipts")),
    ],
    "OrgscanHub/Links/Role": ["AwsSolutions-IAM5[Resource::<StorageBucket.Arn>/scans/*/report.html]"],
    "OrgscanHub/Notify": [RUNTIME],
    "OrgscanHub/NotifyRole": [ANY, SCANS],
    "OrgscanHub/Storage/Bucket": ["AwsSolutions-S1"],
    "OrgscanHub/Schedules/DeadLetters": ["AwsSolutions-SQS3"],
    "OrgscanHub/Workflow/Machine": [
        ANY,
        *(f"AwsSolutions-IAM5[Resource::<{each}.Arn>:*]" for each in ("Notify", "Plan", "Report", "Scan")),
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::<StorageBucket>/*]",
        f"{EXECUTIONS}/EachGroup:*]",
        f"{EXECUTIONS}/EachTarget:*]",
        f"{EXECUTIONS}:*]",
        "AwsSolutions-SF1",
    ],
    "OrgscanHub/Members/Own/Look1": [ANY],
    "OrgscanMember/Member/Look1": [ANY],
}

CHECKOV = {
    "AWS::IAM::ManagedPolicy": {"CKV_AWS_108"},
    "AWS::Lambda::Function": {"CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117", "CKV_AWS_173"},
    "AWS::S3::Bucket": {"CKV_AWS_18"},
    "AWS::SQS::Queue": {"CKV_AWS_27"},
}


def test_every_objection_of_cdk_nag_was_answered_on_purpose(assembly: Assembly) -> None:
    answered: dict[str, list[str]] = {}
    for path, rule in assembly.acknowledged():
        answered.setdefault(path, []).append(plain(rule.removeprefix("Annotation::")))
    assert {path: sorted(rules) for path, rules in answered.items()} == {
        path: sorted(rules) for path, rules in ACKNOWLEDGED.items()
    }


def test_every_objection_of_checkov_was_answered_on_purpose(hub: Template, member: Template) -> None:
    """`make audit` runs checkov itself."""
    answered: dict[str, set[str]] = {}
    for template in (hub, member):
        for resource in json.loads(template.text)["Resources"].values():
            for skipped in resource.get("Metadata", {}).get("checkov", {}).get("skip", ()):
                assert len(skipped["comment"].split()) > 4
                answered.setdefault(resource["Type"], set()).add(skipped["id"])
    assert answered == CHECKOV


def test_cfn_lint_has_nothing_to_say(assembly: Assembly, hub: Template, tmp_path: Path) -> None:
    templates = [str(assembly.folder / f"{stack}.template.json") for stack in ("OrgscanHub", "OrgscanMember")]
    body = tmp_path / "body.template.json"
    body.write_text(hub.one("AWS::CloudFormation::StackSet")["TemplateBody"])
    templates.append(str(body))
    linter = Path(sys.executable).with_name("cfn-lint")
    # W3005: CDK states that a function waits for its role, although the reference to it says so too.
    done = subprocess.run(  # noqa: S603 (our own templates)
        [linter, *templates, "--ignore-checks", "W3005"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_templates_work_in_every_partition(hub: Template, member: Template) -> None:
    assert "arn:" + "aws:" not in hub.text + member.text


def test_a_refused_configuration_is_told_without_a_traceback(tmp_path: Path) -> None:
    told = tmp_path / "wrong.yaml"
    told.write_text("regions: [mars]\nlimits: {concurrency: 0}")
    done = synthesize(told, tmp_path / "cdk.out")
    assert done.returncode == 2
    first, second = done.stderr.splitlines()
    assert first.startswith("wrong.yaml: regions[0]: 'mars': must be a region")
    assert second == "wrong.yaml: limits.concurrency: 0: must be at least 1"


def test_missing_node_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotSynthesize, match=r"^Node.js is missing: .*$"):
        require_node()
