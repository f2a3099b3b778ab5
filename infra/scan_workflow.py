"""Plan, fan out, report, notify: the state machine. Its state carries ids, keys and counts only.

Targets are scanned in two rounds, by the same function. In the first, an express execution looks after a
group of them, which costs next to nothing, and ends after five minutes. What has not told by then, being
large, or never invoked, or its worker dead, has the second round: a standard execution of its own, with the
time that Lambda has, as often as it needs. What even that leaves is found by Report.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.nag import acknowledge, logical_id, wildcard
from infra.scanner_logs import ScannerLogs
from orgscan.results import WORK

# Lambda's own trouble, which passes. What a handler raises is not among it.
PASSING = (
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
)
# A process that died or was ended: perhaps for its own sake, so once more and not for ever.
CRASHED = ("Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout")
EACH_GROUP, EACH_TARGET = "EachGroup", "EachTarget"
ROUND = Duration.seconds(270)
"""That the targets of a group have; the rest of the five minutes is for answers."""
AT_ONCE = (3, 4, 5)
"""Targets of a group. With fewer it might not end in time; with more, most places were idle at its end."""
RESULTS = f"{WORK}map-runs"
"""Under which Step Functions puts what became of each target's execution. Nobody reads it but people."""
LONGEST = Duration.hours(6)
"""That an execution may take."""
BUSY = "Lambda.TooManyRequestsException"
REFUSED = "MessageRefused"
"""What Notify raises when SNS refuses a message, which is then not marked as sent: another attempt sends."""


