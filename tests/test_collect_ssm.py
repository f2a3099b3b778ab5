"""What the collector of parameters sees, and that values stay where they are."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan.model import Blindness, Gap, Target
from orgscan.secrets import find_named
from orgscan.services.ssm.collect import ssm_parameters
from orgscan.services.ssm.facts import Parameter
from orgscan.session import Clients
from tests.answers import answer, refuse

PASSWORD = "Tr0ub4dor&" + "3xyz"
TOKEN = "ghp_" + "a1B2c3D4e5" * 4


def listed(*names: str, kind: str = "String") -> dict[str, Any]:
    return {"Parameters": [{"Name": name, "Type": kind} for name in names]}


def values(*named: tuple[str, str], invalid: tuple[str, ...] = ()) -> dict[str, Any]:
    there = [{"Name": name, "Type": "String", "Value": value} for name, value in named]
    return {"Parameters": there, "InvalidParameters": [*invalid]}


def rules(parameter: Parameter) -> list[tuple[str, str]]:
    assert isinstance(parameter.secrets, tuple)
    return [(each.rule, each.location) for each in parameter.secrets]


def test_rules_and_digests_of_what_is_in_clear_text(
    aws: boto3.Session, clients: Clients, target: Target
) -> None:
    ssm = aws.client("ssm")
    ssm.put_parameter(Name="/shop/db/password", Value=PASSWORD, Type="String")
    ssm.put_parameter(Name="settings", Value=f"region: eu\ntoken: {TOKEN}", Type="String")
    ssm.put_parameter(Name="/shop/hosts", Value=f"eu,token={TOKEN}", Type="StringList")
    ssm.put_parameter(Name="/secret/threshold", Value="Xk29-qL7v-aa", Type="String")
    ssm.put_parameter(Name="/shop/api-token", Value=TOKEN, Type="SecureString")
    found = {
        each.arn.partition(":parameter")[2]: each for each in ssm_parameters.read(clients, target, salt="s")
    }
    (password,) = find_named("password", PASSWORD, location="value", salt="s")
    assert found["/shop/db/password"] == Parameter(
        arn=target.arn("ssm", "parameter/shop/db/password"), secrets=(password,), tags=None
    )
    assert rules(found["/settings"]) == [("github-token", "value, line 2")]
    assert rules(found["/shop/hosts"]) == [("github-token", "value")]
    # A folder's name says nothing of what is in it.
    assert rules(found["/secret/threshold"]) == []
    assert found["/shop/api-token"].secrets is None
    assert PASSWORD not in str(found)
    assert TOKEN not in str(found)


def test_an_encrypted_value_is_not_asked_for(clients: Clients, target: Target) -> None:
    answer(clients, target, "ssm:DescribeParameters", listed("a", kind="SecureString"))
    refuse(clients, target, "ssm:GetParameters")
    assert [each.secrets for each in ssm_parameters.read(clients, target)] == [None]


def test_two_pages_in_tens(aws: boto3.Session, clients: Clients, target: Target) -> None:
    names = [f"p{number}" for number in range(13)]
    for name in names:
        aws.client("ssm").put_parameter(Name=name, Value="eu", Type="String")
    answer(
        clients,
        target,
        "ssm:DescribeParameters",
        {**listed(*names[:12]), "NextToken": "more"},
        listed(*names[12:]),
    )
    found = list(ssm_parameters.read(clients, target))
    assert [each.arn for each in found] == [target.arn("ssm", f"parameter/{name}") for name in names]
    assert [each.secrets for each in found] == [()] * 13


def test_the_arn_that_aws_answers_is_taken(clients: Clients, target: Target) -> None:
    arn = target.arn("ssm", "parameter/a")
    answer(
        clients,
        target,
        "ssm:DescribeParameters",
        {"Parameters": [{"Name": "a", "ARN": arn, "Type": "SecureString"}]},
    )
    assert [each.arn for each in ssm_parameters.read(clients, target)] == [arn]


def test_what_is_gone_and_what_makes_no_sense(clients: Clients, target: Target) -> None:
    """A parameter of a new type is read like one in clear text; one that nobody answers for is a gap."""
    strange = {"Name": "strange", "Type": "SomethingNew"}
    answer(
        clients,
        target,
        "ssm:DescribeParameters",
        {"Parameters": [*listed("gone", "lost", "token")["Parameters"], strange, {"Name": "odd"}]},
    )
    answer(
        clients,
        target,
        "ssm:GetParameters",
        values(("token", PASSWORD), ("strange", "eu"), invalid=("gone",)),
    )
    spoilt: list[Gap] = []
    lost, token, strange_one = ssm_parameters.read(clients, target, spoil=spoilt.append)
    assert isinstance(lost.secrets, Gap)
    assert (lost.secrets.scope, lost.secrets.reason) == ("parameter_secrets", Blindness.FAULT)
    assert rules(token) == [("secret-name", "value")]
    assert strange_one.secrets == ()
    assert [(each.scope, each.reason) for each in spoilt] == [("ssm-parameters", Blindness.FAULT)]


def test_values_that_are_denied_are_gaps(clients: Clients, target: Target) -> None:
    answer(clients, target, "ssm:DescribeParameters", listed("a", "b"))
    refuse(clients, target, "ssm:GetParameters", "AccessDeniedException")
    denied = Gap("parameter_values", Blindness.DENIED, "ssm:GetParameters")
    assert [each.secrets for each in ssm_parameters.read(clients, target)] == [denied, denied]


def test_a_denied_listing_is_not_an_empty_one(clients: Clients, target: Target) -> None:
    refuse(clients, target, "ssm:DescribeParameters", "AccessDeniedException")
    with pytest.raises(ClientError, match="ssm:DescribeParameters"):
        list(ssm_parameters.read(clients, target))
