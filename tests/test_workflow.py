"""What the state machine promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import scan_workflow
from orgscan.notify import MessageRefused
from tests.stacks import Json, Template, definition, every_state, granted

CRASHED = {"Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout"}

# One worker of xdist synthesizes, once.


@pytest.fixture
def machine(hub: Template) -> Json:
    return definition(hub)


def test_the_scan_is_plan_a_first_round_a_second_if_need_be_report_and_news(machine: Json) -> None:
    states = machine["States"]
    assert (machine["StartAt"], states["Plan"]["Next"]) == ("Plan", "EachGroup")
    assert (states["EachGroup"]["Next"], states["Report"]["Next"]) == ("Report", "AllTold")
    assert states["AllTold"]["Choices"] == [
        {"Variable": "$.done", "BooleanEquals": True, "Next": "AnyNews"},
        {"Variable": "$.left", "NumericGreaterThan": 0, "Next": "EachTarget"},
    ]
    assert states["EachTarget"]["Next"] == "Report"
    assert states["AllTold"]["Default"] == "Report", "which goes on where its time ended"
    assert states["AnyNews"]["Choices"] == [
        {"Variable": "$.messages", "NumericGreaterThan": 0, "Next": "Notify"}
    ]
    assert states["AnyNews"]["Default"] == "NoNews"
    assert states["Notify"]["End"]
    assert machine["TimeoutSeconds"] == 6 * 3600


def test_one_failed_target_does_not_end_the_scan(machine: Json) -> None:
    group, each = (machine["States"][name] for name in ("EachGroup", "EachTarget"))
    assert group["ToleratedFailurePercentage"] == each["ToleratedFailurePercentage"] == 100
    assert group["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    assert each["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


def test_no_more_are_scanned_at_a_time_than_is_allowed(machine: Json) -> None:
    group, each = (machine["States"][name] for name in ("EachGroup", "EachTarget"))
    of_group = group["ItemProcessor"]["States"]["EachOfGroup"]
    assert (group["MaxConcurrency"], of_group["MaxConcurrency"]) == (2, 3)
    assert each["MaxConcurrency"] == 7


@given(st.integers(1, 10_000))
def test_nearly_as_many_are_scanned_at_a_time_as_is_allowed(concurrency: int) -> None:
    at_once = scan_workflow.at_once(concurrency)
    groups = concurrency // at_once
    assert min(3, concurrency) <= at_once <= 5
    assert 0.8 * concurrency < at_once * groups <= concurrency


def test_nothing_hides_a_failure(machine: Json) -> None:
    """An error of Plan ends the execution under its own name; a dead target is missed by Report.

    One that fails in the first round goes on to the second, and its group goes on without it.
    """
    caught = {name: state["Catch"] for name, state in every_state(machine) if "Catch" in state}
    assert caught == {"Look": [{"ErrorEquals": ["States.ALL"], "Next": "Left", "ResultPath": None}]}
    of_group = machine["States"]["EachGroup"]["ItemProcessor"]["States"]["EachOfGroup"]["ItemProcessor"]
    assert of_group["States"]["Left"] == {"Type": "Pass", "End": True}
    passing = [
        error
        for name, state in every_state(machine)
        for retry in state.get("Retry", [])
        for error in retry["ErrorEquals"]
        if (name, error) != ("Notify", MessageRefused.__name__)
    ]
    assert all(error.startswith("Lambda.") or error in CRASHED for error in passing)


def test_a_message_that_sns_refuses_is_offered_again(machine: Json) -> None:
    """By the name that Lambda reports: that of the class."""
    patience = next(
        retry
        for retry in machine["States"]["Notify"]["Retry"]
        if MessageRefused.__name__ in retry["ErrorEquals"]
    )
    assert patience["MaxAttempts"] == 6


def test_a_process_that_died_gets_one_more_chance(machine: Json) -> None:
    chances = {
        name: [retry["MaxAttempts"] for retry in task["Retry"] if CRASHED.intersection(retry["ErrorEquals"])]
        for name, task in every_state(machine)
        if task["Type"] == "Task"
    }
    # The second round is that chance for the first.
    assert chances == {"Plan": [1], "Look": [], "Scan": [1], "Report": [1], "Notify": [1]}


def test_a_target_that_is_not_whole_comes_back(machine: Json) -> None:
    states = machine["States"]["EachTarget"]["ItemProcessor"]["States"]
    assert states["Scan"]["Next"] == "AllSeen"
    assert states["AllSeen"]["Choices"] == [{"Variable": "$.done", "BooleanEquals": True, "Next": "Seen"}]
    assert states["AllSeen"]["Default"] == "Scan"


def test_state_carries_ids_keys_and_counts_only(machine: Json) -> None:
    """No list of accounts and no finding passes through it, however large the organization is: test_large."""
    told = {name: state.get("Parameters") for name, state in every_state(machine) if state["Type"] == "Task"}
    assert told == {
        "Plan": {
            "request.$": "$",
            "execution.$": "$$.Execution.Name",
            "started.$": "$$.Execution.StartTime",
        },
        "Look": None,
        "Scan": None,
        "Report": {"scan.$": "$.scan", "last.$": "$.last"},
        "Notify": {"scan.$": "$.scan"},
    }
    group, each = (machine["States"][name] for name in ("EachGroup", "EachTarget"))
    for listed in (group, each):
        assert listed["ItemReader"]["Parameters"] == {"Bucket": "StorageBucket", "Key.$": "$.targets"}
        assert listed["ResultPath"] is None
        assert listed["ResultWriter"]["Parameters"] == {"Bucket": "StorageBucket", "Prefix": "work/map-runs"}
    assert group["ItemSelector"] == {"scan.$": "$.scan", "targets.$": "$$.Map.Item.Value.targets"}
    of_group = group["ItemProcessor"]["States"]["EachOfGroup"]
    of_target = {"scan.$": "$.scan", "target.$": "$$.Map.Item.Value"}
    assert of_group["ItemsPath"] == "$.targets"
    assert of_group["ItemSelector"] == {
        **of_target,
        "part": 0,
        "entered.$": "$$.State.EnteredTime",
        "seconds": 270,
    }
    assert each["ItemSelector"] == {**of_target, "part": 1}
    assert {state["Type"] for _, state in every_state(machine)} == {
        "Task",
        "Map",
        "Choice",
        "Pass",
        "Succeed",
    }


def test_a_failed_execution_may_be_redriven(hub: Template) -> None:
    """Standard ones may; and of the map's, those that had not ended, if the machine's role may do that.

    What a scan has put away lasts as long.
    """
    assert "StateMachineType" not in hub.one("AWS::StepFunctions::StateMachine")
    allowed = granted(hub, "WorkflowMachineDistributedMapPolicy")
    where = [name for name, actions in allowed.items() if "states:RedriveExecution" in actions]
    assert [name.rpartition("/")[2] for name in where] == ["EachGroup:*", "EachTarget:*"]
    rules = hub.one("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    assert min(days["work/"], days["scans/"]) >= 14


def test_logs_do_not_hold_what_a_scan_was_asked(hub: Template) -> None:
    logging = hub.one("AWS::StepFunctions::StateMachine")["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ERROR", False)


def test_the_machine_reads_targets_and_writes_what_became_of_them(hub: Template) -> None:
    may = granted(hub, "WorkflowMachineRoleDefaultPolicy")
    upload = {"s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"}
    assert may["arn:AWS::Partition:s3:::StorageBucket/*"] == {"s3:GetObject", *upload}
    assert may["StorageKey.Arn"] == {"kms:Decrypt", "kms:GenerateDataKey"}
