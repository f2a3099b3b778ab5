"""What an HTTP request to AWS asks for, and how AWS says no: the wire side of `local.iam`."""

import io
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from moto.core.exceptions import ServiceException
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from werkzeug.exceptions import Forbidden, HTTPException
from werkzeug.wrappers import Response

from local.beyond import Written

# botocore's name of a service where the signature names it otherwise.
_SERVICES = {
    "elasticfilesystem": "efs",
    "elasticloadbalancing": "elbv2",
    "access-analyzer": "accessanalyzer",
    "monitoring": "cloudwatch",
    "tagging": "resourcegroupstaggingapi",
}

# IAM's prefix where it is not botocore's name.
_PREFIXES = {
    "efs": "elasticfilesystem",
    "elbv2": "elasticloadbalancing",
    "accessanalyzer": "access-analyzer",
    "resourcegroupstaggingapi": "tag",
    "s3control": "s3",
}

# IAM's action where it is not named like the operation: see the Service Authorization Reference.
_ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:UploadPart": "s3:PutObject",
    "s3control:GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock",
}

# The parameter that names the resource, and its ARN. Whatever is not here is authorized on `*`.
_RESOURCES = {
    "dynamodb": ("TableName", "arn:aws:dynamodb:{region}:{account}:table/{name}"),
    "lambda": ("FunctionName", "arn:aws:lambda:{region}:{account}:function:{name}"),
    "sns": ("TopicArn", "{name}"),
    "sts": ("RoleArn", "{name}"),
}

# Error codes by service or protocol: of what is not allowed, and of credentials that mean nothing.
_ERRORS = {
    "ec2": ("UnauthorizedOperation", "AuthFailure"),
    "sns": ("AuthorizationError", "InvalidClientTokenId"),
    "query": ("AccessDenied", "InvalidClientTokenId"),
    "rest-xml": ("AccessDenied", "InvalidToken"),
    "json": ("AccessDeniedException", "UnrecognizedClientException"),
    "rest-json": ("AccessDeniedException", "UnrecognizedClientException"),
}

_SIGNATURE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")


class _Refusal(ServiceException):  # type: ignore[misc]  # moto is untyped here
    """For moto, which takes an error of its own for one of the service whose module defines it."""


@dataclass(frozen=True, slots=True)
class Call:
    """`operation` is moto's model of it, `service` has botocore's name."""

    access_key: str
    region: str
    service: str
    operation: Any
    protocol: str
    parameters: Mapping[str, Any]

    @property
    def name(self) -> str:
        """'ec2:DescribeVolumes'."""
        return f"{self.service}:{self.operation.name}"

    def needs(self, account: str) -> Iterator[tuple[str, str]]:
        """The actions, each with its resource, that a caller in this account must be allowed."""
        # A transaction is no action, but its parts are: Put, Update, ConditionCheck.
        parts = [part for each in self.parameters.get("TransactItems", []) for part in each.items()]
        if self.name == "events:PutEvents":
            for bus in {each.get("EventBusName", "default") for each in self.parameters["Entries"]}:
                yield self.name, f"arn:aws:events:{self.region}:{account}:event-bus/{bus}"
            return
        for kind, parameters in parts:
            yield f"dynamodb:{kind}Item", self._resource(account, parameters)
        if not parts:
            name, prefix = self.operation.name, _PREFIXES.get(self.service, self.service)
            action = _ACTIONS.get(f"{self.service}:{name}", f"{prefix}:{name}")
            yield action, self._resource(account, self.parameters)

    def _resource(self, account: str, parameters: Mapping[str, Any]) -> str:
        if self.service == "s3":
            path = "/".join(parameters[part] for part in ("Bucket", "Key") if part in parameters)
            return f"arn:aws:s3:::{path}" if path else "*"
        parameter, arn = _RESOURCES.get(self.service, ("", ""))
        name = str(parameters.get(parameter, "*"))
        if name != "*" and not name.startswith("arn:"):
            name = arn.format(region=self.region, account=account, name=name)
        return f"{name}/index/{parameters['IndexName']}" if "IndexName" in parameters else name


def read(environ: dict[str, Any]) -> Call:
    """The call. Its body is put back for whoever comes next. Raises Forbidden if it is not signed.

    A link that somebody signed has its signature in the query.
    """
    signed = environ.get("HTTP_AUTHORIZATION") or unquote(environ.get("QUERY_STRING", ""))
    signature = _SIGNATURE.search(signed)
    if signature is None:
        raise Forbidden
    access_key, region, service = signature.groups()
    if service == "s3" and environ["PATH_INFO"].startswith("/v20180820/"):
        service = "s3control"  # which signs as s3
    service = _SERVICES.get(service, service)
    request = Request(environ)
    body = request.get_data()
    environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    operation, parameters = get_service_router(service).match(request)
    protocol = determine_request_protocol(operation.service_model, request.content_type)
    in_json = protocol in ("json", "rest-json") and body.lstrip()[:1] == b"{"  # not a function's payload
    parameters |= json.loads(body) if in_json else request.form.to_dict()
    return Call(access_key, region, service, operation, protocol, parameters)


def answered(answer: Written) -> HTTPException:
    """What is answered instead of moto."""
    headers = {**answer.headers, "x-amzn-RequestId": str(uuid.uuid4())}
    return HTTPException(response=Response(answer.body, answer.status, headers))


def unrecognized(call: Call) -> HTTPException:
    """AWS's answer to credentials it does not know, also where a region is not enabled for their account."""
    _, code = _ERRORS.get(call.service) or _ERRORS[call.protocol]
    return _refusal(call, code, "The security token included in the request is invalid.")


def denied(call: Call, message: str) -> HTTPException:
    """AWS's answer to a call that policies do not allow."""
    code, _ = _ERRORS.get(call.service) or _ERRORS[call.protocol]
    if call.service == "ec2":
        message = f"You are not authorized to perform this operation. {message}"
    return _refusal(call, code, message)


def failed(call: Call) -> HTTPException:
    """AWS's answer when the service itself is in trouble."""
    code = {"dynamodb": "InternalServerError", "s3": "InternalError"}.get(call.service, "InternalFailure")
    return _refusal(call, code, "We encountered an internal error. Please try again.", status=500)


def _refusal(call: Call, code: str, message: str, *, status: int | None = None) -> HTTPException:
    """The error as moto writes it in the protocol of the call."""
    serializer = get_serializer_class(call.service, call.protocol)(call.operation)
    answer = serializer.serialize(_Refusal(code, message))
    headers = {**answer["headers"], "x-amzn-RequestId": str(uuid.uuid4())}
    return HTTPException(response=Response(answer["body"], status or answer["status_code"], headers))
