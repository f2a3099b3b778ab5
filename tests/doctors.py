"""An AWS that answers as it is told to, whoever asks from whichever session: for what moto cannot say.

    world = World(monkeypatch)
    world.answer("sqs:GetQueueAttributes", {"Attributes": {}})
    world.refuse("ec2:DescribeRegions", account="111111111111", region="eu-west-1", by=SCP)

What nobody told it is an empty answer. Parameters are checked as botocore always does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import botocore.handlers
import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from orgscan import items
from orgscan.receipt import Receipt
from orgscan.store import shard_of

HUB = "111122223333"
SCP = "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/x/p-closed"
NOBODY = "because no identity-based policy allows it"
Answer: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """One request, as it was asked."""

    name: str
    """'sts:AssumeRole'."""
    account: str
    region: str
    asked: Mapping[str, Any]


@dataclass(frozen=True)
class Refusal:
    code: str
    message: str
    status: int = 403


Reply: TypeAlias = Answer | Refusal | Callable[[Call], Answer | Refusal]


class World:
    """The credentials of the environment are the hub account's; a session's are its role's account."""

    def __init__(self, patch: pytest.MonkeyPatch, principal: str = "assumed-role/Admin/alice") -> None:
        self.calls: list[Call] = []
        self._replies: dict[tuple[str, str, str], Reply] = {}
        self._scans: dict[str, list[Receipt]] = {}
        mine: list[Any] = [("before-parameter-build", _remember), ("before-call", self._reply)]
        patch.setattr(botocore.handlers, "BUILTIN_HANDLERS", [*botocore.handlers.BUILTIN_HANDLERS, *mine])
        arn = f"arn:aws:sts::{HUB}:{principal}"
        self.answer("sts:GetCallerIdentity", {"Account": HUB, "Arn": arn, "UserId": "AIDA"})
        self.answer("sts:AssumeRole", session_of)
        self.answer("dynamodb:Query", self._query)

    def answer(self, call: str, reply: Reply, *, account: str = "", region: str = "") -> None:
        """In an account and region, or everywhere; the narrowest that was told answers."""
        self._replies[call, account, region] = reply

    def refuse(self, call: str, *, by: str = NOBODY, code: str = "AccessDenied", **where: str) -> None:
        text = f"User: someone is not authorized to perform: {call} on resource: * {by}"
        self.answer(call, Refusal(code, text), **where)

    def scanned(self, scan: str, *receipts: Receipt) -> None:
        """By the hub, and finished."""
        self._scans[scan] = [*receipts]

    def asked(self, name: str) -> list[Call]:
        return [call for call in self.calls if call.name == name]

    def _reply(self, model: Any, request_signer: Any, context: Any, **_: object) -> Any:
        account = request_signer._credentials.get_frozen_credentials().access_key.removeprefix("OF")
        account = account if account.isdigit() else HUB
        name = f"{model.service_model.service_name}:{model.name}"
        call = Call(name, account, request_signer.region_name, context.get("asked", {}))
        self.calls.append(call)
        places = ((account, call.region), (account, ""), ("", call.region), ("", ""))
        reply: Any = next((self._replies[name, *at] for at in places if (name, *at) in self._replies), {})
        found = reply(call) if callable(reply) else reply
        if isinstance(found, Refusal):
            told = {"Error": {"Code": found.code, "Message": found.message}}
            return AWSResponse("", found.status, HTTPHeaders(), None), {
                **told,
                "ResponseMetadata": {"HTTPStatusCode": found.status},
            }
        return AWSResponse("", 200, HTTPHeaders(), None), {**found}

    def _query(self, call: Call) -> Answer:
        values = call.asked["ExpressionAttributeValues"].values()
        (pk, *_) = (each["S"] for each in values)
        if pk == "SCANS":
            rows: list[Mapping[str, Any]] = [{"pk": pk, "sk": scan} for scan in sorted(self._scans)[::-1]]
        else:
            scan = pk.split("#")[1]
            here = [each for each in self._scans[scan] if shard_of(scan, each.target.account) == pk]
            rows = [
                {**items.from_receipt(each), "sk": f"{each.target.account}#{each.target.region}"}
                for each in here
            ]
        serialize = TypeSerializer().serialize
        return {"Items": [{name: serialize(value) for name, value in row.items()} for row in rows]}


def session_of(call: Call) -> Answer:
    """Of a role, whose account its access key tells."""
    account = call.asked["RoleArn"].split(":")[4]
    keys = {"AccessKeyId": f"OF{account}", "SecretAccessKey": "s", "SessionToken": "t"}
    return {"Credentials": keys}


def _remember(params: Any, context: Any, **_: object) -> None:
    context["asked"] = params
