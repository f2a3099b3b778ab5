"""The whole road: the synthesized stack in the embedded AWS scans an organization with known faults.

Every finding is compared with what was planted: nothing missing, nothing extra; twice, with a day between.
"""

import copy
import csv
import gzip
import json
import random
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from io import StringIO
from math import ceil
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
from junitparser import JUnitXml
from typer.testing import CliRunner

from cli.export import WRITERS, Format, checks
from cli.main import app
from local import calls
from local.calls import Call
from local.iam import Caller
from local.organization import Organization
from local.place import Planted
from local.rehearsal import ACCEPTED, Rehearsal, Scan
from orgscan import catalog
from orgscan.cost import Size, expected
from orgscan.reconcile import Status
from orgscan.results import ROLLUP, Results, Shelved
from tests.meters import Meters
from tests.test_html import data as html_data
from tests.test_html import unpacked

ACCOUNTS, REGIONS = 6, ("us-east-1", "eu-west-1", "ap-southeast-2", "me-south-1")
"""The smallest organization, with a region of each kind."""
ITSELF = {
    "account-region-not-scanned",
    "account-scan-permission-denied",
    "organizations-member-scan-role-missing",
}
"""What a scan says of itself changes with what it meets."""
LINKED = 15
"""Minutes that a link in a mail opens the report."""
SEVERITY_LINE = re.compile(r"  ([a-z]+) +([\d,]+)  ")
OF_FUNCTIONS = {
    *("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"),
    *("logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"),
}
"""Services ask for these in a function's name; the embedded ones do not."""
UNUSED = {
    "Plan": OF_FUNCTIONS,
    "Scan": {*OF_FUNCTIONS, "dynamodb:ConditionCheckItem"},  # where one transaction does not hold all
    "Report": {*OF_FUNCTIONS, "dynamodb:ConditionCheckItem"},
    "Links": {"kms:Decrypt"},
    "Notify": OF_FUNCTIONS,
    "Scheduler": {"sqs:SendMessage", "states:StartExecution"},  # nobody waits for the time of a schedule
    "Workflow": {  # Step Functions itself: keys, logs, traces, the map's children and its results
        *("kms:Decrypt", "kms:GenerateDataKey", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"),
        *("logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups"),
        *("logs:DescribeResourcePolicies", "logs:GetLogDelivery", "logs:ListLogDeliveries"),
        *("logs:PutResourcePolicy", "logs:UpdateLogDelivery"),
        *("states:DescribeExecution", "states:RedriveExecution"),
        *("states:StartExecution", "states:StopExecution"),
        *("xray:GetSamplingRules", "xray:GetSamplingTargets"),
        *("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
    },
}
"""Role of the hub -> what it may do and nobody in the embedded AWS asks for."""
KEPT = {
    *(
        "summary.json",
        "findings.jsonl.gz",
        "resolved.jsonl.gz",
        "rollup.json",
        "compliance.json",
        "tags.json",
    ),
    *("report.html", "plan.json", "targets.json", "messages.json"),
    *("mail.txt", "orgscan-chat-platform.json", "orgscan-machine-platform.json"),
}
"""Files of a scan that told somebody."""
VALIDATOR = Path(__file__).parent / "asl/node_modules/.bin/asl-validator"


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    with Rehearsal(
        tmp_path_factory.mktemp("rehearsal"),
        Organization(accounts=ACCOUNTS, regions=REGIONS),
        configured={"links": {"presigned_minutes": LINKED}},
    ) as run:
        run.prepare()
        yield run


@pytest.fixture(scope="module")
def organization(rehearsal: Rehearsal) -> Organization:
    return rehearsal.organization


@pytest.fixture(scope="module")
def first(rehearsal: Rehearsal) -> tuple[Scan, frozenset[Planted]]:
    expected = rehearsal.organization.expected
    return rehearsal.scan(), expected


@pytest.fixture(scope="module")
def second(rehearsal: Rehearsal, first: Any) -> tuple[Scan, frozenset[Planted]]:
    assert first
    rehearsal.organization.change(rehearsal.aws.client)
    return rehearsal.scan(), rehearsal.organization.expected


@pytest.fixture(scope="module")
def metered(rehearsal: Rehearsal, second: Any) -> tuple[Scan, Meters]:
    """Nothing happened since."""
    assert second
    meters = Meters()
    with meters.reading(rehearsal.aws.gate):
        scan = rehearsal.scan()
    meters.rows = list(rehearsal.rows(""))
    return scan, meters


@pytest.fixture(scope="module")
def third(metered: tuple[Scan, Meters]) -> Scan:
    return metered[0]


def found(scan: Scan) -> frozenset[Planted]:
    return frozenset(map(by_place, scan.findings))


def by_place(finding: Mapping[str, Any]) -> Planted:
    return Planted(*(finding[name] for name in ("account", "region", "check", "resource", "key")))


def of_the_world(scan: Scan) -> frozenset[Planted]:
    return frozenset(each for each in found(scan) if each.check not in ITSELF)


def of_the_table(rehearsal: Rehearsal) -> frozenset[Planted]:
    """What is known, also where the newest scan did not look."""
    known = (row for row in rehearsal.rows("TARGET#") if row.get("status") in ("open", "suppressed"))
    return frozenset(each for each in map(by_place, known) if each.check not in ITSELF)


def receipts(rehearsal: Rehearsal, scan: Scan) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(each["account"], each["region"]): each for each in rehearsal.receipts(scan.id)}


def test_the_first_scan_finds_what_was_planted_and_nothing_else(
    first: tuple[Scan, frozenset[Planted]],
) -> None:
    scan, expected = first
    assert scan.status == "SUCCEEDED"
    assert sorted(found(scan) - expected) == []
    assert sorted(expected - found(scan)) == []
    assert len(scan.findings) == len(expected)


def test_every_check_is_tempted_and_nothing_careless_passes(
    organization: Organization, first: tuple[Scan, frozenset[Planted]]
) -> None:
    # Nothing is denied to a scan on a good day.
    tempted = {check.id for check in catalog.checks()} - {"account-scan-permission-denied"}
    assert {each.check for each in first[1]} == tempted
    assert len({each.resource for each in organization.look_alikes}) >= 100
    assert len(organization.hidden) >= 3
    assert not found(first[0]) & (organization.look_alikes | organization.hidden)


def test_the_second_scan_finds_what_is_left_and_what_is_new(
    first: tuple[Scan, frozenset[Planted]], second: tuple[Scan, frozenset[Planted]]
) -> None:
    scan, expected = second
    assert scan.status == "SUCCEEDED"
    assert sorted(found(scan) - expected) == []
    assert sorted(expected - found(scan)) == []
    changes = {kind: sum(counts.values()) for kind, counts in scan.summary["changes"].items()}
    assert changes["new"] + changes["suppressed"] == len(expected - first[1])
    told = frozenset(by_place(each) for each in first[0].findings if each["status"] == "open")
    assert changes["resolved"] == len(told - expected)


def test_what_is_unchanged_keeps_its_first_sighting(
    first: tuple[Scan, frozenset[Planted]], second: tuple[Scan, frozenset[Planted]]
) -> None:
    seen = {each["first_seen"] for each in first[0].findings}
    assert len(seen) == 1
    kept = [each for each in second[0].findings if each["first_seen"] in seen]
    assert len(kept) == len(first[1] & second[1])


def test_every_account_has_the_owner_and_the_units_that_it_has_in_the_organization(
    rehearsal: Rehearsal, organization: Organization, first: tuple[Scan, frozenset[Planted]]
) -> None:
    targets = rehearsal.targets(first[0].id)
    assert {each["account"]: each.get("owner", "") for each in targets} == organization.owners
    depths = {each.id: len(list(filter(None, each.ou.split("/")))) for each in organization.active}
    assert {each["account"]: len(each["ous"]) - 1 for each in targets} == depths


def test_what_names_no_owner_itself_is_its_accounts(
    organization: Organization, first: tuple[Scan, frozenset[Planted]]
) -> None:
    by_tag = [each for each in first[0].findings if each["owned_by"] == "resource-tag"]
    others = [each for each in first[0].findings if each["owned_by"] != "resource-tag"]
    assert len(by_tag) > 100
    assert [each for each in by_tag if each["owner"] not in folded(each["tags"].values())] == []
    owners = {each["account"]: each["owner"] or "" for each in others}
    assert owners == {account: organization.owners[account] for account in owners}
    assert owners.keys() == organization.owners.keys()
    assert [each for each in others if (each["owner"] or "") != organization.owners[each["account"]]] == []


def folded(values: Iterable[str]) -> set[str]:
    """Each on one line."""
    return {" ".join(value.split()) for value in values}


def test_a_resolved_finding_says_why(
    rehearsal: Rehearsal, organization: Organization, second: tuple[Scan, frozenset[Planted]]
) -> None:
    assert second
    why = {
        by_place(row): row["resolved_because"]
        for row in rehearsal.rows("TARGET#")
        if row.get("status") == "resolved"
    }
    assert why == {
        **dict.fromkeys(organization.fixed, "fixed"),
        **dict.fromkeys(organization.deleted, "resource-deleted"),
    }
    lines = closed(rehearsal, second[0])
    assert {by_place(line): line["resolved_because"] for line in lines} == why
    assert len(lines) == len(why)


def closed(rehearsal: Rehearsal, scan: Scan) -> list[Mapping[str, Any]]:
    told = dict(rehearsal.files(scan))["resolved.jsonl.gz"]
    return [json.loads(line) for line in gzip.decompress(told).splitlines()]


def changes_of(rehearsal: Rehearsal, scan: Scan) -> Counter[str]:
    """As its summary counts them, and what was accepted and is gone, of which no summary speaks."""
    counts = {kind: sum(counts.values()) for kind, counts in scan.summary["changes"].items()}
    return Counter(counts) + Counter(
        resolved=sum(bool(each["suppressed_by"]) for each in closed(rehearsal, scan))
    )


def test_every_unit_has_exactly_one_outcome(
    rehearsal: Rehearsal, organization: Organization, first: tuple[Scan, frozenset[Planted]]
) -> None:
    left = receipts(rehearsal, first[0])
    assert set(left) == organization.targets
    for receipt in left.values():
        lost = [check for _, _, checks in receipt["unseen"] for check in checks]
        assert len(lost) == len(set(lost))
        assert receipt["evaluated"] + len(lost) == receipt["planned"]


def test_what_could_not_be_seen_is_named_and_nothing_of_it_is_clean(
    rehearsal: Rehearsal, organization: Organization, first: tuple[Scan, frozenset[Planted]]
) -> None:
    left = receipts(rehearsal, first[0])
    itself = Counter((each.account, each.region) for each in found(first[0]) if each.check in ITSELF)
    for where, reason in organization.blind.items():
        assert {why for why, _, _ in left[where]["unseen"]} == {reason}
        assert left[where]["evaluated"] == itself[where], "that nobody could look, and no more"
    partly = {
        (*where, reason): set(checks)
        for where, receipt in left.items()
        if where not in organization.blind
        for reason, _, checks in receipt["unseen"]
    }
    assert partly == {(each.account, each.region, "no-data"): {each.check} for each in organization.no_data}


def test_the_missing_permission_is_named(first: tuple[Scan, frozenset[Planted]]) -> None:
    details = {(gap["reason"], gap["detail"]) for gap in first[0].summary["gaps"]}
    assert ("denied", "sts:AssumeRole") in details
    assert any(reason == "denied-by-scp" and ":" in detail for reason, detail in details)


def test_accounts_that_are_not_active_are_reported(
    organization: Organization, first: tuple[Scan, frozenset[Planted]]
) -> None:
    closed = [f"{each.id} SUSPENDED" for each in organization.accounts if each.suspended]
    assert closed
    assert first[0].summary["skipped"] == closed


def test_the_mail_says_incomplete_and_reaches_its_recipient(first: tuple[Scan, frozenset[Planted]]) -> None:
    (mail,) = first[0].mail
    assert mail.to == "platform@acme.example"
    assert mail.subject.startswith("[orgscan] INCOMPLETE")
    lines = mail.body.split("\n--\n")[0].splitlines()  # what follows is SNS's own footer
    assert lines[0].startswith("INCOMPLETE: ")
    assert f"{first[0].summary['coverage']}%" in lines[0]
    assert len(lines) <= 60
    assert [
        line for line in lines if len(line) > 72 and not line.startswith(("  https://", "  http://"))
    ] == []


def test_the_link_in_the_mail_opens_the_report_and_nothing_else(
    rehearsal: Rehearsal, first: tuple[Scan, frozenset[Planted]]
) -> None:
    told = re.search(
        r"^Report, without signing in, until (.+) UTC:\n  (.+)$", first[0].mail[0].body, re.MULTILINE
    )
    assert told
    until, link = told.groups()
    assert link.startswith(rehearsal.aws.endpoint)
    query = parse_qs(urlsplit(link).query)
    signed = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ")  # noqa: DTZ007 (UTC, as `until`)
    assert query["X-Amz-Expires"] == [str(LINKED * 60)]
    assert f"{signed + timedelta(minutes=LINKED):%Y-%m-%d %H:%M}" == until
    with urlopen(link) as answer:  # noqa: S310 (the embedded AWS)
        assert answer.read() == dict(rehearsal.files(first[0]))["report.html"]
    for other in (link.partition("?")[0], link.replace("report.html", "summary.json")):
        with pytest.raises(HTTPError, match="403"):
            urlopen(other)  # noqa: S310
    denied = rehearsal.aws.denials.pop()
    assert (denied.action, denied.resource.rpartition("/")[2]) == ("s3:GetObject", "summary.json")


def test_every_place_tells_the_same_numbers(
    rehearsal: Rehearsal, first: tuple[Scan, frozenset[Planted]], tmp_path: Path
) -> None:
    scan = first[0]
    results = Results(Shelved(rehearsal.keep(scan, tmp_path)))
    lines = [line for line in results.findings() if line.status is Status.OPEN]
    opened = Counter(line.severity.value for line in lines)
    (mail,) = scan.mail
    section = mail.body.partition("\nOPEN: ")[2].partition("\n\n")[0]
    page = html_data(results.folder.get("report.html"))["findings"]
    rows = [*csv.DictReader(StringIO("".join(WRITERS[Format.CSV](scan.summary, lines, checks()))))]
    said = json.loads(command_line(tmp_path, "findings", "--format", "json"))
    (machine,) = (json.loads(each.body) for each in scan.published if "machine" in each.topic)
    assert section.startswith(f"{len(lines)} findings\n")
    assert {
        "summary": {severity: sum(row.values()) for severity, row in scan.summary["open"].items()},
        "rollup": sum((Counter(row["open"]) for row in results.json(ROLLUP)["accounts"].values()), Counter()),
        "mail": {severity: int(count) for severity, count in SEVERITY_LINE.findall(section)},
        "machine": machine["open"],
        "report": Counter(severities_of(page)),
        "csv": Counter(row["severity"] for row in rows),
        "findings": Counter(each["severity"] for each in said),
    } == dict.fromkeys(("summary", "rollup", "mail", "machine", "report", "csv", "findings"), opened)
    suites = "".join(WRITERS[Format.JUNIT](scan.summary, lines, checks()))
    told = int(JUnitXml.fromstring(suites.encode()).failures)
    assert told == len({(line.account, line.check) for line in lines}), "a case for each check in an account"


def severities_of(page: Mapping[str, Any]) -> Iterator[str]:
    """Of what is open."""
    for row, status in enumerate(page["status"]):
        if page["words"][status] == "open":
            yield unpacked(page, row)["severity"]


def command_line(results: Path, *arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--results", str(results)])
    assert done.exit_code in (0, 1), done.output
    return done.stdout


def test_what_changed_is_on_the_bus_and_the_scan_comes_last(
    rehearsal: Rehearsal,
    first: tuple[Scan, frozenset[Planted]],
    second: tuple[Scan, frozenset[Planted]],
    third: Scan,
) -> None:
    for scan in (first[0], second[0], third):
        *findings, last = scan.events
        assert (last.kind, last.detail["scan"], last.detail["more_findings"]) == (
            "orgscan scan finished",
            scan.id,
            0,
        )
        assert last.detail["open"] == scan.summary["open"]
        assert {(each.bus, each.source) for each in scan.events} == {("default", "orgscan")}
        changes = changes_of(rehearsal, scan)
        kinds = Counter(each.kind.removeprefix("orgscan finding ") for each in findings)
        told = {"opened": "new", "reopened": "reopened", "worsened": "worsened", "resolved": "resolved"}
        assert kinds == +Counter({kind: changes[change] for kind, change in told.items()})
    opened = {each.detail["id"] for each in first[0].events[:-1]}
    assert opened == {each["id"] for each in first[0].findings if each["status"] == "open"}


def test_when_nothing_changed_nothing_is_written_and_nobody_is_told(
    rehearsal: Rehearsal, second: tuple[Scan, frozenset[Planted]], third: Scan
) -> None:
    assert third.status == "SUCCEEDED"
    assert found(third) == second[1]
    assert third.summary["changes"] == {}
    assert third.mail == ()
    assert [row for row in rehearsal.rows("TARGET#") if row.get("changed_in") == third.id] == []


def test_a_scan_costs_what_its_summary_says_and_what_was_estimated(
    rehearsal: Rehearsal, organization: Organization, metered: tuple[Scan, Meters]
) -> None:
    """What was counted, never what was timed: seconds say something of this machine, nothing of Lambda's."""
    scan, meters = metered
    told = scan.summary["cost"]
    left = receipts(rehearsal, scan)
    assert told["calls"] == meters.requests["member"]
    planning = told["calls"] - sum(int(each["spent"]["calls"]) for each in left.values())
    assert 0 < planning <= scan.summary["accounts"]
    assert (told["metrics"], told["throttled"]) == (meters.metrics, 0)
    assert told["cost_queries"] == meters.requests["member ce"]
    assert told["invocations"] == meters.requests["lambda:Invoke"]
    seen = {where: each for where, each in left.items() if where not in organization.blind}
    in_regions = [each for (_, region), each in seen.items() if region != "global"]
    resources = sum(sum(each["resources"].values()) for each in in_regions) / len(in_regions)
    opened = sum(int(each["kept"]) for each in left.values())
    units = scan.summary["checks"]
    size = Size(
        accounts=scan.summary["accounts"],
        regions=len(REGIONS),
        resources=round(resources),
        findings=round(len(scan.findings) / len(left)),
        changes=0,
        resolved=opened - len(scan.findings),
        blind=len(organization.blind),
        events=True,
        unseen=units["planned"] - units["evaluated"],
        concurrency=int(meters.requests["s3:GetObject plan.json"]) - 1,
    )
    assert size.targets == len(left) == scan.summary["targets"]["planned"]
    estimated = asdict(expected(size))
    counted = {
        "calls": meters.requests["member"],
        "metrics": meters.metrics,
        "cost_queries": meters.requests["member ce"],
        "invocations": meters.requests["lambda:Invoke"],
        "transitions": _transitions(rehearsal, scan, meters),
        "writes": meters.writes(),
        "reads": meters.reads(),
        "s3_puts": meters.requests["s3:PutObject"],
        "s3_gets": meters.requests["s3:GetObject"],
    }
    off = {
        name: (number, told[name], estimated[name])
        for name, number in counted.items()
        if max(abs(told[name] / number - 1), abs(estimated[name] / number - 1)) > 0.15
    }
    assert off == {}, "counted, in the summary, estimated"


def _transitions(rehearsal: Rehearsal, scan: Scan, meters: Meters) -> int:
    """States that the execution's history says were entered; those of its children have none here.

    Of a group its start; of an invocation in the second round that of a child, Scan, AllSeen, and Seen.
    """
    workflow = rehearsal.aws.client("stepfunctions")
    machine = rehearsal.outputs["MachineArn"]
    (execution,) = (
        each["executionArn"]
        for each in workflow.list_executions(stateMachineArn=machine)["executions"]
        if each["name"][:8] == scan.id[-8:]
    )
    events = workflow.get_execution_history(executionArn=execution, maxResults=1000)["events"]
    told = Counter[str](event["type"] for event in events)
    own = sum(count for kind, count in told.items() if kind.endswith("StateEntered"))
    workers = meters.requests["lambda:Invoke"] - told["LambdaFunctionScheduled"]
    targets = len(receipts(rehearsal, scan))
    return own + ceil(targets / 20) + 4 * (workers - targets)


def test_the_inventory_is_what_there_is_and_says_where_nobody_could_look(
    rehearsal: Rehearsal, organization: Organization, third: Scan
) -> None:
    records = list(rehearsal.inventory(third))
    listed = {
        (each["account"], each["region"], each["type"]): each
        for each in records
        if each["record"] == "listing"
    }
    assert {(account, region) for account, region, _ in listed} == organization.targets
    blind = {where: each["reason"] for where, each in listed.items() if not each["complete"]}
    assert {where[:2]: reason for where, reason in blind.items()} == organization.blind
    assert {where for where in listed if where[:2] in organization.blind} == set(blind)
    seen = {(each["account"], each["region"], each["id"]) for each in records if each["record"] == "resource"}
    assert len(seen) > 100
    for kind in ("AWS::EC2::Instance", "AWS::EC2::Volume"):
        told = {
            (each["account"], each["region"], each["id"], (each["tags"] or {}).get("Name"))
            for each in records
            if (each["record"], each["type"]) == ("resource", kind)
        }
        assert told == {
            (account, region, id_, name)
            for account, region in organization.targets - organization.blind.keys()
            if region != "global"
            for id_, name in _there(rehearsal.aws.client("ec2", account, region), kind)
        }
        assert len(told) > 10
        assert sum(each["resources"] for where, each in listed.items() if where[2] == kind) == len(told)


def _there(ec2: Any, kind: str) -> Iterator[tuple[str, str | None]]:
    """Id and name."""
    if kind == "AWS::EC2::Volume":
        found = [(each["VolumeId"], each) for each in ec2.describe_volumes()["Volumes"]]
    else:
        running = [each for group in ec2.describe_instances()["Reservations"] for each in group["Instances"]]
        found = [(each["InstanceId"], each) for each in running if each["State"]["Name"] != "terminated"]
    for id_, each in found:
        yield id_, next((tag["Value"] for tag in each.get("Tags", []) if tag["Key"] == "Name"), None)


def test_a_scoped_scan_touches_nothing_outside_its_scope(
    rehearsal: Rehearsal, organization: Organization, third: Scan
) -> None:
    assert third
    before = {(row["pk"], row["sk"]): row for row in rehearsal.rows("TARGET#")}
    account = organization.members[2].id
    scan = rehearsal.scan(
        {"accounts": [account], "regions": ["eu-west-1"], "checks": ["ec2-eip-unassociated"]}
    )
    assert scan.status == "SUCCEEDED"
    assert set(receipts(rehearsal, scan)) == {(account, "eu-west-1")}
    assert scan.summary["checks"] == {"planned": 1, "evaluated": 1}
    after = {(row["pk"], row["sk"]): row for row in rehearsal.rows("TARGET#")}
    changed = {key for key in before | after if before.get(key) != after.get(key)}
    assert changed == {(f"TARGET#{account}#eu-west-1", "STATE")}


def test_a_digest_tells_what_is_open_although_nothing_changed(
    rehearsal: Rehearsal, organization: Organization, third: Scan
) -> None:
    assert third
    account = organization.members[2].id
    scan = rehearsal.scan({"accounts": [account], "regions": ["us-east-1"], "digest": True})
    assert (scan.status, scan.summary["changes"]) == ("SUCCEEDED", {})
    (mail,) = scan.mail
    assert "] digest: " in mail.subject
    assert mail.attributes["kind"] == "digest"
    opened = sum(sum(row.values()) for row in scan.summary["open"].values())
    assert opened == sum(each["status"] == "open" for each in scan.findings) > 0
    assert f"\nOPEN: {opened} findings\n" in mail.body


def test_a_request_that_cannot_be_carried_out_touches_no_account(rehearsal: Rehearsal, third: Scan) -> None:
    assert third
    looked = len(list(rehearsal.rows("SCAN#")))
    scan = rehearsal.scan(
        {
            "accounts": ["999999999999", 7],
            "regions": ["mars-1"],
            "checks": ["ec2-instance-idel"],
            "speed": "fast",
        }
    )
    assert (scan.status, scan.error) == ("FAILED", "InvalidScanRequest")
    for part in ("999999999999", "accounts[1]: 7", "mars-1", "ec2-instance-idle", "speed"):
        assert part in scan.cause
    assert len(list(rehearsal.rows("SCAN#"))) == looked


def test_a_denied_call_is_a_gap_that_names_the_action_and_closes_nothing(
    rehearsal: Rehearsal, organization: Organization, third: Scan
) -> None:
    account = organization.members[2].id
    statement = {"Effect": "Deny", "Action": "rds:DescribeDBInstances", "Resource": "*"}
    role: dict[str, Any] = {"RoleName": "orgscan-member", "PolicyName": "less"}
    iam = rehearsal.aws.client("iam", account)
    iam.put_role_policy(
        **role, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    scan = rehearsal.scan({"accounts": [account], "regions": ["us-east-1"]})
    iam.delete_role_policy(**role)
    assert scan.status == "SUCCEEDED"
    assert of_the_table(rehearsal) == of_the_world(third)
    (receipt,) = receipts(rehearsal, scan).values()
    lost = {check: detail for _, detail, checks in receipt["unseen"] for check in checks}
    assert {check for check in lost if check.startswith("rds-instance-")} == {
        "rds-instance-public",
        "rds-instance-unencrypted",
        "rds-instance-backup-disabled-or-short",
        "rds-instance-idle",
        "rds-instance-single-az",
    }
    assert "tag-required-key-missing" in lost  # it judges databases too
    denied = "rds:DescribeDBInstances (identity-based policy)"
    # Of checks that judge others too, as many as could not be judged without it.
    assert {detail.rpartition("resources: ")[2] for detail in lost.values()} == {denied}
    (mail,) = scan.mail
    assert mail.body.startswith("INCOMPLETE")
    assert "rds:DescribeDBInstances" in mail.body
    assert rehearsal.scan({"accounts": [account], "regions": ["us-east-1"]}).summary["newly_blind"] == 0


def test_a_region_that_a_policy_closes_is_asked_three_times(
    rehearsal: Rehearsal, organization: Organization, third: Scan
) -> None:
    assert third
    (closed,) = (where for where, why in organization.blind.items() if why == "denied-by-scp")
    before = len(rehearsal.aws.denials)
    scan = rehearsal.scan({"accounts": [closed[0]], "regions": [closed[1]]})
    assert scan.summary["checks"]["evaluated"] == 1, "that nobody could look"
    assert len(rehearsal.aws.denials) == before + 3


def test_a_worker_that_dies_is_a_gap_and_the_scan_goes_on(
    rehearsal: Rehearsal, organization: Organization, third: Scan
) -> None:
    assert third
    account, other = (organization.members[number].id for number in (2, 3))
    request = {"accounts": [account, other], "regions": ["us-east-1", "global"]}
    with rehearsal.dying("scan", when=f'event["target"]["account"] == "{account}"'):
        scan = rehearsal.scan(request)
    assert scan.status == "SUCCEEDED"
    assert of_the_table(rehearsal) == of_the_world(third)  # nothing is closed that was not looked at
    lost = [receipt for (where, _), receipt in receipts(rehearsal, scan).items() if where == account]
    assert {why for receipt in lost for why, _, _ in receipt["unseen"]} == {"fault"}
    assert all(receipt["evaluated"] == 0 for receipt in lost)
    (mail,) = scan.mail
    assert mail.body.startswith("INCOMPLETE")
    assert "receipt" in mail.body
    healed = rehearsal.scan({**request, "accounts": [account]})
    assert (healed.summary["coverage"], healed.mail) == (100.0, ())


def test_a_worker_that_dies_in_the_first_round_has_a_second_one(
    rehearsal: Rehearsal, organization: Organization, third: Scan
) -> None:
    account, other = (organization.members[number].id for number in (2, 3))
    dead = f'event["target"]["account"] == "{account}" and event["part"] == 0'
    with rehearsal.dying("scan", when=dead):
        scan = rehearsal.scan({"accounts": [account, other], "regions": ["us-east-1", "global"]})
    assert (scan.status, scan.summary["coverage"], scan.mail) == ("SUCCEEDED", 100.0, ())
    assert of_the_table(rehearsal) == of_the_world(third)
    left = json.loads(rehearsal.kept(f"work/{scan.id}/left.json"))
    assert {(each["account"], each["region"]) for each in left} == {
        (account, "global"),
        (account, "us-east-1"),
    }


def test_no_permission_was_missing(rehearsal: Rehearsal, third: Scan) -> None:
    """Of any function, of the workflow or of the members' role: what was denied, somebody had forbidden."""
    assert third
    assert rehearsal.aws.denials
    assert [each for each in rehearsal.aws.denials if "no identity-based policy" in each.why] == []


def test_the_deployed_definition_satisfies_a_validator_that_is_not_ours(
    rehearsal: Rehearsal, tmp_path: Path
) -> None:
    machine = rehearsal.outputs["MachineArn"]
    told = rehearsal.aws.client("stepfunctions").describe_state_machine(stateMachineArn=machine)
    path = tmp_path / "definition.asl.json"
    path.write_text(told["definition"])
    done = subprocess.run(  # noqa: S603 (what the lock installed)
        [VALIDATOR, "--json-path", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    path.write_text(told["definition"].replace('"Next":"Report"', '"Next":"Nowhere"'))
    broken = subprocess.run(  # noqa: S603
        [VALIDATOR, "--json-path", str(path)], capture_output=True, check=False
    )
    assert broken.returncode != 0  # it does look


def test_every_line_the_scan_function_logs_says_where_it_was(rehearsal: Rehearsal, third: Scan) -> None:
    assert third
    logs = rehearsal.aws.client("logs")
    groups = [each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]]
    (scan,) = (each for each in groups if "ScanLogs" in each)
    events = logs.filter_log_events(logGroupName=scan)["events"]
    lines = [json.loads(line) for event in events for line in event["message"].splitlines()]
    told = [line for line in lines if "_aws" not in line]  # the others are metrics
    assert len(told) > 50
    assert [line for line in told if not {"scan", "account", "region"} <= line.keys()] == []
    assert any(line["message"].startswith("collector stopped") for line in told)  # the library's, too


def test_the_command_line_reads_what_is_kept(
    rehearsal: Rehearsal,
    first: tuple[Scan, frozenset[Planted]],
    second: tuple[Scan, frozenset[Planted]],
    tmp_path: Path,
) -> None:
    for scan in (first[0], second[0]):
        place = rehearsal.keep(scan, tmp_path)
        assert {each.name for each in place.iterdir()} == KEPT
    mail = (place / "mail.txt").read_text()
    assert mail.startswith(f"To: platform@acme.example\nSubject: {second[0].mail[0].subject}\n\n")
    assert json.loads((place / "orgscan-chat-platform.json").read_text())["source"] == "custom"
    status = json.loads(command_line(tmp_path, "status", "--json"))
    assert status["summary"] == json.loads(json.dumps(second[0].summary))
    told = json.loads(command_line(tmp_path, "diff", "--json"))["differences"]
    kinds = Counter(each["kind"] for each in told)
    changes = changes_of(rehearsal, second[0])
    assert (kinds["new"], kinds["resolved"]) == (changes["new"], changes["resolved"])
    assert not {"not looked at then", "not looked at now"} & kinds.keys()
    worst = second[0].findings[0]
    assert worst["resource"] in command_line(tmp_path, "show", worst["id"]).replace("\n           ", "")
    assert second[0].id in command_line(tmp_path, "history", "--json")


MID_SCAN = """

import os, signal
from orgscan.store import FindingStore
_handler, _transact = handler, FindingStore._transact


def handler(event, context):
    handler.dies = event["target"]["account"] == "{account}"
    return _handler(event, context)


def transact(store, claim, puts, blind=None):
    if blind is not None and handler.dies:
        os.kill(os.getpid(), signal.SIGKILL)
    _transact(store, claim, puts, blind)


FindingStore._transact = transact
"""
"""The worker dies when it has written its findings, and not yet its receipt."""

SHORT = """

from orgscan import gather
_handler, _end, ended = handler, gather.Spool.end, []


def end(spool, *how):
    ended.append(how)
    _end(spool, *how)


def handler(event, context):
    ended.clear()
    return _handler(event, context)


gather.COLLECTORS_AT_ONCE = 1
gather.Spool.end = end
gather.Gathering.late = property(lambda _: len(ended) >= 5)
"""
"""An invocation's time is over when five collectors have ended."""


def test_a_worker_killed_in_the_middle_is_a_gap_until_the_next_scan(
    rehearsal: Rehearsal, organization: Organization, third: Scan
) -> None:
    account = organization.members[2].id
    request = {"accounts": [account], "regions": ["eu-west-1", "global"]}
    with rehearsal.altered("scan", MID_SCAN.format(account=account)):
        scan = rehearsal.scan(request)
    assert scan.status == "SUCCEEDED"
    assert of_the_table(rehearsal) == of_the_world(third)
    assert {why for left in receipts(rehearsal, scan).values() for why, _, _ in left["unseen"]} == {"fault"}
    (mail,) = scan.mail
    assert mail.body.startswith("INCOMPLETE: 0.0%")
    looked = receipts(rehearsal, scan).keys()
    theirs = [each for each in scan.findings if (each["account"], each["region"]) in looked]
    assert {each["unconfirmed_since"] for each in theirs} == {scan.summary["started"]}
    healed = rehearsal.scan(request)
    assert of_the_table(rehearsal) == of_the_world(third)
    assert {each["unconfirmed_since"] for each in healed.findings} == {None}
    assert healed.mail == ()


def test_a_target_is_read_in_as_many_invocations_as_it_takes(
    rehearsal: Rehearsal, organization: Organization, third: Scan
) -> None:
    account = organization.members[2].id
    request = {"accounts": [account], "regions": ["us-east-1", "eu-west-1", "global"]}
    whole = rehearsal.scan(request)
    with rehearsal.altered("scan", SHORT):
        scan = rehearsal.scan(request)
    parts = rehearsal.aws.client("s3").list_objects_v2(
        Bucket=rehearsal.outputs["BucketName"], Prefix=f"work/{scan.id}/{account}/"
    )
    # One of the first round and more of the second, of each.
    assert parts["KeyCount"] >= 6
    assert (scan.summary["checks"], scan.summary["resources"]) == (
        whole.summary["checks"],
        whole.summary["resources"],
    )
    assert (of_the_table(rehearsal), scan.mail) == (of_the_world(third), ())


@pytest.mark.parametrize("key", ["sts:ExternalId", "aws:PrincipalOrgID"])
def test_a_role_that_asks_for_another_external_id_or_organization_is_a_gap(
    rehearsal: Rehearsal, organization: Organization, third: Scan, key: str
) -> None:
    account = organization.members[3].id
    iam = rehearsal.aws.client("iam", account)
    trust = iam.get_role(RoleName="orgscan-member")["Role"]["AssumeRolePolicyDocument"]
    other = copy.deepcopy(trust)
    asked = other["Statement"][0]["Condition"]["StringEquals"]
    assert asked.keys() == {"sts:ExternalId", "aws:PrincipalOrgID"}
    asked[key] = "another"
    iam.update_assume_role_policy(RoleName="orgscan-member", PolicyDocument=json.dumps(other))
    request = {"accounts": [account], "regions": ["us-east-1", "global"]}
    scan = rehearsal.scan(request)
    iam.update_assume_role_policy(RoleName="orgscan-member", PolicyDocument=json.dumps(trust))
    assert (scan.status, of_the_table(rehearsal)) == ("SUCCEEDED", of_the_world(third))
    assert {(gap["reason"], gap["detail"]) for gap in scan.summary["gaps"]} == {("denied", "sts:AssumeRole")}
    assert scan.mail[0].body.startswith("INCOMPLETE: 0.7%")  # what says so itself
    assert rehearsal.scan(request).summary["newly_blind"] == 0


def test_on_a_bad_day_nothing_is_lost_and_nothing_made_up(rehearsal: Rehearsal, third: Scan) -> None:
    """Every tenth call fails: in the members for lack of permission or in AWS, in the hub in AWS.

    And SNS refuses the mail when it is offered first.
    """
    dice, failures = random.Random(7), Counter[str]()  # noqa: S311

    def trouble(caller: Caller, call: Call) -> Any:
        first_mail = call.name == "sns:Publish" and not failures["mail"]
        if not first_mail and ("Machine" in caller.role_arn or dice.random() > 0.1):
            return None
        failures["mail" if first_mail else call.service] += 1
        if first_mail:
            return calls.denied(call, "not yet")
        member = caller.role_arn.endswith("orgscan-member")
        return calls.denied(call, "not today") if member and dice.random() < 0.5 else calls.failed(call)

    rehearsal.aws.gate.trouble = trouble
    try:
        scan = rehearsal.scan()
    finally:
        rehearsal.aws.gate.trouble = lambda _caller, _call: None
    assert failures["ec2"] > 10
    assert failures["dynamodb"] > 10
    assert failures["mail"] == 1
    assert scan.status == "SUCCEEDED"
    assert of_the_world(scan) == of_the_world(third)
    assert scan.summary["coverage"] < third.summary["coverage"]
    (mail,) = scan.mail
    assert mail.subject.startswith("[orgscan] INCOMPLETE")
    assert "access denied" in mail.body
    healed = rehearsal.scan()
    assert found(healed) == found(third)
    changes = {kind: sum(counts.values()) for kind, counts in healed.summary["changes"].items()}
    assert changes == {"resolved": len(found(scan) - found(third))}, "that permissions were denied"
    (mail,) = healed.mail
    assert f" {changes['resolved']} resolved " in mail.subject
    assert healed.summary["coverage"] == third.summary["coverage"]
    assert healed.summary["unconfirmed"] == third.summary["unconfirmed"]


def test_what_somebody_accepted_is_kept_counted_and_not_open(
    organization: Organization, first: tuple[Scan, frozenset[Planted]]
) -> None:
    scan = first[0]
    account = organization.members[-1].id
    accepted = [each for each in scan.findings if each["status"] == "suppressed"]
    assert accepted
    assert {(each["check"], each["account"]) for each in accepted} == {(ACCEPTED, account)}
    counted = sum(sum(row.values()) for row in scan.summary["suppressed"].values())
    opened = sum(sum(row.values()) for row in scan.summary["open"].values())
    assert (counted, opened) == (len(accepted), len(scan.findings) - len(accepted))
    (ending,) = scan.summary["suppressions"]
    assert (ending["findings"], ending["owner"]) == (len(accepted), "platform@acme.example")
    assert f"SUPPRESSIONS that end:\n  {ACCEPTED} in {account}" in scan.mail[0].body


def test_the_findings_of_an_account_that_left_are_closed_and_say_so(
    rehearsal: Rehearsal, organization: Organization, third: Scan
) -> None:
    """The last of these tests: nobody brings the account back."""
    account = organization.members[2].id
    theirs = {each for each in found(third) if each.account == account}
    assert theirs
    open_ = [row for row in rehearsal.rows(f"TARGET#{account}") if row.get("status") == "open"]
    assert len(open_) >= len(theirs)
    rehearsal.aws.client("organizations").remove_account_from_organization(AccountId=account)
    scan = rehearsal.scan()
    assert scan.status == "SUCCEEDED"
    assert of_the_world(scan) == of_the_world(third) - theirs
    assert sum(scan.summary["changes"]["resolved"].values()) >= len(theirs)
    assert scan.summary["targets"]["planned"] == third.summary["targets"]["planned"] - len(REGIONS) - 1
    assert "(account left)" in scan.mail[0].body
    assert f"ACCOUNTS: 1 left\n  left: {organization.members[2].name}\n" in scan.mail[0].body
    closed = [row for row in rehearsal.rows(f"TARGET#{account}#") if row.get("changed_in") == scan.id]
    assert {row["resolved_because"] for row in closed} == {"account-left"}
    # Nothing is left of it, so no later scan goes there.
    assert account not in {row["sk"] for row in rehearsal.rows("ACCOUNTS") if row.get("regions")}


def test_no_permission_was_useless(rehearsal: Rehearsal, third: Scan) -> None:
    """The last test: what the hub's roles used in all that is above would be denied there without it."""
    assert third
    used = {(arn.rpartition("/")[2], action) for arn, action in rehearsal.aws.gate.used}
    unused: dict[str, set[str]] = {}
    for role, action in granted(rehearsal):
        if (role, action) not in used:
            name = next(each for each in UNUSED if role.startswith(f"OrgscanHub-{each}"))
            unused.setdefault(name, set()).add(action)
    assert unused == UNUSED


def granted(rehearsal: Rehearsal) -> Iterator[tuple[str, str]]:
    """(name of a role of the hub's stack, action)."""
    iam = rehearsal.aws.client("iam")
    for role in iam.get_paginator("list_roles").paginate().search("Roles[].RoleName"):
        if role.startswith("OrgscanHub-"):
            for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
                policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
                for statement in policy["Statement"]:
                    actions = statement["Action"]
                    for action in [actions] if isinstance(actions, str) else actions:
                        yield role, action
