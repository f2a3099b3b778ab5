"""What the Lambda collector sees, and what its table of runtimes holds."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan.model import Blindness, Gap, Target
from orgscan.policy import parse
from orgscan.services.lambda_.collect import lambda_functions
from orgscan.services.lambda_.facts import Function, Url, runtimes
from orgscan.session import Clients
from tests.answers import answer, refuse

POLICY = '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunctionUrl"}]}'
LISTED = {"LastModified": "2025-11-02T10:00:00.000+0000", "Timeout": 3, "MemorySize": 128}


def beyond(clients: Clients, target: Target) -> None:
    """What the simulated AWS lacks, unless the test has an answer of its own."""
    answer(clients, target, "lambda:ListFunctionUrlConfigs", {"FunctionUrlConfigs": []})
    answer(clients, target, "lambda:ListProvisionedConcurrencyConfigs", {"ProvisionedConcurrencyConfigs": []})


def listed(target: Target, name: str = "a", **more: Any) -> dict[str, Any]:
    """As ListFunctions has it."""
    arn = target.arn("lambda", f"function:{name}")
    return {"FunctionArn": arn, "FunctionName": name, "Runtime": "java21", **LISTED, **more}


def look(clients: Clients, target: Target, *functions: dict[str, Any]) -> list[Function]:
    beyond(clients, target)
    answer(clients, target, "lambda:ListFunctions", {"Functions": functions})
    return list(lambda_functions.read(clients, target, salt="salt"))


def archive() -> bytes:
    buffer = BytesIO()
    with ZipFile(buffer, "w") as zipped:
        zipped.writestr("index.py", "")
    return buffer.getvalue()


def test_a_function_without_its_code_and_environment(
    aws: boto3.Session, clients: Clients, target: Target
) -> None:
    role = aws.client("iam").create_role(RoleName="run", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    aws.client("lambda").create_function(
        FunctionName="invoice",
        Runtime="python3.8",
        Handler="index.handler",
        Role=role,
        Code={"ZipFile": archive()},
        Environment={"Variables": {"PASSWORD": "hunter2", "LEVEL": "info"}},
        Timeout=30,
        MemorySize=512,
        Architectures=["arm64"],
        Tags={"Owner": "ann"},
    )
    answer(clients, target, "lambda:GetPolicy", {"Policy": POLICY})
    beyond(clients, target)
    (function,) = lambda_functions.read(clients, target, salt="salt")
    assert isinstance(function.secrets, tuple)
    (secret,) = function.secrets
    assert (secret.rule, secret.location) == ("secret-name", "variable PASSWORD")
    assert "hunter2" not in repr(function)
    assert function == Function(
        arn=target.arn("lambda", "function:invoice"),
        # The listing carries no tags, which does not mean that there are none.
        tags=None,
        name="invoice",
        runtime="python3.8",
        modified=function.modified,
        timeout=30,
        memory_mib=512,
        arm=True,
        replica=False,
        secrets=(secret,),
        policy=parse(POLICY),
        urls=(),
        provisioned=0,
    )
    assert abs(function.modified - datetime.now(UTC)).total_seconds() < 60
    assert function.dimensions == {"FunctionName": "invoice"}


def test_functions_of_two_pages_and_container_images(clients: Clients, target: Target) -> None:
    beyond(clients, target)
    image = listed(target, "b", PackageType="Image")
    del image["Runtime"]
    answer(
        clients,
        target,
        "lambda:ListFunctions",
        {"Functions": [listed(target)], "NextMarker": "more"},
        {"Functions": [image]},
    )
    assert [(f.name, f.runtime) for f in lambda_functions.read(clients, target)] == [
        ("a", "java21"),
        ("b", None),
    ]


def test_a_function_of_which_lambda_names_no_runtime_costs_itself(clients: Clients, target: Target) -> None:
    beyond(clients, target)
    odd = listed(target, PackageType="Zip")
    del odd["Runtime"]
    answer(
        clients,
        target,
        "lambda:ListFunctions",
        {"Functions": [odd, listed(target, "b")]},
    )
    lost: list[Gap] = []
    assert [f.name for f in lambda_functions.read(clients, target, spoil=lost.append)] == ["b"]
    assert [(each.scope, each.reason) for each in lost] == [("lambda-functions", Blindness.FAULT)]


def test_when_a_function_was_changed_and_what_it_replicates(clients: Clients, target: Target) -> None:
    (function,) = look(clients, target, listed(target, MasterArn="arn:aws:lambda:us-east-1:1:function:a:1"))
    assert function.modified == datetime(2025, 11, 2, 10, tzinfo=UTC)
    assert (function.replica, function.arm, function.secrets) == (True, False, ())


def test_what_lambda_always_says_is_never_guessed(clients: Clients, target: Target) -> None:
    odd = [listed(target) for _ in range(3)]
    for function, member in zip(odd, LISTED, strict=True):
        del function[member]
    assert [each.name for each in look(clients, target, *odd, listed(target, "b"))] == ["b"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [("AccessDeniedException", Blindness.DENIED), ("KMSDisabledException", Blindness.FAULT)],
)
def test_an_environment_that_cannot_be_decrypted_is_a_gap(
    clients: Clients, target: Target, code: str, reason: Blindness
) -> None:
    error = {"ErrorCode": code, "Message": "KMS says no to hunter2"}
    (function,) = look(clients, target, listed(target, Environment={"Error": error}))
    told = f"the environment cannot be decrypted: {code}"
    assert function.secrets == Gap("function_environment", reason, told)


def test_secrets_are_told_apart_by_salted_digests(clients: Clients, target: Target) -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----"
    environment = {"Variables": {"SIGNER": f"# mine\n{key}", "SECRET_ARN": "arn:aws:secretsmanager:x"}}
    (function,) = look(clients, target, listed(target, Environment=environment))
    assert isinstance(function.secrets, tuple)
    assert [(s.rule, s.location) for s in function.secrets] == [("private-key", "variable SIGNER, line 2")]
    (other,) = lambda_functions.read(clients, target, salt="pepper")
    assert other.secrets != function.secrets


def url(target: Target, auth: str, alias: str = "", **more: Any) -> dict[str, Any]:
    arn = target.arn("lambda", "function:a") + (f":{alias}" if alias else "")
    return {"FunctionArn": arn, "FunctionUrl": "https://x.lambda-url.on.aws/", "AuthType": auth, **more}


def test_urls_of_two_pages_each_with_the_policy_that_guards_it(clients: Clients, target: Target) -> None:
    cors = {"AllowOrigins": ["*"], "AllowCredentials": True}
    answer(
        clients,
        target,
        "lambda:ListFunctionUrlConfigs",
        {"FunctionUrlConfigs": [url(target, "NONE")], "NextMarker": "more"},
        {"FunctionUrlConfigs": [url(target, "NONE", "live"), url(target, "AWS_IAM", "test", Cors=cors)]},
    )
    other = '{"Statement": []}'
    answer(clients, target, "lambda:GetPolicy", {"Policy": POLICY}, {"Policy": other})
    (function,) = look(clients, target, listed(target))
    assert function.urls == (
        Url(alias="", auth="NONE", policy=parse(POLICY), any_origin=False),
        Url(alias="live", auth="NONE", policy=parse(other), any_origin=False),
        Url(alias="test", auth="AWS_IAM", policy=None, any_origin=True),
    )


def test_urls_that_are_closed_to_most_browsers(clients: Clients, target: Target) -> None:
    cors: list[dict[str, Any]] = [
        {"AllowOrigins": ["*"], "AllowCredentials": False},
        {"AllowOrigins": ["https://acme.example"], "AllowCredentials": True},
        {"AllowOrigins": ["*"]},
        {},
    ]
    urls = {"FunctionUrlConfigs": [url(target, "AWS_IAM", Cors=each) for each in cors]}
    answer(clients, target, "lambda:ListFunctionUrlConfigs", urls)
    (function,) = look(clients, target, listed(target))
    assert function.urls == (Url(alias="", auth="AWS_IAM", policy=None, any_origin=False),) * 4


def test_provisioned_executions_of_two_pages_but_what_failed(clients: Clients, target: Target) -> None:
    def page(status: str, count: int) -> dict[str, Any]:
        one = {"Status": status, "RequestedProvisionedConcurrentExecutions": count}
        return {"ProvisionedConcurrencyConfigs": [one]}

    pages = ({**page("READY", 5), "NextMarker": "b"}, {**page("IN_PROGRESS", 2), "NextMarker": "c"})
    answer(clients, target, "lambda:ListProvisionedConcurrencyConfigs", *pages, page("FAILED", 9))
    (function,) = look(clients, target, listed(target))
    assert function.provisioned == 7


def test_what_is_denied_of_a_function_is_a_gap_and_the_rest_is_seen(clients: Clients, target: Target) -> None:
    facts = {
        "GetPolicy": "policy",
        "ListFunctionUrlConfigs": "urls",
        "ListProvisionedConcurrencyConfigs": "provisioned",
    }
    for call in facts:
        refuse(clients, target, f"lambda:{call}", "AccessDeniedException")
    (function,) = look(clients, target, listed(target))
    for call, name in facts.items():
        assert getattr(function, name) == Gap(f"function_{name}", Blindness.DENIED, f"lambda:{call}")
    assert function.runtime == "java21"


def test_a_function_that_is_gone_by_the_time_it_is_looked_at(clients: Clients, target: Target) -> None:
    for call in ("GetPolicy", "ListFunctionUrlConfigs", "ListProvisionedConcurrencyConfigs"):
        refuse(clients, target, f"lambda:{call}", "ResourceNotFoundException")
    (function,) = look(clients, target, listed(target))
    assert (function.policy, function.urls, function.provisioned) == (None, None, None)


def test_a_denied_listing_is_not_an_empty_one(clients: Clients, target: Target) -> None:
    refuse(clients, target, "lambda:ListFunctions")
    with pytest.raises(ClientError, match="lambda:ListFunctions"):
        list(lambda_functions.read(clients, target))


def test_every_deprecated_runtime_has_a_successor_that_outlives_it() -> None:
    lifecycles = runtimes().lifecycles
    for name, lifecycle in lifecycles.items():
        if lifecycle.successor:
            end = lifecycles[lifecycle.successor].deprecated
            assert lifecycle.deprecated, name
            assert end, name
            assert lifecycle.deprecated <= end, name
    assert lifecycles["python3.8"].update_blocked


def test_words_that_nobody_knows_of_a_url_and_of_executions_are_gaps(
    clients: Clients, target: Target
) -> None:
    url = {"FunctionArn": target.arn("lambda", "function:a"), "AuthType": "HALF"}
    answer(clients, target, "lambda:ListFunctionUrlConfigs", {"FunctionUrlConfigs": [url]})
    odd = {"Status": "WARM", "RequestedProvisionedConcurrentExecutions": 1}
    answer(
        clients,
        target,
        "lambda:ListProvisionedConcurrencyConfigs",
        {"ProvisionedConcurrencyConfigs": [odd]},
    )
    (function,) = look(clients, target, listed(target))
    assert isinstance(function.urls, Gap)
    assert isinstance(function.provisioned, Gap)


def test_a_function_in_a_package_that_nobody_knows_costs_itself(clients: Clients, target: Target) -> None:
    assert look(clients, target, {**listed(target), "PackageType": "Jar"}) == []
