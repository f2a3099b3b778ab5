"""Who may know whom. The rooms of the house, and the doors between them."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "layers/orgscan/python"
SOURCES = sorted(
    path
    for folder in ("layers/orgscan/python", "functions", "infra", "cli", "local")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)
AWS = ("boto3", "botocore", "aws_lambda_powertools", "aws_cdk", "constructs", "moto")
OURS = ("orgscan", "functions", "infra", "cli", "local")
THIRD_PARTY = (*AWS, "pydantic", "yaml", "jinja2", "rich", "typer", "cdk_nag")

# What a module may import of ours and of third parties, most specific pattern first.
DOORS = {
    "orgscan.model": (),
    "orgscan.network*": ("orgscan.model", "orgscan.network"),
    "orgscan.policy*": ("orgscan.errors", "orgscan.model", "orgscan.network", "orgscan.policy"),
    "orgscan.owners": ("orgscan.model",),
    "orgscan.prices": ("orgscan.model",),
    "orgscan.tagged": ("orgscan.owners",),
    "orgscan.tagging": ("orgscan.model",),
    "orgscan.check": ("orgscan.model",),
    "orgscan.suppress": ("orgscan.model",),
    "orgscan.meter": (),
    "orgscan.schema": (),
    "orgscan.cost": ("orgscan.meter", "orgscan.prices"),
    "orgscan.warm": (),
    "orgscan.credentials": ("orgscan.errors", "orgscan.warm", "botocore.credentials", "botocore.exceptions"),
    "orgscan.attributes": ("boto3.dynamodb",),
    "orgscan.pools": (),
    "orgscan.session": (
        "orgscan.attributes",
        "orgscan.credentials",
        "orgscan.errors",
        "orgscan.meter",
        "orgscan.once",
        "orgscan.pace",
        "orgscan.parsers",
        "orgscan.road",
        "orgscan.warm",
        "boto3",
        "botocore",
    ),
    "orgscan.moments": ("botocore.utils",),
    "orgscan.road": ("orgscan.warm", "orgscan.ways", "orgscan.wire", "botocore", "urllib3"),
    "orgscan.ways": ("orgscan.signature", "botocore"),
    "orgscan.signature": ("botocore.auth", "botocore.utils", "botocore.credentials"),
    "orgscan.wire": ("botocore.awsrequest", "urllib3.exceptions"),
    "orgscan.once": (
        "botocore.client",
        "botocore.context",
        "botocore.endpoint_provider",
        "botocore.hooks",
        "botocore.httpsession",
        "botocore.regions",
    ),
    "orgscan.parsers": ("orgscan.moments", "botocore.parsers", "botocore.utils"),
    "orgscan.errors": ("orgscan.model", "orgscan.secrets", "botocore.exceptions", "botocore.parsers"),
    "orgscan.pace": ("orgscan.errors",),
    "orgscan.iam": ("botocore.loaders",),
    "orgscan.shape": ("orgscan.model",),
    "orgscan.collector": (
        "orgscan.errors",
        "orgscan.model",
        "orgscan.secrets",
        "orgscan.session",
        "orgscan.shape",
    ),
    "orgscan.services.*.facts*": (
        "orgscan.model",
        "orgscan.network",
        "orgscan.policy",
        "orgscan.secrets",
        "orgscan.services.*.facts",
    ),
    "orgscan.services.*.checks*": (
        "orgscan.check",
        "orgscan.model",
        "orgscan.network",
        "orgscan.policy",
        "orgscan.prices",
        "orgscan.tagging",
        "orgscan.services.*.facts",
        "orgscan.services.*.checks",
        "orgscan.services.*.runtimes",
    ),
    "orgscan.services.*.collect*": (
        "orgscan.collector",
        "orgscan.errors",
        "orgscan.model",
        "orgscan.network",
        "orgscan.policy",
        "orgscan.secrets",
        "orgscan.services.*.facts",
        "orgscan.services.*.collect",
        "botocore.exceptions",
    ),
    "orgscan.services*": ("orgscan.model",),
    "orgscan.coverage": ("orgscan.check", "orgscan.model", "orgscan.tagged"),
    "orgscan.reconcile": ("orgscan.coverage", "orgscan.model", "orgscan.suppress"),
    "orgscan.receipt": (
        "orgscan.coverage",
        "orgscan.meter",
        "orgscan.model",
        "orgscan.reconcile",
        "orgscan.routing",
        "orgscan.suppress",
        "orgscan.tagged",
    ),
    "orgscan.routing": ("orgscan.model", "orgscan.owners", "orgscan.settings"),
    "orgscan.compliance": ("orgscan.catalog", "orgscan.model", "orgscan.receipt"),
    "orgscan.links": (),
    "orgscan.present.columns": ("orgscan.line",),
    "orgscan.fixes": ("orgscan.line", "orgscan.model", "orgscan.reconcile"),
    "orgscan.present.html": (
        "orgscan.catalog.AnyCheck",
        "orgscan.fixes",
        "orgscan.line",
        "orgscan.model",
        "orgscan.present",
        "orgscan.reconcile",
        "orgscan.remedy",
    ),
    "orgscan.present.*": (
        "orgscan.catalog",
        "orgscan.digest",
        "orgscan.links",
        "orgscan.compliance.split",
        "orgscan.coverage.Resolution",
        "orgscan.line",
        "orgscan.membership",
        "orgscan.model",
        "orgscan.present",
        "orgscan.reconcile",
        "orgscan.remedy",
        "orgscan.summary",
    ),
    "orgscan*": ("orgscan", "boto3", "botocore"),
    "functions.*": ("orgscan", "aws_lambda_powertools"),
    # Region names come from botocore's data; nothing here calls AWS.
    "infra.fields": (
        "orgscan.catalog",
        "orgscan.model",
        "orgscan.suppress",
        "infra",
        "pydantic",
        "botocore.loaders",
    ),
    "infra.config": (
        "orgscan.catalog",
        "orgscan.model",
        "orgscan.settings",
        "orgscan.suppress",
        "infra",
        "pydantic",
        "yaml",
    ),
    "infra.routes": ("orgscan.model", "orgscan.settings", "infra", "pydantic"),
    "infra*": (
        "infra",
        "orgscan.archive.FINDINGS",
        "orgscan.archive.OF_",
        "orgscan.archive.RECEIPTS",
        "orgscan.tagging",
        "orgscan.catalog",
        "orgscan.figures",
        "orgscan.iam",
        "orgscan.inventory.COLUMNS",
        "orgscan.inventory.FOLDER",
        "orgscan.inventory.OF_",
        "orgscan.meter",
        "orgscan.model",
        "orgscan.organization.CALLS",
        "orgscan.ownership.CALLS",
        "orgscan.regions.CALLS",
        "orgscan.results.SCANS",
        "orgscan.results.WORK",
        "orgscan.settings",
        "aws_cdk",
        "constructs",
        "cdk_nag",
        "pydantic",
        "yaml",
    ),
    "cli.doctor.judge*": (
        "cli.doctor.facts",
        "cli.doctor.problem",
        "orgscan.model",
        "orgscan.organization",
        "orgscan.policy",
    ),
    # Whether credentials are found and hold is told by what botocore raises.
    "cli.scan.caller": ("cli.doctor.ask", "orgscan", "botocore.exceptions"),
    # Where an entry goes in orgscan.yaml, without writing anew what stands there.
    "cli.results.splice": ("infra.yaml_text", "yaml"),
    "cli*": (
        "cli",
        "infra.CannotSynthesize",
        "infra.config",
        "infra.fields.REGIONS",
        "infra.schedule",
        "infra.tags",
        "orgscan",
        "rich",
        "typer",
    ),
    # As AWS would: the synthesized template and the handlers' files, never the library's insides.
    "local*": ("local", "moto", "boto3", "botocore", "rich", "yaml"),
}


def name(path: Path) -> str:
    base = LIBRARY if path.is_relative_to(LIBRARY) else ROOT
    return ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")


@cache
def imports(path: Path) -> frozenset[str]:
    """What a module needs when it runs, as 'module' or 'module.name'; imports for types do not count."""
    return frozenset(_imports(ast.parse(path.read_text())))


def _imports(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case ast.Import():
                yield from (alias.name for alias in child.names)
            case ast.ImportFrom(module=str(module)):
                yield from (f"{module}.{alias.name}" for alias in child.names)
        yield from _imports(child)


def test_every_source_is_looked_at() -> None:
    assert len(SOURCES) > 40


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_imports_go_through_the_doors(path: Path) -> None:
    allowed = next(doors for pattern, doors in DOORS.items() if fnmatch(name(path), pattern))
    known = {each for each in imports(path) if each.partition(".")[0] in (*OURS, *THIRD_PARTY)}
    assert {each for each in known if not any(fnmatch(each, f"{door}*") for door in allowed)} == set()


def test_no_module_of_the_library_needs_itself() -> None:
    """Imports run in one direction: no circle, however long."""
    modules = {name(path): path for path in SOURCES if path.is_relative_to(LIBRARY)}
    needs = {module: _of_ours(module, path, modules) for module, path in modules.items()}
    done: set[str] = set()
    while ready := {module for module, wanted in needs.items() if module not in done and wanted <= done}:
        done |= ready
    assert set(modules) - done == set()


def _of_ours(module: str, path: Path, modules: dict[str, Path]) -> set[str]:
    wanted = set()
    for each in imports(path):
        target = each if each in modules else each.rpartition(".")[0]
        if target in modules and target != module and not module.startswith(f"{target}."):
            wanted.add(target)
    # A package's __init__ that is empty brings nothing with it.
    return {each for each in wanted if modules[each].stat().st_size}


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if "local" not in path.relative_to(ROOT).parts[:1]], ids=name
)
def test_no_partition_is_taken_for_granted(path: Path) -> None:
    assert "arn:" + "aws:" not in path.read_text()


def test_everything_is_caught_in_five_places_only() -> None:
    broad = {
        name(path): count
        for path in SOURCES
        if path.is_relative_to(LIBRARY)
        and (
            count := sum(
                line.strip().startswith("except Exception") for line in path.read_text().splitlines()
            )
        )
    }
    assert broad == {
        "orgscan.collector": 1,
        "orgscan.errors": 1,
        "orgscan.gather": 1,
        "orgscan.judge": 1,
        "orgscan.metrics": 1,
    }


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_files_stay_readable(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 450
