"""The same calls by plain boto3: a client for each account, region and service, and as many calls at once.

    python -S -P plain.py TOLD.json

TOLD: port, certificate, at_once, batches (of benchmarks/trace.py), accounts (one for each batch), role,
result. What is answered is parsed by botocore and thrown away. Nothing is paced, judged or stored.
"""

from collections.abc import Callable
from threading import Lock
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from benchmarks.dial import redirect
from benchmarks.replay import Ask, replay, told


class Account:
    """Its clients, made when they are first asked for."""

    def __init__(self, home: Any, account: str, role: str) -> None:
        keys = home.client("sts").assume_role(
            RoleArn=f"arn:{home.get_partition_for_region(home.region_name)}:iam::{account}:role/{role}",
            RoleSessionName="plain",
        )["Credentials"]
        core = botocore.session.get_session()
        core.register_component("data_loader", home._session.get_component("data_loader"))  # noqa: SLF001
        self._session = boto3.Session(
            keys["AccessKeyId"],
            keys["SecretAccessKey"],
            keys["SessionToken"],
            region_name=home.region_name,
            botocore_session=core,
        )
        self._config = Config(max_pool_connections=32)
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = Lock()

    def call(self, service: str, region: str, operation: str, parameters: dict[str, Any]) -> None:
        with self._lock:
            client = self._clients.get((service, region))
            if client is None:
                where = None if region == "aws-global" else region
                client = self._session.client(service, region_name=where, config=self._config)
                self._clients[service, region] = client
        client._make_api_call(operation, parameters)  # noqa: SLF001 (what its methods are made of)


def main() -> None:
    given = told()
    redirect(given["port"], given["certificate"])

    def begin() -> Callable[[str], Ask]:
        home, accounts = boto3.Session(), dict[str, Account]()

        def enter(account: str) -> Ask:
            if account not in accounts:
                accounts.clear()  # those of an account that is through are of no use any more
                accounts[account] = Account(home, account, given["role"])
            return accounts[account].call

        return enter

    replay(given, begin)


if __name__ == "__main__":
    main()
