"""What an HTTP request to AWS asks for, and how AWS says no: the wire side of `local.iam`."""

import io
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from moto.core.request import Request
from moto.core.routing import get_service_router

# botocore's name of a service where the signature names it otherwise.
_SERVICES = {"monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi", "states": "stepfunctions"}

# Services with one endpoint: AWS sees their calls in this region, wherever the caller thinks it is.
_GLOBAL, _GLOBAL_REGION = {"iam", "organizations"}, "us-east-1"

# IAM's prefix where it is not the name in the signature.
_PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag", "s3control": "s3"}

# IAM's action where it is not named like the operation: see the Service Authorization Reference.
_ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:UploadPart": "s3:PutObject",
    "s3control:GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock",
    "sns:PublishBatch": "sns:Publish",
}

# What the parts of a DynamoDB transaction need; the transaction itself is no action.
_PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "Get": "GetItem"}

# The parameter that names the resource, and the ARN it stands for. Whatever is not here is authorized on `*`.
_RESOURCES = {
    "dynamodb": ("TableName", "arn:aws:dynamodb:{region}:{account}:table/{name}"),
    "kms": ("KeyId", "arn:aws:kms:{region}:{account}:key/{name}"),
    "lambda": ("FunctionName", "arn:aws:lambda:{region}:{account}:function:{name}"),
    "sns": ("TopicArn", "{name}"),
    "states": ("stateMachineArn", "{name}"),
    "sts": ("RoleArn", "{name}"),
}

_SIGNATURE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")


@dataclass(frozen=True, slots=True)
class Call:
    """`service` is the name the call was signed for, with S3 Control told apart from S3."""

    access_key: str
    service: str
    operation: str
    region: str
    parameters: Mapping[str, Any]
    is_form: bool = False  # the query protocol, whose errors are XML with codes of their own

    def needs(self, account: str) -> Iterator[tuple[str, str]]:
        """The actions, each with its resource, that a caller in this account must be allowed."""
        if self.operation.startswith("Transact"):
            for part in self.parameters["TransactItems"]:
                for kind, item in part.items():
                    yield f"dynamodb:{_PARTS.get(kind, 'ConditionCheckItem')}", self._resource(account, item)
        elif "RequestItems" in self.parameters:
            for table in self.parameters["RequestItems"]:
                yield f"dynamodb:{self.operation}", self._resource(account, {"TableName": table})
        else:
            action = f"{_PREFIXES.get(self.service, self.service)}:{self.operation}"
            yield (
                _ACTIONS.get(f"{self.service}:{self.operation}", action),
                self._resource(account, self.parameters),
            )

    def _resource(self, account: str, parameters: Mapping[str, Any]) -> str:
        if self.service == "s3":
            path = "/".join(parameters[part] for part in ("Bucket", "Key") if part in parameters)
            return f"arn:aws:s3:::{path}" if path else "*"
        parameter, arn = _RESOURCES.get(self.service, ("", ""))
        name = parameters.get(parameter)
        if not name:
            return "*"
        if not name.startswith("arn:"):
            name = arn.format(region=self.region, account=account, name=name)
        return f"{name}/index/{parameters['IndexName']}" if "IndexName" in parameters else str(name)


def read(environ: dict[str, Any]) -> Call | None:
    """The call, or None if it is not signed. The body is put back for whoever comes next."""
    stream, length = environ["wsgi.input"], int(environ.get("CONTENT_LENGTH") or 0)
    body = stream.read() if environ.get("wsgi.input_terminated") else stream.read(length)
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))
    signature = _SIGNATURE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if signature is None:
        return None
    access_key, region, service = signature.groups()
    if service == "s3" and environ["PATH_INFO"].startswith("/v20180820/"):
        service = "s3control"  # which signs as s3
    if service in _GLOBAL:
        region = _GLOBAL_REGION
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return Call(access_key, service, target.rpartition(".")[2], region, json.loads(body or b"{}"))
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        form = dict(parse_qsl(body.decode()))
        return Call(access_key, service, form["Action"], region, form, is_form=True)
    operation, parameters = get_service_router(_SERVICES.get(service, service)).match(Request(environ))
    return Call(access_key, service, operation.name, region, parameters)


def unrecognized(call: Call) -> tuple[str, str]:
    """AWS's error for credentials it does not know, also where a region is not enabled for their account."""
    if call.service == "ec2":
        return "AuthFailure", "AWS was not able to validate the provided access credentials"
    if call.service in {"s3", "s3control"}:
        return "InvalidToken", "The provided token is malformed or otherwise invalid."
    code = "InvalidClientTokenId" if call.is_form else "UnrecognizedClientException"
    return code, "The security token included in the request is invalid."


def denied(call: Call, message: str) -> tuple[str, str]:
    """AWS's error for a call that policies do not allow."""
    if call.service == "ec2":
        return "UnauthorizedOperation", f"You are not authorized to perform this operation. {message}"
    if call.service == "sns":
        return "AuthorizationError", message
    is_xml = call.is_form or call.service in {"s3", "s3control"}
    return "AccessDenied" if is_xml else "AccessDeniedException", message


def refuse(call: Call, code: str, message: str, start_response: Callable[..., Any]) -> list[bytes]:
    """The error in the shape of the service's protocol."""
    status, error = "403 Forbidden", f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    if call.service == "ec2":
        text = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>-</RequestID></Response>"
    elif call.service == "s3":
        text = f"<Error>{error}<RequestId>-</RequestId></Error>"
    elif call.is_form or call.service == "s3control":
        text = f"<ErrorResponse><Error>{error}</Error><RequestId>-</RequestId></ErrorResponse>"
    else:
        status, text = "400 Bad Request", json.dumps({"__type": code, "message": message})
    body = text.encode()
    headers = {
        "x-amzn-ErrorType": code,
        "x-amzn-RequestId": str(uuid.uuid4()),
        "Content-Length": str(len(body)),
    }
    start_response(status, list(headers.items()))
    return [body]
