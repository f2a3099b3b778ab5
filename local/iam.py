"""IAM for the embedded AWS: a gate in front of moto that refuses every call AWS would refuse.

What moto has of this knows neither conditions nor resources, neither trust across accounts nor service
control policies. It stays off, and this WSGI application decides. Only `admin_key`, the emulator's own hand,
is never asked.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.iam.access_control import PermissionResult
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.organizations.models import organizations_backends
from moto.s3.models import FakeBucket, s3_backends
from moto.sts.models import STSBackend, sts_backends

from local import calls
from local.calls import Call
from local.patching import Patch
from local.policy import Decision, Request, decide


@dataclass(frozen=True, slots=True)
class Denial:
    """`action` and `resource` are empty if a call was refused because its region is off."""

    principal: str
    action: str
    resource: str
    why: str


@dataclass(frozen=True, slots=True)
class Caller:
    """A session of a role."""

    account: str
    arn: str
    role_arn: str

    @property
    def names(self) -> frozenset[str]:
        """What a policy may call it."""
        root = f"arn:aws:iam::{self.account}:root"
        return frozenset({self.account, root, self.role_arn, self.arn})


class Gate:
    """The WSGI application that knows who calls and decides; `moto` gets what passes."""

    def __init__(self, moto: Any, *, hub: str, opt_in_regions: Mapping[str, frozenset[str]]) -> None:
        self._moto, self._hub, self._opt_in_regions = moto, hub, opt_in_regions
        self._callers: dict[str, Caller] = {}
        self.denials: list[Denial] = []

    def install(self, patch: Patch) -> None:
        self._remember_sessions(patch)
        _leave_bucket_policies_to_the_gate(patch)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        call = calls.read(environ)
        if call is None:
            start_response("403 Forbidden", [("Content-Length", "0")])
            return []
        admin = _ADMIN_KEY.fullmatch(call.access_key)
        caller = self._callers.get(call.access_key)
        if admin is None:
            error = calls.unrecognized(call) if caller is None else self._error(call, caller)
            if error is not None:
                return calls.refuse(call, *error, start_response)
        # Without this header moto looks for the key in every account.
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = caller.account if caller else admin[1] if admin else ""
        response: Iterable[bytes] = self._moto(environ, start_response)
        return response

    def _error(self, call: Call, caller: Caller) -> tuple[str, str] | None:
        if caller.account not in self._opt_in_regions.get(call.region, {caller.account}):
            self.denials.append(Denial(caller.arn, "", "", f"{call.region} is not enabled"))
            return calls.unrecognized(call)
        if call.operation == "GetCallerIdentity":  # which AWS allows even against an explicit deny
            return None
        for action, resource in call.needs(caller.account):
            why = self._why_not(caller, call, Request(action, resource, caller.names, _context(caller, call)))
            if why is not None:
                self.denials.append(Denial(caller.arn, action, resource, why))
                what = f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource}"
                return calls.denied(call, f"{what} {why}".strip())
        return None

    def _why_not(self, caller: Caller, call: Call, request: Request) -> str | None:
        """The end of AWS's sentence, or None if the request is allowed."""
        levels = [decide(level, request) for level in self._control_policies(caller.account)]
        identity = decide(_role_policies(caller), request)
        resource = decide(_bucket_policy(caller, call), request)
        explicit = {
            "a service control policy": Decision.DENY in levels,
            "an identity-based policy": identity is Decision.DENY,
            "a resource-based policy": resource is Decision.DENY,
        }
        for kind, denies in explicit.items():
            if denies:
                return f"with an explicit deny in {kind}"
        if Decision.SILENT in levels:
            return f"because no service control policy allows the {request.action} action"
        if Decision.ALLOW not in {identity, resource}:
            return f"because no identity-based policy allows the {request.action} action"
        if request.action == "sts:AssumeRole" and not trusts(request.resource, request):
            return ""  # AWS does not tell a missing role from one that does not trust the caller
        return None

    def _control_policies(self, account: str) -> Iterator[list[str]]:
        """Documents of the account, of each OU above it and of the root; the management account is free."""
        organization = organizations_backends[self._hub]["aws"]
        nodes = {node.id: node for node in (*organization.accounts, *organization.ou)}
        node = nodes.get(account) if account != self._hub else None
        while node is not None:
            yield [
                policy.content for policy in node.attached_policies if policy.type == "SERVICE_CONTROL_POLICY"
            ]
            node = nodes.get(node.parent_id)

    def _remember_sessions(self, patch: Patch) -> None:
        """In moto sessions are in a list per account; the gate asks by access key at every call."""
        original = STSBackend.assume_role

        def assume_role(backend: Any, **arguments: Any) -> Any:
            session = original(backend, **arguments)
            self._callers[session.access_key_id] = Caller(session.account_id, session.arn, session.role_arn)
            return session

        patch(STSBackend, "assume_role", assume_role)


