"""What the stacks promise, read from the templates that would be deployed."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from infra import ROOT, CannotSynthesize, config, require_node
from orgscan import catalog, iam, organization, regions
from orgscan.request import ScanRequest
from orgscan.settings import Configuration, NotifySettings, ReportSettings, VisitSettings

# One worker of xdist synthesizes, once.
pytestmark = pytest.mark.xdist_group("synth")

DECIDED: dict[str, Any] = {
    "accounts": {"ous": ["ou-ab12-cdefgh34"]},
    "role": {"name": "looker", "external_id": "our-secret"},
    "schedules": [
        {"name": "daily", "expression": "cron(0 6 * * ? *)", "timezone": "Europe/Berlin"},
        {
            "name": "costs",
            "expression": "rate(7 days)",
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
        {"name": "cost", "emails": ["b@example.com", "c@example.com"]},
    ],
    "limits": {"concurrency": 7, "scan_memory": 2048, "log_retention_days": 30},
}

ROLE = "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:iam::*:role/looker]"
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
    "OrgscanHub/PlanRole": [ANY, SCANS, ROLE],
    "OrgscanHub/Scan": [RUNTIME],
    "OrgscanHub/ScanRole": [ANY, SCANS, ROLE],
    "OrgscanHub/Report": [RUNTIME],
    "OrgscanHub/ReportRole": [ANY, SCANS],
    "OrgscanHub/Notify": [RUNTIME],
    "OrgscanHub/NotifyRole": [ANY, SCANS],
    "OrgscanHub/Storage/Bucket": ["AwsSolutions-S1"],
    "OrgscanHub/Schedules/DeadLetters": ["AwsSolutions-SQS3"],
    "OrgscanHub/Workflow/Machine": [
        ANY,
        *(f"AwsSolutions-IAM5[Resource::<{each}.Arn>:*]" for each in ("Notify", "Plan", "Report", "Scan")),
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::<StorageBucket>/*]",
        f"{EXECUTIONS}/EachTarget:*]",
        f"{EXECUTIONS}:*]",
        "AwsSolutions-SF1",
    ],
    "OrgscanMember/Member/Look1": [ANY],
}

Json = dict[str, Any]


@dataclass(frozen=True)
class Template:
    text: str

    @cached_property
    def json(self) -> Json:
        return dict(json.loads(self.text))

    def all(self, kind: str) -> dict[str, Json]:
        """Logical id, without the hash that CDK appends -> properties."""
        return {
            _plain(name): each.get("Properties", {})
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


def _plain(text: str) -> str:
    return re.sub(r"(?<=[A-Za-z])(?=[0-9A-F]*[0-9])[0-9A-F]{8}(?![0-9A-Za-z])", "", text)


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """As `cdk synth` makes it. It fails where cdk-nag has something to say that is not acknowledged."""
    folder = tmp_path_factory.mktemp("synth")
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


@pytest.fixture(scope="module")
def hub(assembly: Assembly) -> Template:
    return assembly.template("OrgscanHub")


@pytest.fixture(scope="module")
def member(assembly: Assembly) -> Template:
    return assembly.template("OrgscanMember")


@pytest.fixture(scope="module")
def machine(hub: Template) -> Json:
    """The definition; what is only known in AWS is named by its logical id."""
    _, parts = hub.one("AWS::StepFunctions::StateMachine")["DefinitionString"]["Fn::Join"]
    return dict(json.loads("".join(part if isinstance(part, str) else _named(part) for part in parts)))


def _named(reference: Mapping[str, Any]) -> str:
    """{"Ref": "Table1F2E3D4C"} -> "Table"; {"Fn::GetAtt": ["Plan1F2E3D4C", "Arn"]} -> "Plan.Arn"."""
    match reference:
        case {"Ref": str(name)}:
            return _plain(name)
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{_plain(name)}.{attribute}"
        case {"Fn::Join": [glue, parts]}:
            return str(glue).join(part if isinstance(part, str) else _named(part) for part in parts)
    return json.dumps(reference)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def granted(template: Template, policy: str) -> dict[str, set[str]]:
    """Resource -> actions, of one role's policy."""
    on: dict[str, set[str]] = {}
    for statement in template.all("AWS::IAM::Policy")[policy]["PolicyDocument"]["Statement"]:
        for resource in _list(statement["Resource"]):
            name = resource if isinstance(resource, str) else _named(resource)
            on.setdefault(name, set()).update(_list(statement["Action"]))
    return on


