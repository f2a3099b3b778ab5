"""Receipts -> summary, results in S3, messages to send."""

import gc
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from orgscan import catalog, session
from orgscan.errors import OutOfTime
from orgscan.figures import BY_HAND, SCHEDULE, alarming, figures
from orgscan.links import presigned
from orgscan.meter import Meter, Spent
from orgscan.plans import PlanStore
from orgscan.report import Reporter
from orgscan.session import Clients
from orgscan.settings import Configuration, ReportSettings
from orgscan.store import FindingStore
from orgscan.summary import ScanSummary

logger = Logger(service="report")
tracer = Tracer(service="report")
metrics = Metrics(service="report")
# Pages of a thousand findings: to look through what was just read after every 700 objects, as Python does,
# takes a sixth of the time, and finds nothing.
gc.set_threshold(50_000, 20, 20)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Until it says `done` there is more to do: for it, or with `left`, for the second round before it.

    `last`: there is no round to come, and what told nothing is recorded as not seen.
    """
    began = context.get_remaining_time_in_millis() / 1000
    settings = ReportSettings.from_environment()
    logger.append_keys(scan=event["scan"])
    reporter = _reporter(settings, Configuration.beside(__file__))

    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    def spent() -> Spent:
        return Meter().spent(began - seconds_left(), int(context.memory_limit_in_mb))

    # An execution that an earlier version started has one round only.
    last = event.get("last", True)
    key, left = ("", 0) if last else reporter.leave(event["scan"])
    if left:
        metrics.add_metric("TargetsLeft", MetricUnit.Count, left)
        logger.info("left to the second round", extra={"targets": left})
        return {**_again(event), "targets": key, "left": left}
    finished = datetime.now(UTC)
    try:
        summary, messages = reporter.report(
            event["scan"], finished=finished, whole=not last, spent=spent, seconds_left=seconds_left
        )
    except OutOfTime:
        metrics.add_metric("ReportsContinued", MetricUnit.Count, 1)
        logger.info("to be continued")
        return {**_again(event), "left": 0}
    _measure(summary)
    logger.info(
        "reported",
        extra={
            "schedule": summary.plan.schedule,
            "coverage": summary.coverage,
            "coverage_before": summary.coverage_before,
            "messages": messages,
        },
    )
    return {
        "scan": event["scan"],
        "done": True,
        "planned": summary.plan.planned,
        "reached": summary.reached,
        "messages": messages,
    }


def _reporter(settings: ReportSettings, configuration: Configuration) -> Reporter:
    home = session.here()
    s3 = home.get("s3")
    return Reporter(
        store=FindingStore(home.table(settings.table)),
        plans=PlanStore(s3, settings.bucket),
        s3=s3,
        bucket=settings.bucket,
        catalog=catalog.everything(),
        configuration=configuration,
        another_store=lambda: FindingStore(home.table(settings.table)),
        sign=lambda key: _sign(home, settings, configuration, key),
    )


def _again(event: dict[str, Any]) -> dict[str, Any]:
    """What it is told when it is called the next time."""
    return {"scan": event["scan"], "done": False, "last": True}


def _sign(
    home: Clients, settings: ReportSettings, configuration: Configuration, key: str
) -> tuple[str, datetime] | None:
    if not settings.link_role:
        return None
    minutes = configuration.presigned_minutes
    lent, until = session.lend(home, settings.link_role, minutes=minutes, session_name="orgscan-report")
    return presigned(lent.get("s3"), bucket=settings.bucket, key=key, minutes=minutes, until=until)


def _measure(summary: ScanSummary) -> None:
    metrics.add_dimension(SCHEDULE, summary.plan.schedule or BY_HAND)
    for each in figures(summary):
        metrics.add_metric(each.name, each.unit, each.value)
    for each in alarming(summary):
        with single_metric(each.name, each.unit, each.value) as metric:  # type: ignore[arg-type] # or its text
            metric.add_dimension("service", "report")
