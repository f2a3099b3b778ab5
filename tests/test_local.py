"""What the embedded AWS promises, shown on a stack of its own."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.emulator import DEFAULT_REGIONS, Emulator, PortTaken
from tests.tiny_stack import HUB, MACHINE, allow, assembly, policy

TRUST = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{HUB}:root"}, "Action": "sts:AssumeRole"}


class Cloud:
    """The embedded AWS with the stack deployed and one member account."""

    def __init__(self, aws: Emulator, folder: Path) -> None:
        self.aws = aws
        organizations = aws.client("organizations")
        organizations.create_organization(FeatureSet="ALL")
        status = organizations.create_account(AccountName="member", Email="member@example.com")
        self.member = status["CreateAccountStatus"]["AccountId"]
        self.outputs = aws.deploy(assembly(folder, "hello"), "Tiny")
        self.grant_scan_role()

    def grant_scan_role(self) -> None:
        iam = self.aws.client("iam", self.member)
        iam.create_role(RoleName="Scan", AssumeRolePolicyDocument=policy(TRUST))
        reads = policy(allow("ec2:Describe*"))
        iam.put_role_policy(RoleName="Scan", PolicyName="p", PolicyDocument=reads)

    def invoke(self, name: str = "brisk", /, **event: Any) -> dict[str, Any]:
        answer = self.aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
        payload: dict[str, Any] = json.loads(answer["Payload"].read())
        return payload

    def execute(self, plan: str) -> dict[str, Any]:
        """Run the state machine to its end, from a plan that is an event of the function."""
        client = self.aws.client("stepfunctions")
        start = client.start_execution(
            stateMachineArn=self.outputs["Machine"], input=json.dumps({"plan": plan})
        )
        while True:
            execution: dict[str, Any] = client.describe_execution(executionArn=start["executionArn"])
            if execution["status"] != "RUNNING":
                return execution

    def powerless(self, service: str) -> Any:
        """A client of a role in the hub that may do nothing."""
        keys = self.aws.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{HUB}:role/Nobody", RoleSessionName="test"
        )["Credentials"]
        session = boto3.Session(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name="us-east-1"
        )
        client: Any = session.client
        config = Config(proxies={"http": self.aws.endpoint})
        return client(service, endpoint_url=self.aws.endpoint, config=config)

    @contextmanager
    def control_policy(self, statement: dict[str, Any]) -> Iterator[None]:
        organizations = self.aws.client("organizations")
        created = organizations.create_policy(
            Content=policy(statement), Description="d", Name="deny", Type="SERVICE_CONTROL_POLICY"
        )
        attachment = {"PolicyId": created["Policy"]["PolicySummary"]["Id"], "TargetId": self.member}
        organizations.attach_policy(**attachment)
        yield
        organizations.detach_policy(**attachment)

    def in_member(self, service: str, operation: str, **event: Any) -> str:
        """What a function hears that assumes the member's role and calls."""
        arn = f"arn:aws:iam::{self.member}:role/{event.pop('role', 'Scan')}"
        answer = self.invoke(do="call", role=arn, service=service, operation=operation, **event)
        return str(answer.get("errorMessage", "fine"))


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    off = {"me-central-1": frozenset({HUB})}
    with Emulator(tmp_path_factory.mktemp("aws"), hub=HUB, opt_in_regions=off) as aws:
        yield Cloud(aws, tmp_path_factory.mktemp("assembly"))


def test_a_handler_sees_its_code_its_layers_and_nothing_else_of_this_machine(cloud: Cloud) -> None:
    seen = cloud.invoke(do="look")
    assert seen["greeting"] == "hello"
    assert seen["name"] == "brisk"
    assert 25_000 < seen["left"] <= 30_000
    assert not [path for path in seen["path"] if path.endswith("site-packages")]


def test_a_handler_has_only_the_credentials_of_its_role(cloud: Cloud) -> None:
    assert cloud.invoke(do="look")["caller"] == f"arn:aws:sts::{HUB}:assumed-role/Worker/brisk"
    error = cloud.invoke(do="call", service="dynamodb", operation="scan", arguments={"TableName": "findings"})
    assert error["errorMessage"].endswith(
        f"User: arn:aws:sts::{HUB}:assumed-role/Worker/brisk is not authorized to perform: dynamodb:Scan "
        f"on resource: arn:aws:dynamodb:us-east-1:{HUB}:table/findings "
        "because no identity-based policy allows the dynamodb:Scan action"
    )
    assert cloud.aws.denials[-1].action == "dynamodb:Scan"


