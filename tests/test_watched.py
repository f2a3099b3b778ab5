"""What the hub stack says of its own health: alarms, dashboard, saved queries."""

import re

import pytest

from infra import ROOT
from orgscan.figures import COMPLETED, DROP, MISSING
from tests.stacks import Json, Template, named

OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")

# One worker of xdist synthesizes, once.


@pytest.fixture
def alarms(hub: Template) -> dict[str, Json]:
    """By the name of their construct."""
    return {name.removeprefix("Alarms"): each for name, each in hub.all("AWS::CloudWatch::Alarm").items()}


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
