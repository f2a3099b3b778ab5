"""`python -m infra.plain`: plain CloudFormation out of the cloud assembly, for whoever may not bootstrap CDK.

A template cannot hold the code: inlined, a function is one text file, and orgscan's are modules and layers
with compiled libraries, of more megabytes than the one that a template may have. So the code lies beside the
templates, for a bucket of one's own.
"""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra import ROOT, CannotSynthesize

ASSEMBLY, OUT = ROOT / "cdk.out", ROOT / "build" / "template"
CODE = "code"
"""The folder of what goes into the bucket."""
BUCKET, PREFIX = "CodeBucket", "CodePrefix"
PARAMETERS = {
    BUCKET: {
        "Type": "String",
        "Description": "A bucket in the region of this stack, with the files of the folder code",
        "AllowedPattern": "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
    },
    PREFIX: {
        "Type": "String",
        "Description": "What stands before their names there, with its last /",
        "Default": "",
        "AllowedPattern": "^([^/]+/)*$",
    },
}
BOOTSTRAP = ("BootstrapVersion", "CheckBootstrapVersion")
"""Parameter and rule of CDK that ask for its bootstrap."""
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The time of every file, so that the same code makes the same zip file."""
HOW = """\
{out}: {stacks} and {size:.1f} MB of code. The hub, into the account and region of your credentials:

  aws s3 cp --recursive {out}/code "s3://$BUCKET/orgscan/"
  aws cloudformation deploy --stack-name {hub} --template-file {out}/{hub}.template.json \\
    --s3-bucket "$BUCKET" --capabilities CAPABILITY_NAMED_IAM \\
    --parameter-overrides CodeBucket="$BUCKET" CodePrefix=orgscan/
"""


@dataclass(frozen=True, slots=True)
class Assets:
    """Of one stack."""

    folders: Mapping[str, Path]
    """Name of the zip file -> what it holds."""
    buckets: frozenset[str]
    """Of the bootstrap, as CDK writes them."""


def emit(assembly: Path, out: Path) -> list[str]:
    """Writes templates and zip files; what was there before is removed. Returns the stacks' names."""
    shutil.rmtree(out, ignore_errors=True)
    (out / CODE).mkdir(parents=True)
    stacks = sorted(_stacks(assembly))
    for stack in stacks:
        assets = _assets(assembly, stack)
        template = json.loads((assembly / f"{stack}.template.json").read_text())
        text = json.dumps(plain(template, assets), indent=1)
        (out / f"{stack}.template.json").write_text(f"{text}\n", encoding="utf-8")
        for name, folder in assets.folders.items():
            _zip(folder, out / CODE / name)
    return stacks


def plain(template: Mapping[str, Any], assets: Assets) -> dict[str, Any]:
    """The same resources, with code from the bucket that parameters name, and no word of the bootstrap."""
    kept = {
        section: {name: each for name, each in entries.items() if name not in BOOTSTRAP}
        if section in ("Parameters", "Rules")
        else _moved(entries, assets)
        for section, entries in template.items()
    }
    if assets.folders:
        kept["Parameters"] = {**PARAMETERS, **kept.get("Parameters", {})}
    told = {section: entries for section, entries in kept.items() if entries}
    text = json.dumps(told)
    if left := [name for name in (*assets.buckets, *BOOTSTRAP) if name in text]:
        raise CannotSynthesize(f"the template still needs the bootstrap of CDK: {', '.join(left)}")
    return told


def _moved(value: Any, assets: Assets) -> Any:
    match value:
        case {"S3Bucket": _, "S3Key": str(name), **rest} if name in assets.folders:
            return {**rest, "S3Bucket": {"Ref": BUCKET}, "S3Key": {"Fn::Sub": f"${{{PREFIX}}}{name}"}}
        case dict():
            return {key: _moved(each, assets) for key, each in value.items()}
        case list():
            return [_moved(each, assets) for each in value]
    return value


def _stacks(assembly: Path) -> Iterator[str]:
    try:
        artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    except FileNotFoundError:
        raise CannotSynthesize(f"{assembly.name} is missing: run `make synth` first") from None
    return (name for name, each in artifacts.items() if each["type"] == "aws:cloudformation:stack")


def _assets(assembly: Path, stack: str) -> Assets:
    files = json.loads((assembly / f"{stack}.assets.json").read_text())["files"].values()
    places = [(each["source"], to) for each in files for to in each["destinations"].values()]
    return Assets(
        {to["objectKey"]: assembly / source["path"] for source, to in places if source["packaging"] == "zip"},
        frozenset(to["bucketName"] for _, to in places),
    )


def _zip(folder: Path, file: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o755 << 16  # Lambda runs it as another user
            packed.writestr(entry, path.read_bytes())


def main() -> None:
    stacks = emit(ASSEMBLY, OUT)
    size = sum(each.stat().st_size for each in (OUT / CODE).iterdir()) / 1e6
    hub = next(each for each in stacks if each.endswith("Hub"))
    sys.stdout.write(HOW.format(out=OUT.relative_to(ROOT), stacks=" and ".join(stacks), size=size, hub=hub))


if __name__ == "__main__":
    try:
        main()
    except CannotSynthesize as refused:
        sys.stderr.write(f"{refused}\n")
        sys.exit(2)
