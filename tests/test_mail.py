"""The mail as people get it. `UPDATE_GOLDEN=1 pytest tests/test_mail.py` writes the golden ones anew."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgscan.cost import Scale, usage
from orgscan.digest import Digest
from orgscan.line import Line
from orgscan.links import Links
from orgscan.membership import WORDS, Move
from orgscan.meter import Spent
from orgscan.model import GLOBAL, Blindness, Category, Confidence, Money, OwnedBy, Owner, Severity, Target
from orgscan.organization import Account
from orgscan.present.mail import LINES, SUBJECT, WIDTH, Mail, mail
from orgscan.present.text import clean
from orgscan.receipt import Notable, Receipt, Unseen
from orgscan.reconcile import Change
from orgscan.summary import QUIET, Ending, ScanSummary, summarise
from orgscan.suppress import Suppression
from tests.lines import line as finding
from tests.receipts import FINISHED, PROD, RESULTS, SANDBOX, notable, plan, receipt

USED = usage(
    Scale(accounts=3, targets=51),
    Spent(calls=3402, throttled=12, invocations=53, gb_seconds=95.2),
)
GOLDEN = Path(__file__).parent / "golden" / "mail"
BUCKET = "arn:aws:s3:::acme-landing-zone-logs"
SSH = "arn:aws:ec2:eu-west-1:111111111111:security-group/sg-0a1b2c3d4e5f607"
VOLUME = "arn:aws:ec2:us-east-1:222222222222:volume/vol-0123456789abcdef0"
SUSPENDED = Account("999999999999", "old-experiments", "SUSPENDED")
OPEN = {
    (Severity.CRITICAL, Category.SECURITY): 2,
    (Severity.HIGH, Category.SECURITY): 11,
    (Severity.MEDIUM, Category.COST): 7,
    (Severity.LOW, Category.TAGGING): 120,
}


def first_scan() -> ScanSummary:
    """With gaps: an account without the role, and a region that a policy denies."""
    everything = tuple(f"check-{number}" for number in range(25))
    no_role = [Unseen(Blindness.DENIED, "sts:AssumeRole", everything)]
    denied = [Unseen(Blindness.DENIED_BY_SCP, "ec2:DescribeInstances", everything[:4])]
    regions = [GLOBAL, "eu-central-1", "eu-west-1", "us-east-1"]
    root = "arn:aws:iam::111111111111:root"
    return summarise(
        plan(SUSPENDED),
        [
            receipt(
                PROD,
                notable("iam-root-mfa-disabled", Severity.CRITICAL, resource=root, problem="no MFA device"),
                notable(
                    "s3-bucket-policy-public",
                    Severity.CRITICAL,
                    resource=BUCKET,
                    problem="anyone may s3:GetObject",
                ),
                notable(),
                notable(
                    "ec2-instance-imdsv1-allowed",
                    resource="arn:aws:ec2:eu-west-1:1:instance/i-0aa",
                    problem="HttpTokens is optional",
                ),
                open=OPEN,
                monthly_usd=1234.5,
                unpriced=3,
            ),
            receipt(
                SANDBOX,
                notable(),
                notable(resource="arn:aws:ec2:us-east-1:222222222222:security-group/sg-0b2"),
                notable(
                    "ebs-volume-unattached",
                    Severity.MEDIUM,
                    Category.COST,
                    resource=VOLUME,
                    problem="attached to nothing",
                    monthly_usd=40.0,
                ),
                notable(
                    "tag-required-key-missing",
                    Severity.LOW,
                    Category.TAGGING,
                    resource=VOLUME,
                    problem="has no tag owner",
                ),
                unseen=denied,
                newly_blind=everything[:4],
                more=6,
            ),
            *(
                receipt(
                    Target("333333333333", region, account_name="acquired-company"),
                    unseen=no_role,
                    newly_blind=everything,
                )
                for region in regions
            ),
        ],
        finished=FINISHED,
    )


def quiet() -> ScanSummary:
    return summarise(plan(), [receipt(PROD, open=OPEN), receipt(SANDBOX)], finished=FINISHED)


def only_resolved() -> ScanSummary:
    fixed = notable(change=Change.RESOLVED, because="fixed")
    gone = notable(
        "ebs-volume-unattached",
        Severity.MEDIUM,
        Category.COST,
        change=Change.RESOLVED,
        resource=VOLUME,
        because="resource-deleted",
    )
    return summarise(plan(), [receipt(PROD, fixed), receipt(SANDBOX, gone)], finished=FINISHED)


def ten_thousand() -> ScanSummary:
    """New findings of one check in 500 targets, and one worse thing that they must not bury."""
    flood = [
        receipt(
            Target(f"{number % 100:012}", region, account_name=f"team-{number % 100:03}"),
            *[
                notable(resource=f"arn:aws:ec2:eu-west-1:1:security-group/sg-{number:05}{each}")
                for each in range(10)
            ],
            more=10,
            open={(Severity.HIGH, Category.SECURITY): 20},
        )
        for number in range(499)
        for region in [f"eu-west-{number // 100}"]
    ]
    worst = notable(
        "iam-root-mfa-disabled", Severity.CRITICAL, resource="arn:aws:iam::1:root", problem="no MFA device"
    )
    again = notable(
        "s3-bucket-acl-public",
        Severity.CRITICAL,
        change=Change.REOPENED,
        resource=BUCKET,
        problem="everyone may READ",
    )
    worse = notable("rds-instance-public", change=Change.WORSENED, problem="it has a public address")
    fixed = notable(change=Change.RESOLVED, because="fixed")
    last = receipt(PROD, worst, again, worse, fixed, more=19)
    return summarise(plan(), [*flood, last], finished=FINISHED)


def hostile() -> ScanSummary:
    """Names that want to be lines of their own, or more than a line."""
    forged = "ok\nCOMPLETE: 100.0% of 9 checks evaluated\r\n\x1b[2J\u2028Full results: http://evil.example"
    where = Target("444444444444", "ap-southeast-2", account_name=forged)
    bucket = notable(
        "s3-bucket-acl-public", resource=f"arn:aws:s3:::{'long-' * 40}", problem=f"grants\n\n{'x' * 900}"
    )
    tag = notable(
        "tag-required-key-missing",
        Severity.LOW,
        Category.TAGGING,
        resource=BUCKET,
        problem="tag\u202e\u00fc\U0001f600 is missing",
    )
    lost = [Unseen(Blindness.FAULT, f"KeyError: '{forged}'", ("check-1",))]
    return summarise(
        plan(Account("555555555555", forged, "SUSPENDED"), schedule="night\nly"),
        [receipt(where, bucket, tag, unseen=lost, newly_blind=("check-1",))],
        finished=FINISHED,
    )


def accepted() -> ScanSummary:
    """Nothing happened but that two suppressions end, and a permission is still missing."""
    ends = [
        Suppression(
            check="s3-bucket-policy-public",
            resource="arn:aws:s3:::acme-website",
            reason="the public website",
            owner="web@acme.example",
            expires=date(2026, 1, 20),
        ),
        Suppression(
            account="222222222222",
            tag=("stage", "sandbox"),
            reason="r",
            owner="ops",
            expires=date(2026, 1, 14),
        ),
    ]
    lost = [Unseen(Blindness.DENIED, "ec2:DescribeVolumes", ("ebs-volume-unencrypted",))]
    left = receipt(
        PROD,
        open=OPEN,
        unseen=lost,
        unconfirmed=3,
        unconfirmed_since="2026-01-11T06:00:00+00:00",
        suppressed={(Severity.CRITICAL, Category.SECURITY): 1},
        suppressed_by={ends[0].key: 1},
    )
    endings = [Ending(ends[0], 5, fresh=True), Ending(ends[1], -1, fresh=True)]
    return summarise(plan(), [left, receipt(SANDBOX)], finished=FINISHED, endings=endings)


def comings_and_goings() -> ScanSummary:
    """Nothing else happened."""
    joined = [Move(f"{number:012}", f"acme-lab-{number}", "", "ACTIVE", "") for number in range(7, 20)]
    others = [
        Move("333333333333", "acme-old", "SUSPENDED", "LEFT", "1"),
        Move(SUSPENDED.id, SUSPENDED.name, "ACTIVE", "SUSPENDED", "1"),
    ]
    left = [receipt(PROD, open=OPEN), receipt(SANDBOX)]
    return summarise(plan(SUSPENDED), left, finished=FINISHED, moves=[*joined, *others])


def owned() -> ScanSummary:
    """Whose it is, and how long it was open; a trend."""
    bob, web = "bob@acme.example", "team-with-a-name-that-is-longer-than-most-of-them"
    worse = notable(change=Change.WORSENED, owner=web, opened="2025-11-02T06:00:00+00:00")
    fixed = notable(
        "rds-instance-public",
        Severity.CRITICAL,
        change=Change.RESOLVED,
        resource="arn:aws:rds:us-east-1:222222222222:db:ledger",
        because="fixed",
        owner=bob,
        opened="2024-01-15T06:00:00+00:00",
    )
    dear = notable(
        "ec2-instance-idle",
        Severity.MEDIUM,
        Category.COST,
        resource="arn:aws:ec2:us-east-1:222222222222:instance/i-0aa",
        problem="CPU below 5% for 14 days",
        monthly_usd=70.08,
        owner=bob,
    )
    left = [receipt(PROD, worse, open=OPEN), receipt(SANDBOX, fixed, dear)]
    told = summarise(plan(), left, finished=FINISHED)
    told.coverage_before = 98.4
    return told


def digest() -> ScanSummary:
    """Nothing has changed for a week."""
    told = summarise(plan(digest=True, schedule="weekly"), [receipt(PROD, open=OPEN)], finished=FINISHED)
    told.digest = Digest()
    for each in _open():
        told.digest.add(each)
    return told


def _open() -> Iterator[Line]:
    for number in range(2):
        bucket = f"{BUCKET}-{number}"
        problems = ("anyone may s3:GetObject",)
        yield finding(
            "s3-bucket-policy-public", severity=Severity.CRITICAL, resource=bucket, problems=problems
        )
    for number in range(11):
        owner = Owner(("payments", "")[number % 2], OwnedBy.ACCOUNT)
        yield finding(
            resource=f"{SSH}{number:02}", owner=owner, opened=f"2025-{number + 1:02}-03T06:00:00+00:00"
        )
    for number in range(7):
        yield finding(
            "ebs-volume-unattached",
            severity=Severity.MEDIUM,
            category=Category.COST,
            resource=f"{VOLUME}{number}",
            problems=("attached to nothing for 40 days",),
            saving=Money(4.4 * number, "gp3", Confidence.HIGH),
        )
    for number in range(120):
        yield finding(
            "tag-required-key-missing",
            severity=Severity.LOW,
            category=Category.TAGGING,
            resource=f"{BUCKET}-{number:03}",
            problems=("has no tag stage",),
        )


SIGNED = "https://acme-orgscan-results.s3.eu-central-1.amazonaws.com/scans/20260115T060000000Z-8f14e45f/report.html"
LINKS = Links(
    results=RESULTS,
    console="https://eu-central-1.console.aws.amazon.com/s3/object/acme-orgscan-results?region=eu-central-1"
    "&prefix=scans/20260115T060000000Z-8f14e45f/report.html",
    report=f"{SIGNED}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=3600&X-Amz-Signature={'5f' * 32}",
    expires=datetime(2026, 1, 15, 7, 9, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("scene", "links"),
    [
        *((scene, Links(results=RESULTS)) for scene in (first_scan, quiet, only_resolved, ten_thousand)),
        *((scene, Links(results=RESULTS)) for scene in (hostile, accepted, comings_and_goings)),
        (owned, LINKS),
        (digest, LINKS),
    ],
    ids=lambda told: getattr(told, "__name__", ""),
)
def test_golden(scene: Callable[[], ScanSummary], links: Links) -> None:
    summary = scene()
    summary.usage = USED
    told = mail(summary, links)
    within_limits(told, links)
    text = f"Subject: {told.subject}\n\n{told.body}"
    golden = GOLDEN / f"{scene.__name__}.txt"
    if "UPDATE_GOLDEN" in os.environ:
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text)
    assert text.splitlines() == golden.read_text().splitlines()


SEVERITIES = st.sampled_from(Severity)
CATEGORIES = st.sampled_from(Category)
COUNTS = st.integers(0, 10**6)
PARTS = st.text(ascii_lowercase, min_size=2, max_size=12)
CHECKS = st.lists(PARTS, min_size=2, max_size=9).map("-".join)
TEXT = st.text(max_size=120)
ACCOUNTS = st.integers(0, 10**12 - 1).map("{:012}".format)
TARGETS = st.builds(
    Target,
    ACCOUNTS,
    st.sampled_from(["eu-west-1", "ap-southeast-2", GLOBAL]),
    account_name=st.text(max_size=50),
)
NOTABLES = st.builds(
    Notable,
    st.sampled_from(Change),
    CHECKS,
    SEVERITIES,
    CATEGORIES,
    TEXT,
    st.lists(TEXT, min_size=1, max_size=3).map(tuple),
    st.none() | st.floats(0, 10**6),
    st.sampled_from(["", "fixed", "resource-deleted"]),
    TEXT,
    st.sampled_from(["", FINISHED, "2024-01-15T06:00:00+00:00"]),
)
UNSEEN = st.builds(
    Unseen, st.sampled_from(Blindness), TEXT, st.lists(CHECKS, min_size=1, max_size=4).map(tuple)
)


@st.composite
def receipts(draw: st.DrawFn) -> Receipt:
    """Any that a scan could leave."""
    told = draw(st.lists(NOTABLES, max_size=8))
    unseen = draw(st.lists(UNSEEN, max_size=9, unique_by=lambda each: (each.reason, each.detail)))
    blind = sum(len(each.checks) for each in unseen)
    more = draw(
        st.dictionaries(
            st.tuples(st.sampled_from(Change), SEVERITIES, CATEGORIES, CHECKS), COUNTS, max_size=9
        )
    )
    return receipt(
        draw(TARGETS),
        planned=blind + draw(st.integers(0, 2000)),
        unseen=unseen,
        notable=tuple(told),
        newly_blind=unseen[0].checks if unseen else (),
        changed=Counter((each.change, each.severity, each.category, each.check) for each in told)
        + Counter(more),
        open=draw(st.dictionaries(st.tuples(SEVERITIES, CATEGORIES), COUNTS)),
        monthly_usd=draw(st.floats(0, 10**9)),
        unpriced=draw(COUNTS),
        unconfirmed=draw(COUNTS),
        unconfirmed_since=draw(st.sampled_from(["", FINISHED])),
        suppressed=draw(st.dictionaries(st.tuples(SEVERITIES, CATEGORIES), COUNTS)),
        suppressed_by=draw(st.dictionaries(st.sampled_from([rule.key for rule in RULES]), COUNTS)),
    )


RULES = (
    Suppression(check="a-b", reason="r", owner="o", expires=date(2026, 1, 20)),
    Suppression(
        resource_glob="arn:*" + "x" * 300,
        reason="r" * 300,
        owner="o\nCC: everyone" * 20,
        expires=date(2025, 1, 1),
    ),
)
MOVES = st.builds(
    Move,
    ACCOUNTS,
    TEXT,
    st.sampled_from(["", "ACTIVE", "LEFT"]),
    st.sampled_from([*WORDS, "PENDING_ACTIVATION"]) | TEXT,
    st.just(""),
)
SKIPPED = st.builds(Account, ACCOUNTS, TEXT, st.sampled_from(["SUSPENDED", "PENDING_CLOSURE"]))
BUCKETS = st.integers(3, 63).map(lambda length: "b" * length)
URLS = st.just("") | st.integers(1, 2000).map(lambda length: f"https://console.aws.example/{'u' * length}")


def within_limits(told: Mail, links: Links | None = None) -> None:
    """Nothing but a link is longer than a line, and each link is one."""
    lines = told.body.splitlines()
    assert len(lines) <= LINES
    whole = {f"  {link}" for link in (links.console, links.report) if link} if links else set()
    assert whole <= {*lines}
    assert [line for line in lines if len(line) > WIDTH and line not in whole] == []
    assert told.body.isascii()
    assert len(told.body) < 256_000
    assert len(told.subject) <= SUBJECT
    assert told.subject.isascii()
    assert told.subject.isprintable()


def number(text: str) -> int:
    return int(text.replace(",", ""))


def sections(body: str) -> dict[str, list[str]]:
    """Heading -> lines, as a reader tells them apart."""
    return {part.partition(":")[0]: part.splitlines() for part in body.strip().split("\n\n")}


def by_severity(section: list[str]) -> dict[Severity, int]:
    heading = " ".join(line for line in section if not line.startswith(" "))
    return {Severity(kind): number(count) for count, kind in re.findall(r"([\d,]+) ([a-z]+)", heading)}


def counted(section: list[str]) -> Iterator[int]:
    """What the lines under a heading account for."""
    for line in section:
        if more := re.fullmatch(r"  and ([\d,]+) more findings?", line):
            yield number(more[1])
        elif cause := re.fullmatch(r"  [A-Z]+ +\S+(?: \(([\d,]+)\))?", line):
            yield number(cause[1] or "1")


@settings(max_examples=80, deadline=None)
@given(
    st.lists(receipts(), min_size=1, max_size=5),
    st.lists(SKIPPED, max_size=8),
    BUCKETS,
    st.lists(st.builds(Ending, st.sampled_from(RULES), st.integers(-400, 7), st.booleans()), max_size=6),
    st.lists(MOVES, max_size=12),
    st.tuples(URLS, URLS),
)
def test_whatever_happened_the_mail_keeps_its_limits_and_its_counts(
    left: list[Receipt],
    skipped: list[Account],
    bucket: str,
    endings: list[Ending],
    moved: list[Move],
    urls: tuple[str, str],
) -> None:
    summary = summarise(plan(*skipped), left, finished=FINISHED, endings=endings, moves=moved)
    summary.usage = replace(USED, calls=10**12, throttled=10**11, gb_seconds=10**10)
    address = f"s3://{bucket}/scans/20260115T060000000Z-8f14e45f/"
    links = Links(results=address, console=urls[0], report=urls[1], expires=LINKS.expires)
    told = mail(summary, links)
    within_limits(told, links)
    parts = sections(told.body)
    for change in {*Change} - {*QUIET}:
        sums = Counter[Severity]()
        for each in left:
            for (kind, severity, _), count in each.changes.items():
                sums[severity] += count if kind is change else 0
        section = parts.get(change.upper(), [])
        assert by_severity(section) == +sums
        assert sum(counted(section)) == sums.total()
    opened = Counter[Severity]()
    for each in left:
        for (severity, _), count in each.open.items():
            opened[severity] += count
    if opened.total():
        told_open = dict(re.findall(r"^  ([a-z]+) +([\d,]+)  ", "\n".join(parts["OPEN"]), re.MULTILINE))
        shown = {Severity(kind): number(count) for kind, count in told_open.items()}
        assert {severity: count for severity, count in shown.items() if count} == +opened
        assert number(parts["OPEN"][0].split()[1]) == opened.total()
    missing = sum(each.planned - each.evaluated for each in left)
    lost = [
        number(units[1]) for line in parts.get("NOT SEEN", []) if (units := re.match(r" +([\d,]+)  ", line))
    ]
    assert sum(lost) == missing
    complete = told.body.startswith("COMPLETE: 100.0% ")
    assert complete == (not missing and any(each.planned for each in left))
    assert complete or "100.0%" not in told.body.splitlines()[0]
    assert complete != told.subject.startswith("[orgscan] INCOMPLETE: ")


def test_ten_thousand_findings_stay_one_short_mail() -> None:
    told = mail(ten_thousand(), Links(results=RESULTS))
    within_limits(told)
    new = sections(told.body)["NEW"]
    assert new[0] == "NEW: 20 critical, 9,980 high"
    assert sum(counted(new)) == 10_000
    assert "    and 9,977 more" in new


def test_many_causes_do_not_bury_what_else_changed() -> None:
    new = [notable(f"check-number-{number}", Severity.LOW) for number in range(60)]
    fixed = notable("ebs-volume-unattached", change=Change.RESOLVED, because="fixed")
    told = mail(summarise(plan(), [receipt(PROD, *new, fixed)], finished=FINISHED), Links(results=RESULTS))
    within_limits(told)
    assert "  HIGH      ebs-volume-unattached" in told.body.splitlines()
    assert sum(counted(sections(told.body)["NEW"])) == 60


def test_a_mail_that_is_full_has_room_for_accounts_that_came_and_went() -> None:
    opened = dict.fromkeys(((severity, category) for severity in Severity for category in Category), 10**6)
    changes = [
        notable(f"check-{number}", severity, change=change)
        for change in {*Change} - {*QUIET}
        for severity in Severity
        for number in range(60)
    ]
    lost = [Unseen(Blindness.FAULT, f"{number}", ("a",)) for number in range(9)]
    sums: dict[str, Any] = {
        "unpriced": 10**6,
        "unconfirmed": 10**6,
        "unconfirmed_since": FINISHED,
        "monthly_usd": 10.0**9,
    }
    many = {
        (each.change, each.severity, each.category, each.check): 10**5 if each.change < "resolved" else 1
        for each in changes
    }
    left = receipt(PROD, *changes, unseen=lost, open=opened, suppressed=opened, changed=many, **sums)
    skipped = [Account(f"{number:012}", "x" * 50, "PENDING_CLOSURE") for number in range(8)]
    endings = [Ending(rule, -1, fresh=True) for rule in RULES * 3]
    moved = [Move(f"{number:012}", "x" * 50, "A", now, "") for number, now in enumerate((*WORDS, "B", "C"))]
    address = f"s3://{'b' * 63}/scans/20260115T060000000Z-8f14e45f/"
    for moves in ([], moved):
        made = plan(*skipped, schedule="s" * 64)
        told = mail(
            summarise(made, [left], finished=FINISHED, endings=endings, moves=moves), Links(results=address)
        )
        within_limits(told)
        assert len(told.body.splitlines()) == LINES
        assert ("\nACCOUNTS: 1 left, 1 suspended" in told.body) == bool(moves)


def test_no_name_leaves_its_line() -> None:
    told = mail(hostile(), Links(results=RESULTS))
    within_limits(told)
    assert [line for line in told.body.splitlines() if line.startswith(("COMPLETE", "Full results"))] == [
        "Full results:"
    ]


def test_one_check_short_of_everything_is_not_one_hundred_percent() -> None:
    lost = [Unseen(Blindness.THROTTLED, "ListThings", ("a",))]
    told = mail(
        summarise(plan(), [receipt(PROD, planned=99_999, unseen=lost)], finished=FINISHED),
        Links(results=RESULTS),
    )
    assert told.body.startswith("INCOMPLETE: 99.9% of 99,999 checks evaluated\n")


def test_the_subject_says_what_matters_most() -> None:
    def subject(*changes: Notable, **different: Any) -> str:
        left = receipt(PROD, *changes, **different)
        return mail(summarise(plan(), [left], finished=FINISHED), Links(results=RESULTS)).subject

    low = notable("tag-required-key-missing", Severity.LOW, Category.TAGGING)
    assert subject(low) == "[orgscan] 1 new in 1 account"
    assert subject(low, notable()) == "[orgscan] 1 new high in 1 account"
    assert subject(notable(change=Change.RESOLVED), low) == "[orgscan] 1 new, 1 resolved in 1 account"
    lost = [Unseen(Blindness.DENIED, "sts:AssumeRole", ("a",))]
    assert (
        subject(unseen=lost, newly_blind=("a",)) == "[orgscan] INCOMPLETE: 1 check newly unseen in 1 account"
    )


def test_a_long_address_is_broken_and_not_cut() -> None:
    bucket = "b" * 63
    told = mail(quiet(), Links(results=f"s3://{bucket}/scans/20260115T060000000Z-8f14e45f/"))
    assert sections(told.body)["Full results"] == [
        "Full results:",
        f"  s3://{bucket}/",
        "  scans/20260115T060000000Z-8f14e45f/",
    ]


def test_clean_text_is_one_line_of_ascii() -> None:
    assert clean(" a\n\tb\u2028c\x07\u00e9 ") == "a b c??"
