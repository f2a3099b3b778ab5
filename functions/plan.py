"""Scope -> accounts x regions -> a list of targets in S3."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from orgscan import catalog, session
from orgscan.meter import Meter
from orgscan.plan import Planner
from orgscan.plans import PlanStore
from orgscan.settings import Configuration, PlanSettings
from orgscan.store import FindingStore

logger = Logger(service="plan")
tracer = Tracer(service="plan")
metrics = Metrics(service="plan")


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Raises InvalidScanRequest or CannotPlan, whose message ends the execution and explains it."""
    meter, began = Meter(), context.get_remaining_time_in_millis()
    settings = PlanSettings.from_environment()
    configuration = Configuration.beside(__file__)
    home = session.here()
    planner = Planner(
        catalog=catalog.everything(),
        configuration=configuration,
        home=home,
        enter=session.visits(
            home,
            role=settings.member_role,
            external_id=settings.external_id,
            session_name=context.function_name,
            meter=meter,
        ),
        store=FindingStore(home.table(settings.table)),
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    started = datetime.fromisoformat(event["started"])
    plan, targets = planner.plan(event["request"], started=started, execution=event["execution"])
    logger.append_keys(scan=plan.scan)
    seconds = (began - context.get_remaining_time_in_millis()) / 1000
    plan = replace(plan, spent=meter.spent(seconds, int(context.memory_limit_in_mb)))
    key = PlanStore(home.get("s3"), settings.bucket).put(plan, targets)
    metrics.add_metric("TargetsPlanned", MetricUnit.Count, plan.planned)
    logger.info(
        "planned", extra={"targets": plan.planned, "accounts": plan.accounts, "skipped": len(plan.skipped)}
    )
    return {"scan": plan.scan, "targets": key, "planned": plan.planned, "last": False}