# The member account


def test_the_member_role_may_do_exactly_what_collectors_declare(member: Template) -> None:
    policies = member.all("AWS::IAM::ManagedPolicy").values()
    statements = [each for policy in policies for each in policy["PolicyDocument"]["Statement"]]
    assert {action for each in statements for action in _list(each["Action"])} == {
        iam.action(call) for call in catalog.calls()
    }
    assert {(each["Effect"], each["Resource"]) for each in statements} == {("Allow", "*")}


def test_the_member_role_trusts_the_hubs_functions_who_know_the_external_id(member: Template) -> None:
    role = member.one("AWS::IAM::Role")
    assert role["RoleName"] == "looker"
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert _named(statement["Principal"]["AWS"]) == "arn:AWS::Partition:iam::HubAccount:root"
    assert statement["Condition"]["StringEquals"] == {"sts:ExternalId": {"Ref": "ExternalId"}}
    hub = _named(statement["Condition"]["ArnLike"]["aws:PrincipalArn"])
    assert hub == "arn:AWS::Partition:iam::HubAccount:role/OrgscanHub-*"
    assert member.json["Parameters"]["ExternalId"]["Default"] == "our-secret"


def test_a_stack_set_takes_the_member_template_as_it_is(assembly: Assembly, member: Template) -> None:
    """No bootstrap, no assets, no more than its limit of 51,200 bytes."""
    assert set(member.json["Parameters"]) == {"HubAccount", "ExternalId"}
    assert set(member.json) == {"Description", "Parameters", "Resources"}
    (asset,) = json.loads((assembly.folder / "OrgscanMember.assets.json").read_text())["files"].values()
    assert asset["source"]["path"] == "OrgscanMember.template.json"
    assert len(json.dumps(member.json)) < 51_200


# The functions


def test_each_function_is_told_its_settings(hub: Template) -> None:
    functions = hub.all("AWS::Lambda::Function")
    told = {name: set(each["Environment"]["Variables"]) for name, each in functions.items()}
    settings = {
        "Plan": VisitSettings,
        "Scan": VisitSettings,
        "Report": ReportSettings,
        "Notify": NotifySettings,
    }
    assert told == {name: {each.name.upper() for each in fields(kind)} for name, kind in settings.items()}
    assert functions["Scan"]["Environment"]["Variables"]["MEMBER_ROLE"] == "looker"
    assert functions["Scan"]["Environment"]["Variables"]["EXTERNAL_ID"] == "our-secret"


def test_the_functions_differ_in_what_they_need(hub: Template) -> None:
    functions = hub.all("AWS::Lambda::Function")
    assert {
        name: (each["Handler"], each["MemorySize"], each["Timeout"]) for name, each in functions.items()
    } == {
        "Plan": ("plan.handler", 1024, 900),
        "Scan": ("scan.handler", 2048, 900),
        "Report": ("report.handler", 1024, 900),
        "Notify": ("notify.handler", 256, 300),
    }
    assert {each["Runtime"] for each in functions.values()} == {"python3.13"}
    assert all(each["Architectures"] == ["arm64"] and len(each["Layers"]) == 2 for each in functions.values())
    assert all(each["TracingConfig"] == {"Mode": "Active"} for each in functions.values())


def test_what_people_decided_travels_beside_the_handlers(assembly: Assembly) -> None:
    (beside,) = assembly.folder.glob("asset.*/configuration.json")
    decided = config.Config.model_validate(DECIDED).runtime()
    assert Configuration.beside(str(beside)) == decided
    handlers = {path.name for path in (ROOT / "functions").glob("*.py")}
    assert {path.name for path in beside.parent.iterdir()} == {"configuration.json", *handlers}


def test_assets_hold_nothing_that_differs_from_machine_to_machine(assembly: Assembly) -> None:
    assert not [*assembly.folder.glob("asset.*/**/__pycache__"), *assembly.folder.glob("asset.*/**/*.pyc")]


