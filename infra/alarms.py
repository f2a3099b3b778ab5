"""A scanner that stopped, or sees less than it did, must shout. What each alarm means: docs/operating.md."""

from collections.abc import Iterable, Iterator

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.config import Schedule
from infra.scan_workflow import LONGEST
from infra.schedule import dead_man_hours
from orgscan.figures import COMPLETED, DROP, MISSING, SCHEDULE

PERIOD = Duration.minutes(5)
RUNBOOK = "docs/operating.md"
POINTS = 5
"""Of coverage, that one scan may lose against the one before."""
NEAR = 0.8
"""Of the time that AWS gives: so much is near the limit."""
SPENT = 0.98
"""A large target goes on in the next invocation, which begins at 93% of this one; writing ends by 98%."""
MORE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
LESS = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD


class Alarms(Construct):
    """`all`: the alarms, in the order of the runbook."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        topic: sns.ITopic,
        namespace: str,
        machine: sfn.StateMachine,
        plan: lambda_.Function,
        scan: lambda_.Function,
        report: lambda_.Function,
        dead_letters: sqs.IQueue,
        schedules: Iterable[Schedule],
    ) -> None:
        super().__init__(scope, id)
        self._tell = actions.SnsAction(topic)
        self._namespace = namespace
        self.all: list[cloudwatch.Alarm] = [
            *self._of_executions(machine),
            *self._of_functions(plan, scan, report),
            self._not_started(dead_letters),
            *self._of_scans(),
            *(
                self._no_scan(schedule.name, hours)
                for schedule in schedules
                if (hours := dead_man_hours(schedule.expression))
            ),
        ]

    def _of_executions(self, machine: sfn.StateMachine) -> Iterator[cloudwatch.Alarm]:
        for name, metric, description in (
            ("ScanFailed", machine.metric_failed(period=PERIOD), "A scan failed: its execution says why"),
            ("ScanTimedOut", machine.metric_timed_out(period=PERIOD), "A scan took too long and was ended"),
            ("ScanAborted", machine.metric_aborted(period=PERIOD), "Somebody ended a scan"),
        ):
            yield self._alarm(name, metric, description)
        took = machine.metric_time(period=PERIOD, statistic="Maximum")
        most = NEAR * LONGEST.to_milliseconds()
        yield self._alarm("ScanSlow", took, "A scan took most of the time it has", MORE, most)

    def _of_functions(
        self, plan: lambda_.Function, scan: lambda_.Function, report: lambda_.Function
    ) -> Iterator[cloudwatch.Alarm]:
        broke = "A target's scan broke: the report names it"
        yield self._alarm("TargetFailed", scan.metric_errors(period=PERIOD), broke)
        for name, function, share, description in (
            (
                "TargetSlow",
                scan,
                SPENT,
                "A target's scan nearly ran out of time, where it should have gone on",
            ),
            ("PlanSlow", plan, NEAR, "Planning nearly ran out of time"),
            ("ReportSlow", report, NEAR, "Reporting nearly ran out of time"),
        ):
            took = function.metric_duration(period=PERIOD, statistic="Maximum")
            most = share * (function.timeout or Duration.seconds(0)).to_milliseconds()
            yield self._alarm(name, took, description, MORE, most)

    def _not_started(self, dead_letters: sqs.IQueue) -> cloudwatch.Alarm:
        waiting = dead_letters.metric_approximate_number_of_messages_visible(
            period=PERIOD, statistic="Maximum"
        )
        description = "A schedule could not start a scan: the dead letter queue has its input"
        return self._alarm("NotStarted", waiting, description)

    def _of_scans(self) -> Iterator[cloudwatch.Alarm]:
        drop, lost = (reported(self._namespace, name, statistic="Maximum") for name in (DROP, MISSING))
        fell = f"A scan covered over {POINTS} points less than its schedule's scan before"
        yield self._alarm("CoverageDropped", drop, fell, MORE, POINTS)
        yield self._alarm("OutcomesMissing", lost, "Targets were planned of which no worker told anything")

    def _no_scan(self, schedule: str, hours: int) -> cloudwatch.Alarm:
        return self._alarm(
            "NoScan",
            reported(self._namespace, COMPLETED, schedule=schedule, period=Duration.hours(1)),
            f"No scan {schedule!r} was completed for {hours} hours (also between deployment and the first)",
            LESS,
            of=schedule,
            evaluation_periods=hours,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.Metric,
        description: str,
        comparison: cloudwatch.ComparisonOperator = AT_LEAST,
        threshold: float = 1,
        *,
        of: str = "",
        evaluation_periods: int = 1,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> cloudwatch.Alarm:
        """`of`: the schedule, where each has an alarm of that name."""
        alarm = cloudwatch.Alarm(
            self,
            f"{name}-{of}" if of else name,
            metric=metric,
            alarm_description=f"{description}. What to do: {RUNBOOK}#{name.lower()}",
            threshold=threshold,
            evaluation_periods=evaluation_periods,
            comparison_operator=comparison,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(self._tell)
        return alarm


def reported(
    namespace: str, name: str, *, schedule: str = "", statistic: str = "Sum", period: Duration = PERIOD
) -> cloudwatch.Metric:
    """What the report function says of a finished scan."""
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map={"service": "report", **({SCHEDULE: schedule} if schedule else {})},
        statistic=statistic,
        period=period,
    )
