"""Plan, fan out, report, notify: the state machine. Its state carries ids, keys and counts only."""

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
from infra.storage import WORK

# Lambda's own trouble, which passes. What a handler raises is not among it.
PASSING = (
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
)
# A process that died or was ended: perhaps for its own sake, so once more and not for ever.
CRASHED = ("Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout")
EACH_TARGET = "EachTarget"
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
        execution = {"execution": "$$.Execution.Name", "started": "$$.Execution.StartTime"}
        planned = self._invoke("Plan", plan, {"request": "$", **execution})
        scanned = self._invoke("Scan", scan)
        reported = self._invoke("Report", report, {"scan": "$.scan"})
        notified = self._invoke("Notify", notify, {"scan": "$.scan"}, also_passing=(REFUSED,))
        news = (
            sfn.Choice(self, "AnyNews")
            .when(sfn.Condition.number_greater_than("$.messages", 0), notified)
            .otherwise(sfn.Succeed(self, "NoNews"))
        )
        # A target that is larger than an invocation comes back, with the number of its next part.
        whole = (
            sfn.Choice(self, "AllSeen")
            .when(sfn.Condition.boolean_equals("$.done", value=True), sfn.Succeed(self, "Seen"))
            .otherwise(scanned)
        )
        # More dead workers than an invocation can record take several of them.
        told = (
            sfn.Choice(self, "AllTold")
            .when(sfn.Condition.boolean_equals("$.done", value=True), news)
            .otherwise(reported)
        )
        each_target = self._each_target(bucket, concurrency).item_processor(
            scanned.next(whole),
            mode=sfn.ProcessorMode.DISTRIBUTED,
            # An express execution ends after 5 minutes; a target may take the 15 that Lambda has.
            execution_type=sfn.ProcessorType.STANDARD,
        )
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            definition_body=sfn.DefinitionBody.from_chainable(
                planned.next(each_target).next(reported).next(told)
            ),
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
    ) -> tasks.LambdaInvoke:
        """Fails with the name of what the handler raised. No payload: the state's input is passed on."""
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
        task.add_retry(errors=[*CRASHED], max_attempts=1, **patience)
        # A new account runs 10 functions at a time, whatever `concurrency` says: wait for a turn.
        task.add_retry(errors=[BUSY], max_attempts=60, **patience)
        return task

    def _each_target(self, bucket: s3.IBucket, concurrency: int) -> sfn.DistributedMap:
        return sfn.DistributedMap(
            self,
            EACH_TARGET,
            item_reader=sfn.S3JsonItemReader(bucket=bucket, key=sfn.JsonPath.string_at("$.targets")),
            item_selector={
                "scan": sfn.JsonPath.string_at("$.scan"),
                "target": sfn.JsonPath.object_at("$$.Map.Item.Value"),
                "part": 0,
            },
            label=EACH_TARGET,
            max_concurrency=concurrency,
            # A target without receipt is found by Report: a gap there, never the end of the scan.
            tolerated_failure_percentage=100,
            # Discarding comes too late: what all children answered must first fit into the state.
            result_writer_v2=sfn.ResultWriterV2(bucket=bucket, prefix=RESULTS),
            result_path=sfn.JsonPath.DISCARD,
        )

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
            wildcard(f"{executions}/{EACH_TARGET}:*"),
        )
        acknowledge(self.machine, "X-Ray and the delivery of logs know no resources", wildcard("*"))
        acknowledge(
            self.machine,
            "An execution's history is kept for 90 days; a log of every event would hold it twice",
            "AwsSolutions-SF1",
        )
