"""One page of how scanning goes: what it sees, how long it takes, what it costs, whether it is well."""

from collections.abc import Iterable, Mapping, Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.saved_queries import SLOWEST
from infra.scanner_function import ScannerFunction
from orgscan.figures import COMPLETED, COVERAGE, OPEN, PLANNED, REACHED, SCHEDULE, SECONDS, UNSEEN
from orgscan.meter import CALLS, THROTTLES

HALF, WHOLE = 12, 24
DAY = Duration.days(1)
"""Most schedules scan once a day: shorter periods would be mostly empty."""
SHOWN = Duration.days(30)
MIB_MS = 1024 * 1000
"""In a gigabyte-second."""


class Dashboard(Construct):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        alarms: Sequence[cloudwatch.IAlarm],
        schedules: Iterable[str],
        functions: Mapping[str, ScannerFunction],
        scan_log: logs.ILogGroup,
        table: dynamodb.ITable,
    ) -> None:
        """`name`: of the deployment, and the namespace of its metrics. `functions`: by their titles.

        Dashboards have no region: the name must hold it, so that two deployments do not meet.
        """
        super().__init__(scope, id)
        self._namespace = name
        self._functions = functions
        cloudwatch.Dashboard(
            self,
            "Page",
            dashboard_name=f"{name}-{Stack.of(self).region}",
            default_interval=SHOWN,
            widgets=[
                [cloudwatch.AlarmStatusWidget(title="Alarms", alarms=[*alarms], width=WHOLE, height=4)],
                [
                    self._by_schedule("Coverage (%)", [COVERAGE], "Minimum", ceiling=100),
                    self._by_schedule("Duration (seconds)", [SECONDS], "Maximum"),
                ],
                [self._by_schedule("Targets", [PLANNED, REACHED], "Maximum"), self._completed()],
                *([self._open(each), self._unseen(each)] for each in schedules),
                [self._slowest(scan_log)],
                [self._asked(), self._throttled()],
                [self._gigabyte_seconds(), self._table(table)],
            ],
        )

    def _by_schedule(
        self, title: str, names: Sequence[str], statistic: str, *, ceiling: float | None = None
    ) -> cloudwatch.GraphWidget:
        """A line for each schedule there ever was, that of people included."""
        wanted = " OR ".join(f'"{name}"' for name in names)
        found = (
            f"SEARCH('{{\"{self._namespace}\",{SCHEDULE},service}} MetricName=({wanted})',"
            f" '{statistic}', {DAY.to_seconds()})"
        )
        label = f"${{PROP('Dim.{SCHEDULE}')}} ${{PROP('MetricName')}}"
        line = cloudwatch.MathExpression(expression=found, using_metrics={}, label=label, period=DAY)
        axis = cloudwatch.YAxisProps(min=0, max=ceiling, show_units=False)
        return self._graph(title, [line], axis)

    def _completed(self) -> cloudwatch.GraphWidget:
        return self._by_schedule("Scans completed", [COMPLETED], "Sum")

    def _open(self, schedule: str) -> cloudwatch.GraphWidget:
        worst_first = reversed(OPEN.items())
        lines = [self._reported(name, schedule, label=severity) for severity, name in worst_first]
        return self._graph(f"Open findings: {schedule}", lines)

    def _unseen(self, schedule: str) -> cloudwatch.GraphWidget:
        lines = [self._reported(name, schedule, label=reason) for reason, name in UNSEEN.items()]
        return self._graph(f"Checks not evaluated, by reason: {schedule}", lines, stacked=True)

    def _slowest(self, log: logs.ILogGroup) -> cloudwatch.LogQueryWidget:
        return cloudwatch.LogQueryWidget(
            title="The slowest targets",
            log_group_names=[log.log_group_name],
            query_lines=[*SLOWEST],
            view=cloudwatch.LogQueryVisualizationType.TABLE,
            width=WHOLE,
            height=8,
        )

    def _asked(self) -> cloudwatch.GraphWidget:
        calls, refused = (self._of_workers(name) for name in (CALLS, THROTTLES))
        axis = cloudwatch.YAxisProps(min=0, show_units=False)
        return cloudwatch.GraphWidget(
            title="API calls to member accounts, and throttled ones (right)",
            left=[calls],
            right=[refused],
            left_y_axis=axis,
            right_y_axis=axis,
            period=DAY,
            width=HALF,
        )

    def _throttled(self) -> cloudwatch.GraphWidget:
        lines = [
            metric
            for title, function in self._functions.items()
            for metric in (
                function.metric_throttles(label=f"{title} throttled", statistic="Sum", period=DAY),
                function.metric_errors(label=f"{title} errors", statistic="Sum", period=DAY),
            )
        ]
        return self._graph("Functions: invocations without a place to run, errors", lines)

    def _gigabyte_seconds(self) -> cloudwatch.GraphWidget:
        lines = [
            cloudwatch.MathExpression(
                expression=f"{title.lower()} * {function.memory_mib} / {MIB_MS}",
                using_metrics={title.lower(): function.metric_duration(statistic="Sum", period=DAY)},
                label=title,
                period=DAY,
            )
            for title, function in self._functions.items()
        ]
        return self._graph("Lambda, GB-seconds a day", lines, stacked=True)

    def _table(self, table: dynamodb.ITable) -> cloudwatch.GraphWidget:
        units = [
            table.metric_consumed_write_capacity_units(statistic="Sum", period=DAY, label="written"),
            table.metric_consumed_read_capacity_units(statistic="Sum", period=DAY, label="read"),
        ]
        return self._graph("DynamoDB, units a day", units)

    def _reported(self, name: str, schedule: str, *, label: str) -> cloudwatch.Metric:
        """The largest of a day, where a schedule scans more than once."""
        return cloudwatch.Metric(
            namespace=self._namespace,
            metric_name=name,
            dimensions_map={"service": "report", SCHEDULE: schedule},
            statistic="Maximum",
            period=DAY,
            label=label,
        )

    def _of_workers(self, name: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=self._namespace,
            metric_name=name,
            dimensions_map={"service": "scan"},
            statistic="Sum",
            period=DAY,
        )

    @staticmethod
    def _graph(
        title: str,
        lines: Sequence[cloudwatch.IMetric],
        axis: cloudwatch.YAxisProps | None = None,
        *,
        stacked: bool = False,
    ) -> cloudwatch.GraphWidget:
        return cloudwatch.GraphWidget(
            title=title,
            left=[*lines],
            left_y_axis=axis or cloudwatch.YAxisProps(min=0, show_units=False),
            stacked=stacked,
            period=DAY,
            width=HALF,
        )
