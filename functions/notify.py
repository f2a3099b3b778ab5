"""Messages -> SNS, each at most once."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from orgscan import session
from orgscan.notify import send
from orgscan.report import messages
from orgscan.results import Bucketed, Results
from orgscan.settings import NotifySettings
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
    results = Results(Bucketed(home.get("s3"), settings.bucket, event["scan"]))
    sent = send(
        messages(results),
        sns=session.here(retries=False).get("sns"),
        topic=settings.topic,
        store=FindingStore(home.table(settings.table)),
        scan=event["scan"],
    )
    metrics.add_metric("MessagesSent", MetricUnit.Count, sent)
    return {"sent": sent}
