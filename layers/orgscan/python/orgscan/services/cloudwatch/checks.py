"""What we expect of CloudWatch."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from fnmatch import fnmatchcase

from orgscan import prices
from orgscan.check import Problem, Problems, View, check
from orgscan.model import Category, Money, Resource, Severity, Unread
from orgscan.services.cloudwatch.facts import Alarm, Watched
from orgscan.services.ec2.facts import Instance, NatGateway, Volume
from orgscan.services.lambda_.facts import Function
from orgscan.services.rds.facts import DBCluster, DBInstance

SCALING = "TargetTracking-*"
"""Alarms that Auto Scaling makes, uses and deletes by itself."""
NAMED: Mapping[tuple[str, str], tuple[type[Resource], str, str]] = {
    ("AWS/EBS", "VolumeId"): (Volume, "ec2", "volume/"),
    ("AWS/EC2", "InstanceId"): (Instance, "ec2", "instance/"),
    ("AWS/Lambda", "FunctionName"): (Function, "lambda", "function:"),
    ("AWS/NATGateway", "NatGatewayId"): (NatGateway, "ec2", "natgateway/"),
    ("AWS/RDS", "DBClusterIdentifier"): (DBCluster, "rds", "cluster:"),
    ("AWS/RDS", "DBInstanceIdentifier"): (DBInstance, "rds", "db:"),
    ("CWAgent", "InstanceId"): (Instance, "ec2", "instance/"),
}
"""Namespace and dimension -> the kind that the dimension's value names, and how its ARN ends before that.
Of kinds only whose collector lists all there are."""


@check(
    Alarm,
    severity=Severity.LOW,
    category=Category.OPERATIONS,
    fix="Name an SNS topic as the alarm's action and enable its actions, or delete it.",
    also=(Alarm,),
    equivalent=(
        "prowler:cloudwatch_alarm_actions_alarm_state_configured",
        "prowler:cloudwatch_alarm_actions_enabled",
    ),
    cli=(
        "aws cloudwatch enable-alarm-actions --alarm-names={id} --region {region}",
        (
            "aws cloudwatch describe-alarms --alarm-types MetricAlarm CompositeAlarm --alarm-names={id} "
            "--region {region}"
        ),
        (
            "aws cloudwatch put-metric-alarm --cli-input-json "
            "'file://<the-alarm-with-a-topic-in-alarm-actions>' --region {region}"
        ),
    ),
    cdk="""
        cloudwatch.CfnAlarm(
            self,
            "Alarm",
            metric_name="<metric>",
            namespace="<namespace>",
            statistic="<statistic>",
            period=300,
            evaluation_periods=1,
            threshold=1,
            comparison_operator="GreaterThanOrEqualToThreshold",
            alarm_actions=["<topic>"],
        )
    """,
)
def cloudwatch_alarm_no_actions(
    alarm: Alarm, view: View, *, exempt_patterns: Sequence[str] = [SCALING]
) -> Problems:
    """An alarm has no action for state ALARM, or its actions are disabled.

    It goes off and nobody hears it. Alarms that a composite alarm looks at need none, nor do Auto Scaling's;
    `exempt_patterns` are globs over names, also for those that stop deployments of CodeDeploy or ECS.
    """
    if alarm.actions and alarm.actions_enabled:
        return
    exempt = any(fnmatchcase(alarm.name, pattern) for pattern in exempt_patterns)
    if exempt or view.related(Alarm, "children", alarm.name):
        return
    yield "its actions are disabled" if alarm.actions else "nothing happens when it goes off"


@check(
    Alarm,
    severity=Severity.LOW,
    category=Category.OPERATIONS,
    fix="Delete the alarm, or point it to what took the place of its resource.",
    also=(Alarm, DBCluster, DBInstance, Function, Instance, NatGateway, Volume),
    cli=(
        (
            "aws cloudwatch describe-alarms --alarm-types MetricAlarm CompositeAlarm --alarm-names={id} "
            "--region {region}"
        ),
        "aws cloudwatch delete-alarms --alarm-names={id} --region {region}",
    ),
)
def cloudwatch_alarm_orphaned(
    alarm: Alarm, view: View, *, min_days: int = 7, metric_days: int = 15
) -> Problems:
    """An alarm watches a metric that receives no data any more, usually because its resource is gone.

    It costs money and will never go off. Told when it has had INSUFFICIENT_DATA for `min_days` and each of
    its metrics is of a resource that is gone, or for `metric_days` whatever the reason. Where missing data
    counts as something else the state says nothing, and the resource alone decides, as it does for the alarms
    of Auto Scaling. A composite alarm is orphaned when all alarms in its rule are gone.
    """
    if alarm.children is not None:
        yield from _childless(view, alarm.children)
        return
    tells = alarm.missing == "missing" and not fnmatchcase(alarm.name, SCALING)
    silent = view.now - alarm.since if alarm.state == "INSUFFICIENT_DATA" else timedelta(0)
    if tells and silent < timedelta(days=min_days):
        return
    since = f"no data since {alarm.since:%Y-%m-%d}"
    long_silent = tells and silent >= timedelta(days=metric_days)
    try:
        gone = ", ".join(_gone(alarm.watched or (), view))
    except Unread:
        if not long_silent:
            raise
        gone = ""
    if gone:
        text = f"{gone} does not exist any more"
        yield Problem(f"{since}: {text}" if tells else text, saving=_price(alarm, view))
    elif long_silent:
        yield Problem(since, saving=_price(alarm, view))


def _childless(view: View, children: Sequence[str]) -> Problems:
    if children and not any(view.related(Alarm, "name", name) for name in children):
        yield Problem(
            f"none of the alarms in its rule exists any more: {', '.join(children)}",
            saving=prices.monthly(view.target, "cw.alarm_composite"),
        )


def _gone(watched: Sequence[Watched], view: View) -> list[str]:
    """The resources of the metrics; none as soon as one of them may be there."""
    gone: dict[str, None] = {}
    for metric in watched:
        names = list(_missing(metric, view))
        if not names:
            return []
        gone |= dict.fromkeys(names)
    return list(gone)


def _missing(metric: Watched, view: View) -> Iterator[str]:
    for dimension, value in metric.dimensions.items():
        kind, service, prefix = NAMED.get((metric.namespace, dimension), (None, "", ""))
        # Functions with a dot are copies at the edge, machines in 'mi-' are not EC2's.
        if kind is None or (kind is Function and "." in value) or value.startswith("mi-"):
            continue
        if not view.related(kind, "arn", view.target.arn(service, f"{prefix}{value}")):
            yield value


def _price(alarm: Alarm, view: View) -> Money | None:
    """Each metric costs as much as an alarm."""
    if alarm.watched is None:
        return None
    key = "cw.alarm_high_res" if alarm.high_resolution else "cw.alarm_standard"
    return prices.monthly(view.target, key, len(alarm.watched))
