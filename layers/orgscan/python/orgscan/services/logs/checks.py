"""What we expect of CloudWatch Logs."""

from collections.abc import Sequence
from datetime import timedelta
from fnmatch import fnmatchcase

from orgscan import prices
from orgscan.check import Problem, Problems, View, check
from orgscan.model import Category, Confidence, Metric, Severity, Unread
from orgscan.services.lambda_.facts import Function
from orgscan.services.logs.facts import LogGroup

DAY = 86400
OF_FUNCTIONS = "/aws/lambda/"
OLD_SHARE = 0.7
"""Of what is stored: assumed to be older than a retention that somebody would set."""


@check(
    LogGroup,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Set a retention.",
    equivalent=("prowler:cloudwatch_log_group_retention_policy_specific_days_enabled",),
    cli=(
        (
            "aws logs put-retention-policy --log-group-name={id} --retention-in-days '<days>' --region "
            "{region}"
        ),
    ),
    cdk="""
        logs.CfnLogGroup(self, "LogGroup", retention_in_days=90)
    """,
)
def cloudwatch_log_group_no_retention(
    group: LogGroup, view: View, *, min_days: int = 0, big_gib: int = 50, keep_forever: Sequence[str] = []
) -> Problems:
    """A log group keeps its events for ever, or shorter than policy demands.

    What nobody reads any more is paid for every month, and more of it each time. Medium above `big_gib`.
    Retentions below `min_days` are another reason; 0 demands nothing. Groups that are protected from deletion
    or named by one of the globs in `keep_forever` may keep events for ever.
    """
    if group.delivery:
        return
    if group.retention_days is not None:
        if group.retention_days < min_days:
            yield f"events are kept for {group.retention_days} days, policy demands {min_days}"
        return
    if group.protected or any(fnmatchcase(group.name, pattern) for pattern in keep_forever):
        return
    saving = prices.monthly(view.target, "logs.storage_gb", group.stored_gib * OLD_SHARE)
    yield Problem(
        f"events are kept for ever, {group.stored_gib:,.1f} GiB so far",
        severity=Severity.MEDIUM if group.stored_gib > big_gib else None,
        saving=prices.doubted(saving, Confidence.LOW),
    )


@check(
    LogGroup,
    severity=Severity.INFORMATIONAL,
    category=Category.COST,
    fix="Delete the log group.",
    also=(Function,),
    measures=(Metric("AWS/Logs", "IncomingBytes", "Sum", DAY),),
    cli=(
        (
            "aws logs create-export-task --log-group-name={id} --from 0 --to '<now-in-milliseconds>' "
            "--destination '<bucket>' --region {region}"
        ),
        "aws logs describe-export-tasks --region {region}",
        "aws logs delete-log-group --log-group-name={id} --region {region}",
    ),
)
def cloudwatch_log_group_unused(group: LogGroup, view: View, *, max_days: int = 60) -> Problems:
    """A log group is empty, or has received nothing for a long time.

    Usually what wrote to it is gone. Days without a datapoint are days without events. Younger groups are not
    judged. Where the group is a function's that no longer exists, the finding says so.
    """
    if group.delivery or group.created > view.now - timedelta(days=max_days):
        return
    if not group.stored_bytes:
        text = f"empty, created {group.created:%Y-%m-%d}"
    else:
        (received,) = view.measure(group, days=max_days)
        if sum(received.values):
            return
        text = f"nothing received in {max_days} days, {group.stored_gib:,.1f} GiB stored"
    saving = prices.monthly(view.target, "logs.storage_gb", group.stored_gib)
    yield Problem(f"{text}{_orphaned(group, view)}", saving=saving)


def _orphaned(group: LogGroup, view: View) -> str:
    """Only a remark: where the functions were not seen, the finding stands without it."""
    name = group.name.removeprefix(OF_FUNCTIONS)
    # With a dot it is the copy at the edge of a function in another region: 'us-east-1.redirect'.
    if name == group.name or "." in name:
        return ""
    try:
        return "" if view.related(Function, "name", name) else f"; function {name} does not exist any more"
    except Unread:
        return ""
