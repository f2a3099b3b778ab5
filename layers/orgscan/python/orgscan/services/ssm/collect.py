"""How we learn about Systems Manager."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.errors import fact
from orgscan.model import Gap
from orgscan.secrets import Secret, find_named
from orgscan.services.ssm.facts import Parameter

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_ssm.type_defs import (
        GetParametersResultTypeDef,
        ParameterMetadataTypeDef,
        ParameterTypeDef,
    )

ENCRYPTED = "SecureString"
BATCH = 10
"""As many as GetParameters takes."""


@collector(Parameter, calls=("ssm:DescribeParameters", "ssm:GetParameters"))
def ssm_parameters(aws: Reader) -> Iterator[Parameter]:
    """Values are read to be looked through, only those in clear text, and go no further than this module."""
    ssm: SSMClient = aws.client("ssm")
    for page in aws.pages(ssm.get_paginator("describe_parameters"), PaginationConfig={"PageSize": 50}):
        plain: dict[str, Parameter] = {}
        for name, kind, parameter in aws.shaped(partial(_listed, aws), page["Parameters"]):
            if kind == ENCRYPTED:
                yield parameter
            else:
                plain[name] = parameter
        names = [*plain]
        batches = [names[at : at + BATCH] for at in range(0, len(names), BATCH)]
        for secrets in aws.each(partial(_secrets, ssm, aws.salt), batches):
            yield from (replace(plain[name], secrets=found) for name, found in secrets.items())


def _listed(aws: Reader, parameter: ParameterMetadataTypeDef) -> tuple[str, str, Parameter]:
    """Its name, its type, and what is known of it so far."""
    name = parameter["Name"]
    arn = parameter.get("ARN") or aws.target.arn("ssm", f"parameter/{name.removeprefix('/')}")
    return name, parameter["Type"], Parameter(arn=arn, secrets=None)


def _secrets(
    ssm: SSMClient, salt: str, names: Sequence[str]
) -> Mapping[str, tuple[Secret, ...] | Gap | None]:
    """Of each parameter that was not deleted since it was listed."""
    answer = parameter_values(ssm, names)
    if answer is None or isinstance(answer, Gap):
        return dict.fromkeys(names, answer)
    values = {each["Name"]: each for each in answer["Parameters"]}
    there = [name for name in names if name not in answer["InvalidParameters"]]
    return {name: parameter_secrets(values, name, salt) for name in there}


@fact(absent=())
def parameter_values(ssm: SSMClient, names: Sequence[str]) -> GetParametersResultTypeDef:
    return ssm.get_parameters(Names=names)


@fact(absent=())
def parameter_secrets(values: Mapping[str, ParameterTypeDef], name: str, salt: str) -> tuple[Secret, ...]:
    """The path says where a parameter belongs, its last part what it is."""
    last = name.rpartition("/")[2]
    return tuple(find_named(last, values[name]["Value"], location="value", salt=salt))
