"""Functions that tell secrets, let anyone in, run out of time, or do nothing."""

import json
import secrets
from collections.abc import Mapping
from functools import partial
from typing import Any

from local import past
from local.faults.data import function, zipped
from local.faults.load import measure_daily
from local.place import Act, Place, scenario

SECRET, PUBLIC = "lambda-function-env-secret", "lambda-function-policy-public"
TIMEOUT, UNUSED = "lambda-function-timeout-near-limit", "lambda-function-unused"
URL = "lambda-function-url-public"
URLS, PROVISIONED = "lambda:ListFunctionUrlConfigs", "lambda:ListProvisionedConcurrencyConfigs"
POLICY = "lambda:GetPolicy"
ABSENT: Mapping[str, Any] = {
    URLS: {"FunctionUrlConfigs": []},
    PROVISIONED: {"ProvisionedConcurrencyConfigs": []},
    POLICY: lambda _: None,  # the embedded AWS has policies, but none with the condition of a URL
}
CURRENT = zipped("python3.13")


@scenario(copies=2)
def function_that_tells_its_password(place: Place) -> None:
    settings = {"LOG_LEVEL": "info", "DB_PASSWORD": secrets.token_hex(12)}
    name, arn = function(place, "billing", Environment={"Variables": settings}, **CURRENT)
    update = place.client("lambda").update_function_configuration
    mend = partial(update, FunctionName=name, Environment={"Variables": {"LOG_LEVEL": "info"}})
    place.fails(SECRET, resource=arn, mend=mend, remove=_removal(place, name))


@scenario()
def function_that_knows_where_its_password_is(place: Place) -> None:
    settings = {
        "DB_PASSWORD": "{{resolve:secretsmanager:billing}}",
        "API_TOKEN": place.arn("secretsmanager", "secret:billing-a1b2c3"),
        "SECRET_NAME": "billing/database",
        "PASSWORD_MIN_LENGTH": "14",
    }
    _, arn = function(place, "billing-vault", Environment={"Variables": settings}, **CURRENT)
    place.looks_like(SECRET, resource=arn)


@scenario(copies=2)
def function_that_anyone_may_invoke(place: Place) -> None:
    name, arn = function(place, "convert", **CURRENT)
    _allow(place, name, "*")
    mend = partial(place.client("lambda").remove_permission, FunctionName=name, StatementId="caller")
    place.fails(PUBLIC, resource=arn, mend=mend, remove=_removal(place, name))


@scenario()
def function_that_any_bucket_may_invoke(place: Place) -> None:
    name, arn = function(place, "index", **CURRENT)
    _allow(place, name, "s3.amazonaws.com")
    place.fails(PUBLIC, resource=arn)


@scenario()
def function_that_a_bucket_may_invoke(place: Place) -> None:
    name, arn = function(place, "index-ours", **CURRENT)
    _allow(place, name, "s3.amazonaws.com", SourceAccount=place.account.id)
    place.looks_like(PUBLIC, resource=arn)


@scenario(copies=2)
def function_with_an_open_url(place: Place) -> None:
    name, arn = function(place, "webhook-open", **CURRENT)
    _url(place, name, arn, "NONE")
    allow = {
        "Sid": "FunctionURLAllowPublicAccess",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "lambda:InvokeFunctionUrl",
        "Resource": arn,
        "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    place.answers(POLICY, {"Policy": policy}, FunctionName=name)
    mend = partial(_url, place, name, arn, "AWS_IAM")
    place.fails(URL, resource=arn, mend=mend, remove=_removal(place, name))
    place.looks_like(PUBLIC, resource=arn)


@scenario()
def function_with_a_url_that_nobody_may_use(place: Place) -> None:
    name, arn = function(place, "webhook-shut", **CURRENT)
    _url(place, name, arn, "NONE", alias="live")
    place.fails(URL, resource=arn, key="live")


@scenario()
def function_with_a_url_for_those_who_sign(place: Place) -> None:
    name, arn = function(place, "webhook-signed", **CURRENT)
    _url(place, name, arn, "AWS_IAM")
    place.looks_like(URL, resource=arn)


@scenario(copies=2)
def function_that_nearly_times_out(place: Place) -> None:
    name, arn = function(place, "nightly", Timeout=60, **CURRENT)
    measure_daily(place, "AWS/Lambda", {"FunctionName": name}, Duration=59_000.0)
    update = partial(place.client("lambda").update_function_configuration, FunctionName=name, Timeout=600)
    place.fails(TIMEOUT, resource=arn, mend=update, remove=_removal(place, name))


@scenario()
def function_in_good_time(place: Place) -> None:
    """It is long there, and busy."""
    name, arn = function(place, "hourly", Timeout=60, **CURRENT)
    past.age_function(place.account.id, place.region, name, days=300)
    measure_daily(place, "AWS/Lambda", {"FunctionName": name}, Duration=40_000.0, Invocations=24.0)
    place.looks_like(TIMEOUT, UNUSED, resource=arn)


@scenario(copies=2)
def function_that_nobody_calls(place: Place) -> None:
    name, arn = function(place, "import-2019", **CURRENT)
    past.age_function(place.account.id, place.region, name, days=300)
    place.fails(UNUSED, resource=arn, remove=_removal(place, name))


@scenario()
def function_kept_ready_for_nobody(place: Place) -> None:
    name, arn = function(place, "checkout-v1", **CURRENT)
    past.age_function(place.account.id, place.region, name, days=90)
    ready = {
        "FunctionArn": f"{arn}:1",
        "RequestedProvisionedConcurrentExecutions": 10,
        "Status": "READY",
    }
    place.answers(PROVISIONED, {"ProvisionedConcurrencyConfigs": [ready]}, FunctionName=name)
    place.fails(UNUSED, resource=arn)


@scenario()
def function_changed_lately(place: Place) -> None:
    _, arn = function(place, "import-2026", **CURRENT)
    place.looks_like(UNUSED, resource=arn)


def _allow(place: Place, name: str, principal: str, **source: str) -> None:
    place.client("lambda").add_permission(
        FunctionName=name,
        StatementId="caller",
        Action="lambda:InvokeFunction",
        Principal=principal,
        **source,
    )


def _url(place: Place, name: str, arn: str, auth: str, *, alias: str = "") -> None:
    url = {
        "FunctionUrl": f"https://{name}.lambda-url.{place.region}.on.aws/",
        "FunctionArn": f"{arn}:{alias}" if alias else arn,
        "AuthType": auth,
    }
    place.answers(URLS, {"FunctionUrlConfigs": [url]}, FunctionName=name)


def _removal(place: Place, name: str) -> Act:
    return partial(place.client("lambda").delete_function, FunctionName=name)