def test_a_handlers_lines_are_in_its_log_group(cloud: Cloud) -> None:
    cloud.invoke(do="scan", item="the moon")
    events = cloud.aws.client("logs").filter_log_events(logGroupName="/orgscan/worker")["events"]
    assert "looking at the moon" in [event["message"] for event in events]


def test_an_error_of_a_handler_is_its_answer(cloud: Cloud) -> None:
    answer = cloud.invoke(do="refuse")
    assert (answer["errorType"], answer["errorMessage"]) == (
        "InvalidScanRequest",
        "region mars-1 does not exist",
    )


def test_a_handler_that_dies_is_reported_and_replaced(cloud: Cloud) -> None:
    assert cloud.invoke(do="die")["errorType"] == "Runtime.ExitError"
    assert cloud.invoke(do="look")["greeting"] == "hello"


def test_a_handler_that_dies_in_mid_sentence_is_reported_and_no_more(
    cloud: Cloud, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cloud.invoke(do="hang_up")["errorMessage"].endswith("Runtime exited with error: exit status 1")
    assert capfd.readouterr().err == ""


def test_a_handler_that_takes_too_long_is_killed(cloud: Cloud) -> None:
    answer = cloud.invoke("slow", do="hang")
    assert answer["errorType"] == "Sandbox.Timedout"
    assert answer["errorMessage"].endswith("Task timed out after 1.00 seconds")


def test_a_role_is_assumed_only_by_whom_it_trusts(cloud: Cloud) -> None:
    statement = {**TRUST, "Condition": {"StringEquals": {"sts:ExternalId": "secret"}}}
    iam = cloud.aws.client("iam", cloud.member)
    iam.update_assume_role_policy(RoleName="Scan", PolicyDocument=policy(statement))
    refused = (
        f"User: arn:aws:sts::{HUB}:assumed-role/Worker/brisk is not authorized to perform: sts:AssumeRole "
        f"on resource: arn:aws:iam::{cloud.member}:role/Scan"
    )
    assert cloud.in_member("ec2", "describe_volumes").endswith(refused)
    assert cloud.in_member("ec2", "describe_volumes", options={"ExternalId": "wrong"}).endswith(refused)
    assert cloud.in_member("ec2", "describe_volumes", options={"ExternalId": "secret"}) == "fine"
    iam.update_assume_role_policy(RoleName="Scan", PolicyDocument=policy(TRUST))


def test_a_role_knows_of_which_organization_its_caller_is(cloud: Cloud) -> None:
    organization = cloud.aws.client("organizations").describe_organization()["Organization"]["Id"]
    iam = cloud.aws.client("iam", cloud.member)
    for asked, answer in ((organization, "fine"), ("o-a1b2c3d4e5", "(AccessDenied)")):
        statement = {**TRUST, "Condition": {"StringEquals": {"aws:PrincipalOrgID": asked}}}
        iam.update_assume_role_policy(RoleName="Scan", PolicyDocument=policy(statement))
        assert answer in cloud.in_member("ec2", "describe_volumes")
    iam.update_assume_role_policy(RoleName="Scan", PolicyDocument=policy(TRUST))


def test_a_role_that_does_not_exist_is_denied_like_one_that_does_not_trust(cloud: Cloud) -> None:
    cloud.aws.client("iam", cloud.member).delete_role_policy(RoleName="Scan", PolicyName="p")
    cloud.aws.client("iam", cloud.member).delete_role(RoleName="Scan")
    message = cloud.in_member("ec2", "describe_volumes")
    cloud.grant_scan_role()
    assert "(AccessDenied)" in message
    assert message.endswith(f"sts:AssumeRole on resource: arn:aws:iam::{cloud.member}:role/Scan")


def test_a_service_control_policy_denies_what_the_role_allows(cloud: Cloud) -> None:
    elsewhere = {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1"]}}
    deny = {"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*", "Condition": elsewhere}
    with cloud.control_policy(deny):
        assert cloud.in_member("ec2", "describe_volumes", region="us-east-1") == "fine"
        message = cloud.in_member("ec2", "describe_volumes", region="eu-west-1")
    assert "(UnauthorizedOperation)" in message
    told, _, policy = message.rpartition(": ")
    assert policy.startswith("arn:aws:organizations::")
    assert "/service_control_policy/p-" in policy
    assert told.endswith(
        "You are not authorized to perform this operation. User: "
        f"arn:aws:sts::{cloud.member}:assumed-role/Scan/scan is not authorized to perform: "
        "ec2:DescribeVolumes on resource: * with an explicit deny in a service control policy"
    )


def test_a_region_is_off_until_an_account_opts_in(cloud: Cloud) -> None:
    assert "(AuthFailure)" in cloud.in_member("ec2", "describe_volumes", region="me-central-1")
    assert "(InvalidClientTokenId)" in cloud.in_member("sts", "get_caller_identity", region="me-central-1")
    for account, status in ((cloud.member, "not-opted-in"), (HUB, "opted-in")):
        client = cloud.aws.client("ec2", account)
        everything = {
            r["RegionName"]: r["OptInStatus"] for r in client.describe_regions(AllRegions=True)["Regions"]
        }
        assert everything == {**dict.fromkeys(DEFAULT_REGIONS, "opt-in-not-required"), "me-central-1": status}
        enabled = {r["RegionName"] for r in client.describe_regions()["Regions"]}
        assert ("me-central-1" in enabled) == (account == HUB)


ITEM: dict[str, Any] = {"TableName": "t", "Item": {}}
CALLS: list[tuple[str, str, dict[str, Any], str]] = [
    ("backup", "list_backup_plans", {}, "backup:ListBackupPlans"),
    ("cloudtrail", "describe_trails", {}, "cloudtrail:DescribeTrails"),
    (
        "cloudwatch",
        "get_metric_data",
        {"MetricDataQueries": [], "StartTime": 0, "EndTime": 1},
        "cloudwatch:GetMetricData",
    ),
    ("dlm", "get_lifecycle_policies", {}, "dlm:GetLifecyclePolicies"),
    ("ec2", "describe_nat_gateways", {}, "ec2:DescribeNatGateways"),
    ("iam", "generate_credential_report", {}, "iam:GenerateCredentialReport"),
    ("iam", "get_account_password_policy", {}, "iam:GetAccountPasswordPolicy"),
    ("lambda", "list_functions", {}, "lambda:ListFunctions"),
    ("rds", "describe_db_instances", {}, "rds:DescribeDBInstances"),
    ("resourcegroupstaggingapi", "get_resources", {}, "tag:GetResources"),
    ("s3", "list_buckets", {}, "s3:ListAllMyBuckets"),
    ("s3", "list_objects_v2", {"Bucket": "bbb"}, "s3:ListBucket"),
    ("s3", "get_bucket_acl", {"Bucket": "bbb"}, "s3:GetBucketAcl"),
    ("s3", "get_bucket_ownership_controls", {"Bucket": "bbb"}, "s3:GetBucketOwnershipControls"),
    ("s3", "get_bucket_policy", {"Bucket": "bbb"}, "s3:GetBucketPolicy"),
    ("s3", "get_bucket_policy_status", {"Bucket": "bbb"}, "s3:GetBucketPolicyStatus"),
    ("s3", "get_bucket_versioning", {"Bucket": "bbb"}, "s3:GetBucketVersioning"),
    ("s3", "get_public_access_block", {"Bucket": "bbb"}, "s3:GetBucketPublicAccessBlock"),
    ("s3control", "get_public_access_block", {"AccountId": HUB}, "s3:GetAccountPublicAccessBlock"),
    ("dynamodb", "query", {"TableName": "t", "IndexName": "open"}, "dynamodb:Query"),
    ("dynamodb", "transact_write_items", {"TransactItems": [{"Put": ITEM}]}, "dynamodb:PutItem"),
]


@pytest.mark.parametrize(("service", "operation", "arguments", "action"), CALLS)
def test_a_call_needs_the_action_that_aws_documents(
    cloud: Cloud, service: str, operation: str, arguments: dict[str, Any], action: str
) -> None:
    with pytest.raises(ClientError, match=f"not authorized to perform: {action} on resource"):
        getattr(cloud.powerless(service), operation)(**arguments)
    assert cloud.aws.denials[-1].action == action


def test_a_failed_transaction_changes_nothing_and_a_query_sees_one_partition(cloud: Cloud) -> None:
    dynamodb = cloud.aws.client("dynamodb")
    names = {"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}
    types = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
    dynamodb.create_table(
        TableName="t", KeySchema=names, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST"
    )
    for pk, sk in (("a", "1"), ("a", "2"), ("b", "1")):
        dynamodb.put_item(TableName="t", Item={"pk": {"S": pk}, "sk": {"S": sk}, "n": {"N": "0"}})
    change = {
        "TableName": "t",
        "Key": {"pk": {"S": "a"}, "sk": {"S": "1"}},
        "UpdateExpression": "SET n = :n",
        "ExpressionAttributeValues": {":n": {"N": "1"}},
    }
    new = {"TableName": "t", "Item": {"pk": {"S": "a"}, "sk": {"S": "3"}}}
    fails = {"TableName": "t", "Key": {"pk": {"S": "b"}, "sk": {"S": "1"}}}
    fails |= {"ConditionExpression": "attribute_not_exists(pk)"}
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(
            TransactItems=[{"Update": change}, {"Put": new}, {"ConditionCheck": fails}]
        )
    answer = dynamodb.query(
        TableName="t", KeyConditionExpression="pk = :a", ExpressionAttributeValues={":a": {"S": "a"}}
    )
    assert [(item["sk"]["S"], item["n"]["N"]) for item in answer["Items"]] == [("1", "0"), ("2", "0")]


def test_mail_follows_the_filter_policy_and_ends_in_the_footer(cloud: Cloud) -> None:
    def publish(route: str) -> None:
        arguments = {
            "TopicArn": cloud.outputs["Topic"],
            "Subject": "Scan",
            "Message": "3 new findings",
            "MessageAttributes": {"route": {"DataType": "String", "StringValue": route}},
        }
        assert "MessageId" in cloud.invoke(do="call", service="sns", operation="publish", arguments=arguments)

    publish("finance")
    assert cloud.aws.mail == []
    (published,) = cloud.aws.published
    assert (published.subject, published.body) == ("Scan", "3 new findings")
    assert published.attributes == {"route": "finance"}
    assert cloud.outputs["Topic"].endswith(f":{published.topic}")
    publish("security")
    (mail,) = cloud.aws.mail
    assert (mail.to, mail.subject, mail.attributes) == ("sec@example.com", "Scan", {"route": "security"})
    assert mail.body.startswith(
        "3 new findings\n\n--\nIf you wish to stop receiving notifications from this topic,"
    )


def test_a_distributed_map_runs_hundreds_of_items(cloud: Cloud) -> None:
    s3 = cloud.aws.client("s3")
    s3.create_bucket(Bucket="targets")
    s3.put_object(
        Bucket="targets", Key="targets.json", Body=json.dumps([{"item": item} for item in range(300)])
    )
    execution = cloud.execute("look")
    assert execution["status"] == "SUCCEEDED", execution
    client = cloud.aws.client("stepfunctions")
    (run,) = client.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]
    counts = client.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"]
    assert (counts["succeeded"], counts["failed"], counts["total"]) == (299, 1, 300)


def test_an_execution_that_cannot_plan_fails_with_the_handlers_words(cloud: Cloud) -> None:
    execution = cloud.execute("refuse")
    assert (execution["status"], execution["error"]) == ("FAILED", "InvalidScanRequest")
    assert json.loads(execution["cause"])["errorMessage"] == "region mars-1 does not exist"


def test_the_state_machine_acts_with_its_own_role_only(cloud: Cloud) -> None:
    iam = cloud.aws.client("iam")
    iam.put_role_policy(RoleName="Machine", PolicyName="p", PolicyDocument=policy(allow("s3:GetObject")))
    execution = cloud.execute("look")
    iam.put_role_policy(RoleName="Machine", PolicyName="p", PolicyDocument=policy(MACHINE))
    assert execution["status"] == "FAILED"
    assert execution["error"] == "Lambda.AccessDeniedException"


def test_a_taken_port_is_said_in_one_line(cloud: Cloud, tmp_path: Path) -> None:
    port = int(cloud.aws.endpoint.rpartition(":")[2])
    with pytest.raises(PortTaken, match=f"^Port {port} is taken: .+[.]$"):
        Emulator(tmp_path, hub=HUB, port=port)


def test_nothing_runs_after_stop(cloud: Cloud) -> None:
    """The last test: it stops the embedded AWS of this module."""
    pid = cloud.invoke(do="scan", item=1)["pid"]
    cloud.aws.stop()
    cloud.aws.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert [thread.name for thread in threading.enumerate() if thread.name == "embedded AWS"] == []
