"""Becoming a member account. The one place where AWS clients are made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from math import inf
from threading import Lock
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialResolver, Credentials
from botocore.exceptions import NoCredentialsError
from botocore.loaders import Loader
from botocore.parsers import ResponseParserError

from orgscan import attributes
from orgscan.credentials import Given, OfCaller, RoleCredentials
from orgscan.errors import OutOfTime, Told, expired, throttled
from orgscan.meter import Meter
from orgscan.once import (
    agent_once,
    aliases_once,
    authorities_once,
    classes_once,
    listeners_asked_once,
    listeners_shared,
    models_once,
    rules_once,
)
from orgscan.pace import Pace
from orgscan.parsers import Parsers
from orgscan.road import Road, arrived, deliver
from orgscan.warm import Caller, Warm, calling, shortened, twin

LOADER = Loader()
"""Loading service models is the largest CPU cost of a small scan: once per process, not once per session."""

ROLE = "arn:{partition}:iam::{account}:role/{name}"
HTTP_ERROR = 300
"""Status from which an answer is a refusal; below it, 'Error' may be a field of what was asked."""
CONFIG = Config(
    retries={"mode": "adaptive", "max_attempts": 8},
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=32,
    user_agent_extra="orgscan",
)
ONE_HOST = Config(s3={"addressing_style": "path"})
"""Of a region's buckets, whose connections are kept: to reach a bucket's own host takes longer than
what it is asked. AWS means to end this one day for new buckets, and to say so a year before:
https://aws.amazon.com/blogs/aws/amazon-s3-path-deprecation-plan-the-rest-of-the-story/"""
METRICS = "cloudwatch.GetMetricData"
"""The call that is billed by what it asks for."""
VISITING = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 5}, read_timeout=20))
"""For many accounts at once: what one of them is refused for must not slow down the others."""
SIGNING = CONFIG.merge(Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))
"""For links: S3 takes no older signature for what KMS encrypts, and none of another host's."""
SHORTEST_S = 900
"""For which STS grants credentials."""
SIGNED_WITH = "X-Amz-Security-Token"
"""The header, and our key in a request's context, for the session token a request was signed with."""


_declared: ContextVar[frozenset[str]] = ContextVar("declared", default=frozenset())


class UndeclaredCall(Told):
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


def _remember_token(request: Any, **_: object) -> None:
    there = arrived()
    request.context[SIGNED_WITH] = there.token if there else request.headers.get(SIGNED_WITH)


def _whole(response: Any, **_: object) -> None:
    """Botocore takes JSON that broke off for an object without members, and that reads as an empty list."""
    if response is None:
        return
    http, parsed = response
    if http.status_code >= HTTP_ERROR or parsed.keys() - {"ResponseMetadata"}:
        return
    body = http.content.strip()
    if body.startswith(b"{"):
        try:
            json.loads(body)
        except ValueError:
            raise ResponseParserError("invalid JSON received") from None


class Clients:
    """Clients of one set of credentials, made once per service and region; safe to share between threads.

    Guarded ones refuse what the running code did not declare, so that a declaration cannot rot, and take
    their turn with `pace` before every attempt; `meter` counts those. `renew` says of a session token that
    AWS called expired whether there is a newer one; the call is then repeated. `warm`: where the clients come
    from, and stay for others; they need `credentials`.
    """

    def __init__(  # noqa: PLR0913 (what a call is made with)
        self,
        session: boto3.Session,
        *,
        guarded: bool,
        config: Config = CONFIG,
        credentials: Credentials | None = None,
        pace: Pace | None = None,
        meter: Meter | None = None,
        renew: Callable[[str], bool] | None = None,
        warm: Warm | None = None,
    ) -> None:
        self._session = session
        self._guarded = guarded
        self._config = config
        self._credentials = credentials
        self._pace = pace
        self._meter = meter or Meter()
        self._renew = renew
        self._warm = warm
        self._seconds_left: Callable[[], float] = lambda: inf
        self._closed = False
        self._made: dict[tuple[str, str], Any] = {}
        self._lock = Lock()

    def limit(self, seconds_left: Callable[[], float]) -> None:
        """Guarded clients raise OutOfTime rather than wait longer for a turn, or ask when nothing is left."""
        self._seconds_left = seconds_left

    def close(self) -> None:
        """Every further request of guarded clients raises OutOfTime: threads may outlive their deadline."""
        self._closed = True

    @property
    def partition(self) -> str:
        return str(self._session.get_partition_for_region(self._session.region_name))

    @property
    def credentials(self) -> Credentials:
        """With which requests are signed; they renew themselves where they can. Raises NoCredentialsError."""
        found = self._credentials or self._session.get_credentials()
        if found is None:
            raise NoCredentialsError
        return found

    def get(self, service: str, region: str | None = None) -> Any:
        """Clients are thread-safe, making them from a shared session is not."""
        key = (service, region or self._session.region_name)
        with self._lock:
            if key not in self._made:
                self._made[key] = self._client(*key)
            return self._made[key]

    def _client(self, service: str, region: str) -> Any:
        if self._warm:
            return twin(self._warm.get(service, region), self)
        client = self._session.client(service, region_name=region, config=self._config)
        return twin(_watched(client) if self._guarded else _shortened(client), self)

    def measured(self, metrics: int) -> None:
        self._meter.measured(metrics)

    def turn(self, region: str, call: str) -> None:
        """Return when an attempt of the call may be made. Raises OutOfTime."""
        left = self._seconds_left()
        if self._closed or left <= 0:
            raise OutOfTime
        if self._pace:
            self._pace.wait(region, call, most=left)
        if self._closed:
            raise OutOfTime
        self._meter.asked(call)

    def refused(self, call: str) -> None:
        self._meter.refused(call)

    def renewed(self, used: str | None) -> bool:
        """Whether there are newer keys than those with this session token."""
        return bool(self._renew and used and self._renew(used))

    def worn(self, service: str, region: str) -> None:
        """A client was made to try again, and will remember that against the targets that follow."""
        if self._warm:
            self._warm.drop(service, region)

    def table(self, name: str) -> Any:
        """A DynamoDB table that speaks Python's types."""
        with self._lock:
            table = self._session.resource("dynamodb", config=self._config).Table(name)
        attributes.fast(table.meta.client)
        table.meta.client = twin(_shortened(table.meta.client), self)
        return table


