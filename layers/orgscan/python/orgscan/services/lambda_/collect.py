"""How we learn about Lambda."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.services.lambda_.facts import Function

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationTypeDef


@collector(Function, calls=("lambda:ListFunctions",))
def lambda_functions(aws: Reader) -> Iterator[Function]:
    client: LambdaClient = aws.client("lambda")
    for page in aws.pages(client.get_paginator("list_functions")):
        yield from aws.shaped(_function, page["Functions"])


def _function(function: FunctionConfigurationTypeDef) -> Function:
    image = function.get("PackageType") == "Image"
    return Function(
        arn=function["FunctionArn"],
        name=function["FunctionName"],
        runtime=None if image else function["Runtime"],
    )