def _leave_bucket_policies_to_the_gate(patch: Patch) -> None:
    """Conditions mean nothing to moto, so `enforce_ssl` would refuse every request."""
    patch(FakeBucket, "get_permission", lambda *_: PermissionResult.NEUTRAL)


_ADMIN_KEY = re.compile(r"ASIA(\d{12})ROOT")


def admin_key(account: str) -> str:
    """The access key of the emulator's own hand in an account, which it names."""
    return f"ASIA{account}ROOT"


def role_credentials(role_arn: str, service: str, source: str, session: str) -> dict[str, Any]:
    """Credentials of a role for an AWS service, as arguments of a boto3 session; they never expire.

    `source` is the ARN of the resource that the service acts for.
    Raises PermissionError if the role is missing or does not trust the service.
    """
    account = role_arn.split(":")[4]
    context = {"aws:sourcearn": source, "aws:sourceaccount": source.split(":")[4]}
    if not trusts(role_arn, Request("sts:AssumeRole", role_arn, frozenset({service}), context)):
        raise PermissionError(f"{service} cannot assume the role {role_arn} for {source}.")
    role = sts_backends[account]["aws"].assume_role(
        region_name="us-east-1",
        role_session_name=session[:64],
        role_arn=role_arn,
        policy="",
        duration=3600,
        external_id="",
    )
    return {
        "aws_access_key_id": role.access_key_id,
        "aws_secret_access_key": role.secret_access_key,
        "aws_session_token": role.session_token,
    }


def trusts(role_arn: str, request: Request) -> bool:
    """Whether the role exists and its trust policy lets the caller in."""
    role = _role(role_arn)
    return role is not None and decide([_text(role.assume_role_policy_document)], request) is Decision.ALLOW


def _role(arn: str) -> Any | None:
    try:
        return iam_backends[arn.split(":")[4]]["aws"].get_role_by_arn(arn)
    except NotFoundException:
        return None


def _role_policies(caller: Caller) -> list[str]:
    role = _role(caller.role_arn)
    if role is None:  # deleted since
        return []
    versions = [version for policy in role.managed_policies.values() for version in policy.versions]
    managed = [version.document for version in versions if version.is_default]
    return [_text(document) for document in (*role.policies.values(), *managed)]


def _bucket_policy(caller: Caller, call: Call) -> list[str]:
    buckets = s3_backends[caller.account]["aws"].buckets if call.service == "s3" else {}
    bucket = buckets.get(call.parameters.get("Bucket"))
    return [_text(bucket.policy)] if bucket is not None and bucket.policy else []


def _text(document: Any) -> str:
    if isinstance(document, bytes):
        return document.decode()
    return document if isinstance(document, str) else json.dumps(document)


def _context(caller: Caller, call: Call) -> dict[str, str]:
    """Condition keys in lower case, as IAM compares them."""
    context = {
        "aws:securetransport": "true",  # the endpoint stands for AWS's own, which is TLS
        "aws:principalaccount": caller.account,
        "aws:principalarn": caller.role_arn,
        "aws:requestedregion": call.region,
    }
    if call.service == "sts":  # sts:ExternalId, sts:RoleSessionName
        context |= {f"sts:{name.lower()}": str(value) for name, value in call.parameters.items()}
    return context
