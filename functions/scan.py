"""One target, or a part of it: become it, look, judge, remember."""

import gc
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from orgscan import catalog, session
from orgscan.inventory import Inventory
from orgscan.meter import CALLS, THROTTLES, Meter
from orgscan.model import Target
from orgscan.plan import Plan
from orgscan.plans import PlanStore, target
from orgscan.receipt import Receipt
from orgscan.settings import Configuration, ScanSettings
from orgscan.store import FindingStore
from orgscan.work import Checkpoints, Worker

logger = Logger(service="scan")
# The library logs with `logging`; its lines shall say scan, account and region too.
copy_config_to_registered_loggers(source_logger=logger, include={"orgscan"})
# What X-Ray would learn of each of hundreds of calls costs more than the calls: 6 ms, for it takes the stack
# of every one, also in an invocation that it does not sample.
tracer = Tracer(service="scan", auto_patch=False)
metrics = Metrics(service="scan")
LEAST_S = 90.0
"""Seconds of the first round without which it is left to the second: what is kept for the end is 60."""


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`part` 0 begins a target; the answer is the next event, until it says `done`.

    In the first round it has `seconds` from when its group was `entered`, and the second round goes on.
    """
    began, meter = _seconds_left(context), Meter()
    short = "seconds" in event
    if short and _seconds_of_round(event) < LEAST_S:
        metrics.add_metric("TargetsContinued", MetricUnit.Count, 1)
        logger.info("left to the second round")
        return {**event, "done": False}
    settings = ScanSettings.from_environment()
    configuration = Configuration.beside(__file__)
    known = _plan.cache_info().misses
    plan = _plan(event["scan"], settings.bucket)
    meter.plans_read = _plan.cache_info().misses - known
    here = target(event["target"], plan)
    logger.append_keys(scan=plan.scan, account=here.account, region=here.region)

    def enter(target: Target) -> session.Clients:
        return session.assume(
            _home(),
            target.account,
            role=settings.member_role,
            external_id=settings.external_id,
            session_name=context.function_name,
            polite=configuration.polite,
            meter=meter,
            kept=_kept(),
        )

    s3 = _home().get("s3")
    worker = Worker(
        plan=plan,
        catalog=_catalog(),
        configuration=configuration,
        store=FindingStore(_table(settings.table)),
        checkpoints=Checkpoints(s3, settings.bucket, plan.scan),
        enter=enter,
        salt=settings.salt,
        inventory=Inventory(s3, settings.bucket, plan.scan, plan.started)
        if configuration.inventory
        else None,
        spent=lambda: meter.spent(began - _seconds_left(context), int(context.memory_limit_in_mb)),
    )

    def seconds_left() -> float:
        return min(_seconds_left(context), _seconds_of_round(event)) if short else _seconds_left(context)

    receipt = worker.scan(here, event["part"], seconds_left, short=short)
    _tell_asked(meter)
    spent = {
        "part": event["part"],
        "seconds": round(began - _seconds_left(context), 1),
        "calls": meter.calls.total(),
        "refused": meter.throttled.total(),
    }
    if receipt:
        _tell_unseen(receipt)
        metrics.add_metric("ChecksPlanned", MetricUnit.Count, receipt.planned)
        metrics.add_metric("ChecksEvaluated", MetricUnit.Count, receipt.evaluated)
        logger.info("scanned", extra={**spent, "planned": receipt.planned, "evaluated": receipt.evaluated})
    else:
        metrics.add_metric("TargetsContinued", MetricUnit.Count, 1)
        logger.info("to be continued", extra=spent)
    return {**event, "part": event["part"] + 1, "done": receipt is not None}


def _seconds_left(context: LambdaContext) -> float:
    return context.get_remaining_time_in_millis() / 1000


def _seconds_of_round(event: dict[str, Any]) -> float:
    """That are left of it. May be negative."""
    since = datetime.now(UTC) - datetime.fromisoformat(event["entered"])
    return float(event["seconds"]) - since.total_seconds()


def _tell_asked(meter: Meter) -> None:
    metrics.add_metric(CALLS, MetricUnit.Count, meter.calls.total())
    metrics.add_metric(THROTTLES, MetricUnit.Count, meter.throttled.total())
    for api, times in sorted(meter.throttled.items()):
        logger.warning("throttled", extra={"api": api, "times": times})


def _tell_unseen(receipt: Receipt) -> None:
    for unseen in receipt.unseen:
        told = {"reason": unseen.reason, "detail": unseen.detail, "checks": len(unseen.checks)}
        logger.warning("not seen", extra=told)


@cache
def _catalog() -> catalog.Catalog:
    """What there is by now, modules above all, stays: whoever looks for garbage need not look at it again."""
    everything = catalog.everything()
    gc.freeze()
    return everything


@cache
def _home() -> session.Clients:
    # What it asks is its own; to look at each value of thousands of findings takes longer than to send them.
    return session.here(validated=False)


@cache
def _table(name: str) -> Any:
    return _home().table(name)


@cache
def _kept() -> session.Kept:
    """Targets come region by region: the next one wants what this one had made."""
    return session.keep(_home())


@lru_cache(maxsize=2)
def _plan(scan: str, bucket: str) -> Plan:
    """A warm worker meets many targets of one scan."""
    return PlanStore(_home().get("s3"), bucket).get(scan)
