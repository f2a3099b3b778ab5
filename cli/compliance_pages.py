"""docs/compliance: the controls of each framework, and the checks that cover them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from cli.describe import service
from cli.markdown import code, number, page, prose, table
from orgscan.catalog import AnyCheck, Catalog
from orgscan.compliance import Control, Framework

KINDS = {True: "automated", False: "manual", None: "not known"}
VERDICTS = """\
A scan says of each control that has a check (`compliance.json` beside its `summary.json`):

| Verdict | When |
| --- | --- |
| `failed` | one of its checks has an open finding, wherever |
| `not-judged` | nothing is open, but a check was not, or not fully, evaluated somewhere, or not asked for |
| `accepted` | everything was seen, and all that is found is suppressed |
| `passed` | everything was seen, and nothing is found |
| `no-check` | there is no check; it is in none of the counts |

A scan of a few accounts or regions speaks of those alone, and switched-off checks are not asked for.

A verdict is marked `as_far_as_automated` where checks do not cover all of a control: the framework calls it
manual, or its kind is not known here, or one of the checks that it takes does not exist yet. The rest is for
people, and none of this replaces an audit."""


def file_of(framework: Framework) -> str:
    """Of its page: 'CIS AWS 3.0' -> 'cis-aws-3.0.md'."""
    return f"{framework.name.lower().replace(' ', '-')}.md"


def pages(everything: Catalog, frameworks: Sequence[Framework], source: str) -> dict[str, str]:
    return {
        "compliance/README.md": page(_index(everything, frameworks, source)),
        **{
            f"compliance/{file_of(framework)}": page(_framework(framework, everything))
            for framework in frameworks
        },
    }


def _index(everything: Catalog, frameworks: Sequence[Framework], source: str) -> Iterator[str]:
    yield from ("# Compliance", "")
    rows = []
    for each in frameworks:
        covered = sum(map(bool, each.covering(everything.checks).values()))
        rows.append(
            (f"[{each.title}]({file_of(each)})", f"{len(each.controls)}", _kinds(each.controls), f"{covered}")
        )
    yield from table(("Framework", "Controls", "Of these", "With a check"), rows)
    yield from ("", *VERDICTS.splitlines(), "", "## Where the lists come from", "", prose(source))


def _framework(framework: Framework, everything: Catalog) -> Iterator[str]:
    by_id = {check.id: check for check in everything.checks}
    covering = framework.covering(everything.checks)
    missing = framework.missing(everything.checks)
    with_checks = [control for control in framework.controls if covering[control.number]]
    without = [control for control in framework.controls if not covering[control.number]]
    yield from (f"# {framework.title}", "", "[All frameworks](README.md)", "")
    total = number(len(framework.controls), "control")
    yield f"{total} ({_kinds(framework.controls)}): {len(with_checks)} with a check, {len(without)} without."
    yield f"Checks name them as `{framework.name} <control>`."
    if with_checks:
        yield from ("", "## With a check", "")
        rows = (
            (
                control.number,
                _kind(control, missing[control.number]),
                _checks([by_id[id_] for id_ in covering[control.number]]),
            )
            for control in with_checks
        )
        yield from table(("Control", "Kind", "Checks"), rows)
    if without:
        yield from ("", "## Without a check", "", *_without(without))


def _without(controls: Sequence[Control]) -> Iterator[str]:
    """Section by section; what has a reason, with it."""
    sections: dict[str, list[Control]] = defaultdict(list)
    for control in controls:
        sections[control.number.partition(".")[0]].append(control)
    rows = (
        (
            section,
            ", ".join(f"{each.number} (manual)" if each.automated is False else each.number for each in some),
        )
        for section, some in sections.items()
    )
    yield from table(("Section", "Controls"), rows)
    reasons: dict[str, list[str]] = defaultdict(list)
    for control in controls:
        if control.why_not:
            reasons[control.why_not].append(control.number)
    if reasons:
        yield ""
        yield from (f"- {', '.join(numbers)}: {prose(why)}." for why, numbers in reasons.items())


def _kind(control: Control, missing: Sequence[str]) -> str:
    kind = KINDS[control.automated]
    if missing:
        return f"{kind}, as far as checks exist: without {code(missing)}"
    return kind if control.automated else f"{kind}, as far as automated"


def _kinds(controls: Sequence[Control]) -> str:
    """'54 automated, 8 manual'."""
    counts: Mapping[bool | None, int] = {
        kind: sum(control.automated is kind for control in controls) for kind in KINDS
    }
    told = {True: "automated", False: "manual", None: "of a kind not known here"}
    return ", ".join(f"{count} {told[kind]}" for kind, count in counts.items() if count)


def _checks(checks: Sequence[AnyCheck]) -> str:
    return "<br>".join(
        f"[`{check.id}`](../checks/{service(check)}.md#{check.id}) {prose(check.title)}" for check in checks
    )
