"""`cdk deploy` into the embedded AWS: assets, stack, what moto leaves out, and last what StackSets hold."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from moto.awslambda.models import LayerVersion
from moto.cloudformation import parsing
from moto.cloudformation.models import cloudformation_backends

from local.place import HOME, Clients

DEPLOYS_AT_ONCE = 4
_SHOWING = {"AWS::CloudWatch::Dashboard"}
"""What moto knows, and what refers to alarms, which it does not."""


class DeployFailed(Exception):
    """The stack did not reach a complete state; the text says which one."""


def install(patch: pytest.MonkeyPatch) -> None:
    """`Ref` of a layer is empty in moto."""
    patch.setattr(LayerVersion, "physical_resource_id", property(lambda layer: layer.arn), raising=False)


def deploy(
    clients: Clients, account: str, assembly: Path, stack: str, parameters: Mapping[str, str]
) -> dict[str, str]:
    """The new stack's outputs, and what its StackSets hold in the accounts they reach."""
    artifact = json.loads((assembly / "manifest.json").read_text())["artifacts"][stack]["properties"]
    template = json.loads((assembly / artifact["templateFile"]).read_text())
    # The check of the bootstrap version: there is no bootstrap stack here.
    template.get("Parameters", {}).pop("BootstrapVersion", None)
    template.pop("Rules", None)
    names = {"AccountId": account, "Region": HOME, "Partition": "aws"}
    _publish(clients("s3", account, HOME), assembly, stack, names)
    made = _create(clients, (account, HOME), stack, template, parameters)
    for each in template["Resources"].values():
        if each["Type"] == "AWS::CloudFormation::StackSet":
            _roll_out(clients, account, parsing.clean_json(each["Properties"], made.resource_map))
    return {output["OutputKey"]: output["OutputValue"] for output in made.outputs or ()}


def _create(
    clients: Clients,
    place: tuple[str, str],
    stack: str,
    template: Mapping[str, Any],
    parameters: Mapping[str, str],
) -> Any:
    """The stack, as moto holds it. `place`: account and region."""

    def client(service: str) -> Any:
        return clients(service, *place)

    # What moto does not know (alarms, schedules) changes nothing in what runs here.
    resources = template["Resources"]
    kinds = parsing.get_model_map().keys() - _SHOWING
    known = {name: each for name, each in resources.items() if each["Type"] in kinds}
    client("cloudformation").create_stack(
        StackName=stack,
        TemplateBody=json.dumps({**template, "Resources": known}),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    account, region = place
    made = cloudformation_backends[account][region].get_stack(stack)
    if made.status != "CREATE_COMPLETE":
        raise DeployFailed(f"{stack} in {account}: {made.status}")
    there = made.resource_map
    for name, each in resources.items():
        finish = _FINISH.get(each["Type"])
        if finish is not None:
            finish(client, parsing.clean_json(each["Properties"], there), there.get(name))
    return made


def _roll_out(clients: Clients, administrator: str, properties: Mapping[str, Any]) -> None:
    """A service-managed StackSet: a stack in every active account of its units, never in the management's."""
    organizations = clients("organizations", administrator, HOME)
    template = json.loads(properties["TemplateBody"])
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in properties["Parameters"]}
    management = organizations.describe_organization()["Organization"]["MasterAccountId"]
    targets = [
        (account, region)
        for group in properties["StackInstancesGroup"]
        for unit in group["DeploymentTargets"]["OrganizationalUnitIds"]
        for account in _active(organizations, unit)
        for region in group["Regions"]
        if account != management
    ]

    def create(target: tuple[str, str]) -> None:
        _create(clients, target, f"StackSet-{properties['StackSetName']}", template, parameters)

    with ThreadPoolExecutor(DEPLOYS_AT_ONCE) as pool:
        list(pool.map(create, targets))


def _active(organizations: Any, unit: str) -> Iterator[str]:
    """Accounts in the unit and in all below it."""
    for page in organizations.get_paginator("list_accounts_for_parent").paginate(ParentId=unit):
        yield from (each["Id"] for each in page["Accounts"] if each["Status"] == "ACTIVE")
    below = organizations.get_paginator("list_organizational_units_for_parent").paginate(ParentId=unit)
    for page in below:
        for each in page["OrganizationalUnits"]:
            yield from _active(organizations, each["Id"])


def _publish(s3: Any, assembly: Path, stack: str, names: Mapping[str, str]) -> None:
    text = (assembly / f"{stack}.assets.json").read_text()
    for name, value in names.items():
        text = text.replace(f"${{AWS::{name}}}", value)
    zips = [file for file in json.loads(text)["files"].values() if file["source"]["packaging"] == "zip"]
    for file in zips:  # the other one is the template
        body = _zipped(assembly / file["source"]["path"])
        for destination in file["destinations"].values():
            with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
                s3.create_bucket(Bucket=destination["bucketName"])
            s3.put_object(Bucket=destination["bucketName"], Key=destination["objectKey"], Body=body)


def _zipped(folder: Path) -> bytes:
    """Not compressed: it is unpacked again a moment later."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", strict_timestamps=False) as zipped:
        for path in folder.rglob("*"):
            zipped.write(path, path.relative_to(folder))
    return archive.getvalue()


def _finish_function(_: Any, properties: Mapping[str, Any], function: Any) -> None:
    function.update_configuration({"Layers": properties["Layers"]})
    function.logs_group_name = properties["LoggingConfig"]["LogGroup"]


def _finish_role(client: Callable[[str], Any], properties: Mapping[str, Any], role: Any) -> None:
    for arn in properties.get("ManagedPolicyArns", []):
        client("iam").attach_role_policy(RoleName=role.name, PolicyArn=arn)


def _finish_table(client: Callable[[str], Any], properties: Mapping[str, Any], table: Any) -> None:
    recovery = properties["PointInTimeRecoverySpecification"]
    client("dynamodb").update_continuous_backups(
        TableName=table.name, PointInTimeRecoverySpecification=recovery
    )


def _finish_key(_: Any, properties: Mapping[str, Any], key: Any) -> None:
    key.policy = json.dumps(properties["KeyPolicy"])


def _put_topic_policy(client: Callable[[str], Any], properties: Mapping[str, Any], _: Any) -> None:
    policy = json.dumps(properties["PolicyDocument"])
    for topic in properties["Topics"]:
        client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)


def _put_queue_policy(client: Callable[[str], Any], properties: Mapping[str, Any], _: Any) -> None:
    policy = json.dumps(properties["PolicyDocument"])
    for queue in properties["Queues"]:
        client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})


def _subscribe(client: Callable[[str], Any], properties: Mapping[str, Any], _: Any) -> None:
    arguments = {name: properties[name] for name in ("TopicArn", "Protocol", "Endpoint")}
    if "FilterPolicy" in properties:
        arguments["Attributes"] = {"FilterPolicy": json.dumps(properties["FilterPolicy"])}
    client("sns").subscribe(**arguments)


# Moto's CloudFormation does not read these properties, or takes a document for its text, and does not know
# subscriptions and policies of topics and queues.
_FINISH: dict[str, Callable[..., None]] = {
    "AWS::DynamoDB::Table": _finish_table,
    "AWS::IAM::Role": _finish_role,
    "AWS::KMS::Key": _finish_key,
    "AWS::Lambda::Function": _finish_function,
    "AWS::SNS::Subscription": _subscribe,
    "AWS::SNS::TopicPolicy": _put_topic_policy,
    "AWS::SQS::QueuePolicy": _put_queue_policy,
}
