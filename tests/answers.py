"""What AWS answers where the simulated AWS cannot: one operation of one real client, the rest as ever."""

from collections.abc import Mapping
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from orgscan.model import Target
from orgscan.session import Clients


def answer(clients: Clients, target: Target, call: str, *parsed: Mapping[str, Any]) -> None:
    """From now on 'iam:GetUser' answers with these in turn, and then with the last for ever."""
    _answer(clients, target, call, 200, parsed)


def refuse(clients: Clients, target: Target, call: str, code: str = "AccessDenied") -> None:
    message = f"User: someone is not authorized to perform: {call} because no identity-based policy allows it"
    _answer(clients, target, call, 403, ({"Error": {"Code": code, "Message": message}},))


def _answer(
    clients: Clients, target: Target, call: str, status: int, parsed: tuple[Mapping[str, Any], ...]
) -> None:
    service, _, operation = call.partition(":")
    client = clients.get(service, target.api_region)
    waiting = list(parsed)

    def respond(**_: object) -> tuple[AWSResponse, Mapping[str, Any]]:
        return AWSResponse("", status, HTTPHeaders(), None), waiting.pop(0) if len(waiting) > 1 else waiting[
            0
        ]

    service_id = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register_first(f"before-call.{service_id}.{operation}", respond)