def test_a_function_may_do_what_its_code_does_and_nothing_else(hub: Template) -> None:
    every = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
    logs = {"logs:CreateLogStream", "logs:PutLogEvents"}
    enumerate_ = {iam.action(call) for call in (*organization.CALLS, *regions.CALLS)}
    members = {"arn:AWS::Partition:iam::*:role/looker": {"sts:AssumeRole"}}
    read, write = {"dynamodb:GetItem", "dynamodb:Query"}, {"dynamodb:PutItem", "dynamodb:UpdateItem"}
    transact = {"dynamodb:ConditionCheckItem"}
    key = {"kms:Decrypt", "kms:GenerateDataKey"}
    table_key = {*key, "kms:DescribeKey", "kms:Encrypt"}
    assert granted(hub, "PlanRoleDefaultPolicy") == {
        "*": every | enumerate_,
        "PlanLogs.Arn": logs,
        **members,
        "StorageBucket.Arn/scans/*": {"s3:PutObject"},
        "StorageKey.Arn": key,
    }
    assert granted(hub, "ScanRoleDefaultPolicy") == {
        "*": every,
        "ScanLogs.Arn": logs,
        **members,
        "StorageTable.Arn": read | write | transact,
        "StorageBucket.Arn/scans/*": {"s3:GetObject"},
        "StorageKey.Arn": table_key,
    }
    assert granted(hub, "ReportRoleDefaultPolicy") == {
        "*": every,
        "ReportLogs.Arn": logs,
        "StorageTable.Arn": read | write | transact,
        "StorageTable.Arn/index/open": {"dynamodb:Query"},
        "StorageBucket.Arn/scans/*": {"s3:GetObject", "s3:PutObject"},
        "StorageKey.Arn": table_key,
    }
    assert granted(hub, "NotifyRoleDefaultPolicy") == {
        "*": every,
        "NotifyLogs.Arn": logs,
        "TopicsFindings": {"sns:Publish"},
        "StorageTable.Arn": {"dynamodb:DeleteItem", "dynamodb:PutItem"},
        "StorageBucket.Arn/scans/*": {"s3:GetObject"},
        "StorageKey.Arn": table_key,
    }


# The workflow


def test_the_scan_is_plan_each_target_report_and_news(machine: Json) -> None:
    states = machine["States"]
    assert (machine["StartAt"], states["Plan"]["Next"]) == ("Plan", "EachTarget")
    assert (states["EachTarget"]["Next"], states["Report"]["Next"]) == ("Report", "AnyNews")
    assert states["AnyNews"]["Choices"] == [
        {"Variable": "$.messages", "NumericGreaterThan": 0, "Next": "Notify"}
    ]
    assert states["AnyNews"]["Default"] == "NoNews"
    assert states["Notify"]["End"]
    assert machine["TimeoutSeconds"] == 6 * 3600


