"""docs/checks: one page per service, and the list of all."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

from cli.compliance_pages import file_of
from cli.describe import ADVISOR, describe, elsewhere
from cli.markdown import code, folded, number, page, prose, several, table
from cli.shell import script
from infra import tags
from orgscan import iam, remedy
from orgscan.catalog import Catalog
from orgscan.compliance import Framework, split

Described = Mapping[str, Any]
KINDS = 10
"""Of resources in a cell; more are folded away."""
WIDTH = 96
"""Of an example, in characters."""
TOLD = code(f"<{name}>" for name in sorted(remedy.FACTS))
HEAD = (
    f"Commands are for credentials of the finding's account. The finding tells {TOLD}; all other `<words>` "
    "are yours to decide. In templates, `ec2` is `aws_cdk.aws_ec2`, and so on, and `self` is the stack."
)
"""Of a page with remedies."""


def pages(everything: Catalog, frameworks: Sequence[Framework]) -> dict[str, str]:
    services: dict[str, list[Described]] = defaultdict(list)
    for check in everything.checks:
        described = describe(check, everything)
        services[described["service"]].append(described)
    files = {each.name: file_of(each) for each in frameworks}
    return {
        "checks/README.md": page(_index(dict(sorted(services.items())))),
        **{
            f"checks/{service}.md": page(_service(service, checks, files))
            for service, checks in services.items()
        },
    }


def _index(services: Mapping[str, Sequence[Described]]) -> Iterator[str]:
    yield from ("# Checks", "")
    total = sum(map(len, services.values()))
    yield f"{number(total, 'check')} of {number(len(services), 'service')}."
    yield "What they must be allowed to read: [permissions](../permissions.md)."
    yield "Which controls of CIS and FSBP they cover: [compliance](../compliance/README.md)."
    for service, checks in services.items():
        yield from ("", f"## [{service}]({service}.md)", "")
        rows = (
            (
                f"[`{check['id']}`]({service}.md#{check['id']})",
                prose(check["title"]),
                check["severity"],
                check["category"],
            )
            for check in checks
        )
        yield from table(("Check", "What is wrong", "Severity", "Category"), rows)


def _service(service: str, checks: Sequence[Described], files: Mapping[str, str]) -> Iterator[str]:
    yield from (f"# {service}", "", "[All checks](README.md)", "")
    if any(check["cli"] or check["cdk"] for check in checks):
        yield from (HEAD, "")
    for check in checks:
        yield f"- [{check['id']}](#{check['id']})"
    for check in checks:
        yield from ("", *_section(check, files))


def _section(check: Described, files: Mapping[str, str]) -> Iterator[str]:
    yield from (f"## {check['id']}", "")
    yield from (f"**{prose(check['title'])}**", "")
    yield from (prose(check["why"]), "")
    yield from (f"**Fix:** {prose(check['fix'])}", "")
    if check["cli"]:
        yield from ("```sh", *script(check["cli"], WIDTH), "```", "")
    if check["cdk"]:
        yield from folded("With CDK", ("```python", *check["cdk"].splitlines(), "```"))
        yield ""
    yield from table(("Severity", check["severity"]), _facts(check, files))
    if check["parameters"]:
        yield from ("", "Thresholds and their defaults, as `orgscan.yaml` can change them:", "")
        yield from ("```yaml", *_example(check), "```")
    calls = number(len(check["reads"]), "API call")
    yield from ("", *folded(f"Reads {calls}", _reads(check)))


def _facts(check: Described, files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield "Category", check["category"]
    yield "Judges", several([f"`{kind}`" for kind in check["judges"]], "kinds of resources", KINDS)
    yield "Where", " and ".join(check["scope"])
    equivalents = [*map(elsewhere, check["equivalent"])]
    advised = [
        f"{prose(name)} (`{id_}`)" if name else prose(id_)
        for tool, id_, name in equivalents
        if tool == ADVISOR
    ]
    optional = {
        "Looks at": code(check["looks_at"]),
        "Measures": ", ".join(map(prose, check["metrics"])),
        "Frameworks": ", ".join(_frameworks(check, files)),
        "Prowler": several(
            [f"`{id_}`" for tool, id_, _ in equivalents if tool == "prowler"], "checks", KINDS
        ),
        "Trusted Advisor": ", ".join(advised),
        "References": ", ".join(f"<{url}>" for url in check["references"]),
        "Earlier ids": code(check["was"]),
    }
    yield from ((name, told) for name, told in optional.items() if told)


def _frameworks(check: Described, files: Mapping[str, str]) -> Iterator[str]:
    """Each framework once, with the numbers of its controls."""
    numbers: dict[str, list[str]] = defaultdict(list)
    for name, control in map(split, check["frameworks"]):
        numbers[name].append(control)
    for name, controls in numbers.items():
        told = f"[{name}](../compliance/{files[name]})" if name in files else name
        yield f"{told} {', '.join(controls)}"


def _example(check: Described) -> Iterator[str]:
    """What has a section of its own in orgscan.yaml stands there, and not among the other thresholds."""
    thresholds = dict(check["parameters"])
    own = [name for name in thresholds if tags.is_section(check["id"], name)]
    for name in own:
        policies = thresholds.pop(name)
        yield from _field("tag_policies", policies if isinstance(policies, list) else [policies], "")
    if thresholds:
        yield from ("checks:", "  parameters:", f"    {check['id']}:")
    for name, default in thresholds.items():
        yield from _field(name, default, " " * 6)


def _field(name: str, value: Any, indent: str) -> Iterator[str]:
    """JSON is YAML, and may go on in a next line that is indented more."""
    yield from wrap(
        f"{name}: {json.dumps(value, ensure_ascii=False)}",
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _reads(check: Described) -> Iterator[str]:
    rows = ((f"`{call}`", f"`{iam.action(call)}`") for call in check["reads"])
    yield from table(("API call", "IAM action"), rows)