def _watched(client: Any) -> Any:
    """The same client; every call must now be declared, takes its turn, and is counted for its caller."""
    service, events = client.meta.service_model, client.meta.events
    name = service.service_id.hyphenize()
    events.register("before-parameter-build", _guard)
    events.register(f"before-parameter-build.{METRICS}", _count_metrics)
    # Each attempt is created anew, and signed by a handler of this very event: whoever waits, waits
    # before it, because a signature is good for five minutes only.
    where = (service.service_name, client.meta.region_name)
    events.register_first(f"request-created.{name}", partial(_turn, where))
    events.register_last(f"request-created.{name}", _remember_token)
    events.register_first(f"needs-retry.{name}", partial(_again, where))
    events.register_last(f"needs-retry.{name}", _whole)
    return _shortened(client)


def _shortened(client: Any) -> Any:
    client.meta.events.register(f"before-send.{client.meta.service_model.service_id.hyphenize()}", deliver)
    return shortened(client, Road(client).call)


def _caller() -> Caller:
    caller = calling()
    if caller is None:
        raise NoCredentialsError
    return caller


def _count_metrics(params: Mapping[str, Any], **_: object) -> None:
    if not arrived():
        _caller().measured(len(params.get("MetricDataQueries", ())))


def _turn(where: tuple[str, str], request: Any, operation_name: str, **_: object) -> None:
    if arrived():
        return
    caller, (service, region) = _caller(), where
    if request.context["retries"]["attempt"] > 1:
        caller.worn(service, region)
    caller.turn(region, f"{service}:{operation_name}")


def _again(
    where: tuple[str, str], response: Any, request_dict: Mapping[str, Any], operation: Any, **_: object
) -> int | None:
    """0: botocore repeats the request after as many seconds, signed anew. None: botocore decides."""
    if response is None:
        return None
    http, parsed = response
    if http.status_code < HTTP_ERROR:
        return None
    caller, (service, region) = _caller(), where
    error = parsed.get("Error") or {}
    code, message = error.get("Code") or "", error.get("Message") or ""
    if throttled(code):
        caller.refused(f"{service}:{operation.name}")
        caller.worn(service, region)
    if expired(code, message):
        return 0 if caller.renewed(request_dict["context"].get(SIGNED_WITH)) else None
    return None


def here(*, retries: bool = True, profile: str | None = None, validated: bool = True) -> Clients:
    """The clients of whoever runs this code; without retries, for what must not happen twice.

    `profile`: whose credentials and region, of the AWS configuration files; else as the environment says.
    `validated`: botocore looks at all that is asked before AWS does.
    """
    config = CONFIG if retries else CONFIG.merge(Config(retries={"total_max_attempts": 1}))
    config = config.merge(Config(parameter_validation=validated))
    return Clients(_session(profile=profile), guarded=False, config=config)


