"""What the hub stack promises, read from the template that would be deployed."""

import json
from dataclasses import fields
from typing import Any

import pytest

from infra import ROOT, config
from orgscan import catalog
from orgscan.request import Nameable, ScanRequest
from orgscan.settings import (
    CHAT,
    MACHINE,
    NAMESPACE,
    Configuration,
    NotifySettings,
    PlanSettings,
    ReportSettings,
    ScanSettings,
    topic_name,
)
from tests.stacks import DECIDED, Assembly, Template, granted, keys, listed, named, synthesize

# One worker of xdist synthesizes, once.

HERE = "AWS::Region:AWS::AccountId"

# The functions


def test_each_function_is_told_its_settings(hub: Template) -> None:
    functions = hub.all("AWS::Lambda::Function")
    told = {name: set(each["Environment"]["Variables"]) for name, each in functions.items()}
    settings = {
        "Plan": PlanSettings,
        "Scan": ScanSettings,
        "Report": ReportSettings,
        "Notify": NotifySettings,
    }
    assert told == {
        name: {NAMESPACE, *(each.name.upper() for each in fields(kind))} for name, kind in settings.items()
    }
    assert {each["Environment"]["Variables"][NAMESPACE] for each in functions.values()} == {"orgscan"}
    assert functions["Scan"]["Environment"]["Variables"]["MEMBER_ROLE"] == "looker"
    assert functions["Scan"]["Environment"]["Variables"]["EXTERNAL_ID"] == "our-secret"


