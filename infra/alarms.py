"""A scanner that stopped must shout."""

from collections.abc import Iterable

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.config import Schedule
from infra.schedule import dead_man_hours

PERIOD = Duration.minutes(5)


class Alarms(Construct):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        topic: sns.ITopic,
        machine: sfn.StateMachine,
        scan: lambda_.IFunction,
        dead_letters: sqs.IQueue,
        schedules: Iterable[Schedule],
    ) -> None:
        super().__init__(scope, id)
        self._tell = actions.SnsAction(topic)
        waiting = dead_letters.metric_approximate_number_of_messages_visible(
            period=PERIOD, statistic="Maximum"
        )
        for name, metric, description in (
            ("ScanFailed", machine.metric_failed(period=PERIOD), "A scan failed: its execution says why"),
            ("ScanTimedOut", machine.metric_timed_out(period=PERIOD), "A scan took too long and was ended"),
            ("ScanAborted", machine.metric_aborted(period=PERIOD), "Somebody ended a scan"),
            ("TargetFailed", scan.metric_errors(period=PERIOD), "A target's scan broke: the report names it"),
            ("NotStarted", waiting, "A schedule could not start a scan: the dead letter queue has its input"),
        ):
            self._alarm(name, metric, description, missing=cloudwatch.TreatMissingData.NOT_BREACHING)
        if hours := dead_man_hours(schedule.expression for schedule in schedules):
            self._no_scan(machine, hours)

    def _no_scan(self, machine: sfn.StateMachine, hours: int) -> None:
        self._alarm(
            "NoScan",
            machine.metric_succeeded(period=Duration.hours(1)),
            f"No scan has succeeded for {hours} hours (also between deployment and the first scan)",
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=hours,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )

    def _alarm(
        self,
        id: str,
        metric: cloudwatch.Metric,
        description: str,
        *,
        missing: cloudwatch.TreatMissingData,
        evaluation_periods: int = 1,
        comparison_operator: cloudwatch.ComparisonOperator = (
            cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
        ),
    ) -> None:
        cloudwatch.Alarm(
            self,
            id,
            metric=metric,
            alarm_description=description,
            threshold=1,
            evaluation_periods=evaluation_periods,
            comparison_operator=comparison_operator,
            treat_missing_data=missing,
        ).add_alarm_action(self._tell)
