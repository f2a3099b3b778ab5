"""`cdk deploy` into the embedded AWS: assets to the bootstrap bucket, then create or update the stack."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from moto.awslambda.models import LambdaFunction, LayerVersion
from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel
from moto.iam.models import Role, iam_backends
from moto.sns.models import sns_backends

from local.patching import Patch

# Resource types that change nothing in what runs here; moto warns about each on the terminal.
_IGNORED = (
    "AWS::CDK::Metadata",
    "AWS::CloudWatch::Alarm",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
    "AWS::Scheduler::ScheduleGroup",
)


class DeployFailed(Exception):
    """The stack did not reach a complete state; the text says what CloudFormation said."""


def deploy(
    client: Callable[[str], Any],
    assembly: Path,
    stack: str,
    account: str,
    region: str,
    parameters: Mapping[str, str],
) -> dict[str, str]:
    """The stack's outputs. `client` makes clients of the account and region deployed into."""
    artifact = json.loads((assembly / "manifest.json").read_text())["artifacts"][stack]
    template = json.loads((assembly / artifact["properties"]["templateFile"]).read_text())
    # The check of the bootstrap version: there is no bootstrap stack here.
    template.get("Parameters", {}).pop("BootstrapVersion", None)
    template.pop("Rules", None)
    for resource in template["Resources"].values():
        resource.setdefault(
            "Properties", {}
        )  # as moto does, which else takes every such resource for changed
    names = {"${AWS::AccountId}": account, "${AWS::Region}": region, "${AWS::Partition}": "aws"}
    for file in _assets(assembly, stack):
        _publish(client("s3"), assembly, file, names)
    return _apply(
        client("cloudformation"), artifact["properties"].get("stackName", stack), template, parameters
    )


def _assets(assembly: Path, stack: str) -> list[dict[str, Any]]:
    manifest = assembly / f"{stack}.assets.json"
    if not manifest.exists():
        return []
    files = json.loads(manifest.read_text())["files"].values()
    return [file for file in files if not file["source"]["path"].endswith(".template.json")]


def _publish(s3: Any, assembly: Path, file: Mapping[str, Any], names: Mapping[str, str]) -> None:
    source = assembly / file["source"]["path"]
    body = _zipped(source) if file["source"]["packaging"] == "zip" else source.read_bytes()
    for destination in file["destinations"].values():
        bucket, key = destination["bucketName"], destination["objectKey"]
        for name, value in names.items():
            bucket, key = bucket.replace(name, value), key.replace(name, value)
        region = s3.meta.region_name
        elsewhere = (
            {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        )
        with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket=bucket, **elsewhere)
        s3.put_object(Bucket=bucket, Key=key, Body=body)


