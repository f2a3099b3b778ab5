"""The scanner itself: deployed once, where Organizations can be asked."""

from aws_cdk import CfnOutput, DefaultStackSynthesizer, Duration, Stack
from constructs import Construct

from infra.alarms import Alarms
from infra.config import Config
from infra.dashboard import Dashboard
from infra.house_rules import keep_to
from infra.inventory_tables import InventoryTables
from infra.member_rollout import MemberRollout
from infra.nag import acknowledge, logical_id, wildcard
from infra.report_reader import ReportReader
from infra.saved_queries import SavedQueries
from infra.scan_schedules import ScanSchedules
from infra.scan_workflow import ScanWorkflow
from infra.scanner_function import ScannerCode, ScannerFunction
from infra.storage import OPEN, Storage
from infra.topics import Topics
from orgscan.archive import FINDINGS, RECEIPTS
from orgscan.iam import action
from orgscan.inventory import FOLDER
from orgscan.organization import CALLS as ACCOUNT_CALLS
from orgscan.ownership import CALLS as CONTACT_CALLS
from orgscan.regions import CALLS as REGION_CALLS
from orgscan.results import SCANS, WORK
from orgscan.settings import NotifySettings, PlanSettings, ReportSettings, ScanSettings, Settings

ENUMERATE = tuple(map(action, (*ACCOUNT_CALLS, *REGION_CALLS)))
READ_TABLE = ("dynamodb:GetItem", "dynamodb:Query")
WRITE_TABLE = ("dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
# S3, SNS and DynamoDB use the key in the name of whoever calls them.
WRITE_KEY = ("kms:Decrypt", "kms:GenerateDataKey")
TABLE_KEY = (*WRITE_KEY, "kms:DescribeKey", "kms:Encrypt")
ONE_CPU = 1769
"""MiB of a function with a whole vCPU: a report reads every receipt and every open finding, in one thread."""


class HubStack(Stack):
    def __init__(self, scope: Construct, id: str, *, config: Config, python: str | None = None) -> None:
        """`python`: see ScannerCode."""
        super().__init__(
            scope,
            id,
            description="orgscan: scans every account of an organization",
            synthesizer=DefaultStackSynthesizer(qualifier=config.deployment.qualifier),
        )
        self._config = config
        self._storage = Storage(
            self, "Storage", inventory_days=config.inventory.keep_days, key=config.deployment.key
        )
        self._topics = Topics(
            self, "Topics", key=self._storage.key, deployment=config.name, routes=config.routes
        )
        self._code = ScannerCode(self, "Code", configuration=config.runtime(), python=python)
        plan, scan, report, notify = self._plan(), self._scan(), self._report(), self._notify()
        self._workflow = ScanWorkflow(
            self,
            "Workflow",
            plan=plan,
            scan=scan,
            report=report,
            notify=notify,
            bucket=self._storage.bucket,
            key=self._storage.key,
            concurrency=config.limits.concurrency,
            log_retention_days=config.limits.log_retention_days,
        )
        schedules = ScanSchedules(
            self, "Schedules", machine=self._workflow.machine, schedules=config.schedules
        )
        alarms = Alarms(
            self,
            "Alarms",
            topic=self._topics.operations,
            namespace=config.name,
            machine=self._workflow.machine,
            plan=plan,
            scan=scan,
            report=report,
            dead_letters=schedules.dead_letters,
            schedules=config.schedules,
        )
        Dashboard(
            self,
            "Dashboard",
            name=config.name,
            alarms=alarms.all,
            schedules=[schedule.name for schedule in config.schedules],
            functions={"Plan": plan, "Scan": scan, "Report": report, "Notify": notify},
            scan_log=scan.log_group,
            table=self._storage.table,
        )
        others = [function.log_group for function in (plan, report, notify)]
        SavedQueries(self, "Queries", name=config.name, scan=scan.log_group, others=others)
        if config.inventory.enabled:
            InventoryTables(
                self,
                "Inventory",
                name=config.name,
                bucket=self._storage.bucket,
                key=self._storage.key,
                keep_days=config.inventory.keep_days,
            )
        if config.deployment.ous:
            rollout = MemberRollout(self, "Members", config=config)
            # A new version asks for what its role may read: the role comes first.
            scan.node.add_dependency(rollout)
        self._outputs()
        keep_to(self, config.deployment)

    def _plan(self) -> ScannerFunction:
        plan = self._function("plan", PlanSettings(**self._told, **self._role), memory_size=1024)
        contacts = CONTACT_CALLS if self._config.owners.accounts else ()
        plan.may(*ENUMERATE, *map(action, contacts), on="*")
        self._let_visit(plan)
        self._let_use_scans(plan, "s3:PutObject")
        self._let_use(plan, WORK, "s3:PutObject")
        plan.may(*READ_TABLE, "dynamodb:PutItem", "dynamodb:UpdateItem", on=self._storage.table.table_arn)
        plan.may(*TABLE_KEY, on=self._storage.key.key_arn)
        return plan

    def _scan(self) -> ScannerFunction:
        told = ScanSettings(**self._told, **self._role, salt=self.stack_id)
        scan = self._function("scan", told, memory_size=self._config.limits.scan_memory)
        scan.may("dynamodb:Query", *WRITE_TABLE, on=self._storage.table.table_arn)
        self._let_visit(scan)
        self._let_use_scans(scan, "s3:GetObject")
        self._let_use(scan, WORK, "s3:GetObject", "s3:PutObject")
        if self._config.inventory.enabled:
            self._let_use(scan, FOLDER, "s3:PutObject")
        scan.may(*TABLE_KEY, on=self._storage.key.key_arn)
        return scan

    def _report(self) -> ScannerFunction:
        report = self._function("report", ReportSettings(**self._told), memory_size=ONE_CPU)
        report.may(*READ_TABLE, *WRITE_TABLE, on=self._storage.table.table_arn)
        report.may("dynamodb:Query", on=f"{self._storage.table.table_arn}/index/{OPEN}")
        self._let_use_scans(report, "s3:GetObject", "s3:PutObject")
        self._let_use(report, WORK, "s3:PutObject")
        if self._config.inventory.enabled:
            for folder in (FINDINGS, RECEIPTS):
                self._let_use(report, folder, "s3:PutObject")
        report.may(*TABLE_KEY, on=self._storage.key.key_arn)
        if self._config.links.presigned_minutes:
            role = ReportReader(
                self, "Links", lent_to=report.own_role, bucket=self._storage.bucket, key=self._storage.key
            ).role
            report.may("sts:AssumeRole", on=role.role_arn)
            report.tell(ReportSettings(**self._told, link_role=role.role_arn))
        return report

    def _notify(self) -> ScannerFunction:
        topic, events = self._topics.findings.topic_arn, self._config.events
        # Events of findings are looked for among all that are open.
        memory, most = (ONE_CPU, 15) if events.findings else (256, 5)
        told = NotifySettings(**self._told, topic=topic, name=self._config.name)
        notify = self._function("notify", told, memory_size=memory, timeout=Duration.minutes(most))
        for each in (self._topics.findings, *self._topics.of_routes.values()):
            notify.may("sns:Publish", on=each.topic_arn)
        notify.may("dynamodb:DeleteItem", "dynamodb:PutItem", on=self._storage.table.table_arn)
        if events.scans or events.findings:
            bus = self.format_arn(service="events", resource="event-bus", resource_name=events.bus)
            notify.may("events:PutEvents", on=bus)
            notify.may("dynamodb:GetItem", on=self._storage.table.table_arn)
        self._let_use_scans(notify, "s3:GetObject")
        notify.may(*TABLE_KEY, on=self._storage.key.key_arn)
        return notify

    def _function(
        self, name: str, settings: Settings, *, memory_size: int, timeout: Duration | None = None
    ) -> ScannerFunction:
        return ScannerFunction(
            self,
            name,
            code=self._code,
            settings=settings,
            namespace=self._config.name,
            key=self._storage.key,
            log_retention_days=self._config.limits.log_retention_days,
            memory_size=memory_size,
            timeout=timeout or Duration.minutes(15),
        )

    @property
    def _told(self) -> dict[str, str]:
        return {"table": self._storage.table.table_name, "bucket": self._storage.bucket.bucket_name}

    @property
    def _role(self) -> dict[str, str]:
        return {"member_role": self._config.member_role, "external_id": self._config.role.external_id}

    def _let_visit(self, function: ScannerFunction) -> None:
        role = f"iam::*:role/{self._config.member_role}"
        function.may("sts:AssumeRole", on=f"arn:{self.partition}:{role}")
        acknowledge(
            function.own_role,
            "One role by name, in accounts that are not known yet; each of them decides whom it trusts",
            wildcard(f"arn:<AWS::Partition>:{role}"),
        )

    def _let_use_scans(self, function: ScannerFunction, *actions: str) -> None:
        self._let_use(function, SCANS, *actions)

    def _let_use(self, function: ScannerFunction, folder: str, *actions: str) -> None:
        bucket = self._storage.bucket
        function.may(*actions, on=bucket.arn_for_objects(f"{folder}*"))
        acknowledge(
            function.own_role,
            "The objects of scans, which do not exist yet",
            wildcard(f"<{logical_id(bucket)}.Arn>/{folder}*"),
        )

    def _outputs(self) -> None:
        outputs = {
            "MachineArn": self._workflow.machine.state_machine_arn,
            "TableName": self._storage.table.table_name,
            "BucketName": self._storage.bucket.bucket_name,
            "FindingsTopicArn": self._topics.findings.topic_arn,
            "OperationsTopicArn": self._topics.operations.topic_arn,
        }
        for (channel, route), topic in self._topics.of_routes.items():
            outputs[f"{channel.title()}Topic{route.title().replace('-', '')}"] = topic.topic_arn
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
