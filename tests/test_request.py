"""What a scan may be asked for: every mistake is named, at once, and no input breaks the reading of it."""

import json
from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgscan.request import CAUSE, InvalidScanRequest, Nameable, ScanRequest

CHECKS = ("ebs-volume-unattached", "iam-root-mfa-disabled")
SCHEDULES = ("nightly", "weekly-cost")


def parse(raw: object, checks: Collection[str] = CHECKS) -> tuple[ScanRequest, list[str]]:
    def region(text: str) -> str | None:
        return None if text else "a region, a glob such as 'eu-*', or 'global'"

    there = Nameable(accounts={"123456789012"}, checks=checks, schedules=SCHEDULES, region=region)
    return ScanRequest.parse(raw, there)


def test_nothing_asked_is_everything() -> None:
    assert parse({}) == (ScanRequest(), [])


def test_everything_that_may_be_asked() -> None:
    raw = {
        "accounts": ["123456789012"],
        "ous": ["ou-ab12-abcdefgh", "r-ab12"],
        "account_tags": {"stage": "prod"},
        "regions": ["eu-*", "us-east-1", "global"],
        "checks": ["ebs-volume-unattached"],
        "categories": ["security", "cost"],
        "notify": True,
        "schedule": "nightly",
        "digest": True,
    }
    request, problems = parse(raw)
    assert not problems
    assert request == ScanRequest(
        accounts=("123456789012",),
        ous=("ou-ab12-abcdefgh", "r-ab12"),
        account_tags={"stage": "prod"},
        regions=("eu-*", "us-east-1", "global"),
        checks=("ebs-volume-unattached",),
        categories=("security", "cost"),
        notify=True,
        schedule="nightly",
        digest=True,
    )


ARABIC = r"\u0661" * 12
ACCOUNT = "an account id of 12 digits"
UNIT = "an organizational unit's or root's id"
REGION = "a region, a glob such as 'eu-*', or 'global'"
CHECK = "the id of a check that is switched on"
CATEGORY = "a category: one of cost, inventory, operations, reliability, security, tagging"
SCHEDULE = "a schedule's name: one of nightly, weekly-cost"
FIELDS = "accounts, ous, account_tags, regions, checks, categories, notify, schedule, digest"
TAGS = "an object of tag keys and values, all strings"


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({"accounts": "123456789012"}, 'accounts: "123456789012" must be a list of strings'),
        ({"accounts": None}, "accounts: null must be a list of strings"),
        ({"accounts": [123456789012]}, "accounts[0]: 123456789012 must be a string"),
        ({"accounts": ["123456789012", "12345"]}, f'accounts[1]: "12345" must be {ACCOUNT}'),
        ({"accounts": ["123456789012\n"]}, rf'accounts[0]: "123456789012\n" must be {ACCOUNT}'),
        ({"accounts": ["\u0661" * 12]}, f'accounts[0]: "{ARABIC}" must be {ACCOUNT}'),
        ({"ous": {"id": "r-ab12"}}, 'ous: {"id": "r-ab12"} must be a list of strings'),
        ({"ous": ["Production"]}, f'ous[0]: "Production" must be {UNIT}'),
        ({"ous": [None]}, "ous[0]: null must be a string"),
        ({"account_tags": ["stage=prod"]}, f'account_tags: ["stage=prod"] must be {TAGS}'),
        ({"account_tags": {"stage": 1}}, f'account_tags: {{"stage": 1}} must be {TAGS}'),
        ({"regions": "eu-west-1"}, 'regions: "eu-west-1" must be a list of strings'),
        ({"regions": [""]}, f'regions[0]: "" must be {REGION}'),
        ({"regions": [["eu-west-1"]]}, 'regions[0]: ["eu-west-1"] must be a string'),
        ({"checks": True}, "checks: true must be a list of strings"),
        (
            {"checks": ["ebs-volume-unatached"]},
            f'checks[0]: "ebs-volume-unatached" must be {CHECK} (did you mean "ebs-volume-unattached"?)',
        ),
        ({"checks": ["x"]}, f'checks[0]: "x" must be {CHECK}: one of {", ".join(CHECKS)}'),
        ({"checks": [{}]}, "checks[0]: {} must be a string"),
        ({"categories": "cost"}, 'categories: "cost" must be a list of strings'),
        ({"categories": ["money"]}, f'categories[0]: "money" must be {CATEGORY}'),
        (
            {"categories": ["Security"]},
            'categories[0]: "Security" must be a category (did you mean "security"?)',
        ),
        ({"notify": "no"}, 'notify: "no" must be true or false'),
        ({"notify": 0}, "notify: 0 must be true or false"),
        ({"digest": "weekly"}, 'digest: "weekly" must be true or false'),
        ({"schedule": "hourly"}, f'schedule: "hourly" must be {SCHEDULE}'),
        (
            {"schedule": ["nightly"]},
            'schedule: ["nightly"] must be a schedule\'s name (did you mean "nightly"?)',
        ),
        ({"schedule": 7}, f"schedule: 7 must be {SCHEDULE}"),
        ({"acounts": []}, 'input: "acounts" is not a field; did you mean "accounts"?'),
        (
            {"x\ny": 1},
            rf'input: "x\ny" is not a field; allowed are {FIELDS}',
        ),
    ],
)
def test_a_mistake_is_named_with_its_place_its_value_and_what_is_allowed(raw: Any, problem: str) -> None:
    assert parse(raw)[1] == [problem]


