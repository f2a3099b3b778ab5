"""What holds for every policy, whatever it says."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgscan.policy import Malformed, Policy, escalations, parse
from orgscan.policy.match import covers, overlap
from orgscan.spool import _load, _pack
from tests.policies import GITHUB, ORG, OTHER, OWN

Statement = dict[str, Any]

TEXT = st.text("aA:*?/${}s3\ud800", max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def near(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly what belongs there, sometimes anything."""
    return st.integers(0, 19).flatmap(lambda roll: values if roll else JSON)


def one_or_more(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return values | st.lists(values, min_size=1, max_size=3)


ACTIONS = st.sampled_from(
    [
        *("*", "s3:*", "s3:GetObject", "S3:Get*", "s3:?etObject", "iam:*", "iam:PassRole", "iam:Put*Policy"),
        *(
            "sts:AssumeRole",
            "lambda:CreateFunction",
            "lambda:InvokeFunction",
            "ec2:RunInstances",
            "i?m:Create*",
        ),
    ]
)
BUCKET = "arn:aws:s3:::b"
RESOURCES = st.sampled_from(
    [
        "*",
        BUCKET,
        f"{BUCKET}/*",
        f"{BUCKET}/a/*",
        "arn:aws:s3:::*",
        "arn:aws:iam::*:role/*",
        "arn:aws:iam::*:user/x",
    ]
)
PRINCIPALS = st.sampled_from(
    [
        *("*", {"AWS": "*"}, {"AWS": OTHER}, {"AWS": [OWN, f"arn:aws:iam::{OTHER}:role/x"]}),
        *({"Service": "s3.amazonaws.com"}, {"Federated": f"arn:aws:iam::{OWN}:oidc-provider/{GITHUB}"}),
    ]
)
CONDITIONS = st.sampled_from(
    [
        *({}, {}, {}, ORG, {"Bool": {"aws:SecureTransport": "false"}}),
        *({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, {"StringLike": {f"{GITHUB}:sub": "repo:*"}}),
        *({"StringNotEquals": {"aws:PrincipalOrgID": "o-a1"}}, {"StringEquals": {"sts:ExternalId": "a1"}}),
        {"StringEqualsIfExists": {"aws:PrincipalAccount": OTHER}},
        {"StringEquals": {"aws:PrincipalAccount": OTHER}},
    ]
)


@st.composite
def statements(draw: st.DrawFn, effect: str | None = None, *, resource: bool = True) -> Statement:
    of = (
        {}
        if not resource
        else {draw(st.sampled_from(["Principal", "Principal", "NotPrincipal"])): draw(PRINCIPALS)}
    )
    return of | {
        "Effect": effect or draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        draw(st.sampled_from(["Action", "Action", "NotAction"])): draw(one_or_more(ACTIONS)),
        draw(st.sampled_from(["Resource", "Resource", "NotResource"])): draw(one_or_more(RESOURCES)),
        "Condition": draw(CONDITIONS),
    }


def several(*, resource: bool = True) -> st.SearchStrategy[list[Statement]]:
    return st.lists(statements(resource=resource), max_size=4)


def of(*parts: Statement) -> Policy:
    return parse({"Statement": list(parts)})


def opened(policy: Policy) -> set[tuple[str, str]]:
    """Everything that lets somebody in, as things that can be compared."""
    found = {("open", f"{each.narrowed}/{action}") for each in policy.openings() for action in each.actions}
    found |= {
        ("b", f"{each.narrowed}/{action}")
        for each in policy.openings(resource=BUCKET)
        for action in each.actions
    }
    found |= {
        ("trust", f"{each.narrowed}/{action}") for each in policy.trusts_everyone() for action in each.actions
    }
    found |= {("account", f"{each.account}/{each.actions}") for each in policy.external({OWN})}
    found |= {("service", f"{each.service}/{each.actions}") for each in policy.services()}
    return found | {
        ("provider", f"{each.provider}/{each.subject}/{each.actions}") for each in policy.federated()
    }


def rights(policy: Policy) -> set[str]:
    asked = ("s3:GetObject", "s3:PutObject", "iam:PassRole", "sqs:SendMessage")
    found = {action for action in asked if policy.allows(action)}
    found |= {f"{action} there" for action in asked if policy.allows(action, f"{BUCKET}/a/b")}
    found |= {f"{action} somewhere" for action in asked if policy.allowing(action)}
    return found | set(escalations([policy])) | ({"admin"} if policy.is_admin() else set())


def parsed(document: Any) -> Policy | None:
    try:
        return parse(document)
    except Malformed as error:
        told = str(error)
    assert told in TOLD
    return None


NAMES = (
    "a name",
    "version",
    "id",
    "Sid",
    "Effect",
    "action",
    "resource",
    "Principal",
    "a value of a condition",
)
TOLD = {
    *("not JSON", "a member is there twice", "a policy without statements", "a statement without Action"),
    *(
        "a principal without its kind",
        "Effect is neither Allow nor Deny",
        "Condition is no object of objects",
    ),
    *(f"{what} is no object" for what in ("a policy", "a statement", "Principal")),
    *(f"{what} has an unknown member" for what in ("a policy", "a statement", "Principal")),
    *(f"{what} is no text" for what in NAMES),
    *(f"{what} is empty" for what in ("action", "resource")),
}
"""Every message there is: none quotes anything."""

LIKE_A_STATEMENT = st.fixed_dictionaries(
    {"Effect": near(st.sampled_from(["Allow", "Deny", "allow"])), "Action": near(one_or_more(ACTIONS))},
    optional={
        "Resource": near(one_or_more(RESOURCES)),
        "Principal": near(PRINCIPALS),
        "Condition": near(CONDITIONS)
        | st.dictionaries(TEXT, st.dictionaries(TEXT, JSON, max_size=2), max_size=2),
        "Sid": near(TEXT),
    },
)
LIKE_A_POLICY = near(
    st.fixed_dictionaries(
        {"Statement": near(LIKE_A_STATEMENT | st.lists(near(LIKE_A_STATEMENT), max_size=3))},
        optional={"Version": near(TEXT), "Id": near(TEXT)},
    )
)


@settings(deadline=None, max_examples=100)
@given(LIKE_A_POLICY | JSON)
def test_anything_is_a_policy_or_malformed(value: Any) -> None:
    policy = parsed(value)
    if policy is None:
        return
    opened(policy)
    rights(policy)
    policy.denies_insecure_transport(BUCKET)
    policy.denials("*")
    policy.whole_services()
    policy.canonical()
    policy.deleted()
    assert _load(_pack(policy)) == policy
    assert parse(json.dumps(value)) == policy


@settings(deadline=None, max_examples=100)
@given(st.text() | JSON.map(json.dumps) | LIKE_A_POLICY.map(json.dumps))
def test_any_text_is_a_policy_or_malformed(text: str) -> None:
    parsed(text)


@settings(deadline=None, max_examples=100)
@given(several(), statements("Deny"), st.integers(0, 4))
def test_another_deny_never_opens(parts: list[Statement], deny: Statement, at: int) -> None:
    """Where everyone was let in, on whatever condition, the accounts that it spares are named."""
    before, after = opened(of(*parts)), opened(of(*parts[:at], deny, *parts[at:]))
    everyone = any(
        each.allows and each.principals and each.principals.anyone for each in of(*parts).statements
    )
    assert {found for found in after if not everyone or found[0] != "account"} <= before


@settings(deadline=None, max_examples=100)
@given(several(), statements("Allow"), st.integers(0, 4))
def test_another_allow_never_closes(parts: list[Statement], allow: Statement, at: int) -> None:
    more = of(*parts[:at], allow, *parts[at:])
    assert opened(of(*parts)) <= opened(more)
    assert more.denies_insecure_transport(BUCKET) == of(*parts).denies_insecure_transport(BUCKET)


@settings(deadline=None, max_examples=60)
@given(several(resource=False), statements("Deny", resource=False), statements("Allow", resource=False))
def test_denies_only_take_and_allows_only_give(
    parts: list[Statement], deny: Statement, allow: Statement
) -> None:
    assert rights(of(*parts, deny)) <= rights(of(*parts)) <= rights(of(allow, *parts))


@settings(deadline=None, max_examples=60)
@given(several(), several(resource=False), st.randoms(use_true_random=False))
def test_order_says_nothing(parts: list[Statement], owned: list[Statement], random: Any) -> None:
    for each, asked in ((parts, opened), (owned, rights)):
        mixed = random.sample(each, len(each))
        assert asked(of(*mixed)) == asked(of(*each))


def swapped(names: Any, how: Callable[[str], str]) -> Any:
    return [how(name) for name in names] if isinstance(names, list) else how(names)


@settings(deadline=None, max_examples=60)
@given(several(), several(resource=False), st.sampled_from([str.lower, str.upper, str.swapcase]))
def test_the_case_of_actions_says_nothing(
    parts: list[Statement], owned: list[Statement], how: Callable[[str], str]
) -> None:
    for each, asked in ((parts, opened), (owned, rights)):
        other = [
            {name: swapped(value, how) if name.endswith("Action") else value for name, value in one.items()}
            for one in each
        ]
        assert {str(found).lower() for found in asked(of(*other))} == {
            str(found).lower() for found in asked(of(*each))
        }


@settings(deadline=None, max_examples=60)
@given(several())
def test_a_list_of_one_is_the_one(parts: list[Statement]) -> None:
    def listed(value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    wrapped = [
        {
            name: value
            if name in ("Effect", "Sid") or (value == "*" and name.endswith("Principal"))
            else {key: listed(each) for key, each in value.items()}
            if name.endswith("Principal")
            else {
                operator: {key: listed(each) for key, each in keys.items()}
                for operator, keys in value.items()
            }
            if name == "Condition"
            else listed(value)
            for name, value in part.items()
        }
        for part in parts
    ]
    assert of(*wrapped) == of(*parts)
    if len(parts) == 1:
        assert parse({"Statement": parts[0]}) == of(*parts)


# Globs


GLOB = st.text("ab*?", max_size=5)
WORDS = [
    "",
    *"ab",
    *(x + y for x in "ab" for y in "ab"),
    *(x + y + z for x in "ab" for y in "ab" for z in "abc"),
]


def matched(pattern: str) -> set[str]:
    """By trying: what of the words a pattern matches."""

    def matches(glob: str, word: str) -> bool:
        if not glob:
            return not word
        if glob[0] == "*":
            return any(matches(glob[1:], word[at:]) for at in range(len(word) + 1))
        return bool(word) and glob[0] in ("?", word[0]) and matches(glob[1:], word[1:])

    return {word for word in WORDS if matches(pattern, word)}


@settings(deadline=None, max_examples=200)
@given(GLOB, GLOB)
def test_globs(one: str, other: str) -> None:
    for word in WORDS:
        assert covers(one, word) == overlap(one, word) == overlap(word, one) == (word in matched(one))
    if covers(one, other):
        assert matched(other) <= matched(one)
    if matched(one) & matched(other):
        assert overlap(one, other)
    assert overlap(one, other) == overlap(other, one)
    assert covers(one, one)
    if covers(one, other) and matched(other):
        assert overlap(one, other)


@pytest.mark.parametrize(
    ("one", "other", "is_covered", "is_common"),
    [
        ("*", "*", True, True),
        ("**", "*", True, True),
        ("?*", "*?", True, True),
        ("?*", "*", False, True),
        ("*", "?", True, True),
        ("?", "*", False, True),
        ("a?", "a*", False, True),
        ("a*", "a?", True, True),
        ("a*c", "a*b*c", True, True),
        ("a*b*c", "a*c", False, True),
        ("a*", "*b", False, True),
        ("a*", "b*", False, False),
        ("a", "", False, False),
        ("", "", True, True),
        ("", "*", False, True),
        ("ab", "a", False, False),
        ("*a", "*b", False, False),
        ("s3:*", "s3:Get*", True, True),
        ("*et*", "s3:Get*", True, True),
    ],
)
def test_patterns(one: str, other: str, is_covered: bool, is_common: bool) -> None:  # noqa: FBT001 (a table)
    assert (covers(one, other), overlap(one, other)) == (is_covered, is_common)


def test_no_pattern_takes_long() -> None:
    """Whoever writes a policy chooses its patterns, and must not stop the scan with them."""
    start = time.monotonic()
    hard = "*a" * 200 + "b"
    assert not covers(hard, "a" * 1000)
    assert not overlap(hard, "a" * 1000)
    assert overlap("?*" * 200 + "a", "*" + "?" * 300)
    assert covers("*" * 3000, "*" * 3000)
    assert time.monotonic() - start < 5
