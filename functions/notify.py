"""Messages -> SNS, each at most once; events -> EventBridge, each at least once."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from orgscan import catalog, session
from orgscan.events import Sender
from orgscan.messages import of_scan
from orgscan.notify import Topics, send
from orgscan.results import Bucketed, Results
from orgscan.session import Clients
from orgscan.settings import Configuration, NotifySettings
from orgscan.store import FindingStore

logger = Logger(service="notify")
tracer = Tracer(service="notify")
metrics = Metrics(service="notify")


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, int]:
    settings = NotifySettings.from_environment()
    logger.append_keys(scan=event["scan"])
    home = session.here()
    try:
        sent = _messages(home, settings, event["scan"])
    finally:
        # Whatever became of the messages: events have other readers.
        taken = _events(home, settings, event["scan"])
    return {"sent": sent, "events": taken}


def _messages(home: Clients, settings: NotifySettings, scan: str) -> int:
    sent = send(
        of_scan(Results(Bucketed(home.get("s3"), settings.bucket, scan))),
        sns=session.here(retries=False).get("sns"),
        topics=Topics(settings.topic, settings.name),
        store=FindingStore(home.table(settings.table)),
        scan=scan,
    )
    metrics.add_metric("MessagesSent", MetricUnit.Count, sent)
    return sent


def _events(home: Clients, settings: NotifySettings, scan: str) -> int:
    wanted = Configuration.beside(__file__).events
    if not wanted.any:
        return 0
    sender = Sender(
        wanted=wanted,
        source=settings.name,
        client=home.get("events"),
        store=FindingStore(home.table(settings.table)),
        checks={check.id: check for check in catalog.checks()},
    )
    taken = sender.send(scan, Results(Bucketed(home.get("s3"), settings.bucket, scan)))
    metrics.add_metric("EventsSent", MetricUnit.Count, taken)
    return taken
