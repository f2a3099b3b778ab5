"""Step Functions for the embedded AWS: what moto's interpreter needs to run the synthesized state machine."""

import re
import uuid
from functools import lru_cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto.stepfunctions import models
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval import (
    resource_eval_s3 as reader,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.resource_eval import (
    resource_eval_s3 as writer,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.models import StepFunctionsParserBackend, stepfunctions_parser_backends

from local.iam import role_credentials


def install(patch: pytest.MonkeyPatch, endpoint: str) -> None:
    _interpret_stack_machines(patch)
    _act_as_the_machine(patch, endpoint)
    _read_what_cdk_writes(patch)
    _name_executions(patch)


def _interpret_stack_machines(patch: pytest.MonkeyPatch) -> None:
    """Machines created by CloudFormation land in a backend that never runs them."""
    patch.setattr(models, "stepfunctions_backends", stepfunctions_parser_backends)


def _act_as_the_machine(patch: pytest.MonkeyPatch, endpoint: str) -> None:
    """Tasks of moto call with an invented key in an invented account; ours use the machine's role."""

    @lru_cache
    def client_of(service: str, region: str, role_arn: str) -> Any:
        # Step Functions retries what the definition says, and waits as long as a function runs.
        config = Config(retries={"total_max_attempts": 1}, read_timeout=1000, max_pool_connections=64)
        machines = stepfunctions_parser_backends[role_arn.split(":")[4]][region].state_machines
        source = next(machine.arn for machine in machines if machine.roleArn == role_arn)
        credentials = role_credentials(role_arn, "states.amazonaws.com", source, "StepFunctions")
        session = boto3.Session(region_name=region, **credentials)
        return session.client(service, endpoint_url=endpoint, config=config)

    def boto_client_for(region: str, service: str, state_credentials: Any) -> Any:
        return client_of(service, region, state_credentials.role_arn)

    for module in (lambda_eval_utils, reader, writer):
        patch.setattr(module, "boto_client_for", boto_client_for)


def _read_what_cdk_writes(patch: pytest.MonkeyPatch) -> None:
    """The grammar wants a decimal point in a tolerated failure percentage, where CDK writes none.

    And it knows no express children: here they are standard ones, and may take longer than five minutes.
    """
    original = AmazonStateLanguageParser.parse

    def parse(definition: str) -> Any:
        known = re.sub(r'("ExecutionType":\s*)"EXPRESS"', r'\1"STANDARD"', definition)
        return original(re.sub(r'("ToleratedFailurePercentage":\s*\d+)(?=[\s,}])', r"\1.0", known))

    patch.setattr(AmazonStateLanguageParser, "parse", staticmethod(parse))


def _name_executions(patch: pytest.MonkeyPatch) -> None:
    """AWS names an execution that was started without a name; moto calls it None."""
    original = StepFunctionsParserBackend.start_execution

    def start_execution(self: Any, state_machine_arn: str, name: str | None = None, *rest: Any) -> Any:
        return original(self, state_machine_arn, name or str(uuid.uuid4()), *rest)

    patch.setattr(StepFunctionsParserBackend, "start_execution", start_execution)
