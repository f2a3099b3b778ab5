"""What we expect of Lambda."""

from datetime import date, timedelta

from orgscan.check import Problem, Problems, View, check
from orgscan.model import Category, Severity
from orgscan.services.lambda_.facts import Function, Lifecycle, runtimes

MANAGED = ("aws-controltower", "StackSet-AWSControlTower")
"""How the functions begin that Control Tower deploys and only Control Tower can update."""


@check(
    Function,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Move the function to the successor of its runtime.",
    refs=("https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",),
    maps=("FSBP Lambda.2",),
    equivalent=("prowler:awslambda_function_using_supported_runtimes", "trusted-advisor:L4dfs2Q4C5"),
)
def lambda_function_runtime_deprecated(function: Function, view: View, *, warn_days: int = 180) -> Problems:
    """The function uses a runtime that is deprecated or will be soon.

    A deprecated runtime gets no security patches: medium, or high once AWS blocks updates of the function.
    Within `warn_days` of deprecation it is low; a runtime missing in our table is informational.
    """
    if function.runtime is None:
        return
    table = runtimes()
    lifecycle = table.lifecycles.get(function.runtime)
    if lifecycle is None:
        text = f"runtime {function.runtime} is not in our table of {table.as_of}"
        yield Problem(text, severity=Severity.INFORMATIONAL)
        return
    stage = _stage(lifecycle, view.now.date(), timedelta(days=warn_days))
    if stage:
        severity, text = stage
        successor = f"; its successor is {lifecycle.successor}" if lifecycle.successor else ""
        managed = " (deployed by Control Tower)" if function.name.startswith(MANAGED) else ""
        yield Problem(f"runtime {function.runtime} {text}{successor}{managed}", severity=severity)


def _stage(lifecycle: Lifecycle, today: date, warning: timedelta) -> tuple[Severity, str] | None:
    deprecated, update_blocked = lifecycle.deprecated, lifecycle.update_blocked
    if deprecated is None or deprecated > today + warning:
        return None
    if deprecated > today:
        return Severity.LOW, f"will be deprecated on {deprecated}"
    if update_blocked and update_blocked <= today:
        return (
            Severity.HIGH,
            f"is deprecated since {deprecated} and updates are blocked since {update_blocked}",
        )
    return Severity.MEDIUM, f"is deprecated since {deprecated}"
