"""What the hub stack says of its own health: alarms, dashboard, saved queries."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from infra import ROOT
from orgscan import cost
from orgscan.figures import COMPLETED, COVERAGE, DROP, MISSING, OPEN, SECONDS, UNSEEN
from orgscan.meter import CALLS, THROTTLES, Meter
from orgscan.model import Target
from orgscan.session import Clients
from tests.answers import refuse
from tests.conftest import ACCOUNT
from tests.handlers import CHECKS, REGIONS, Handlers, inside, ready, scan
from tests.stacks import Json, Template, named

OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")

# One worker of xdist synthesizes, once.


@pytest.fixture
def alarms(hub: Template) -> dict[str, Json]:
    """By the name of their construct."""
    return {name.removeprefix("Alarms"): each for name, each in hub.all("AWS::CloudWatch::Alarm").items()}


@pytest.fixture
def page(hub: Template) -> Json:
    """The dashboard, with what is only known in AWS named by its logical id."""
    return dict(json.loads(named(hub.one("AWS::CloudWatch::Dashboard")["DashboardBody"])))


@pytest.fixture
def queries(hub: Template) -> dict[str, str]:
    """By title."""
    told = hub.all("AWS::Logs::QueryDefinition").values()
    return {each["Name"].removeprefix("orgscan/"): each["QueryString"] for each in told}


@pytest.fixture
def functions(
    aws: boto3.Session, table: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Handlers:
    """After a scan in which a call was denied, others were throttled, and a check failed."""

    def spoil(clients: Clients, meter: Meter) -> None:
        refuse(clients, Target(ACCOUNT, REGIONS[1]), "ec2:DescribeAddresses", "UnauthorizedOperation")
        meter.asked("ec2:DescribeVolumes")
        meter.refused("ec2:DescribeVolumes")

    handlers = ready(aws, table, monkeypatch, capsys)
    no_number = {CHECKS[0]: {"min_age_days": "seven"}}
    handlers.configuration = replace(handlers.configuration, parameters=no_number)
    aws.client("ec2").create_volume(AvailabilityZone=f"{REGIONS[0]}a", Size=8)
    inside(handlers, spoil)
    scan(handlers)
    return handlers


# Alarms


def test_a_scanner_that_stopped_or_sees_less_shouts(alarms: dict[str, Json]) -> None:
    hours = 3600 * 1000
    assert {
        name: (each["MetricName"], each["Statistic"], _breach(each)) for name, each in alarms.items()
    } == {
        "ScanFailed": ("ExecutionsFailed", "Sum", ">= 1"),
        "ScanTimedOut": ("ExecutionsTimedOut", "Sum", ">= 1"),
        "ScanAborted": ("ExecutionsAborted", "Sum", ">= 1"),
        "ScanSlow": ("ExecutionTime", "Maximum", f"> {0.8 * 6 * hours:.0f}"),
        "TargetFailed": ("Errors", "Sum", ">= 1"),
        "TargetSlow": ("Duration", "Maximum", f"> {0.98 * hours / 4:.0f}"),
        "PlanSlow": ("Duration", "Maximum", f"> {0.8 * hours / 4:.0f}"),
        "ReportSlow": ("Duration", "Maximum", f"> {0.8 * hours / 4:.0f}"),
        "NotStarted": ("ApproximateNumberOfMessagesVisible", "Maximum", ">= 1"),
        "CoverageDropped": (DROP, "Maximum", "> 5"),
        "OutcomesMissing": (MISSING, "Maximum", ">= 1"),
        "NoScandaily": (COMPLETED, "Sum", "< 1"),
    }


def test_each_alarm_watches_its_own(alarms: dict[str, Json]) -> None:
    watched = {name: _dimensions(each) for name, each in alarms.items()}
    assert watched["ScanFailed"] == watched["ScanSlow"] == {"StateMachineArn": "WorkflowMachine"}
    functions = ("TargetFailed", "TargetSlow", "PlanSlow", "ReportSlow")
    assert [watched[name]["FunctionName"] for name in functions] == ["Scan", "Scan", "Plan", "Report"]
    assert watched["CoverageDropped"] == watched["OutcomesMissing"] == {"service": "report"}
    ours = [each for each in alarms.values() if not each["Namespace"].startswith("AWS/")]
    assert {each["Namespace"] for each in ours} == {"orgscan"}


def test_alarms_tell_operations_and_are_quiet_without_data(alarms: dict[str, Json]) -> None:
    assert {named(action) for each in alarms.values() for action in each["AlarmActions"]} == {
        "TopicsOperations"
    }
    missing = {name: each["TreatMissingData"] for name, each in alarms.items()}
    assert missing == {**dict.fromkeys(alarms, "notBreaching"), "NoScandaily": "breaching"}


def test_each_schedule_is_missed_after_one_and_a_half_periods(alarms: dict[str, Json]) -> None:
    """Not the weekly one: nobody can look back that far."""
    silent = {name: each for name, each in alarms.items() if name.startswith("NoScan")}
    assert set(silent) == {"NoScandaily"}
    (alarm,) = silent.values()
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 36 * 3600
    assert _dimensions(alarm) == {"service": "report", "schedule": "daily"}
    assert "'daily'" in alarm["AlarmDescription"]


def test_each_alarm_leads_to_its_runbook(alarms: dict[str, Json]) -> None:
    headings = re.findall(r"^### (\w+)$", OPERATING, re.MULTILINE)
    told = {
        name: each["AlarmDescription"].rpartition("docs/operating.md#")[2] for name, each in alarms.items()
    }
    assert sorted(set(told.values())) == sorted(map(str.lower, headings))
    assert all(name.lower().startswith(anchor) for name, anchor in told.items())
    for heading in headings:
        assert len(OPERATING.partition(f"### {heading}\n")[2].partition("\n#")[0].split()) > 20, heading


def test_links_within_the_runbook_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", OPERATING, flags=re.DOTALL), re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", OPERATING)) - anchors == set()


# The dashboard


def test_the_dashboard_shows_what_was_promised(page: Json, alarms: dict[str, Json]) -> None:
    titles = [each["properties"]["title"] for each in page["widgets"]]
    assert titles == [
        "Alarms",
        "Coverage (%)",
        "Duration (seconds)",
        "Targets",
        "Scans completed",
        "Open findings: daily",
        "Checks not evaluated, by reason: daily",
        "Open findings: costs",
        "Checks not evaluated, by reason: costs",
        "The slowest targets",
        "API calls to member accounts, and throttled ones (right)",
        "Functions: invocations without a place to run, errors",
        "Lambda, GB-seconds a day",
        "DynamoDB, units a day",
    ]
    assert len(page["widgets"][0]["properties"]["alarms"]) == len(alarms)
    shown = {name for name, _ in _shown(page)}
    assert {COVERAGE, SECONDS, COMPLETED, CALLS, THROTTLES, *OPEN.values(), *UNSEEN.values()} <= shown


def test_two_deployments_do_not_share_a_dashboard(hub: Template) -> None:
    """Its name is one for all regions of an account."""
    assert named(hub.one("AWS::CloudWatch::Dashboard")["DashboardName"]) == "orgscan-AWS::Region"


def test_gigabyte_seconds_are_those_of_each_functions_memory(page: Json) -> None:
    (widget,) = [each for each in page["widgets"] if "GB-seconds" in each["properties"]["title"]]
    told = [each[0]["expression"] for each in widget["properties"]["metrics"] if isinstance(each[0], dict)]
    assert [each.partition(" * ")[2] for each in told] == [
        f"{memory} / 1024000" for memory in (1024, 2048, 1769, 1769)
    ]


def test_what_is_watched_is_sent(functions: Handlers, page: Json, alarms: dict[str, Json]) -> None:
    """Every metric of ours that an alarm or the dashboard names, with exactly these dimensions."""
    sent = {(name, frozenset(dict(where))) for name, where, _, _ in functions.measured()}
    watched = {
        (each["MetricName"], frozenset(_dimensions(each)))
        for each in alarms.values()
        if each["Namespace"] == "orgscan"
    }
    shown = set(_shown(page))
    assert len(watched) == 3
    assert len(shown) > 18
    assert (watched | shown) - sent == set()


# Saved queries


def test_queries_are_saved_under_the_deployments_name(hub: Template) -> None:
    over = {
        each["Name"]: [named(group) for group in each["LogGroupNames"]]
        for each in hub.all("AWS::Logs::QueryDefinition").values()
    }
    assert over == {
        "orgscan/The slowest targets": ["ScanLogs"],
        "orgscan/What was denied": ["ScanLogs"],
        "orgscan/What was throttled": ["ScanLogs"],
        "orgscan/One account": ["ScanLogs"],
        "orgscan/What failed": ["ScanLogs", "PlanLogs", "ReportLogs", "NotifyLogs"],
    }


def test_queries_name_what_the_functions_log(functions: Handlers, queries: dict[str, str]) -> None:
    logged = {name for line in functions.lines for name in line}
    for title, query in queries.items():
        named_ = _fields(query)
        assert named_, title
        assert named_ - logged == set(), title
        if "stats" in query:
            assert any(named_ <= line.keys() for line in functions.lines), f"{title}: no line has them all"


def test_queries_compare_with_what_the_functions_say(functions: Handlers, queries: dict[str, str]) -> None:
    said = {str(value) for line in functions.lines for value in line.values()}
    for title, words in {
        "What was throttled": {"throttled"},
        "What was denied": {"denied"},
        "What failed": {"WARNING", "ERROR"},
    }.items():
        assert words <= said
        assert words <= set(re.findall(r'"([^"]+)"', queries[title]))


def test_every_query_is_told_of(queries: dict[str, str]) -> None:
    assert [title for title in queries if f"| *{title}* |" not in OPERATING] == []


def test_the_estimate_counts_the_metrics_that_are_sent(functions: Handlers) -> None:
    by_schedule = {name for name, where, _, _ in functions.measured() if "schedule" in dict(where)}
    others = {(name, where) for name, where, _, _ in functions.measured() if "schedule" not in dict(where)}
    of_workers = {name for name, where in others if dict(where)["service"] == "scan"}
    # A target that is continued and a mail that is sent did not happen in that scan; workers' hours are two.
    sent = len(by_schedule) + len(others) + 2
    assert sent + len(of_workers) + 1 == cost.METRIC_HOURS


KEYWORDS = {"fields", "filter", "stats", "sort", "limit", "by", "as", "in", "like", "or", "desc"}
FUNCTIONS = {"sum", "count", "count_distinct", "ispresent"}


def _fields(query: str) -> set[str]:
    """Those of log lines that a query names: no words of its language, texts, or names it gives itself."""
    bare = re.sub(r'"[^"]*"|/.*/', "", query)
    own = set(re.findall(r"\bas (\w+)", bare))
    return set(re.findall(r"(?<![@\w])[a-z_]+", bare)) - KEYWORDS - FUNCTIONS - own


def _shown(page: Json) -> Iterator[tuple[str, frozenset[str]]]:
    """Our metrics on the dashboard, with the names of their dimensions."""
    for widget in page["widgets"]:
        for metric in widget["properties"].get("metrics", ()):
            match metric:
                case ["orgscan", name, *dimensions]:
                    words = [each for each in dimensions if isinstance(each, str)]
                    yield name, frozenset(words[::2])
                case [{"expression": str(found)}] if found.startswith("SEARCH"):
                    assert '{"orgscan",schedule,service}' in found
                    for name in re.findall(r'"(\w+)"', found.partition("MetricName=")[2]):
                        yield name, frozenset({"schedule", "service"})


def _breach(alarm: Json) -> str:
    signs = {
        "GreaterThanThreshold": ">",
        "GreaterThanOrEqualToThreshold": ">=",
        "LessThanThreshold": "<",
    }
    return f"{signs[alarm['ComparisonOperator']]} {alarm['Threshold']}"


def _dimensions(alarm: Json) -> dict[str, str]:
    values = [(each["Name"], each["Value"]) for each in alarm["Dimensions"]]
    return {name: value if isinstance(value, str) else named(value) for name, value in values}