def test_the_functions_differ_in_what_they_need(hub: Template) -> None:
    functions = hub.all("AWS::Lambda::Function")
    assert {
        name: (each["Handler"], each["MemorySize"], each["Timeout"]) for name, each in functions.items()
    } == {
        "Plan": ("plan.handler", 1024, 900),
        "Scan": ("scan.handler", 2048, 900),
        "Report": ("report.handler", 1769, 900),
        "Notify": ("notify.handler", 1769, 900),
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
    enumerate_ = {
        "account:GetAlternateContact",
        "ec2:DescribeRegions",
        "organizations:ListAccounts",
        "organizations:ListAccountsForParent",
        "organizations:ListOrganizationalUnitsForParent",
        "organizations:ListRoots",
        "organizations:ListTagsForResource",
    }
    members = {"arn:AWS::Partition:iam::*:role/looker": {"sts:AssumeRole"}}
    read, write = {"dynamodb:GetItem", "dynamodb:Query"}, {"dynamodb:PutItem", "dynamodb:UpdateItem"}
    transact = {"dynamodb:ConditionCheckItem"}
    key = {"kms:Decrypt", "kms:GenerateDataKey"}
    table_key = {*key, "kms:DescribeKey", "kms:Encrypt"}
    assert granted(hub, "PlanRoleDefaultPolicy") == {
        "*": every | enumerate_,
        "PlanLogs.Arn": logs,
        **members,
        "StorageTable.Arn": read | write,
        "StorageBucket.Arn/scans/*": {"s3:PutObject"},
        "StorageBucket.Arn/work/*": {"s3:PutObject"},
        "StorageKey.Arn": table_key,
    }
    assert granted(hub, "ScanRoleDefaultPolicy") == {
        "*": every,
        "ScanLogs.Arn": logs,
        **members,
        "StorageTable.Arn": {"dynamodb:Query"} | write | transact,
        "StorageBucket.Arn/scans/*": {"s3:GetObject"},
        "StorageBucket.Arn/work/*": {"s3:GetObject", "s3:PutObject"},
        "StorageBucket.Arn/inventory/*": {"s3:PutObject"},
        "StorageKey.Arn": table_key,
    }
    assert granted(hub, "ReportRoleDefaultPolicy") == {
        "*": every,
        "ReportLogs.Arn": logs,
        "StorageTable.Arn": read | write | transact,
        "StorageTable.Arn/index/open": {"dynamodb:Query"},
        "StorageBucket.Arn/scans/*": {"s3:GetObject", "s3:PutObject"},
        "StorageBucket.Arn/work/*": {"s3:PutObject"},
        "StorageBucket.Arn/findings/*": {"s3:PutObject"},
        "StorageBucket.Arn/receipts/*": {"s3:PutObject"},
        "StorageKey.Arn": table_key,
        "LinksRole.Arn": {"sts:AssumeRole"},
    }
    assert granted(hub, "NotifyRoleDefaultPolicy") == {
        "*": every,
        "NotifyLogs.Arn": logs,
        "TopicsFindings": {"sns:Publish"},
        "TopicsChatCost": {"sns:Publish"},
        "TopicsMachineDataLake": {"sns:Publish"},
        "StorageTable.Arn": {"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"},
        f"arn:AWS::Partition:events:{HERE}:event-bus/security": {"events:PutEvents"},
        "StorageBucket.Arn/scans/*": {"s3:GetObject"},
        "StorageKey.Arn": table_key,
    }


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
    rules = hub.one("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    assert {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule} == {
        "scans/": 400,
        "work/": 14,
        "findings/": 400,
        "receipts/": 400,
        "inventory/": 90,
        "athena/": 7,
    }
    (everywhere,) = [rule for rule in rules if "Prefix" not in rule]
    assert everywhere["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Of a configuration that switches off what can be."""
    folder = tmp_path_factory.mktemp("bare")
    told = folder / "told.yaml"
    off: dict[str, Any] = {
        "inventory": {"enabled": False, "keep_days": 3},
        "deployment": {"ous": []},
        "routes": DECIDED["routes"][:1],
        "events": {},
        "links": {},
        "owners": {"accounts": False},
    }
    told.write_text(json.dumps({**DECIDED, **off}))
    done = synthesize(told, folder / "cdk.out")
    assert done.returncode == 0, done.stderr
    return Assembly(folder / "cdk.out").template("OrgscanHub")


def test_without_an_inventory_there_are_no_tables_and_nothing_may_be_written(bare: Template) -> None:
    """What was written before goes when its time has come."""
    kinds = {each["Type"] for each in bare.json["Resources"].values()}
    assert not {kind for kind in kinds if "Glue" in kind or "Athena" in kind}
    assert "StorageBucket.Arn/inventory/*" not in granted(bare, "ScanRoleDefaultPolicy")
    assert not {"StorageBucket.Arn/findings/*", "StorageBucket.Arn/receipts/*"} & {
        *granted(bare, "ReportRoleDefaultPolicy")
    }
    rules = bare.one("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    assert {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}["inventory/"] == 3


def test_who_is_not_asked_for_owners_may_not_be_asked_for_contacts(bare: Template) -> None:
    assert "account:GetAlternateContact" not in granted(bare, "PlanRoleDefaultPolicy")["*"]


def test_without_units_nothing_is_made_outside_nor_is_there_a_second_role_here(bare: Template) -> None:
    assert not bare.all("AWS::CloudFormation::StackSet")
    assert not bare.all("AWS::IAM::ManagedPolicy")
    assert not [each for each in bare.all("AWS::IAM::Role").values() if "RoleName" in each]


def test_without_channels_events_and_links_nobody_may_do_what_they_need(bare: Template) -> None:
    assert {*bare.all("AWS::SNS::Topic")} == {"TopicsFindings", "TopicsOperations"}
    assert "LinksRole" not in bare.all("AWS::IAM::Role")
    functions = bare.all("AWS::Lambda::Function")
    assert functions["Report"]["Environment"]["Variables"]["LINK_ROLE"] == ""
    assert (functions["Notify"]["MemorySize"], functions["Notify"]["Timeout"]) == (256, 300)
    assert {each for each in granted(bare, "ReportRoleDefaultPolicy") if "Links" in each} == set()
    may = granted(bare, "NotifyRoleDefaultPolicy")
    assert may["StorageTable.Arn"] == {"dynamodb:DeleteItem", "dynamodb:PutItem"}
    assert {each for each, actions in may.items() if actions & {"sns:Publish", "events:PutEvents"}} == {
        "TopicsFindings"
    }


def test_a_link_opens_reports_alone_and_only_reporting_signs_it(hub: Template) -> None:
    assert granted(hub, "LinksRoleDefaultPolicy") == {
        "StorageBucket.Arn/scans/*/report.html": {"s3:GetObject"},
        "StorageKey.Arn": {"kms:Decrypt"},
    }
    role = hub.all("AWS::IAM::Role")["LinksRole"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert named(trust["Principal"]["AWS"]) == "ReportRole.Arn"
    assert (trust["Action"], role["MaxSessionDuration"]) == ("sts:AssumeRole", 3600)
    told = hub.all("AWS::Lambda::Function")["Report"]["Environment"]["Variables"]
    assert named(told["LINK_ROLE"]) == "LinksRole.Arn"


def test_everything_that_is_kept_is_encrypted_with_our_key(hub: Template) -> None:
    key = {
        "Fn::GetAtt": [next(name for name in hub.json["Resources"] if name.startswith("StorageKey")), "Arn"]
    }
    assert hub.one("AWS::KMS::Key")["EnableKeyRotation"]
    assert keys(hub) == [key] * 12
    assert {each["RetentionInDays"] for each in hub.all("AWS::Logs::LogGroup").values()} == {30}
    assert hub.one("AWS::SQS::Queue")["SqsManagedSseEnabled"]


def test_nobody_is_served_without_tls(hub: Template) -> None:
    buckets, topics, queues = (
        hub.all(kind) for kind in ("AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::SQS::Queue")
    )
    policies = {
        named(each.get("Bucket") or listed(each.get("Topics") or each.get("Queues"))[0]): each[
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
        (named(each["TopicArn"]), each["Protocol"], each["Endpoint"], each.get("FilterPolicy"))
        for each in hub.all("AWS::SNS::Subscription").values()
    ]
    assert sorted(told, key=str) == [
        ("TopicsFindings", "email", "a@example.com", {"route": ["security"]}),
        ("TopicsFindings", "email", "b@example.com", {"route": ["security", "cost"]}),
        ("TopicsFindings", "email", "c@example.com", {"route": ["cost"]}),
        ("TopicsOperations", "email", "a@example.com", None),
        ("TopicsOperations", "email", "b@example.com", None),
    ]


def test_what_chats_and_machines_read_has_topics_whose_names_are_known_before(hub: Template) -> None:
    """Nobody is subscribed to them by us; a mail never reaches one."""
    topics = hub.all("AWS::SNS::Topic")
    assert {name: each.get("TopicName") for name, each in topics.items()} == {
        "TopicsFindings": None,
        "TopicsOperations": None,
        "TopicsChatCost": topic_name("orgscan", CHAT, "cost"),
        "TopicsMachineDataLake": topic_name("orgscan", MACHINE, "data-lake"),
    }
    told = hub.all("AWS::Lambda::Function")["Notify"]["Environment"]["Variables"]
    assert (named(told["TOPIC"]), told["NAME"]) == ("TopicsFindings", "orgscan")


def test_schedules_ask_what_planning_accepts(hub: Template) -> None:
    schedules = hub.all("AWS::Scheduler::Schedule").values()
    assert {(each["ScheduleExpression"], each["ScheduleExpressionTimezone"]) for each in schedules} == {
        ("cron(0 6 * * ? *)", "Europe/Berlin"),
        ("rate(7 days)", "UTC"),
    }
    asked = {each["schedule"]: each for each in (json.loads(each["Target"]["Input"]) for each in schedules)}
    assert asked["daily"] == {"schedule": "daily"}
    assert asked["costs"] == {"schedule": "costs", "digest": True, **DECIDED["schedules"][1]["scope"]}
    checks = {check.id for check in catalog.checks()}
    there = Nameable(accounts={"111111111111"}, checks=checks, schedules=set(asked), region=lambda _: None)
    for request in asked.values():
        assert ScanRequest.parse(request, there)[1] == []


def test_a_schedule_that_cannot_start_a_scan_tries_again_and_leaves_a_letter(hub: Template) -> None:
    """Which its role may write; a scan that would start an hour late is not worth starting."""
    for each in hub.all("AWS::Scheduler::Schedule").values():
        target = each["Target"]
        assert named(target["Arn"]) == "WorkflowMachine"
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 10}
        assert named(target["DeadLetterConfig"]["Arn"]) == "SchedulesDeadLetters.Arn"
        assert (each["State"], each["FlexibleTimeWindow"]) == ("ENABLED", {"Mode": "OFF"})
        role = named(target["RoleArn"]).removesuffix(".Arn")
        assert granted(hub, f"{role}DefaultPolicy") == {
            "WorkflowMachine": {"states:StartExecution"},
            "SchedulesDeadLetters.Arn": {"sqs:SendMessage"},
        }
    assert hub.one("AWS::SQS::Queue")["MessageRetentionPeriod"] == 14 * 86_400


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
    assert {name: named(each["Value"]) for name, each in hub.json["Outputs"].items()} == {
        "MachineArn": "WorkflowMachine",
        "TableName": "StorageTable",
        "BucketName": "StorageBucket",
        "FindingsTopicArn": "TopicsFindings",
        "OperationsTopicArn": "TopicsOperations",
        "ChatTopicCost": "TopicsChatCost",
        "MachineTopicDataLake": "TopicsMachineDataLake",
    }
