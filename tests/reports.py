"""A scan of an invented organization, lifelike and always the same: what reports are made of."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from random import Random
from typing import Any

from orgscan import catalog, compliance
from orgscan.catalog import AnyCheck
from orgscan.cost import Scale, usage
from orgscan.coverage import Resolution
from orgscan.describe import describe
from orgscan.fixes import Sums
from orgscan.line import Line, fingerprint
from orgscan.membership import Move
from orgscan.meter import Spent
from orgscan.model import (
    GLOBAL,
    Blindness,
    Category,
    Confidence,
    Money,
    OwnedBy,
    Owner,
    Severity,
    Target,
)
from orgscan.organization import Account
from orgscan.present import html
from orgscan.receipt import Receipt, Unseen
from orgscan.reconcile import Change, Event, Status
from orgscan.summary import Ending, summarise
from orgscan.suppress import Suppression
from orgscan.tagged import Share
from tests import cases
from tests.receipts import FINISHED, plan, receipt

SCAN, STARTED = "20260115T060000000Z-8f14e45f", datetime.fromisoformat("2026-01-15T06:00:00+00:00")
ACCOUNTS = (
    *("payments-prod", "payments-staging", "web-shop", "data-lake", "identity", "logging", "network-hub"),
    *("mobile-backend", "ml-research", "sandbox-anna", "acquired-company", "backup-vault"),
)
REGIONS = ("eu-central-1", "eu-west-1", "us-east-1")
OWNERS = ("payments@acme.example", "web@acme.example", "data-platform", "security-team", "ml", "")
RULE = Suppression(
    check="s3-bucket-policy-public",
    resource="arn:aws:s3:::acme-website",
    reason="the public website",
    owner="web@acme.example",
    expires=date(2026, 1, 20),
)
USED = Spent(calls=8342, throttled=12, invocations=53, gb_seconds=412.7, metrics=390, cost_queries=36)
RESOURCES = {
    "ec2-instance": ("ec2", "instance/i-0{hex}"),
    "ec2-security": ("ec2", "security-group/sg-0{hex}"),
    "ec2-snapshot": ("ec2", "snapshot/snap-0{hex}"),
    "ebs-volume": ("ec2", "volume/vol-0{hex}"),
    "ebs-snapshot": ("ec2", "snapshot/snap-0{hex}"),
    "iam-user": ("iam", "user/{name}"),
    "iam-role": ("iam", "role/{name}"),
    "rds-instance": ("rds", "db:{name}"),
    "lambda-function": ("lambda", "function:{name}"),
    "sqs-queue": ("sqs", "{name}"),
    "sns-topic": ("sns", "{name}"),
}
NAMES = (
    "orders",
    "checkout",
    "sessions",
    "events-raw",
    "reports",
    "thumbnails",
    "ledger",
    "audit",
    "ci-runner",
)


HOSTILE = (
    "<script>window.pwned = 1</script>",
    "</script><script>window.pwned = 1</script>",
    "<!--<script>",
    "<img src=x onerror=window.pwned=1>",
    '"><svg onload=window.pwned=1>',
    "javascript:window.pwned=1",
    "{{script}} ${window.pwned=1} {{7*7}}",
    "__proto__",
    "' onmouseover='window.pwned=1",
    "&lt;b&gt; &amp;quot; \u2028\u2029 \u202etxt.exe",
    "]]><![CDATA[ \x00\x01\x1b[2J \ud800",
    "=cmd|' /C calc'!A0",
    "very-long-" * 60,
)
"""What somebody may call an account, an owner, a tag or a resource."""


@dataclass(frozen=True)
class Scene:
    """All that a report is made of."""

    summary: Mapping[str, Any]
    compliance: Sequence[Mapping[str, Any]]
    tags: Mapping[str, Any]
    rollup: Mapping[str, Any]
    trend: Sequence[Mapping[str, Any]]
    lines: Sequence[Line]
    resolved: Sequence[Line]

    def page(self) -> bytes:
        return html.page(
            self.summary,
            compliance=self.compliance,
            tags=self.tags,
            rollup=self.rollup,
            trend=self.trend,
            checks=catalog.checks(),
            **noted(self.lines, self.resolved),
        )


def noted(lines: Iterable[Line], resolved: Iterable[Line]) -> dict[str, Any]:
    """What a page is told of findings that passed."""
    sums, findings, closed = Sums(), html.Worst(html.MOST), html.Worst(html.MOST_RESOLVED)
    for passing in (findings.watch(sums.passing(lines)), closed.watch(resolved)):
        deque(passing, maxlen=0)
    return {"sums": sums, "findings": findings, "resolved": closed}


@cache
def scene(findings: int = 400) -> Scene:
    random = Random(6)  # noqa: S311 (an invention)
    lines = [_line(random, number) for number in range(findings)]
    resolved = [_closed(random, _line(random, findings + number)) for number in range(max(1, findings // 20))]
    return of(lines, resolved)


def of(lines: Sequence[Line], resolved: Sequence[Line] = ()) -> Scene:
    """A scan that found these."""
    everything = catalog.everything()
    left = [*_receipts(lines, resolved)]
    gone = Account("999999999999", "old-experiments", "SUSPENDED")
    told = summarise(
        plan(
            gone,
            checks=tuple(check.id for check in everything.checks),
            accounts=len(ACCOUNTS),
            planned=len(left),
        ),
        left,
        finished=FINISHED,
        endings=[Ending(RULE, 5, fresh=True)],
        moves=[Move("444455556666", "acme-lab", "", "ACTIVE", "")],
        checks=everything,
    )
    told.coverage_before = 99.1
    told.usage = usage(Scale(accounts=len(ACCOUNTS), targets=len(left)), USED)
    summary = describe(told)
    return Scene(
        summary=summary,
        compliance=compliance.details(told.compliance),
        tags=told.tagged.details(),
        rollup=rollup(lines),
        trend=[*_before(summary)],
        lines=lines,
        resolved=resolved,
    )


def hostile(*texts: str) -> Scene:
    """Everything that others name is named so: for each, a finding and a line of every list."""
    random = Random(1)  # noqa: S311 (an invention)
    lines = [_named(random, number, text) for number, text in enumerate(texts)]
    told = of(lines, [_closed(random, replace(line, id=line.id[::-1])) for line in lines])
    shares = {"judged": 9, "compliant": 1, "percent": 11.1}
    summary = {
        **told.summary,
        "schedule": texts[0],
        "gaps": [{"reason": "denied", "detail": text, "checks": 3, "targets": 1} for text in texts],
        "suppressions": [
            {"key": "0", "what": text, "owner": text, "expires": "2026-01-20", "findings": 1}
            for text in texts
        ],
        "account_changes": [{"account": "1" * 12, "name": text, "change": text} for text in texts],
        "skipped": [*texts],
    }
    tags = {
        **shares,
        "accounts": [{"account": text, **shares} for text in texts],
        "owners": [{"owner": text, **shares} for text in texts],
    }
    trend = [{**each, "schedule": texts[0]} for each in told.trend]
    return replace(told, summary=summary, tags=tags, trend=trend)


def _named(random: Random, number: int, text: str) -> Line:
    return replace(
        _line(random, number),
        account=f"{number:012}",
        account_name=text,
        resource=f"arn:aws:s3:::{text}",
        region=text,
        key=text,
        problems=(text, f"it is {text}"),
        owner=Owner(text, OwnedBy.RESOURCE),
        tags={text: text},
        saving=Money(3.5, text, Confidence.LOW),
        suppressed_by=text,
    )


def account(number: int) -> tuple[str, str]:
    """Its id and its name."""
    number %= len(ACCOUNTS)
    return f"{100_000_000_000 + number * 9_191_919_191:012}", ACCOUNTS[number]


@cache
def evidence() -> Mapping[str, Sequence[str]]:
    """Check -> what its cases say is wrong."""
    found: dict[str, list[str]] = defaultdict(list)
    every = (import_module(each.name) for each in iter_modules(cases.__path__, "tests.cases."))
    for case in (case for module in every for case in getattr(module, "CASES", ())):
        found[case.check.id] += [each if isinstance(each, str) else each.text for each in case.problems]
    return found


def _line(random: Random, number: int) -> Line:
    """Half of them of few checks and in few accounts, as it is."""
    checks = catalog.checks()[::2]
    check = checks[int(len(checks) * random.random() ** 1.8)]
    id_, account_name = account(int(len(ACCOUNTS) * random.random() ** 1.7))
    region = GLOBAL if check.id.startswith(("iam", "account", "org")) else random.choice(REGIONS)
    resource = _resource(random, check, id_, region)
    opened = STARTED - timedelta(days=random.choice((0, 0, 1, 3, 6, 12, 25, 40, 88, 140, 390)))
    covered, fresh = random.random() < 0.06, opened == STARTED
    change = Change.SUPPRESSED if covered else Change.NEW
    history = [Event(opened.isoformat(), Change.NEW)]
    if random.random() < 0.1 and not fresh:
        before = opened - timedelta(days=30)
        history = [
            Event(before.isoformat(), Change.NEW),
            Event((before + timedelta(days=9)).isoformat(), Change.RESOLVED),
            Event(opened.isoformat(), Change.REOPENED),
        ]
        change = Change.REOPENED
    said = evidence().get(check.id) or ["it is not as it should be"]
    return Line(
        id=fingerprint("aws", id_, region, f"{check.id}#{resource}#{number}"),
        check=check.id,
        severity=check.severity,
        category=check.category,
        partition="aws",
        account=id_,
        account_name=account_name,
        region=region,
        resource=resource,
        key="",
        problems=tuple(dict.fromkeys(random.choices(said, k=random.choice((1, 1, 2))))),
        status=Status.SUPPRESSED if covered else Status.OPEN,
        first_seen=history[0].when,
        opened=opened.isoformat(),
        change=change,
        changed_in=SCAN if fresh else "20251210T060000000Z-0badcafe",
        history=tuple(history),
        owner=_owner(random, id_),
        tags=_tags(random, number),
        saving=_saving(random, check),
        resolved_because=None,
        suppressed_by=RULE.key if covered else "",
        unconfirmed_since="2026-01-12T06:00:00+00:00" if not covered and random.random() < 0.02 else "",
    )


def _resource(random: Random, check: AnyCheck, id_: str, region: str) -> str:
    hexadecimal, word = f"{random.getrandbits(64):016x}", f"{random.choice(NAMES)}-{random.randrange(90)}"
    kind = "-".join(check.id.split("-")[:2])
    if kind.startswith("s3"):
        return f"arn:aws:s3:::acme-{word}"
    service, path = RESOURCES.get(kind, (check.id.split("-")[0], f"{kind.split('-')[-1]}/{{name}}"))
    where = "" if region == GLOBAL else region
    return f"arn:aws:{service}:{where}:{id_}:{path.format(hex=hexadecimal, name=word)}"


def _owner(random: Random, id_: str) -> Owner:
    name = OWNERS[int(id_[3:5]) % len(OWNERS)]
    if not name:
        return Owner()
    return Owner(name, random.choice((OwnedBy.RESOURCE, OwnedBy.ACCOUNT, OwnedBy.UNIT)))


def _tags(random: Random, number: int) -> Mapping[str, str] | None:
    if random.random() < 0.3:
        return None
    return {"Name": f"{random.choice(NAMES)}-{number}", "stage": random.choice(("prod", "staging", "dev"))}


def _saving(random: Random, check: AnyCheck) -> Money | None:
    if check.category is not Category.COST or random.random() < 0.1:
        return None
    usd = round(random.expovariate(1 / 60) + 0.4, 2)
    return Money(usd, "us-east-1 list price of 2026-01 x 1.11 for eu-west-1", random.choice([*Confidence]))


def _closed(random: Random, line: Line) -> Line:
    because = random.choice((Resolution.FIXED, Resolution.FIXED, Resolution.RESOURCE_DELETED))
    event = Event(STARTED.isoformat(), Change.RESOLVED)
    return replace(
        line,
        status=Status.RESOLVED,
        suppressed_by="",
        unconfirmed_since="",
        change=Change.RESOLVED,
        changed_in=SCAN,
        history=(*line.history, event),
        resolved_because=because,
    )


def _receipts(lines: Iterable[Line], resolved: Iterable[Line]) -> Iterator[Receipt]:
    """By account, one for each region; one account lets nobody in, and a policy denies something."""
    everything = catalog.everything()
    here: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in (*lines, *resolved):
        here[line.account, line.region].append(line)
    known = {(*account(number), region) for number in range(len(ACCOUNTS)) for region in (*REGIONS, GLOBAL)}
    known |= {(line.account, line.account_name, line.region) for each in here.values() for line in each}
    for id_, name, region in sorted(known):
        due = [check.id for check in everything.planned(once=region == GLOBAL)]
        lost = []
        if name == "acquired-company" and region != GLOBAL:
            lost = [
                Unseen(
                    Blindness.DENIED,
                    "ecr:DescribeRepositories",
                    tuple(each for each in due if each.startswith("ecr")),
                )
            ]
        elif region == "us-east-1" and name in ("ml-research", "sandbox-anna"):
            detail = "kms:ListKeys, by p-4x9k2m1q"
            lost = [Unseen(Blindness.DENIED_BY_SCP, detail, tuple(each for each in due if "kms" in each))]
        where = Target(id_, region, account_name=name)
        yield _receipt(where, here.get((id_, region), []), planned=len(due), unseen=lost)


def _receipt(target: Target, lines: Sequence[Line], **more: Any) -> Receipt:
    opened = [line for line in lines if line.status is Status.OPEN]
    accepted = [line for line in lines if line.status is Status.SUPPRESSED]
    checks = {line.check for line in (*opened, *accepted)}
    count = Counter((line.check, line.status) for line in lines)
    return receipt(
        target,
        open=Counter((line.severity, line.category) for line in opened),
        suppressed=Counter((line.severity, line.category) for line in accepted),
        found={each: (count[each, Status.OPEN], count[each, Status.SUPPRESSED]) for each in checks},
        suppressed_by=Counter(line.suppressed_by for line in accepted),
        changed=Counter(
            (line.change, line.severity, line.category, line.check)
            for line in lines
            if line.changed_in == SCAN
        ),
        monthly_usd=sum(line.saving.monthly_usd for line in opened if line.saving),
        unpriced=sum(line.category is Category.COST and not line.saving for line in opened),
        unconfirmed=sum(bool(line.unconfirmed_since) for line in opened),
        unconfirmed_since=min(filter(None, (line.unconfirmed_since for line in opened)), default=""),
        tagged={"": Share(9, 2), "data-platform": Share(31, 30), "web@acme.example": Share(12, 9)},
        resources={"Instance": 12},
        **more,
    )


def rollup(lines: Iterable[Line]) -> dict[str, Any]:
    """As the report of every scan writes it."""
    accounts: dict[str, dict[str, Any]] = {}
    checks: dict[str, Counter[Severity]] = defaultdict(Counter)
    owners: dict[str, Counter[Severity]] = defaultdict(Counter)
    ages: dict[Severity, Counter[str]] = defaultdict(Counter)
    for line in lines:
        empty = {"name": line.account_name, "open": Counter(), "monthly_usd": 0.0}
        told = accounts.setdefault(line.account, empty)
        if line.status is Status.OPEN:
            told["open"][line.severity] += 1
            told["monthly_usd"] += line.saving.monthly_usd if line.saving else 0
            checks[line.check][line.severity] += 1
            owners[line.owner.name][line.severity] += 1
            days = (STARTED - datetime.fromisoformat(line.opened)).days
            ages[line.severity][next((str(most) for most in (7, 30, 90, 365) if days <= most), "older")] += 1
    return {"accounts": accounts, "checks": checks, "owners": owners, "ages": ages, "resolved": {}}


def _before(now: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The thirty scans before, newest first: it was worse, and it was seen less."""
    random = Random(30)  # noqa: S311 (an invention)
    for days in range(1, 31):
        started = STARTED - timedelta(days=days)
        yield {
            **now,
            "scan": f"{started:%Y%m%dT%H%M%S}000Z-0000{days:04}",
            "started": started.isoformat(),
            "coverage": round(min(100, now["coverage"] + random.uniform(-3, 1) - days / 15), 1),
            "open": {
                severity: {
                    family: round(number * (1 + days / 55 + random.uniform(-0.05, 0.05)))
                    for family, number in families.items()
                }
                for severity, families in now["open"].items()
            },
            "monthly_usd": round(now["monthly_usd"] * (1 + days / 90), 2),
        }