def test_one_failed_target_does_not_end_the_scan(machine: Json) -> None:
    each = machine["States"]["EachTarget"]
    assert each["ToleratedFailurePercentage"] == 100
    assert each["MaxConcurrency"] == 7
    assert each["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


def test_nothing_hides_a_failure(machine: Json) -> None:
    """An error of Plan ends the execution under its own name; a dead target is missed by Report."""
    assert not [name for name, state in every_state(machine) if "Catch" in state]
    passing = [
        error
        for name, state in every_state(machine)
        for retry in state.get("Retry", [])
        for error in retry["ErrorEquals"]
        if (name, error) != ("Notify", "ClientError")
    ]
    assert all(error.startswith("Lambda.") for error in passing)
    assert "Lambda.Unknown" not in passing


def test_state_carries_ids_keys_and_counts_only(machine: Json) -> None:
    """No list of accounts and no finding passes through it, however large the organization is."""
    told = {name: state.get("Parameters") for name, state in every_state(machine) if state["Type"] == "Task"}
    assert told == {
        "Plan": {
            "request.$": "$",
            "execution.$": "$$.Execution.Name",
            "started.$": "$$.Execution.StartTime",
        },
        "Scan": None,
        "Report": {"scan.$": "$.scan"},
        "Notify": {"scan.$": "$.scan"},
    }
    each = machine["States"]["EachTarget"]
    assert each["ItemReader"]["Parameters"] == {"Bucket": "StorageBucket", "Key.$": "$.targets"}
    assert each["ItemSelector"] == {"scan.$": "$.scan", "target.$": "$$.Map.Item.Value"}
    assert each["ResultPath"] is None
    assert {state["Type"] for _, state in every_state(machine)} == {"Task", "Map", "Choice", "Succeed"}


def test_logs_do_not_hold_what_a_scan_was_asked(hub: Template) -> None:
    logging = hub.one("AWS::StepFunctions::StateMachine")["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ERROR", False)


def every_state(machine: Json) -> Iterator[tuple[str, Json]]:
    for name, state in machine["States"].items():
        yield name, state
        yield from every_state(state.get("ItemProcessor", {"States": {}}))


# What is stored


def test_the_table_is_the_one_that_the_tests_use(hub: Template, table: Any) -> None:
    ours = hub.one("AWS::DynamoDB::Table")
    tested = table.meta.client.describe_table(TableName=table.name)["Table"]
    for part in ("KeySchema", "AttributeDefinitions"):
        assert ours[part] == tested[part]
    (index,) = ours["GlobalSecondaryIndexes"]
    (tested_index,) = tested["GlobalSecondaryIndexes"]
    assert index == {part: tested_index[part] for part in index}


def test_findings_are_not_lost_by_accident(hub: Template) -> None:
    table = hub.one("AWS::DynamoDB::Table")
    assert table["DeletionProtectionEnabled"]
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert hub.one("AWS::S3::Bucket")["VersioningConfiguration"] == {"Status": "Enabled"}
    kept = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key"}
    resources = hub.json["Resources"].values()
    assert {each["Type"] for each in resources if each.get("DeletionPolicy") == "Retain"} == kept


def test_scans_are_kept_400_days(hub: Template) -> None:
    (rule,) = hub.one("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    assert (rule["Prefix"], rule["ExpirationInDays"]) == ("scans/", 400)


def test_everything_that_is_kept_is_encrypted_with_our_key(hub: Template) -> None:
    key = {
        "Fn::GetAtt": [next(name for name in hub.json["Resources"] if name.startswith("StorageKey")), "Arn"]
    }
    assert hub.one("AWS::KMS::Key")["EnableKeyRotation"]
    assert hub.one("AWS::DynamoDB::Table")["SSESpecification"]["KMSMasterKeyId"] == key
    (encryption,) = hub.one("AWS::S3::Bucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"KMSMasterKeyID": key, "SSEAlgorithm": "aws:kms"}
    assert all(each["KmsMasterKeyId"] == key for each in hub.all("AWS::SNS::Topic").values())
    logs = hub.all("AWS::Logs::LogGroup").values()
    assert all((each["KmsKeyId"], each["RetentionInDays"]) == (key, 30) for each in logs)
    assert len(logs) == 5
    assert hub.one("AWS::SQS::Queue")["SqsManagedSseEnabled"]


def test_nobody_is_served_without_tls(hub: Template) -> None:
    buckets, topics, queues = (
        hub.all(kind) for kind in ("AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue")
    )
    policies = {
        _named(each.get("Bucket") or _list(each.get("Topics") or each.get("Queues"))[0]): each[
            "PolicyDocument"
        ]
        for kind in ("AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy")
        for each in hub.all(kind).values()
    }
    assert set(policies) == {*buckets, *topics, *queues}
    for policy in policies.values():
        (refused,) = [each for each in policy["Statement"] if each["Effect"] == "Deny"]
        assert refused["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert refused["Action"] in {"s3:*", "sns:Publish", "sqs:*"}


# Who is told, and when


def test_an_address_is_subscribed_once_to_all_its_routes(hub: Template) -> None:
    """SNS refuses a second subscription of an address with another filter."""
    told = [
        (_named(each["TopicArn"]), each["Protocol"], each["Endpoint"], each.get("FilterPolicy"))
        for each in hub.all("AWS::SNS::Subscription").values()
    ]
    assert sorted(told, key=str) == [
        ("TopicsFindings", "email", "a@example.com", {"route": ["security"]}),
        ("TopicsFindings", "email", "b@example.com", {"route": ["security", "cost"]}),
        ("TopicsFindings", "email", "c@example.com", {"route": ["cost"]}),
        ("TopicsOperations", "email", "a@example.com", None),
        ("TopicsOperations", "email", "b@example.com", None),
    ]


def test_schedules_ask_what_planning_accepts(hub: Template) -> None:
    schedules = hub.all("AWS::Scheduler::Schedule").values()
    assert {(each["ScheduleExpression"], each["ScheduleExpressionTimezone"]) for each in schedules} == {
        ("cron(0 6 * * ? *)", "Europe/Berlin"),
        ("rate(7 days)", "UTC"),
    }
    asked = {each["schedule"]: each for each in (json.loads(each["Target"]["Input"]) for each in schedules)}
    assert asked["daily"] == {"schedule": "daily"}
    assert asked["costs"] == {"schedule": "costs", **DECIDED["schedules"][1]["scope"]}
    checks = {check.id for check in catalog.checks()}
    for request in asked.values():
        assert ScanRequest.parse(request, checks=checks, schedules=set(asked))[1] == []


def test_a_schedule_that_cannot_start_a_scan_leaves_a_letter(hub: Template) -> None:
    for each in hub.all("AWS::Scheduler::Schedule").values():
        assert _named(each["Target"]["Arn"]) == "WorkflowMachine"
        assert _named(each["Target"]["DeadLetterConfig"]["Arn"]) == "SchedulesDeadLetters.Arn"


def test_a_scanner_that_stopped_shouts(hub: Template) -> None:
    alarms = hub.all("AWS::CloudWatch::Alarm")
    assert {name: each["MetricName"] for name, each in alarms.items()} == {
        "AlarmsScanFailed": "ExecutionsFailed",
        "AlarmsScanTimedOut": "ExecutionsTimedOut",
        "AlarmsScanAborted": "ExecutionsAborted",
        "AlarmsTargetFailed": "Errors",
        "AlarmsNotStarted": "ApproximateNumberOfMessagesVisible",
        "AlarmsNoScan": "ExecutionsSucceeded",
    }
    told = {_named(action) for each in alarms.values() for action in each["AlarmActions"]}
    assert told == {"TopicsOperations"}
    silence = alarms["AlarmsNoScan"]
    assert (silence["TreatMissingData"], silence["ComparisonOperator"]) == ("breaching", "LessThanThreshold")
    assert silence["Period"] * silence["EvaluationPeriods"] == 36 * 3600


def test_alarms_reach_an_encrypted_topic_with_a_policy_of_its_own(hub: Template) -> None:
    """Each of the two keeps CloudWatch out unless it is let in by name."""
    statements = [
        *hub.one("AWS::KMS::Key")["KeyPolicy"]["Statement"],
        *hub.all("AWS::SNS::TopicPolicy")["TopicsOperationsPolicy"]["PolicyDocument"]["Statement"],
    ]
    let_in = [each for each in statements if each["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    assert [each["Action"] for each in let_in] == [["kms:Decrypt", "kms:GenerateDataKey*"], "sns:Publish"]
    ours = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert all(each["Condition"] == ours for each in let_in)


def test_whoever_deployed_it_finds_it(hub: Template) -> None:
    assert {name: _named(each["Value"]) for name, each in hub.json["Outputs"].items()} == {
        "MachineArn": "WorkflowMachine",
        "TableName": "StorageTable",
        "BucketName": "StorageBucket",
        "FindingsTopicArn": "TopicsFindings",
        "OperationsTopicArn": "TopicsOperations",
    }


# Everything


def test_every_objection_of_cdk_nag_was_answered_on_purpose(assembly: Assembly) -> None:
    answered: dict[str, list[str]] = {}
    for path, rule in assembly.acknowledged():
        answered.setdefault(path, []).append(_plain(rule.removeprefix("Annotation::")))
    assert {path: sorted(rules) for path, rules in answered.items()} == {
        path: sorted(rules) for path, rules in ACKNOWLEDGED.items()
    }


def test_cfn_lint_has_nothing_to_say(assembly: Assembly) -> None:
    templates = [str(assembly.folder / f"{stack}.template.json") for stack in ("OrgscanHub", "OrgscanMember")]
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
