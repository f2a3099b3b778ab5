"""What the Lambda checks accept and reject, as of `NOW` (January 2026)."""

from dataclasses import replace

from orgscan.check import Problem
from orgscan.model import Severity
from orgscan.services.lambda_.checks import lambda_function_runtime_deprecated
from orgscan.services.lambda_.facts import Function
from tests.cases.case import Case, fails, passes

FUNCTION = Function(
    arn="arn:aws:lambda:eu-west-1:123456789012:function:invoice", name="invoice", runtime="python3.13"
)
OLD = replace(FUNCTION, runtime="python3.8")

CASES: list[Case] = [
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
