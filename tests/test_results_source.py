"""Where the command line finds scans, and what it says where there is none."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cli.results.source import Bucket, NoScan, Shelf, choose, open_scan, scans, source
from cli.start.execution import Deployment
from orgscan.results import Bucketed
from orgscan.session import Clients
from tests.scans_on_disk import Left, day, put, scan_id, week

if TYPE_CHECKING:
    import boto3


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(**asked: Any) -> str:
    with pytest.raises(NoScan) as told:
        [*open_scan(**asked).findings()]
    text = str(told.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ("latest", 15),
        ("latest~0", 15),
        ("previous", 14),
        ("latest~1", 14),
        ("latest~2", 13),
        (scan_id(14), 14),
        ("20260113", 13),
    ],
)
def test_a_scan_is_named_by_place_id_or_the_beginning_of_it(here: Path, asked: str, number: int) -> None:
    week(here)
    chosen = open_scan(results=here, scan=asked)
    assert chosen.id == chosen.summary["scan"] == scan_id(number)
    assert chosen.folder.address == f"{here}/{scan_id(number)}/"


def test_results_in_the_current_folder_are_looked_at_first(here: Path) -> None:
    week(here / "results")
    assert scans() == [scan_id(15), scan_id(14), scan_id(13)]


def test_one_scans_folder_is_enough(here: Path) -> None:
    week(here)
    alone = here / scan_id(14)
    assert scans(results=alone) == [scan_id(14)]
    assert len([*open_scan(results=alone).resolved()]) == 2
    assert "has only 1 scan that ended" in refused(results=alone, scan="previous")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"scan": "2026011"}, "'2026011' begins 3 scans: 20260115T060000123Z-15f14e45, 2026"),
        (
            {"scan": "mars"},
            "'mars': must be a scan's id or its beginning, latest, latest~1: week/ has 3 scans",
        ),
        ({"scan": ""}, "'': must be a scan's id"),
        ({"scan": "../week"}, "'../week': must be a scan's id"),
        ({"scan": "latest~3"}, "week/ has only 3 scans that ended: start another one"),
        ({"results": Path("nowhere")}, "--results: nowhere: must be a folder that holds"),
        ({"results": Path("empty")}, "there is no scan in empty/: start one (orgscan start)"),
        ({"stack": "Hub"}, "--results and --stack: must not be given together"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(here: Path, asked: dict[str, Any], said: str) -> None:
    week(here / "week")
    (here / "empty").mkdir()
    assert said in refused(**{"results": Path("week"), **asked})


def test_without_a_place_the_configuration_is_asked_and_its_trouble_told(here: Path) -> None:
    told = refused()
    assert told.startswith("orgscan.yaml: must be a readable file")
    assert told.endswith("name a folder of results with --results, or the hub's stack with --stack")
    (here / "results").mkdir()
    assert refused() == told, "an empty folder is no place"


def test_findings_of_an_older_version_are_refused_with_what_to_do(here: Path) -> None:
    week(here)
    file = here / scan_id(15) / "findings.jsonl.gz"
    lines = gzip.decompress(file.read_bytes()).splitlines()
    old = [{name: value for name, value in json.loads(each).items() if name != "id"} for each in lines]
    file.write_bytes(gzip.compress("\n".join(map(json.dumps, old)).encode()))
    told = refused(results=here)
    assert "was not written by this version of orgscan (its findings have no id or owner" in told
    assert told.endswith("name a newer --scan, or scan again")
    file.unlink()
    assert f"there is no {file}: the scan has not ended, or an older version" in refused(results=here)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\x1f\x8b",
        gzip.compress(b"{}" * 9, mtime=0)[:-9],
        gzip.compress(b"[]\n", mtime=0),
        gzip.compress(b"\xff", mtime=0),
        b"text",
    ],
)
def test_damaged_findings_are_refused(here: Path, damage: bytes) -> None:
    week(here)
    (here / scan_id(15) / "findings.jsonl.gz").write_bytes(damage)
    if damage:
        assert "it is damaged" in refused(results=here)
    else:
        assert [*open_scan(results=here).findings()] == [], "gzip of nothing is nothing"


@pytest.mark.parametrize("damage", ["", "[]", "{}", "{"])
def test_a_damaged_summary_is_refused(here: Path, damage: str) -> None:
    week(here)
    (here / scan_id(15) / "summary.json").write_text(damage)
    with pytest.raises(NoScan, match=r"summary\.json (is not what a scan leaves|was not written by)"):
        _ = open_scan(results=here).summary


@pytest.fixture
def deployed(aws: boto3.Session) -> Deployment:
    """A bucket of three scans, the newest of which has not ended, and the stack that tells of it."""
    aws.client("s3").create_bucket(
        Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"MachineArn": {"Value": "arn:machine"}, "BucketName": {"Value": "kept"}},
    }
    aws.client("cloudformation").create_stack(StackName="OrgscanHub", TemplateBody=json.dumps(template))
    for number in (13, 14):
        put(Bucketed(aws.client("s3"), "kept", scan_id(number)), Left(scan_id(number), day(number), []))
    aws.client("s3").put_object(Bucket="kept", Key=f"scans/{scan_id(15)}/plan.json", Body=b"{}")
    aws.client("s3").put_object(Bucket="kept", Key="inventory/dt=2026-01-15/x", Body=b"")
    return Deployment(home=Clients(aws, guarded=False), machine="arn:machine", bucket="kept")


@pytest.mark.usefixtures("deployed")
def test_a_deployed_stack_is_asked_for_its_bucket(here: Path) -> None:
    week(here / "results")
    chosen = open_scan(stack="OrgscanHub")
    assert (chosen.id, chosen.folder.address) == (scan_id(14), f"s3://kept/scans/{scan_id(14)}/")
    assert scans(stack="OrgscanHub") == [scan_id(15), scan_id(14), scan_id(13)]
    assert "has only 2 scans that ended" in refused(stack="OrgscanHub", scan="latest~2")
    assert "the scan has not ended" in refused(stack="OrgscanHub", scan=scan_id(15))


@pytest.mark.usefixtures("deployed")
def test_the_configuration_names_the_stack(here: Path) -> None:
    (here / "orgscan.yaml").write_text("name: orgscan")
    assert open_scan().id == scan_id(14)
    assert "there is no stack Other in eu-west-1" in refused(stack="Other")


def test_more_scans_than_a_page_holds(deployed: Deployment) -> None:
    pages = deployed.home.get("s3").get_paginator("list_objects_v2")
    assert (
        len(
            [*pages.paginate(Bucket="kept", Prefix="scans/", Delimiter="/", PaginationConfig={"PageSize": 1})]
        )
        > 2
    )
    assert len(Bucket(deployed).ids()) == 3


def test_a_bucket_that_does_not_answer_is_said(deployed: Deployment) -> None:
    gone = Bucket(Deployment(home=deployed.home, machine="arn:machine", bucket="gone"))
    with pytest.raises(NoScan, match=r"AWS does not answer .*NoSuchBucket"):
        choose(gone, "latest")


def test_a_folder_that_may_not_be_read_is_said(here: Path) -> None:
    week(here)
    file = here / scan_id(15) / "findings.jsonl.gz"
    file.unlink()
    file.mkdir()
    assert "findings.jsonl.gz cannot be read: Is a directory" in refused(results=here)
    assert isinstance(source(here, "", Path("none")), Shelf)
