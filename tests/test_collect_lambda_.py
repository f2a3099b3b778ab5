"""What the Lambda collector sees, and what its table of runtimes holds."""

from io import BytesIO
from zipfile import ZipFile

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan.model import Blindness, Gap, Target
from orgscan.services.lambda_.collect import lambda_functions
from orgscan.services.lambda_.facts import Function, runtimes
from orgscan.session import Clients
from tests.answers import answer, refuse


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
        Environment={"Variables": {"PASSWORD": "hunter2"}},
        Tags={"Owner": "ann"},
    )
    # The listing carries no tags, which does not mean that there are none.
    assert list(lambda_functions.read(clients, target)) == [
        Function(arn=target.arn("lambda", "function:invoice"), name="invoice", runtime="python3.8", tags=None)
    ]


def test_functions_of_two_pages_and_container_images(clients: Clients, target: Target) -> None:
    def function(name: str, **more: str) -> dict[str, str]:
        return {"FunctionArn": target.arn("lambda", f"function:{name}"), "FunctionName": name, **more}

    answer(
        clients,
        target,
        "lambda:ListFunctions",
        {"Functions": [function("a", Runtime="java21")], "NextMarker": "more"},
        {"Functions": [function("b", PackageType="Image")]},
    )
    assert [(f.name, f.runtime) for f in lambda_functions.read(clients, target)] == [
        ("a", "java21"),
        ("b", None),
    ]


def test_a_function_of_which_lambda_names_no_runtime_costs_itself(clients: Clients, target: Target) -> None:
    odd = {"FunctionArn": "a", "FunctionName": "a", "PackageType": "Zip"}
    answer(
        clients,
        target,
        "lambda:ListFunctions",
        {"Functions": [odd, {"FunctionArn": "b", "FunctionName": "b", "Runtime": "java21"}]},
    )
    lost: list[Gap] = []
    assert [f.name for f in lambda_functions.read(clients, target, spoil=lost.append)] == ["b"]
    assert [(each.scope, each.reason) for each in lost] == [("lambda-functions", Blindness.FAULT)]


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