class ScanWorkflow(Construct):
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        plan: lambda_.IFunction,
        scan: lambda_.IFunction,
        report: lambda_.IFunction,
        notify: lambda_.IFunction,
        bucket: s3.IBucket,
        key: kms.IKey,
        concurrency: int,
        log_retention_days: int,
    ) -> None:
        super().__init__(scope, id)
        self._bucket = bucket
        execution = {"execution": "$$.Execution.Name", "started": "$$.Execution.StartTime"}
        planned = self._invoke("Plan", plan, {"request": "$", **execution})
        reported = self._invoke("Report", report, {"scan": "$.scan", "last": "$.last"})
        notified = self._invoke("Notify", notify, {"scan": "$.scan"}, also_passing=(REFUSED,))
        news = (
            sfn.Choice(self, "AnyNews")
            .when(sfn.Condition.number_greater_than("$.messages", 0), notified)
            .otherwise(sfn.Succeed(self, "NoNews"))
        )
        second = self._second_round(scan, concurrency).next(reported)
        # More dead workers than an invocation can record take several of them.
        told = (
            sfn.Choice(self, "AllTold")
            .when(sfn.Condition.boolean_equals("$.done", value=True), news)
            .when(sfn.Condition.number_greater_than("$.left", 0), second)
            .otherwise(reported)
        )
        first = self._first_round(scan, concurrency)
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            definition_body=sfn.DefinitionBody.from_chainable(planned.next(first).next(reported).next(told)),
            timeout=LONGEST,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=ScannerLogs(self, "Logs", key=key, days=log_retention_days),
                level=sfn.LogLevel.ERROR,
                include_execution_data=False,
            ),
        )
        # It reads the list of targets, and writes what became of them.
        key.grant(self.machine, "kms:Decrypt", "kms:GenerateDataKey")
        self._acknowledge(bucket, (plan, scan, report, notify))

    def _invoke(
        self,
        id: str,
        function: lambda_.IFunction,
        payload: Mapping[str, str] | None = None,
        *,
        also_passing: Sequence[str] = (),
        crashed: bool = True,
    ) -> tasks.LambdaInvoke:
        """Fails with the name of what the handler raised. No payload: the state's input is passed on.

        `crashed`: a process that died gets one more chance here.
        """
        told = {name: sfn.JsonPath.string_at(path) for name, path in (payload or {}).items()}
        task = tasks.LambdaInvoke(
            self,
            id,
            lambda_function=function,
            payload=sfn.TaskInput.from_object(told) if told else None,
            payload_response_only=True,
            retry_on_service_exceptions=False,  # replaced by those below, which spread and have a ceiling
        )
        patience: dict[str, Any] = {
            "interval": Duration.seconds(2),
            "backoff_rate": 2,
            "max_delay": Duration.minutes(1),
            "jitter_strategy": sfn.JitterType.FULL,
        }
        task.add_retry(errors=[*PASSING, *also_passing], max_attempts=6, **patience)
        if crashed:
            task.add_retry(errors=[*CRASHED], max_attempts=1, **patience)
        # A new account runs 10 functions at a time, whatever `concurrency` says: wait for a turn.
        task.add_retry(errors=[BUSY], max_attempts=60, **patience)
        return task

    def _first_round(self, scan: lambda_.IFunction, concurrency: int) -> sfn.DistributedMap:
        most = at_once(concurrency)
        of_group = sfn.Map(
            self,
            "EachOfGroup",
            items_path="$.targets",
            item_selector={
                **self._of_target("$$.Map.Item.Value"),
                "part": 0,
                "entered": sfn.JsonPath.string_at("$$.State.EnteredTime"),
                "seconds": ROUND.to_seconds(),
            },
            max_concurrency=most,
        )
        looked = self._invoke("Look", scan, crashed=False)
        # One that fails shall not end its group. Nothing is hidden: it told nothing, and has a second round.
        looked.add_catch(sfn.Pass(self, "Left"), errors=["States.ALL"], result_path=sfn.JsonPath.DISCARD)
        group = {**self._of_scan(), "targets": sfn.JsonPath.object_at("$$.Map.Item.Value.targets")}
        return self._map(EACH_GROUP, "EXPRESS", group, of_group.item_processor(looked), concurrency // most)

    def _second_round(self, scan: lambda_.IFunction, concurrency: int) -> sfn.DistributedMap:
        scanned = self._invoke("Scan", scan)
        # A target that is larger than an invocation comes back, with the number of its next part.
        whole = (
            sfn.Choice(self, "AllSeen")
            .when(sfn.Condition.boolean_equals("$.done", value=True), sfn.Succeed(self, "Seen"))
            .otherwise(scanned)
        )
        # Part 1 begins with what part 0 put away in the first round, and anew when that came to nothing.
        target = {**self._of_target("$$.Map.Item.Value"), "part": 1}
        return self._map(EACH_TARGET, "STANDARD", target, scanned.next(whole), concurrency)

    @staticmethod
    def _of_scan() -> dict[str, Any]:
        return {"scan": sfn.JsonPath.string_at("$.scan")}

    def _of_target(self, item: str) -> dict[str, Any]:
        return {**self._of_scan(), "target": sfn.JsonPath.object_at(item)}

    def _map(
        self, name: str, kind: str, selector: Mapping[str, Any], child: sfn.IChainable, concurrency: int
    ) -> sfn.DistributedMap:
        """Over the list whose key the state has."""
        return sfn.DistributedMap(
            self,
            name,
            item_reader=sfn.S3JsonItemReader(bucket=self._bucket, key=sfn.JsonPath.string_at("$.targets")),
            item_selector=selector,
            label=name,
            map_execution_type=sfn.StateMachineType[kind],
            max_concurrency=concurrency,
            # A target without receipt is found by Report: a gap there, never the end of the scan.
            tolerated_failure_percentage=100,
            # Discarding comes too late: what all children answered must first fit into the state.
            result_writer_v2=sfn.ResultWriterV2(bucket=self._bucket, prefix=RESULTS),
            result_path=sfn.JsonPath.DISCARD,
        ).item_processor(child, mode=sfn.ProcessorMode.DISTRIBUTED, execution_type=sfn.ProcessorType[kind])

    def _acknowledge(self, bucket: s3.IBucket, functions: Sequence[lambda_.IFunction]) -> None:
        """The role is CDK's, made from the definition."""
        name = f'{{"Fn::Select":[6,{{"Fn::Split":[":",{{"Ref":"{logical_id(self.machine)}"}}]}}]}}'
        executions = f"arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:{name}"
        acknowledge(
            self.machine,
            "Any version of the functions it invokes",
            *(wildcard(f"<{logical_id(function)}.Arn>:*") for function in functions),
        )
        acknowledge(
            self.machine,
            "The lists of targets and what became of them, which do not exist yet",
            wildcard(f"arn:<AWS::Partition>:s3:::<{logical_id(bucket)}>/*"),
        )
        acknowledge(
            self.machine,
            "Its own executions, which do not exist yet",
            wildcard(f"{executions}:*"),
            *(wildcard(f"{executions}/{label}:*") for label in (EACH_GROUP, EACH_TARGET)),
        )
        acknowledge(self.machine, "X-Ray and the delivery of logs know no resources", wildcard("*"))
        acknowledge(
            self.machine,
            "An execution's history is kept for 90 days; a log of every event would hold it twice",
            "AwsSolutions-SF1",
        )


def at_once(concurrency: int) -> int:
    """Targets of a group at a time, so that groups side by side make nearly as many as are allowed."""
    some = [each for each in AT_ONCE if each <= concurrency] or [concurrency]
    return max(some, key=lambda each: (concurrency // each * each, each))