def _zipped(folder: Path) -> bytes:
    """Not compressed: it is unpacked again a moment later."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                zipped.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix()), path.read_bytes())
    return archive.getvalue()


def _apply(
    formation: Any, name: str, template: dict[str, Any], parameters: Mapping[str, str]
) -> dict[str, str]:
    request = {
        "StackName": name,
        "TemplateBody": json.dumps(template),
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    }
    try:
        formation.describe_stacks(StackName=name)
    except ClientError:  # "does not exist"
        formation.create_stack(**request)
    else:
        formation.update_stack(**request)
    stack = formation.describe_stacks(StackName=name)["Stacks"][0]
    if stack["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        raise DeployFailed(f"{name}: {stack['StackStatus']} {stack.get('StackStatusReason', '')}")
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def install(patch: Patch) -> None:
    _know_our_types(patch)
    _layers_have_an_arn(patch)
    _functions_have_layers_and_a_log_group(patch)
    _roles_have_managed_policies(patch)


def _know_our_types(patch: Patch) -> None:
    """Without this moto skips e-mail subscriptions, and warns about each type it does not know."""
    ours = {**dict.fromkeys(_IGNORED, _Ignored), "AWS::SNS::Subscription": _Subscription}
    models, names = (
        {**ours, **parsing.get_model_map()},
        {**dict.fromkeys(ours), **parsing.get_name_type_map()},
    )
    patch(parsing, "get_model_map", lambda: models)
    patch(parsing, "get_name_type_map", lambda: names)


class _Ignored(CloudFormationModel):  # type: ignore[misc]  # moto is untyped here
    """A resource of which there is only a name."""

    def __init__(self, physical_id: str) -> None:
        self._physical_id = physical_id

    @property
    def physical_resource_id(self) -> str:
        return self._physical_id

    @staticmethod
    def cloudformation_type() -> str:
        return ""

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def has_cfn_attr(cls, _: str) -> bool:
        return True

    def get_cfn_attribute(self, name: str) -> str:
        return f"{self._physical_id}.{name}"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> Any:
        return cls(cls._create(resource_name, cloudformation_json["Properties"], account_id, region_name))

    @classmethod
    def _create(cls, name: str, *_: Any) -> str:
        """Make the resource and return its physical id."""
        return name

    @classmethod
    def update_from_cloudformation_json(cls, original_resource: Any, **_: Any) -> Any:
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(cls, *_: Any, **__: Any) -> None:
        pass


class _Subscription(_Ignored):
    """`AWS::SNS::Subscription`, with its filter policy."""

    @classmethod
    def _create(cls, _: str, *where: Any) -> str:
        properties, account, region = where
        sns = sns_backends[account][region]
        subscription = sns.subscribe(properties["TopicArn"], properties["Endpoint"], properties["Protocol"])
        if "FilterPolicy" in properties:
            policy = json.dumps(properties["FilterPolicy"])
            sns.set_subscription_attributes(subscription.arn, "FilterPolicy", policy)
        return str(subscription.arn)

    @classmethod
    def update_from_cloudformation_json(cls, original_resource: Any, **arguments: Any) -> Any:
        sns = sns_backends[arguments["account_id"]][arguments["region_name"]]
        sns.unsubscribe(original_resource.physical_resource_id)
        return cls.create_from_cloudformation_json(arguments.pop("new_resource_name"), **arguments)


def _layers_have_an_arn(patch: Patch) -> None:
    """`Ref` of a layer is empty in moto. A changed layer keeps its ARN, or its functions would not notice."""

    def update(original_resource: Any, new_resource_name: str, cloudformation_json: Any, **where: str) -> Any:
        spec = {"Content": cloudformation_json["Properties"]["Content"], "LayerName": new_resource_name}
        new = LayerVersion(spec, where["account_id"], where["region_name"])
        original_resource.code_bytes, original_resource.code_sha_256 = new.code_bytes, new.code_sha_256
        return original_resource

    patch(LayerVersion, "physical_resource_id", property(lambda layer: layer.arn))
    patch(LayerVersion, "update_from_cloudformation_json", staticmethod(update))


def _functions_have_layers_and_a_log_group(patch: Patch) -> None:
    """Neither is read from a template by moto."""
    create, update = (
        LambdaFunction.create_from_cloudformation_json,
        LambdaFunction.update_from_cloudformation_json,
    )

    def finished(function: Any, properties: Mapping[str, Any]) -> Any:
        function.update_configuration({"Layers": properties.get("Layers", [])})
        function.log_group = properties.get("LoggingConfig", {}).get("LogGroup", function.logs_group_name)
        return function

    def created(name: str, template: Any, *rest: Any, **named: Any) -> Any:
        return finished(create(name, template, *rest, **named), template["Properties"])

    def updated(cloudformation_json: Any, **named: Any) -> Any:
        function = update(cloudformation_json=cloudformation_json, **named)
        return finished(function, cloudformation_json["Properties"])

    patch(LambdaFunction, "create_from_cloudformation_json", staticmethod(created))
    patch(LambdaFunction, "update_from_cloudformation_json", staticmethod(updated))


def _roles_have_managed_policies(patch: Patch) -> None:
    """The managed policies that a template attaches to a role are not read by moto either."""
    original = Role.create_from_cloudformation_json

    def create(name: str, template: Any, account_id: str, region_name: str, **named: Any) -> Any:
        role = original(name, template, account_id, region_name, **named)
        for arn in template["Properties"].get("ManagedPolicyArns", []):
            iam_backends[account_id]["aws"].attach_role_policy(arn, role.name)
        return role

    patch(Role, "create_from_cloudformation_json", staticmethod(create))