@pytest.mark.parametrize("raw", [None, [], ["accounts"], "{}", 1, True])
def test_the_input_is_an_object(raw: Any) -> None:
    assert parse(raw) == (ScanRequest(), [f"input: {json.dumps(raw)} must be a JSON object such as {{}}"])


def test_all_mistakes_are_named_at_once_and_the_rest_is_understood() -> None:
    request, problems = parse(
        {"accounts": ["1", 2], "notify": None, "regions": ["eu-*"], "chekcs": [], "schedule": "daily"}
    )
    assert [problem.partition(":")[0] for problem in problems] == [
        "input",
        "accounts[0]",
        "accounts[1]",
        "notify",
        "schedule",
    ]
    assert request == ScanRequest(regions=("eu-*",))


def test_a_check_is_suggested_among_hundreds_without_listing_them() -> None:
    checks = [f"check-number-{number}" for number in range(600)]
    _, problems = parse({"checks": ["zzz"]}, checks)
    assert problems == [f'checks[0]: "zzz" must be {CHECK}']


def test_the_message_is_one_line_that_fits_a_cause() -> None:
    _, problems = parse({"accounts": ["1\n"] * 60_000, "x" * 100_000: 0})
    message = str(InvalidScanRequest(problems))
    assert message.startswith('input: "xxx')
    assert "\n" not in message
    assert len(message) < CAUSE + 100
    told = message.count("accounts[")
    assert message.endswith(f"; and {60_000 - told:,} more")
    assert str(InvalidScanRequest(["y" * 30_000])) == "y" * 30_000
    assert str(InvalidScanRequest(["one", "two"])) == "one; two"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from([*FIELDS.split(", "), "acounts"])
GOOD = st.sampled_from(
    [["123456789012"], [], {}, {"a": "b"}, True, "nightly", ["cost"], [CHECKS[0]], ["eu-*"]]
)


@given(JSON | st.dictionaries(NAMES | st.text(), GOOD | JSON))
def test_any_json_is_understood_or_refused_in_one_readable_line(raw: Any) -> None:
    request, problems = parse(raw)
    message = str(InvalidScanRequest(problems))
    assert message.isascii()
    assert message.isprintable()
    if not problems:
        assert isinstance(raw, dict)
        for name, value in raw.items():
            kept = getattr(request, name)
            assert kept == (tuple(value) if isinstance(value, list) else value)
