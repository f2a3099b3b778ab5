"""JUnit XML, as build servers read it: an account is a suite, a check that found something in it is a case.

A scan's results do not tell which checks passed in which account, so there are no cases for those. What could
not be evaluated is known in totals alone: it is a suite of its own, with an error for each gap. That suite is
always there, so a scan that found nothing is not mistaken for one that did not run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from orgscan.line import Line
from orgscan.model import Blindness
from orgscan.present.exported import PRODUCT, Checks, Summary, about, evidence, fit, folded, zulu
from orgscan.present.text import REASONS, number, usd
from orgscan.reconcile import Status

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
COVERAGE = f"{PRODUCT} coverage"


def export(summary: Summary, lines: Iterable[Line], checks: Checks) -> Iterator[str]:
    """Keeps all findings, since a suite begins with its numbers and findings do not come by account."""
    accounts: dict[tuple[str, str], dict[str, list[Line]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        accounts[line.account, line.account_name][line.check].append(line)
    suites = [_coverage(summary)]
    suites += [_account(summary, *account, found, checks) for account, found in sorted(accounts.items())]
    totals = {name: str(sum(int(suite.get(name, "0")) for suite in suites)) for name in _numbers(())}
    root = Element("testsuites", {"name": PRODUCT, **totals})
    yield HEAD + tostring(root, encoding="unicode", short_empty_elements=False).removesuffix("</testsuites>")
    for suite in suites:
        indent(suite, " ")
        yield "\n" + tostring(suite, encoding="unicode")
    yield "\n</testsuites>\n"


def _numbers(cases: Sequence[Element]) -> Mapping[str, str]:
    kinds = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    counts = {name: sum(case.find(kind) is not None for case in cases) for name, kind in kinds.items()}
    return {name: str(count) for name, count in {"tests": len(cases), **counts}.items()}


def _suite(summary: Summary, name: str, cases: Sequence[Element], **properties: str) -> Element:
    suite = Element("testsuite", {"name": name, "timestamp": zulu(summary["started"]), **_numbers(cases)})
    told = SubElement(suite, "properties")
    for key, value in properties.items():
        SubElement(told, "property", {"name": key, "value": value})
    suite.extend(cases)
    return suite


def _coverage(summary: Summary) -> Element:
    done = summary["checks"]
    share = f"{summary['coverage']}% of {number(done['planned'], 'check')} evaluated"
    cases = [_gap(gap) for gap in summary["gaps"]]
    if summary["more_gaps"]:
        more = f"{number(summary['more_gaps'], 'more gap')}, which the scan counted and did not keep"
        cases.append(_case(COVERAGE, "more gaps", "error", more))
    if not cases and not summary["complete"]:
        cases.append(_case(COVERAGE, "evaluated", "error", share))
    return _suite(
        summary,
        COVERAGE,
        cases or [Element("testcase", {"classname": COVERAGE, "name": share})],
        scan=summary["scan"],
        coverage=share,
        complete=str(summary["complete"]).lower(),
    )


def _gap(gap: Mapping[str, Any]) -> Element:
    reason = REASONS[Blindness(gap["reason"])]
    what = f"{number(gap['checks'], 'check')} in {number(gap['targets'], 'target')} not evaluated"
    return _case(COVERAGE, folded(f"{reason}: {gap['detail']}"), "error", what, kind=gap["reason"])


def _case(suite: str, name: str, outcome: str, message: str, text: str = "", kind: str = "") -> Element:
    case = Element("testcase", {"classname": suite, "name": name})
    told = SubElement(case, outcome, {"message": message, **({"type": kind} if kind else {})})
    told.text = text or None
    return case


def _account(
    summary: Summary, account: str, name: str, found: Mapping[str, Sequence[Line]], checks: Checks
) -> Element:
    suite = folded(f"{account} {name}")
    cases = [_check(suite, check, lines, checks) for check, lines in sorted(found.items())]
    return _suite(summary, suite, cases, account=account)


def _check(suite: str, check: str, lines: Sequence[Line], checks: Checks) -> Element:
    """Fails while one finding is open, is skipped while all that is left is suppressed, and else passes."""
    by = {status: [line for line in lines if line.status is status] for status in Status}
    told = about(lines[0], checks)
    text = "\n".join([*map(_told, lines), *([f"Fix: {told.fix}"] if told.fix else [])])
    if by[Status.OPEN]:
        worst = max((line.severity for line in by[Status.OPEN]), key=lambda each: each.rank)
        message = f"{number(len(by[Status.OPEN]), 'finding')}: {told.title}"
        return _case(suite, fit(check), "failure", message, text, worst)
    if by[Status.SUPPRESSED]:
        message = f"{number(len(by[Status.SUPPRESSED]), 'finding')} suppressed: {told.title}"
        return _case(suite, fit(check), "skipped", message, text)
    case = Element("testcase", {"classname": suite, "name": fit(check)})
    SubElement(case, "system-out").text = text
    return case


def _told(line: Line) -> str:
    """On one line, whatever is in it."""
    parts = [
        f"- {line.severity}",
        "" if line.status is Status.OPEN else line.status,
        line.region,
        line.resource,
        f"owner {line.owner.name}" if line.owner.name else "",
        f"{usd(line.saving.monthly_usd)} a month" if line.saving else "",
        evidence(line),
        f"[{line.id}]",
    ]
    return "  ".join(folded(part) for part in parts if part)
