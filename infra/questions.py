"""What Athena is asked about findings: the views over them, and the questions that stand in its console."""

from collections.abc import Mapping
from string import Template

from orgscan.archive import OF_FINDINGS
from orgscan.model import Severity

DAY = "dt"
LOOK_BACK_DAYS = 35
"""How old the newest scan of a target may be for its findings to count: a monthly one, and some days."""

OPEN = """\
SELECT $findings
FROM $db.findings
JOIN (
  SELECT account, region, max(scan) AS scan FROM $db.receipts WHERE $recent GROUP BY account, region
) AS newest USING (account, region, scan)
WHERE status = 'open' AND $recent"""
"""Of each target, what the newest scan that left a receipt there lists."""
COVERAGE = """\
SELECT
  dt,
  scan,
  max(schedule) AS schedule,
  max(seen_at) AS seen_at,
  count(*) AS targets,
  count_if(evaluated > 0) AS reached,
  sum(planned) AS planned,
  sum(evaluated) AS evaluated,
  CAST(sum(evaluated) * 1000 / nullif(sum(planned), 0) AS double) / 10 AS percent
FROM $db.receipts
WHERE standing = 'due'
GROUP BY dt, scan"""
"""Percent are rounded down, as everywhere, so that 100 means all."""
COVERAGE_COLUMNS = {
    "dt": "string",
    "scan": "string",
    "schedule": "string",
    "seen_at": "string",
    "targets": "bigint",
    "reached": "bigint",
    "planned": "bigint",
    "evaluated": "bigint",
    "percent": "double",
}

SAVED: Mapping[str, tuple[str, str]] = {
    "The worst that is open": (
        "Critical and high findings, the oldest first, and who answers for them",
        """\
SELECT severity, "check", account_name, region, resource, owner,
  date_diff('day', from_iso8601_timestamp(opened), current_timestamp) AS days, problems, id
FROM $db.open_findings
WHERE severity IN ('critical', 'high')
ORDER BY $worst_first, opened, id
LIMIT 500""",
    ),
    "Nobody answers": (
        "Open findings without an owner, by account",
        """\
SELECT account, account_name, count(*) AS findings,
  count_if(severity = 'critical') AS critical, count_if(severity = 'high') AS high
FROM $db.open_findings
WHERE owner IS NULL
GROUP BY account, account_name
ORDER BY critical DESC, high DESC, findings DESC, account""",
    ),
    "New per week": (
        "Findings that were new or came back, by the week of the scan that met them",
        """\
SELECT date_trunc('week', from_iso8601_timestamp(seen_at)) AS week, severity,
  count_if(change = 'new') AS new, count_if(change = 'reopened') AS reopened
FROM $db.findings
WHERE dt >= $since_91 AND changed_in = scan AND change IN ('new', 'reopened')
GROUP BY 1, 2
ORDER BY 1 DESC, 2""",
    ),
    "Time to resolve": (
        "Days from opened to closed, by month and severity; not of what left with its account or check",
        """\
SELECT substr(seen_at, 1, 7) AS month, severity, count(*) AS findings,
  round(avg(date_diff('hour', from_iso8601_timestamp(opened), from_iso8601_timestamp(seen_at)) / 24e0), 1)
    AS mean_days
FROM $db.findings
WHERE dt >= $since_365 AND status = 'resolved' AND resolved_because IN ('fixed', 'resource-deleted')
GROUP BY 1, 2
ORDER BY 1 DESC, 2""",
    ),
    "Savings by owner": (
        "USD a month; a resource counts once, with its largest saving",
        """\
SELECT owner, count(*) AS resources, round(sum(usd), 2) AS monthly_usd
FROM (
  SELECT owner, account, region, resource, max(monthly_usd) AS usd
  FROM $db.open_findings
  WHERE category = 'cost' AND monthly_usd IS NOT NULL
  GROUP BY owner, account, region, resource
)
GROUP BY 1
ORDER BY monthly_usd DESC""",
    ),
    "Not seen and why": (
        "Checks that the newest scan of a target could not evaluate",
        """\
SELECT account, account_name, region, lost.reason, lost.detail, cardinality(lost.checks) AS checks, seen_at
FROM $db.receipts
JOIN (
  SELECT account, region, max(scan) AS scan FROM $db.receipts WHERE $recent GROUP BY account, region
) AS newest USING (account, region, scan)
CROSS JOIN UNNEST(unseen) AS lost (reason, detail, checks)
WHERE $recent
ORDER BY checks DESC, account, region""",
    ),
    "Coverage over time": (
        "Percent of the planned checks that each scan could evaluate",
        """\
SELECT seen_at, schedule, targets, reached, planned, evaluated, percent, scan
FROM $db.coverage
WHERE dt >= $since_91
ORDER BY scan DESC""",
    ),
}
"""Title -> what it tells, and the question."""


def of(schema: str, question: str) -> str:
    """For this database."""
    return Template(question).substitute(
        db=f'"{schema}"',
        findings=", ".join(f'"{name}"' for name in OF_FINDINGS),
        recent=f"{DAY} >= {_since(LOOK_BACK_DAYS)}",
        since_91=_since(91),
        since_365=_since(365),
        worst_first=f"CASE severity {_ranks()} END",
    )


def _since(days: int) -> str:
    return f"date_format(current_date - interval '{days}' day, '%Y-%m-%d')"


def _ranks() -> str:
    return " ".join(f"WHEN '{each}' THEN {-each.rank}" for each in reversed(Severity))
