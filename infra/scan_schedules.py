"""When the workflow starts by itself."""

from collections.abc import Iterable

from aws_cdk import Duration, TimeZone
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.config import Schedule
from infra.nag import acknowledge


class ScanSchedules(Construct):
    def __init__(
        self, scope: Construct, id: str, *, machine: sfn.IStateMachine, schedules: Iterable[Schedule]
    ) -> None:
        super().__init__(scope, id)
        # It holds requests (a schedule's name and scope), nothing found: a key of AWS's is enough.
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        acknowledge(self.dead_letters, "It is the dead letter queue of the schedules", "AwsSolutions-SQS3")
        acknowledge(self.dead_letters, "SQS encrypts it with a key of its own", "CKV_AWS_27")
        for schedule in schedules:
            self._schedule(schedule, machine)

    def _schedule(self, schedule: Schedule, machine: sfn.IStateMachine) -> None:
        scheduler.Schedule(
            self,
            schedule.name,
            description=f"Starts orgscan's scan {schedule.name!r}",
            schedule=scheduler.ScheduleExpression.expression(
                schedule.expression, TimeZone.of(schedule.timezone)
            ),
            target=targets.StepFunctionsStartExecution(
                machine,
                input=scheduler.ScheduleTargetInput.from_object(schedule.request),
                dead_letter_queue=self.dead_letters,
                retry_attempts=10,
                max_event_age=Duration.hours(1),
            ),
        )
