"""What the Lambda checks accept and reject, as of `NOW` (January 2026)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from orgscan.check import Problem
from orgscan.model import Blindness, Gap, Series, Severity, TagRecord
from orgscan.policy import parse
from orgscan.secrets import Secret
from orgscan.services.lambda_.checks import (
    lambda_function_env_secret,
    lambda_function_policy_public,
    lambda_function_runtime_deprecated,
    lambda_function_timeout_near_limit,
    lambda_function_unused,
    lambda_function_url_public,
)
from orgscan.services.lambda_.facts import Function, Url
from tests.cases.case import NOW, Case, cannot_tell, fails, passes, usd

FUNCTION = Function(
    arn="arn:aws:lambda:eu-west-1:123456789012:function:invoice",
    name="invoice",
    runtime="python3.13",
    modified=NOW - timedelta(days=100),
    timeout=60,
    memory_mib=1024,
    arm=False,
    replica=False,
    secrets=(),
    policy=None,
    urls=(),
    provisioned=0,
)
OLD = replace(FUNCTION, runtime="python3.8")


def unread(what: str) -> Gap:
    return Gap(what, Blindness.DENIED, what)


RUNTIME_CASES: list[Case] = [
    passes(lambda_function_runtime_deprecated, FUNCTION),
    fails(
        lambda_function_runtime_deprecated,
        OLD,
        Problem(
            "runtime python3.8 is deprecated since 2024-10-14; its successor is python3.14",
            severity=Severity.MEDIUM,
        ),
    ),
    fails(
        lambda_function_runtime_deprecated,
        replace(FUNCTION, runtime="nodejs12.x"),
        Problem(
            "runtime nodejs12.x is deprecated since 2023-03-31 and updates are blocked since 2023-04-30; "
            "its successor is nodejs24.x",
            severity=Severity.HIGH,
        ),
    ),
    fails(
        lambda_function_runtime_deprecated,
        replace(FUNCTION, runtime="nodejs20.x"),
        Problem(
            "runtime nodejs20.x will be deprecated on 2026-04-30; its successor is nodejs24.x",
            severity=Severity.LOW,
        ),
    ),
    passes(
        lambda_function_runtime_deprecated,
        replace(FUNCTION, runtime="nodejs20.x"),
        parameters={"warn_days": 30},
    ),
    fails(
        lambda_function_runtime_deprecated,
        replace(FUNCTION, runtime="python3.14"),
        Problem("runtime python3.14 will be deprecated on 2029-06-30", severity=Severity.LOW),
        parameters={"warn_days": 10_000},
    ),
    fails(
        lambda_function_runtime_deprecated,
        replace(FUNCTION, runtime="cobol1.x"),
        Problem("runtime cobol1.x is not in our table of 2026-06-02", severity=Severity.INFORMATIONAL),
    ),
    # Too new to have a date.
    passes(lambda_function_runtime_deprecated, replace(FUNCTION, runtime="nodejs26.x")),
    # A container image brings its own runtime.
    passes(lambda_function_runtime_deprecated, replace(FUNCTION, runtime=None)),
    fails(
        lambda_function_runtime_deprecated,
        replace(OLD, name="aws-controltower-NotificationForwarder"),
        "runtime python3.8 is deprecated since 2024-10-14; its successor is python3.14 "
        "(deployed by Control Tower)",
    ),
]


def calls(*per_day: float) -> list[Series]:
    return [Series(per_day, 30)]


NEVER = "no invocations in 30 days"
JUST_OLD = replace(FUNCTION, modified=NOW - timedelta(days=30))
UNUSED_CASES: list[Case] = [
    # No datapoint is none: Lambda counts nothing when nothing is called.
    fails(lambda_function_unused, FUNCTION, Problem(NEVER, severity=Severity.LOW), measured=calls()),
    fails(lambda_function_unused, FUNCTION, NEVER, measured=calls(0, 0)),
    fails(lambda_function_unused, JUST_OLD, NEVER, measured=calls()),
    passes(lambda_function_unused, replace(JUST_OLD, modified=JUST_OLD.modified + timedelta(seconds=1))),
    passes(lambda_function_unused, FUNCTION, measured=calls(60, 40)),
    fails(
        lambda_function_unused,
        FUNCTION,
        Problem("99 invocations in 30 days", severity=Severity.INFORMATIONAL),
        measured=calls(60, 39),
    ),
    passes(lambda_function_unused, FUNCTION, measured=calls(1), parameters={"low_usage_per_month": 0}),
    passes(lambda_function_unused, FUNCTION, measured=calls(50), parameters={"window_days": 15}),
    # 5 GiB, kept ready for the 2,628,000 seconds of a month.
    fails(
        lambda_function_unused,
        replace(FUNCTION, provisioned=5),
        Problem(f"{NEVER}, with 5 provisioned executions", severity=Severity.HIGH, saving=usd(60.77)),
        measured=calls(),
    ),
    fails(
        lambda_function_unused,
        replace(FUNCTION, provisioned=5, arm=True, memory_mib=512),
        Problem(f"{NEVER}, with 5 provisioned executions", severity=Severity.HIGH, saving=usd(24.31)),
        measured=calls(),
    ),
    # It is unused, but how bad that is cannot be told.
    cannot_tell(
        lambda_function_unused,
        replace(FUNCTION, provisioned=unread("provisioned")),
        "provisioned",
        measured=calls(),
    ),
    fails(
        lambda_function_unused,
        replace(FUNCTION, name="aws-controltower-NotificationForwarder"),
        Problem(f"{NEVER} (deployed by Control Tower)", severity=Severity.INFORMATIONAL),
        measured=calls(),
    ),
    fails(
        lambda_function_unused,
        replace(FUNCTION, replica=True),
        Problem(f"{NEVER} (a replica of Lambda@Edge)", severity=Severity.INFORMATIONAL),
        measured=calls(),
    ),
    fails(
        lambda_function_unused,
        replace(FUNCTION, name="shop-CustomS3AutoDeleteObjectsCustomResourceProvider-x"),
        Problem(f"{NEVER} (runs only at deployments)", severity=Severity.INFORMATIONAL),
        measured=calls(),
        lost={TagRecord: unread("tags")},
    ),
    fails(
        lambda_function_unused,
        replace(FUNCTION, tags={"Purpose": "migration"}),
        Problem(f"{NEVER} (runs only at deployments)", severity=Severity.INFORMATIONAL),
        measured=calls(),
        parameters={"deploy_patterns": ["Purpose=migr*"]},
    ),
    cannot_tell(
        lambda_function_unused,
        FUNCTION,
        "tags",
        measured=calls(),
        lost={TagRecord: unread("tags")},
        parameters={"deploy_patterns": ["Purpose=migr*"]},
    ),
    cannot_tell(lambda_function_unused, FUNCTION, "metrics", measured=[unread("metrics")]),
]


def took(*milliseconds: float) -> list[Series]:
    return [Series(milliseconds, 14)]


TIMEOUT_CASES: list[Case] = [
    passes(lambda_function_timeout_near_limit, FUNCTION, measured=took(53_999, 10)),
    fails(
        lambda_function_timeout_near_limit,
        FUNCTION,
        "the longest run of 14 days took 54.0 of 60 seconds",
        measured=took(10, 54_000),
    ),
    fails(
        lambda_function_timeout_near_limit,
        FUNCTION,
        "the longest run of 7 days took 30.0 of 60 seconds",
        measured=took(30_000),
        parameters={"share": 0.5, "window_days": 7},
    ),
    fails(
        lambda_function_timeout_near_limit,
        replace(FUNCTION, timeout=900),
        "the longest run of 14 days took 900.0 of 900 seconds, the most that Lambda allows: "
        "consider Step Functions, durable functions or ECS",
        measured=took(900_000),
    ),
    passes(lambda_function_timeout_near_limit, replace(FUNCTION, timeout=900), measured=took(60_000)),
    # It never ran.
    passes(lambda_function_timeout_near_limit, FUNCTION, measured=took()),
    passes(lambda_function_timeout_near_limit, FUNCTION, measured=took(), parameters={"share": 0.0}),
    cannot_tell(lambda_function_timeout_near_limit, FUNCTION, "metrics", measured=[unread("metrics")]),
]

SECRETS = (
    Secret("secret-name", "variable DB_PASSWORD", "0123456789abcdef"),
    Secret("basic-auth", "variable QUEUE, line 2", "fedcba9876543210"),
)
SECRET_CASES: list[Case] = [
    passes(lambda_function_env_secret, FUNCTION),
    fails(
        lambda_function_env_secret,
        replace(FUNCTION, secrets=SECRETS),
        "variable DB_PASSWORD: looks like a secret (secret-name, sha256 0123456789abcdef)",
        "variable QUEUE, line 2: looks like a secret (basic-auth, sha256 fedcba9876543210)",
    ),
    cannot_tell(lambda_function_env_secret, replace(FUNCTION, secrets=unread("environment")), "environment"),
]


def let(*statements: dict[str, Any], function: Function = FUNCTION) -> Function:
    """The function with a policy that lets in whom these statements say."""
    common = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": function.arn}
    return replace(function, policy=parse({"Statement": [{**common, **each} for each in statements]}))


def only(operator: str, key: str, value: str) -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


ANYONE: dict[str, Any] = {"Principal": "*"}
S3: dict[str, Any] = {"Principal": {"Service": "s3.amazonaws.com"}}
OPEN_URL = {
    "Sid": "FunctionURLAllowPublicAccess",
    "Principal": "*",
    "Action": "lambda:InvokeFunctionUrl",
    **only("StringEquals", "lambda:FunctionUrlAuthType", "NONE"),
}
VIA_URL = {**ANYONE, **only("Bool", "lambda:InvokedViaFunctionUrl", "true")}
INVOKED = "everyone is allowed lambda:InvokeFunction"
POLICY_CASES: list[Case] = [
    passes(lambda_function_policy_public, FUNCTION),
    passes(lambda_function_policy_public, let({"Principal": {"AWS": "arn:aws:iam::210987654321:root"}})),
    fails(lambda_function_policy_public, let(ANYONE), Problem(INVOKED)),
    fails(
        lambda_function_policy_public,
        let({"Principal": {"AWS": "*"}, "Sid": "all", "Action": "lambda:*"}),
        "everyone is allowed lambda:* (statement all)",
    ),
    *[
        passes(lambda_function_policy_public, let({**ANYONE, **only(operator, key, value)}))
        for operator, key, value in (
            ("StringEquals", "aws:SourceAccount", "123456789012"),
            ("ArnLike", "aws:SourceArn", "arn:aws:sns:eu-west-1:123456789012:orders"),
            ("StringEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
            ("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::123456789012:role/caller"),
            ("StringEquals", "lambda:FunctionUrlAuthType", "AWS_IAM"),
        )
    ],
    fails(
        lambda_function_policy_public,
        let({**ANYONE, **only("StringEqualsIfExists", "aws:PrincipalOrgID", "o-a1b2c3d4e5")}),
        f"{INVOKED} (not narrowed by aws:PrincipalOrgID)",
    ),
    # What opens a URL is the other check's, what only looks like it is not.
    passes(lambda_function_policy_public, let(OPEN_URL, VIA_URL)),
    fails(
        lambda_function_policy_public,
        let({**ANYONE, **only("Bool", "lambda:InvokedViaFunctionUrl", "false")}),
        f"{INVOKED} (not narrowed by lambda:InvokedViaFunctionUrl)",
    ),
    fails(
        lambda_function_policy_public,
        let({**ANYONE, **only("StringEqualsIfExists", "lambda:FunctionUrlAuthType", "NONE")}),
        f"{INVOKED} (not narrowed by lambda:FunctionUrlAuthType)",
    ),
    passes(
        lambda_function_policy_public,
        let(ANYONE, {**ANYONE, "Effect": "Deny", "Action": "lambda:*", "Resource": "*"}),
    ),
    fails(
        lambda_function_policy_public,
        let(S3),
        Problem(
            "s3.amazonaws.com is allowed lambda:InvokeFunction on behalf of any account",
            severity=Severity.MEDIUM,
        ),
    ),
    passes(
        lambda_function_policy_public,
        let({**S3, **only("StringEquals", "AWS:SourceAccount", "123456789012")}),
    ),
    passes(
        lambda_function_policy_public,
        let({**S3, **only("ArnLike", "AWS:SourceArn", "arn:aws:s3:::reports")}),
    ),
    fails(
        lambda_function_policy_public,
        let(ANYONE, S3),
        INVOKED,
        "s3.amazonaws.com is allowed lambda:InvokeFunction on behalf of any account",
    ),
    cannot_tell(lambda_function_policy_public, replace(FUNCTION, policy=unread("GetPolicy")), "GetPolicy"),
]

PUBLIC = let(OPEN_URL).policy
URL = Url(alias="", auth="NONE", policy=PUBLIC, any_origin=False)


def urls(*urls: Url) -> Function:
    return replace(FUNCTION, urls=urls)


CLOSED = "the URL needs no authentication, but the policy lets nobody in"
URL_CASES: list[Case] = [
    passes(lambda_function_url_public, FUNCTION),
    passes(lambda_function_url_public, replace(FUNCTION, urls=None)),
    passes(lambda_function_url_public, urls(replace(URL, auth="AWS_IAM", any_origin=True))),
    fails(lambda_function_url_public, urls(URL), Problem("the URL needs no authentication")),
    fails(
        lambda_function_url_public,
        urls(replace(URL, any_origin=True, alias="live")),
        Problem(
            "the URL of alias live needs no authentication, "
            "and browsers may call it with credentials from any web page",
            key="live",
        ),
    ),
    fails(
        lambda_function_url_public,
        urls(replace(URL, policy=None)),
        Problem(CLOSED, severity=Severity.LOW),
    ),
    # To invoke the function is not to invoke its URL.
    fails(
        lambda_function_url_public,
        urls(replace(URL, policy=let(ANYONE).policy)),
        Problem(CLOSED, severity=Severity.LOW),
    ),
    fails(
        lambda_function_url_public,
        urls(
            replace(
                URL,
                policy=let({**OPEN_URL, **only("StringEquals", "aws:PrincipalOrgID", "o-1")}).policy,
            )
        ),
        Problem(CLOSED, severity=Severity.LOW),
    ),
    fails(
        lambda_function_url_public,
        urls(URL, replace(URL, alias="test", policy=None)),
        Problem("the URL needs no authentication"),
        Problem(
            "the URL of alias test needs no authentication, but the policy lets nobody in",
            severity=Severity.LOW,
            key="test",
        ),
    ),
    # What is certain first.
    Case(
        lambda_function_url_public,
        urls(replace(URL, alias="test", policy=unread("GetPolicy")), URL),
        ("the URL needs no authentication",),
        unread="GetPolicy",
    ),
    cannot_tell(lambda_function_url_public, urls(replace(URL, auth="SIGV5")), "unknown AuthType SIGV5"),
    cannot_tell(
        lambda_function_url_public,
        replace(FUNCTION, urls=unread("ListFunctionUrlConfigs")),
        "ListFunctionUrlConfigs",
    ),
]

CASES = [
    *RUNTIME_CASES,
    *UNUSED_CASES,
    *TIMEOUT_CASES,
    *SECRET_CASES,
    *POLICY_CASES,
    *URL_CASES,
]
