"""Becoming a member account. The one place where AWS clients are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

LOADER = Loader()
"""Loading service models is the largest CPU cost of a small scan: once per process, not once per session."""

ROLE = "arn:{partition}:iam::{account}:role/{name}"
CONFIG = Config(
    retries={"mode": "adaptive", "max_attempts": 8},
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=32,
    user_agent_extra="orgscan",
)


_declared: ContextVar[frozenset[str]] = ContextVar("declared", default=frozenset())


class UndeclaredCall(Exception):
    """Code called an API it did not declare, so the role cannot allow it."""


@contextmanager
def declared(calls: Iterable[str]) -> Iterator[None]:
    """Within this block, guarded clients make these calls ('ec2:DescribeVolumes') and no other."""
    before = _declared.get()
    _declared.set(frozenset(calls))
    try:
        yield
    finally:
        _declared.set(before)


def _guard(model: Any, **_: object) -> None:
    call = f"{model.service_model.service_name}:{model.name}"
    if call not in _declared.get():
        raise UndeclaredCall(call)


class Clients:
    """Clients of one set of credentials, made once per service and region; safe to share between threads.

    Guarded ones refuse what the running code did not declare, so that a declaration cannot rot.
    """

    def __init__(self, session: boto3.Session, *, guarded: bool, config: Config = CONFIG) -> None:
        self._session = session
        self._guarded = guarded
        self._config = config
        self._made: dict[tuple[str, str], Any] = {}
        self._lock = Lock()

    @property
    def partition(self) -> str:
        return str(self._session.get_partition_for_region(self._session.region_name))

    def get(self, service: str, region: str | None = None) -> Any:
        """Clients are thread-safe, making them from a shared session is not."""
        key = (service, region or self._session.region_name)
        with self._lock:
            if key not in self._made:
                client = self._session.client(service, region_name=key[1], config=self._config)
                if self._guarded:
                    client.meta.events.register("before-parameter-build", _guard)
                self._made[key] = client
            return self._made[key]

    def table(self, name: str) -> Any:
        """A DynamoDB table that speaks Python's types."""
        return self._session.resource("dynamodb", config=self._config).Table(name)


def here(*, retries: bool = True) -> Clients:
    """The clients of whoever runs this code; without retries, for what must not happen twice."""
    config = CONFIG if retries else CONFIG.merge(Config(retries={"total_max_attempts": 1}))
    return Clients(_session(), guarded=False, config=config)


def assume(home: Clients, account: str, *, role: str, external_id: str, session_name: str) -> Clients:
    """A member account's clients. One invocation outlives no token, so nothing refreshes.

    The session is named after the caller, so that CloudTrail in the member account says who looked.
    Raises ClientError when the role does not exist or does not trust us.
    """
    # The regional endpoint issues tokens that opt-in regions accept; the global one does not.
    sts = home.get("sts")
    arn = ROLE.format(partition=home.partition, account=account, name=role)
    granted = sts.assume_role(RoleArn=arn, RoleSessionName=session_name[:64], ExternalId=external_id)
    keys = granted["Credentials"]
    return Clients(
        _session(
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            region_name=sts.meta.region_name,
        ),
        guarded=True,
    )


def _session(**keys: str) -> boto3.Session:
    core = botocore.session.get_session()
    core.register_component("data_loader", LOADER)
    return boto3.Session(botocore_session=core, **keys)
