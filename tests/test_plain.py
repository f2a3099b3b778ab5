"""Plain CloudFormation: what CDK would deploy, without its bootstrap."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from infra import CannotSynthesize
from infra.plain import BUCKET, CODE, PARAMETERS, PREFIX, Assets, emit, plain
from local import deploy
from local.emulator import Emulator
from local.place import HOME
from tests.stacks import Assembly, Json, Template

# One worker of xdist synthesizes, once.
HUB = "111122223333"


@pytest.fixture(scope="module")
def emitted(assembly: Assembly, tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    folder = tmp_path_factory.mktemp("plain") / "template"
    folder.mkdir()
    (folder / "old.json").write_text("{}")
    assert emit(assembly.folder, folder) == ["OrgscanHub", "OrgscanMember"]
    return Assembly(folder)


def places(template: Json) -> list[Json]:
    """Where code is said to be."""
    properties = [each.get("Properties", {}) for each in template["Resources"].values()]
    return [each[key] for each in properties for key in ("Code", "Content") if key in each]


def test_the_same_is_made_of_code_from_elsewhere(emitted: Assembly, hub: Template, member: Template) -> None:
    told, cdk = emitted.template("OrgscanHub").json, hub.json
    moved = places(told)
    assert len(moved) == len(places(cdk)) == 6
    for mine, theirs in zip(moved, places(cdk), strict=True):
        key = {"Fn::Sub": f"${{{PREFIX}}}{theirs['S3Key']}"}
        assert mine == {"S3Bucket": {"Ref": BUCKET}, "S3Key": key}
        mine.update(theirs)
    assert told["Resources"] == cdk["Resources"]
    assert (told["Outputs"], told["Description"]) == (cdk["Outputs"], cdk["Description"])
    assert (told["Parameters"], told.get("Rules")) == (PARAMETERS, None)
    assert emitted.template("OrgscanMember").json == member.json


def test_every_file_that_a_template_names_lies_beside_it_and_no_other(
    emitted: Assembly, assembly: Assembly
) -> None:
    named = {each["S3Key"]["Fn::Sub"] for each in places(emitted.template("OrgscanHub").json)}
    there = {each.name: each for each in (emitted.folder / CODE).iterdir()}
    assert named == {f"${{{PREFIX}}}{name}" for name in there}
    for name, file in there.items():
        folder = assembly.folder / f"asset.{name.removesuffix('.zip')}"
        with zipfile.ZipFile(file) as packed:
            held = {each.filename: packed.read(each) for each in packed.infolist()}
        assert held == {
            each.relative_to(folder).as_posix(): each.read_bytes()
            for each in folder.rglob("*")
            if each.is_file()
        }
    assert {each.name for each in emitted.folder.iterdir()} == {
        CODE,
        "OrgscanHub.template.json",
        "OrgscanMember.template.json",
    }


def test_no_word_of_a_bootstrap_is_left(emitted: Assembly) -> None:
    text = "".join(each.read_text() for each in emitted.folder.glob("*.json")).lower()
    assert [
        word for word in ("bootstrap", "hnb659fds", "aws::cdk::metadata", "aws:asset") if word in text
    ] == []


def test_it_deploys_and_runs_where_there_is_no_bootstrap(emitted: Assembly, tmp_path: Path) -> None:
    """Into the embedded AWS: layers and handlers come from the bucket that the parameters name."""
    with Emulator(tmp_path, hub=HUB) as aws:
        s3, functions = aws.client("s3"), aws.client("lambda")
        s3.create_bucket(Bucket="ours")
        for file in (emitted.folder / CODE).iterdir():
            s3.upload_file(str(file), "ours", f"orgscan/{file.name}")
        template = emitted.template("OrgscanHub").json
        given = {BUCKET: "ours", PREFIX: "orgscan/"}
        deploy._create(aws.client, (HUB, HOME), "OrgscanHub", template, given)
        (plan,) = [
            each["FunctionName"]
            for each in functions.list_functions()["Functions"]
            if each["Handler"] == "plan.handler"
        ]
        event = {"request": [], "started": "2026-01-15T06:00:00Z", "execution": "8f14e45f"}
        answer = json.load(functions.invoke(FunctionName=plan, Payload=json.dumps(event))["Payload"])
        # Its own words, from the library in a layer: there is no organization, and this is no request.
        assert answer["errorType"] in ("CannotPlan", "InvalidScanRequest")


@pytest.mark.parametrize(
    "resource",
    [
        {"Code": {"S3Bucket": {"Fn::Sub": "cdk-assets"}, "S3Key": "unknown.zip"}},
        {"TemplateURL": {"Fn::Sub": "https://s3.amazonaws.com/cdk-assets/nested.json"}},
        {"Value": {"Ref": "BootstrapVersion"}},
    ],
)
def test_what_still_needs_the_bootstrap_is_refused(resource: Any) -> None:
    template = {"Resources": {"Odd": {"Type": "A::B::C", "Properties": resource}}}
    with pytest.raises(CannotSynthesize, match=r"^the template still needs the bootstrap of CDK: "):
        plain(template, Assets({"known.zip": Path()}, frozenset({"cdk-assets"})))


def test_the_same_code_makes_the_same_file(tmp_path: Path) -> None:
    """Whenever and wherever it is packed, so that what was uploaded can be compared."""
    for name in ("one", "two"):
        handlers = tmp_path / name / "asset"
        handlers.mkdir(parents=True)
        for file in ("b.py", "a.py") if name == "one" else ("a.py", "b.py"):
            (handlers / file).write_text(file)
            (handlers / file).chmod(0o600 if name == "one" else 0o644)
        files = {"x": {"source": {"path": "asset", "packaging": "zip"}, "destinations": {"y": place()}}}
        artifacts = {"Stack": {"type": "aws:cloudformation:stack"}, "Tree": {"type": "cdk:tree"}}
        (tmp_path / name / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
        (tmp_path / name / "Stack.assets.json").write_text(json.dumps({"files": files}))
        (tmp_path / name / "Stack.template.json").write_text("{}")
        assert emit(tmp_path / name, tmp_path / f"{name}-out") == ["Stack"]
    first, second = ((tmp_path / f"{name}-out" / CODE / "x.zip").read_bytes() for name in ("one", "two"))
    assert first == second


def place() -> Json:
    return {"bucketName": "cdk-assets", "objectKey": "x.zip"}


def test_without_an_assembly_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CannotSynthesize, match=r"^cdk.out is missing: run `make synth` first$"):
        emit(tmp_path / "cdk.out", tmp_path / "out")