def directly(home: Clients, *, polite: float = 1.0, meter: Meter | None = None) -> Clients:
    """The clients of the caller's own account, which ask it as those that `assume` makes: guarded, politely.

    Each target wants its own, since they end with it. Raises NoCredentialsError.
    """
    session = _session(home.credentials, region=home.get("sts").meta.region_name)
    return Clients(session, guarded=True, pace=Pace(polite), meter=meter)


def lend(home: Clients, role: str, *, minutes: int, session_name: str) -> tuple[Clients, datetime]:
    """The clients of a role, given by its ARN, and when their credentials expire: what they sign does, too.

    A role that assumes another one, as functions do, gets an hour at most; nobody gets less than a quarter.
    """
    granted = home.get("sts").assume_role(
        RoleArn=role, RoleSessionName=session_name[:64], DurationSeconds=max(SHORTEST_S, minutes * 60)
    )
    keys = granted["Credentials"]
    credentials = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    session = _session(credentials, region=home.get("sts").meta.region_name)
    return Clients(session, guarded=False, config=SIGNING), keys["Expiration"]


def assume(  # noqa: PLR0913 (whom to become, as whom, and what with)
    home: Clients,
    account: str,
    *,
    role: str,
    external_id: str | None,
    session_name: str,
    polite: float = 1.0,
    meter: Meter | None = None,
    kept: Kept | None = None,
) -> Clients:
    """A member account's clients, which ask it politely. A token that expires is renewed once.

    The session is named after the caller, so that CloudTrail in the member account says who looked. Without
    `external_id` none is presented: for roles of other makes, and to see whether a role asks for one.
    `kept`: what was made for accounts before, and will be used for those after.
    Raises ClientError when the role does not exist or does not trust us.
    """
    ask = partial(_granted, home, account, role=role, external_id=external_id, session_name=session_name)
    credentials = RoleCredentials(ask)
    kept = kept or keep(home)
    return Clients(
        kept.session,
        guarded=True,
        credentials=credentials,
        pace=Pace(polite),
        meter=meter,
        renew=credentials.renew,
        warm=kept.warm,
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """What one account's clients can share with the next one's: all but whose they are."""

    session: boto3.Session
    warm: Warm


def keep(home: Clients, config: Config = CONFIG) -> Kept:
    """Nothing yet."""
    session = _session(OfCaller(), region=home.get("sts").meta.region_name)
    # What is asked is ours, and tests look at it.
    config = config.merge(Config(parameter_validation=False)).merge(ONE_HOST)

    def make(service: str, region: str) -> Any:
        client = session.client(service, region_name=region, config=config)
        agent_once(client)
        return _watched(client)

    return Kept(session, Warm(make))


def visits(
    home: Clients, *, role: str, external_id: str | None, session_name: str, meter: Meter | None = None
) -> Callable[[str], Clients]:
    """A way into very many accounts, for one question in each, which needs no pace and no second token.

    Entering raises ClientError as `assume` does.
    """
    kept = keep(home, VISITING)

    def enter(account: str) -> Clients:
        keys = _granted(home, account, role=role, external_id=external_id, session_name=session_name)
        credentials = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        return Clients(kept.session, guarded=True, credentials=credentials, meter=meter, warm=kept.warm)

    return enter


def _granted(
    home: Clients, account: str, *, role: str, external_id: str | None, session_name: str
) -> Mapping[str, Any]:
    """STS's Credentials."""
    arn = ROLE.format(partition=home.partition, account=account, name=role)
    presented = {} if external_id is None else {"ExternalId": external_id}
    # The regional endpoint issues tokens that opt-in regions accept; the global one does not. No duration
    # means one hour: as much as AWS allows a role, such as the hub's function has, that assumes another one.
    granted = home.get("sts").assume_role(RoleArn=arn, RoleSessionName=session_name[:64], **presented)
    keys: Mapping[str, Any] = granted["Credentials"]
    return keys


def _session(
    credentials: Credentials | None = None, *, region: str | None = None, profile: str | None = None
) -> boto3.Session:
    classes_once()
    models_once()
    authorities_once()
    aliases_once()
    rules_once()
    listeners_shared()
    listeners_asked_once()
    core = botocore.session.get_session()
    core.register_component("data_loader", LOADER)
    core.register_component("response_parser_factory", Parsers())
    core.set_config_variable("sts_regional_endpoints", "regional")
    if credentials:
        core.register_component("credential_provider", CredentialResolver([Given(credentials)]))
    made = boto3.Session(botocore_session=core, region_name=region, profile_name=profile)
    # Each client asks some fifty times for what a file says of the profile, which is whose it is by now.
    setattr(core, "get_scoped_config", cache(core.get_scoped_config))  # noqa: B010 (mypy minds)
    return made
