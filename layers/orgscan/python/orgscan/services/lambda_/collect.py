"""How we learn about Lambda."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.errors import MEANING, fact
from orgscan.model import Blindness, Gap
from orgscan.policy import Policy, read
from orgscan.secrets import Secret, find_named, hide
from orgscan.services.lambda_.facts import Function, Url

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import (
        EnvironmentResponseTypeDef,
        FunctionConfigurationTypeDef,
        FunctionUrlConfigTypeDef,
    )

NONE = "ResourceNotFoundException"
"""There is no policy; or no function any more."""
ALIAS = 7
"""Its place in an ARN, behind 'function' and the name."""


@collector(
    Function,
    calls=(
        "lambda:ListFunctions",
        "lambda:GetPolicy",
        "lambda:ListFunctionUrlConfigs",
        "lambda:ListProvisionedConcurrencyConfigs",
    ),
)
def lambda_functions(aws: Reader) -> Iterator[Function]:
    client: LambdaClient = aws.client("lambda")
    for page in aws.pages(client.get_paginator("list_functions")):
        yield from aws.each(partial(_function, aws, client), page["Functions"])


def _function(aws: Reader, client: LambdaClient, function: FunctionConfigurationTypeDef) -> Function:
    name, image = function["FunctionName"], function.get("PackageType") == "Image"
    policy = function_policy(client, name)
    return Function(
        arn=function["FunctionArn"],
        name=name,
        runtime=None if image else function["Runtime"],
        modified=datetime.fromisoformat(function["LastModified"]),
        timeout=function["Timeout"],
        memory_mib=function["MemorySize"],
        arm="arm64" in function.get("Architectures", []),
        replica="MasterArn" in function,
        secrets=_secrets(aws, function.get("Environment", {})),
        policy=policy,
        urls=function_urls(client, name, policy),
        provisioned=function_provisioned(client, name),
    )


def _secrets(aws: Reader, environment: EnvironmentResponseTypeDef) -> tuple[Secret, ...] | Gap:
    if "Error" in environment:
        code = environment["Error"].get("ErrorCode", "")
        detail = f"the environment cannot be decrypted: {code}"
        return Gap("function_environment", MEANING.get(code, Blindness.FAULT), detail)
    return tuple(
        secret
        for name, value in environment.get("Variables", {}).items()
        for secret in find_named(name, value, location=f"variable {hide(name)}", salt=aws.salt)
    )


@fact(absent=NONE)
def function_policy(client: LambdaClient, name: str, alias: str = "") -> Policy | Gap:
    of_alias = {"Qualifier": alias} if alias else {}
    return read("function_policy", client.get_policy(FunctionName=name, **of_alias)["Policy"])


@fact(absent=NONE)
def function_urls(client: LambdaClient, name: str, policy: Policy | Gap | None) -> tuple[Url, ...]:
    """`policy`: of the function itself."""
    pages = client.get_paginator("list_function_url_configs").paginate(FunctionName=name)
    return tuple(_url(client, name, policy, each) for page in pages for each in page["FunctionUrlConfigs"])


def _url(client: LambdaClient, name: str, policy: Policy | Gap | None, url: FunctionUrlConfigTypeDef) -> Url:
    alias = "".join(url["FunctionArn"].split(":")[ALIAS:])
    auth: str = url["AuthType"]
    if auth != "NONE":
        policy = None
    elif alias:
        policy = function_policy(client, name, alias)
    cors = url.get("Cors", {})
    any_origin = "*" in cors.get("AllowOrigins", []) and cors.get("AllowCredentials", False)
    return Url(alias=alias, auth=auth, policy=policy, any_origin=any_origin)


@fact(absent=NONE)
def function_provisioned(client: LambdaClient, name: str) -> int:
    """What failed is not there, and not billed."""
    pages = client.get_paginator("list_provisioned_concurrency_configs").paginate(FunctionName=name)
    return sum(
        each["RequestedProvisionedConcurrentExecutions"]
        for page in pages
        for each in page["ProvisionedConcurrencyConfigs"]
        if each["Status"] != "FAILED"
    )
