"""One target: become it, look, judge, remember."""

from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from orgscan import engine, session
from orgscan.plan import Plan, PlanStore, target
from orgscan.settings import Configuration, ScanSettings
from orgscan.store import FindingStore

logger = Logger(service="scan")
# The library logs with `logging`; its lines shall say scan, account and region too.
copy_config_to_registered_loggers(source_logger=logger, include={"orgscan"})
tracer = Tracer(service="scan")
metrics = Metrics(namespace="orgscan", service="scan")


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    settings = ScanSettings.from_environment()
    plan = _plan(event["scan"], settings.bucket)
    here = target(event["target"], plan)
    logger.append_keys(scan=plan.scan, account=here.account, region=here.region)

    def enter() -> session.Clients:
        return session.assume(
            _home(),
            here.account,
            role=settings.member_role,
            external_id=settings.external_id,
            session_name=context.function_name,
        )

    seen = engine.look(
        here,
        enter,
        plan.due(),
        now=datetime.fromisoformat(plan.started),
        parameters=Configuration.beside(__file__).parameters,
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    receipt = FindingStore(_home().table(settings.table)).record(plan.scan, plan.started, seen)
    metrics.add_metric("ChecksPlanned", MetricUnit.Count, receipt.planned)
    metrics.add_metric("ChecksEvaluated", MetricUnit.Count, receipt.evaluated)
    logger.info("scanned", extra={"planned": receipt.planned, "evaluated": receipt.evaluated})
    return {"planned": receipt.planned, "evaluated": receipt.evaluated}


@cache
def _home() -> session.Clients:
    return session.here()


@lru_cache(maxsize=2)
def _plan(scan: str, bucket: str) -> Plan:
    """A warm worker meets many targets of one scan."""
    return PlanStore(_home().get("s3"), bucket).get(scan)
