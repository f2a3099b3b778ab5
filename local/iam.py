"""IAM for the embedded AWS: a gate in front of moto that refuses every call AWS would refuse.

What moto has of this knows neither conditions nor resources, neither trust across accounts nor service
control policies. It stays off, and this WSGI application decides. Only `admin_key`, the emulator's own hand,
is never asked. Policies of buckets, queues and topics are not read: ours only ask for TLS.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from moto.core import errors
from moto.iam.models import iam_backends
from moto.organizations.models import organizations_backends
from moto.sts.models import STSBackend, sts_backends
from werkzeug.exceptions import HTTPException

from local import calls
from local.beyond import Beyond
from local.calls import Call
from local.policy import Request, effects

_ADMIN = re.compile(r"Credential=ASIA(\d{12})ROOT/")


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


class Gate:
    """The WSGI application that knows who calls and decides; `moto` gets what passes."""

    def __init__(
        self, moto: Any, *, hub: str, opt_in_regions: Mapping[str, frozenset[str]], beyond: Beyond
    ) -> None:
        self._moto, self._hub, self._opt_in_regions, self._beyond = moto, hub, opt_in_regions, beyond
        self._callers: dict[str, Caller] = {}
        self.denials: list[Denial] = []
        self.used: set[tuple[str, str]] = set()
        """(ARN of a role, action) of every call that was allowed."""
        self.trouble: Callable[[Caller, Call], HTTPException | None] = lambda _caller, _call: None
        """What goes wrong with a call that is allowed, if anything: for rehearsing bad days."""

    def install(self, patch: pytest.MonkeyPatch) -> None:
        self._remember_sessions(patch)
        _refuse_quietly(patch)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        try:
            # Without this header moto looks for the key in every account.
            environ["HTTP_X_MOTO_ACCOUNT_ID"] = self._account(environ)
        except HTTPException as answer:  # a refusal, or what moto cannot say
            return answer(environ, start_response)
        return self._moto(environ, start_response)

    def _account(self, environ: dict[str, Any]) -> str:
        """The account that the call is made in. Raises AWS's answer if it is not allowed."""
        admin = _ADMIN.search(environ.get("HTTP_AUTHORIZATION", ""))
        if admin is not None:
            return admin[1]
        call = calls.read(environ)
        caller = self._callers.get(call.access_key)
        if caller is None:
            raise calls.unrecognized(call)
        if caller.account not in self._opt_in_regions.get(call.region, {caller.account}):
            self.denials.append(Denial(caller.arn, "", "", f"{call.region} is not enabled"))
            raise calls.unrecognized(call)
        if call.operation.name != "GetCallerIdentity":  # which AWS allows even against an explicit deny
            self._authorize(caller, call)
        trouble = self.trouble(caller, call)
        if trouble is not None:
            raise trouble
        answer = self._beyond.write(caller.account, call.region, call.name, call.parameters)
        if answer is not None:
            raise calls.answered(answer)
        return caller.account

    def _authorize(self, caller: Caller, call: Call) -> None:
        for action, resource in call.needs(caller.account):
            why = self._why_not(caller, self._request(caller, call, action, resource))
            if why is not None:
                self.denials.append(Denial(caller.arn, action, resource, why))
                what = f"User: {caller.arn} is not authorized to perform: {action} on resource: {resource}"
                raise calls.denied(call, f"{what} {why}".strip())
            self.used.add((caller.role_arn, action))

    def _why_not(self, caller: Caller, request: Request) -> str | None:
        """The end of AWS's sentence, or None if the request is allowed."""
        for policy in self._control_policies(caller.account):
            if "Deny" in effects([policy.content], request):
                return f"with an explicit deny in a service control policy: {policy.arn}"
        said = effects(_role_policies(caller.role_arn), request)
        if "Deny" in said:
            return "with an explicit deny in an identity-based policy"
        if not said:
            return f"because no identity-based policy allows the {request.action} action"
        if request.action == "sts:AssumeRole" and not _trusts(request):
            return ""  # AWS does not tell a missing role from one that does not trust the caller
        return None

    def _request(self, caller: Caller, call: Call, action: str, resource: str) -> Request:
        names = {caller.account, f"arn:aws:iam::{caller.account}:root", caller.role_arn, caller.arn}
        context = {"aws:principalarn": caller.role_arn, "aws:requestedregion": call.region}
        organization = organizations_backends[self._hub]["aws"]
        if caller.account in {account.id for account in organization.accounts}:
            context["aws:principalorgid"] = organization.org.id
        if "ExternalId" in call.parameters:
            context["sts:externalid"] = call.parameters["ExternalId"]
        return Request(action, resource, frozenset(names), context)

    def _control_policies(self, account: str) -> Iterator[Any]:
        """Of the account, of each OU above it and of the root; the management account is free."""
        organization = organizations_backends[self._hub]["aws"]
        nodes = {node.id: node for node in (*organization.accounts, *organization.ou)}
        node = nodes.get(account) if account != self._hub else None
        while node is not None:
            yield from node.attached_policies
            node = nodes.get(node.parent_id)

    def _remember_sessions(self, patch: pytest.MonkeyPatch) -> None:
        """In moto sessions are in a list per account; the gate asks by access key at every call."""
        original = STSBackend.assume_role

        def assume_role(backend: Any, **arguments: Any) -> Any:
            session = original(backend, **arguments)
            self._callers[session.access_key_id] = Caller(session.account_id, session.arn, session.role_arn)
            return session

        patch.setattr(STSBackend, "assume_role", assume_role)


def _refuse_quietly(patch: pytest.MonkeyPatch) -> None:
    """Moto warns of errors that a service's model does not list, and none lists those of IAM."""
    patch.setattr(errors, "warn", lambda *_, **__: None)


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
    if not _trusts(Request("sts:AssumeRole", role_arn, frozenset({service}), context)):
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


def _trusts(request: Request) -> bool:
    """Whether the role exists and its trust policy lets the caller in."""
    role = _role(request.resource)
    return role is not None and effects([role.assume_role_policy_document], request) == {"Allow"}


def _role(arn: str) -> Any | None:
    roles = iam_backends[arn.split(":")[4]]["aws"].get_roles()
    return next((role for role in roles if role.arn == arn), None)


def _role_policies(arn: str) -> list[Any]:
    role = _role(arn)
    if role is None:  # deleted since
        return []
    versions = [version for policy in role.managed_policies.values() for version in policy.versions]
    return [*role.policies.values(), *(version.document for version in versions if version.is_default)]
