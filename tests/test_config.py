"""orgscan.yaml: what is wrong is refused, all of it at once and in words."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from infra import ROOT, config, tags, yaml_text
from infra.config import MATCHES, Config, ConfigError, Schedule
from infra.config import Suppression as Section
from orgscan.model import Category, Severity
from orgscan.settings import Configuration, Events, Route
from orgscan.suppress import Suppression
from orgscan.tagging import PREDEFINED, TagPolicy

Read = Callable[[str], Config]
Refused = Callable[[str], list[str]]

TIME = (
    "must be rate(<number> minutes|hours|days) or "
    "cron(<minutes> <hours> <day of month> <month> <day of week> <year>), such as cron(0 6 * * ? *)"
)
CHECK = "checks.off[0]: 'ec2-instance-idel': must be the id of a check; did you mean 'ec2-instance-idle'?"
WORDS = "1-40 of a-z, 0-9 and -, first a letter"
REGION = "must be a region, a pattern that matches one ('eu-*'), or"
NOT_TEXT = (
    'must be YAML: unacceptable character #x0000: special characters are not allowed in "<unicode string>", '
    "position 6"
)
OWN_BOUNDARY = "arn:aws:iam::123456789012:policy/edge"
TODAY = date(2026, 1, 1)
SEVERITIES = "must be 'informational', 'low', 'medium', 'high' or 'critical'"


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    path = tmp_path_factory.mktemp("config") / "orgscan.yaml"

    def of(text: str) -> Config:
        path.write_text(text, encoding="utf-8")
        return config.load(path, today=TODAY)

    return of


@pytest.fixture(scope="module")
def refused(read: Read) -> Refused:
    """The lines of the refusal, without the file's name that begins each of them."""

    def of(text: str) -> list[str]:
        with pytest.raises(ConfigError) as error:
            read(text)
        lines = str(error.value).splitlines()
        assert all(line.startswith("orgscan.yaml: ") for line in lines)
        return [line.removeprefix("orgscan.yaml: ") for line in lines]

    return of


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: Scan", f"name: 'Scan': must be {WORDS.replace('40', '20')}"),
        ("accounts: {organization: 'yes'}", "accounts.organization: 'yes': must be true or false"),
        ("accounts: {organization: off}", "accounts.organization: 'off': must be true or false"),
        ("accounts: {ids: ['1234']}", "accounts.ids[0]: '1234': must be an account id: 12 digits, in quotes"),
        (
            "accounts: {ids: [123456789012]}",
            "accounts.ids[0]: 123456789012: must be text; put numbers in quotes",
        ),
        ("accounts: {ids: '123456789012'}", "accounts.ids: '123456789012': must be a list"),
        ("accounts: {tags: {stage: 1}}", "accounts.tags.stage: 1: must be text; put numbers in quotes"),
        ("accounts: {tags: [a]}", "accounts.tags: [a]: must be a mapping"),
        (
            "accounts: {ous: [ou-1]}",
            "accounts.ous[0]: 'ou-1': must be the id of an OU or a root, such as ou-ab12-cdefgh34",
        ),
        (
            "accounts: {organization: false}",
            "accounts.ids: []: must list the accounts when `organization` is false",
        ),
        (
            "accounts: {organization: false, ids: ['123456789012'], tags: {a: b}}",
            "accounts.tags: {a: b}: must be empty when `organization` is false: only Organizations knows",
        ),
        ("regions: [eu-wset-1]", f"regions[0]: 'eu-wset-1': {REGION} 'enabled'; did you mean 'eu-west-1'?"),
        ("regions: ['xx-*']", f"regions[0]: 'xx-*': {REGION} 'enabled'"),
        ("regions: []", "regions: []: must not be empty"),
        ("role: {name: a b}", "role.name: 'a b': must be 1-64 letters, digits and +=,.@_-"),
        ("role: {external_id: x}", "role.external_id: 'x': must be 2-1224 letters, digits and +=,.@:/_-"),
        (
            "role: {organization_id: r-ab12}",
            "role.organization_id: 'r-ab12': must be the id of an organization, such as o-a1b2c3d4e5",
        ),
        ("role:", "role: null: must be a mapping"),
        (
            "deployment: {ous: [all]}",
            "deployment.ous[0]: 'all': must be the id of an OU or a root, such as ou-ab12-cdefgh34",
        ),
        (
            "deployment: {path: security}",
            "deployment.path: 'security': must be / or words of letters, digits and +=,.@_- between /",
        ),
        (
            "deployment: {qualifier: Acme-1}",
            "deployment.qualifier: 'Acme-1': must be 1-10 of a-z and 0-9",
        ),
        (
            "deployment: {key: alias/ours}",
            "deployment.key: 'alias/ours': must be the ARN of a KMS key, and not of an alias",
        ),
        (
            "deployment: {permissions_boundary: 'policy:a'}",
            (
                "deployment.permissions_boundary: 'policy:a': must be the name of a policy, with its path "
                "before it if there is one, or an ARN"
            ),
        ),
        (
            f"deployment: {{ous: [r-ab12], permissions_boundary: {OWN_BOUNDARY}}}",
            (
                f"deployment.permissions_boundary: '{OWN_BOUNDARY}': "
                "must be a name or a policy of AWS's own: StackSets bring it into many accounts"
            ),
        ),
        (
            "deployment: {tags: {'Aws:team': a}}",
            "deployment.tags.Aws:team: 'Aws:team': must not begin with aws:, which is AWS's own",
        ),
        (
            "deployment: {tags: {team: <b>}}",
            "deployment.tags.team: '<b>': must consist of letters, digits, spaces and _.:/=+@-",
        ),
        ("deployment: {call_as: self}", "deployment.call_as: 'self': must be 'SELF' or 'DELEGATED_ADMIN'"),
        (
            "deployment: {region: eu-wset-1}",
            "deployment.region: 'eu-wset-1': must be a region; did you mean 'eu-west-1'?",
        ),
        (
            "{accounts: {organization: false, ids: ['123456789012']}, deployment: {ous: [r-ab12]}}",
            "deployment.ous: must be empty when accounts.organization is false",
        ),
        ("schedules: [{expression: rate(1 day)}]", "schedules[0].name: must be given"),
        ("schedules: [daily]", "schedules[0]: 'daily': must be a mapping"),
        (
            "schedules: [{name: a, expression: rate(1 day), timezone: Europe/Berlim}]",
            (
                "schedules[0].timezone: 'Europe/Berlim': must be an IANA time zone, such as Europe/Berlin; "
                "did you mean 'Europe/Berlin'?"
            ),
        ),
        (
            "schedules: [{name: a, expression: rate(1 day), scope: {categories: [sekurity]}}]",
            (
                "schedules[0].scope.categories[0]: 'sekurity': "
                "must be 'security', 'cost', 'reliability', 'operations', 'tagging' or 'inventory'"
            ),
        ),
        (
            "schedules: [{name: a, expression: rate(1 day), scope: {regions: [enabled]}}]",
            f"schedules[0].scope.regions[0]: 'enabled': {REGION} 'global'",
        ),
        (
            "schedules: [{name: a, expression: rate(1 day)}, {name: a, expression: rate(2 days)}]",
            "schedules[1].name: 'a': must be unique",
        ),
        (
            "checks: {off: [ec2-instance-idel]}",
            CHECK,
        ),
        (
            "checks: {parameters: {ec2-instance-idle: {window_days: seven}}}",
            "checks.parameters.ec2-instance-idle.window_days: 'seven': must be a whole number",
        ),
        (
            "checks: {parameters: {ec2-instance-stopped-long: {maxdays: 7}}}",
            (
                "checks.parameters.ec2-instance-stopped-long.maxdays: 7: unknown; must be one of max_days; "
                "did you mean 'max_days'?"
            ),
        ),
        (
            "checks: {parameters: {ec2-instance-idel: {days: 7}}}",
            "checks.parameters.ec2-instance-idel: {days: 7}: unknown; did you mean 'ec2-instance-idle'?",
        ),
        (
            "tag_policies: [{name: a, required: []}]",
            (
                "tag_policies[0]: {name: a, required: []}: must have `required` or `rules`, or be the name "
                "of a predefined one: basic, cost-allocation, security, map-2.0"
            ),
        ),
        (
            "tag_policies: [{name: a, rules: [{key: a, pattern: '('}]}]",
            (
                "tag_policies[0].rules[0].pattern: '(': must be a regular expression: missing ), "
                "unterminated subpattern at position 0"
            ),
        ),
        (
            f"tag_policies: [{{name: a, rules: [{{key: a, pattern: {'x' * 257}}}]}}]",
            f"tag_policies[0].rules[0].pattern: '{'x' * 59}...: must be at most 256 characters long",
        ),
        (
            "tag_policies: [{name: a, rules: [{key: '[', key_is_pattern: true}]}]",
            (
                "tag_policies[0].rules[0]: {key: '[', key_is_pattern: true}: must be a regular expression: "
                "unterminated character set at position 0"
            ),
        ),
        (
            "tag_policies: [{name: a, rules: [{key: a, forbidden: true, required: true}]}]",
            (
                "tag_policies[0].rules[0]: {forbidden: true, key: a, required: true}: what is forbidden "
                "must not be required, and needs neither values nor pattern"
            ),
        ),
        (
            "tag_policies: [{name: a, rules: [{key: a.*, key_is_pattern: true, required: true}]}]",
            (
                "tag_policies[0].rules[0]: {key: a.*, key_is_pattern: true, required: true}: a pattern of "
                "keys must not be required: it names none"
            ),
        ),
        (
            "tag_policies: [{name: a, required: [Owner], exempt_types: [SecurityGrop]}]",
            (
                "tag_policies[0].exempt_types[0]: 'SecurityGrop': must be a kind of resource; "
                "did you mean 'SecurityGroup'?"
            ),
        ),
        (
            "routes: [{name: a, emails: [a.example.com]}]",
            "routes[0].emails[0]: 'a.example.com': must be an e-mail address",
        ),
        (
            "routes: [{name: a, emails: [a@example.com], minimum_severity: hig}]",
            f"routes[0].minimum_severity: 'hig': {SEVERITIES}",
        ),
        (
            "routes: [{name: a}]",
            "routes[0].emails: []: must not be empty unless `chat` or `machine` is true",
        ),
        (
            "routes: [{name: a, chat: true}]",
            "routes[0].emails: must not be empty: the first route hears of trouble with orgscan itself",
        ),
        (
            "routes: [{name: a, emails: [a@example.com], chat: 'yes'}]",
            "routes[0].chat: 'yes': must be true or false",
        ),
        (
            "routes: [{name: a, emails: [a@example.com], owners: ['']}]",
            "routes[0].owners[0]: '': must be an owner's name, or a pattern of names: team-*",
        ),
        (
            "routes: [{name: a, emails: [a@example.com], ous: [prod]}]",
            "routes[0].ous[0]: 'prod': must be the id of an OU or a root, such as ou-ab12-cdefgh34",
        ),
        (
            "routes: [{name: a, emails: [a@example.com], copyy: true}]",
            (
                "routes[0].copyy: true: unknown; must be one of name, chat, machine, emails, "
                "minimum_severity, categories, accounts, ous, owners, unowned, copy; did you mean 'copy'?"
            ),
        ),
        (
            "routes: [{name: a-1, emails: [a@example.com], chat: true}, {name: a1, machine: true}]",
            "routes[1].name: 'a1': must differ from 'a-1' by more than hyphens",
        ),
        (
            (
                "{accounts: {organization: false, ids: ['123456789012']}, "
                "routes: [{name: a, emails: [a@example.com], ous: [r-ab12]}]}"
            ),
            "routes[0].ous: must be empty when accounts.organization is false",
        ),
        ("events: {scans: 1}", "events.scans: 1: must be true or false"),
        (
            "events: {bus: 'arn:aws:events:eu-west-1:1:event-bus/a'}",
            (
                "events.bus: 'arn:aws:events:eu-west-1:1:event-bus/a': "
                "must be the name of an event bus of the hub's account and region"
            ),
        ),
        ("links: {presigned_minutes: 61}", "links.presigned_minutes: 61: must be at most 60"),
        ("links: {presigned_minutes: -1}", "links.presigned_minutes: -1: must be at least 0"),
        (
            "schedules: [{name: a, expression: rate(1 day), digest: weekly}]",
            "schedules[0].digest: 'weekly': must be true or false",
        ),
        ("routes: [{name: A, emails: [a@example.com]}]", f"routes[0].name: 'A': must be {WORDS}"),
        ("limits: {concurrency: 0}", "limits.concurrency: 0: must be at least 1"),
        ("limits: {concurrency: 10001}", "limits.concurrency: 10001: must be at most 10000"),
        ("limits: {scan_memory: 1.5}", "limits.scan_memory: 1.5: must be a whole number"),
        ("limits: {scan_memory: true}", "limits.scan_memory: true: must be a whole number"),
        (
            "limits: {log_retention_days: 4}",
            (
                "limits.log_retention_days: 4: "
                "must be 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731"
            ),
        ),
        (
            "limits: {concurency: 5}",
            (
                "limits.concurency: 5: unknown; must be one of concurrency, scan_memory, log_retention_days, "
                "polite, suppressed_share; did you mean 'concurrency'?"
            ),
        ),
        ("owners: {tags: []}", "owners.tags: []: must not be empty"),
        ("owners: {tags: Owner}", "owners.tags: 'Owner': must be a list"),
        ("owners: {tags: ['']}", "owners.tags[0]: '': must be a tag's key of 1-128 characters"),
        ("owners: {tags: [7]}", "owners.tags[0]: 7: must be text; put numbers in quotes"),
        (
            "owners: {tags: [a, b, c, d, e, f, g, h, i, j, k]}",
            "owners.tags: [a, b, c, d, e, f, g, h, i, j, k]: must have at most 10 entries",
        ),
        ("owners: {accounts: 'no'}", "owners.accounts: 'no': must be true or false"),
        (
            "owners: {tag: [Owner]}",
            "owners.tag: [Owner]: unknown; must be one of tags, accounts; did you mean 'tags'?",
        ),
        ("inventory: {enabled: 'no'}", "inventory.enabled: 'no': must be true or false"),
        ("inventory: {keep_days: 0}", "inventory.keep_days: 0: must be at least 1"),
        ("inventory: {keep_days: 3651}", "inventory.keep_days: 3651: must be at most 3650"),
        ("inventory: {keep_days: 90.5}", "inventory.keep_days: 90.5: must be a whole number"),
        (
            "inventory: {days: 90}",
            "inventory.days: 90: unknown; must be one of enabled, keep_days; did you mean 'keep_days'?",
        ),
        ("limits: {polite: 0}", "limits.polite: 0: must be at least 0.1"),
        ("limits: {polite: 100.5}", "limits.polite: 100.5: must be at most 100.0"),
        ("limits: {polite: '2'}", "limits.polite: '2': must be a number"),
        ("limits: {polite: true}", "limits.polite: true: must be a number"),
        ("limits: {polite: !!float .nan}", "limits.polite: .nan: must be at most 100.0"),
        ("limits: {suppressed_share: 0}", "limits.suppressed_share: 0: must be at least 1"),
        ("limits: {suppressed_share: 101}", "limits.suppressed_share: 101: must be at most 100"),
        ("limits: {suppressed_share: 2.5}", "limits.suppressed_share: 2.5: must be a whole number"),
        ("limits: {3: 5}", "limits[3]: 3: must be text"),
        ("- name", "the file: [name]: must be a mapping"),
        ("", "is empty; must hold a mapping, {} for all defaults"),
        ("# nothing", "is empty; must hold a mapping, {} for all defaults"),
        ("name: [", "line 1: must be YAML: expected the node content, but found '<stream end>'"),
        ("name: a\n\tb: c", "line 2: must be YAML: found character '\\t' that cannot start any token"),
        ("name: \0", NOT_TEXT),
    ],
)
def test_a_mistake_is_told_with_field_value_and_what_is_allowed(
    refused: Refused, text: str, line: str
) -> None:
    assert refused(text) == [line]


@pytest.mark.parametrize(
    ("expression", "rule"),
    [
        ("cron(0 6 * *)", TIME),
        ("at(2030-01-01T00:00:00)", TIME),
        ("rate(0 days)", TIME),
        ("rate(1 days)", "must be singular for 1 and plural otherwise: rate(1 day), rate(2 days)"),
        ("rate(2 day)", "must be singular for 1 and plural otherwise: rate(1 day), rate(2 days)"),
        ("cron(60 6 * * ? *)", "must have 0-59 as minutes, not '60'"),
        ("cron(0 22-6 * * ? *)", "must have 0-23 as hours, not '22-6'"),
        ("cron(0 6 * FOO ? *)", "must have 1-12 or JAN-DEC as month, not 'FOO'"),
        ("cron(0/0 6 * * ? *)", "must have 0-59 as minutes, not '0/0'"),
        ("cron(0 6 W * ? *)", "must have 1-31 as day of month, not 'W'"),
        ("cron(0 6 ? * TUE#6 *)", "must have 1-7 or SUN-SAT as day of week, not 'TUE#6'"),
        ("cron(0 6 * * * *)", "must have ? as day of month or as day of week, and not as both"),
        ("cron(0 6 ? * ? *)", "must have ? as day of month or as day of week, and not as both"),
    ],
)
def test_an_expression_that_the_scheduler_would_refuse(refused: Refused, expression: str, rule: str) -> None:
    text = yaml.safe_dump({"schedules": [{"name": "a", "expression": expression}]})
    assert refused(text) == [f"schedules[0].expression: {expression!r}: {rule}"]


def test_every_mistake_is_told_at_once(refused: Refused) -> None:
    text = """
        schedulez: []
        schedules:
          - {name: a, expression: cron(0 6 * *)}
          - {name: a, expression: rate(1 day), timezone: Mars}
        routes: [{name: r, emails: []}]
        limits: {concurrency: many}
        """
    assert [line.partition(":")[0] for line in refused(text)] == [
        "schedules[0].expression",
        "schedules[1].timezone",
        "routes[0].emails",
        "limits.concurrency",
        "schedulez",
        "schedules[1].name",
    ]


def test_keys_that_stand_twice_are_refused_with_their_lines(refused: Refused) -> None:
    assert refused("name: a\nlimits: {concurrency: 1, concurrency: 2}\nname: b") == [
        "line 2: concurrency: must stand only once",
        "line 3: name: must stand only once",
    ]


def test_a_schedule_can_only_narrow(refused: Refused) -> None:
    text = """
        accounts: {ids: ["111111111111", "222222222222"], exclude: ["222222222222"]}
        regions: ["eu-*"]
        checks: {off: [ec2-instance-idle]}
        schedules:
          - name: a
            expression: rate(1 day)
            scope:
              accounts: ["111111111111", "222222222222", "333333333333"]
              regions: [eu-west-1, "us-*", global]
              checks: [ec2-instance-idle]
        """
    assert refused(text) == [
        "schedules[0].scope.checks: 'ec2-instance-idle': must not be in checks.off",
        "schedules[0].scope.accounts: '222222222222': must be among the accounts above",
        "schedules[0].scope.accounts: '333333333333': must be among the accounts above",
        "schedules[0].scope.regions: 'us-*': must be among the regions above",
    ]


@given(st.text("ab1-", max_size=5).map("a{}-".format), st.text("ab1-", max_size=5))
def test_two_names_make_two_stacks(begin: str, end: str) -> None:
    """Also those that differ in one hyphen only."""
    one, other = (Config(name=name).stack("hub") for name in (begin + end, begin[:-1] + end))
    assert one != other
    assert re.fullmatch("[A-Z][A-Za-z0-9-]*Hub", one)


def test_a_stack_gives_no_more_tags_than_aws_takes(read: Read, refused: Refused) -> None:
    tags = {f"t{number}": "a" for number in range(51)}
    (line,) = refused(yaml.safe_dump({"deployment": {"tags": tags}}))
    assert line.endswith("must have at most 50 entries")
    del tags["t0"]
    assert read(yaml.safe_dump({"deployment": {"tags": tags}})).deployment.tags == tags


@pytest.mark.parametrize("boundary", ["edge", "teams/edge", OWN_BOUNDARY])
def test_a_boundary_is_a_name_or_an_arn(read: Read, boundary: str) -> None:
    assert (
        read(f"deployment: {{permissions_boundary: {boundary}}}").deployment.permissions_boundary == boundary
    )


def test_without_an_organization_there_are_no_ous(refused: Refused) -> None:
    text = """
        accounts: {organization: false, ids: ["111111111111"]}
        schedules: [{name: a, expression: rate(1 day), scope: {account_tags: {stage: test}}}]
        """
    rule = "ous and account_tags must be empty when accounts.organization is false"
    assert refused(text) == [f"schedules[0].scope: {rule}"]


RULE = {"reason": "known", "owner": "team", "expires": "2026-06-30"}
MATCHED = ", ".join(MATCHES)


def written(*rules: dict[str, Any], **others: Any) -> str:
    """With a reason, an owner and an expiry where a rule has none; None leaves a field out."""
    entries = [
        {name: value for name, value in {**RULE, **each}.items() if value is not None} for each in rules
    ]
    return yaml.safe_dump({"suppressions": entries, **others})


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (
            {"check": "ec2-instance-idel"},
            ".check: 'ec2-instance-idel': must be the id of a check; did you mean 'ec2-instance-idle'?",
        ),
        ({"account": "1234"}, ".account: '1234': must be an account id: 12 digits, in quotes"),
        ({"account": 123456789012}, ".account: 123456789012: must be text; put numbers in quotes"),
        (
            {"region": "eu-wset-1"},
            ".region: 'eu-wset-1': must be a region, or 'global'; did you mean 'eu-west-1'?",
        ),
        ({"region": "eu-*"}, ".region: 'eu-*': must be a region, or 'global'"),
        ({"region": "enabled"}, ".region: 'enabled': must be a region, or 'global'"),
        ({"resource": "logs"}, ".resource: 'logs': must be an ARN, which begins with arn:"),
        ({"resource": ""}, ".resource: '': must be an ARN, which begins with arn:"),
        (
            {"resource": "arn:aws:s3:::*"},
            ".resource: 'arn:aws:s3:::*': must be one ARN; patterns belong into `resource_glob`",
        ),
        ({"resource": "log?"}, ".resource: 'log?': must be one ARN; patterns belong into `resource_glob`"),
        (
            {"resource": "arn:aws:s3:::a", "resource_glob": "*"},
            ".resource_glob: '*': must not be given together with `resource`",
        ),
        (
            {"resource_glob": ""},
            ".resource_glob: '': must be a pattern of ARNs, such as '*:log-group:/tmp/*'",
        ),
        ({"tag": {"key": "stage"}}, ".tag.value: must be given"),
        ({"tag": {"key": "", "value": "a"}}, ".tag.key: '': must be a tag's key of 1-128 characters"),
        ({"tag": {"key": "a", "value": 1}}, ".tag.value: 1: must be text; put numbers in quotes"),
        ({"tag": {}}, ".tag.key: must be given"),
        ({"tag": "stage"}, ".tag: 'stage': must be a mapping"),
        (
            {"tag": {"key": "a", "value": "b", "keyy": 1}},
            ".tag.keyy: 1: unknown; must be one of key, value; did you mean 'key'?",
        ),
        ({}, f": must name at least one of {MATCHED}"),
        ({"region": "global", "reason": None}, ".reason: must be given"),
        ({"region": "global", "reason": " \n "}, ".reason: ' \\n ': must not be empty"),
        ({"region": "global", "owner": None}, ".owner: must be given"),
        ({"region": "global", "owner": ""}, ".owner: '': must not be empty"),
        ({"region": "global", "expires": None}, ".expires: must be given"),
        (
            {"region": "global", "checks": "a"},
            f".checks: 'a': unknown; must be one of {MATCHED}, reason, owner, expires; did you mean 'check'?",
        ),
    ],
)
def test_a_suppression_that_is_wrong(refused: Refused, rule: dict[str, Any], line: str) -> None:
    assert refused(written(rule))[0] == f"suppressions[0]{line}"


@pytest.mark.parametrize(
    "expires",
    [
        "30.6.2026",
        "2026-6-30",
        "2026-06-31",
        "20260630",
        "2026-W26-2",
        "2026-06-30T00:00:00",
        "0000-01-01",
        "",
    ],
)
def test_an_expiry_that_is_no_date(refused: Refused, expires: str) -> None:
    rule = "must be a date, such as 2026-06-30"
    told = refused(written({"region": "global", "expires": expires}))
    assert told == [f"suppressions[0].expires: {expires!r}: {rule}"]
    assert refused("suppressions: [{region: global, reason: a, owner: b, expires: 20260630}]") == [
        f"suppressions[0].expires: 20260630: {rule}"
    ]


def test_a_suppression_ends_within_a_year(read: Read, refused: Refused) -> None:
    last = TODAY + timedelta(days=365)
    (kept,) = read(written({"region": "global", "expires": str(last)})).runtime().suppressions
    assert kept.expires == last
    late = str(last + timedelta(days=1))
    rule = f"must be at most 365 days ahead: {last} or earlier"
    assert refused(written({"region": "global", "expires": late})) == [
        f"suppressions[0].expires: {late!r}: {rule}"
    ]


def test_a_year_is_counted_from_today_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "orgscan.yaml"
    today = datetime.now(UTC).date()
    path.write_text(written({"region": "global", "expires": str(today + timedelta(days=364))}))
    config.load(path)
    path.write_text(written({"region": "global", "expires": str(today + timedelta(days=367))}))
    with pytest.raises(ConfigError, match="must be at most 365 days ahead"):
        config.load(path)


def test_what_has_expired_is_kept(read: Read) -> None:
    """The digest tells it; a synthesis must not fail because a day has passed."""
    assert len(read(written({"region": "global", "expires": "2020-02-29"})).runtime().suppressions) == 1


def test_a_date_is_read_without_quotes(read: Read) -> None:
    (rule,) = read("suppressions: [{region: global, reason: a, owner: b, expires: 2026-06-30}]").suppressions
    assert rule.expires == date(2026, 6, 30)


def test_two_suppressions_of_the_same_are_refused(refused: Refused, read: Read) -> None:
    tagged = {"tag": {"key": "a", "value": "b"}, "region": "global"}
    turned = {
        "region": "global",
        "tag": {"value": "b", "key": "a"},
        "reason": "other",
        "expires": "2026-02-01",
    }
    text = written(tagged, {"region": "global"}, turned, {"region": "global", "owner": "other"})
    assert refused(text) == [
        "suppressions[2]: must not match the same as suppressions[0]",
        "suppressions[3]: must not match the same as suppressions[1]",
    ]
    assert len(read(written(tagged, {"region": "global"}, {"tag": tagged["tag"]})).suppressions) == 3


def test_every_mistake_in_suppressions_is_told_at_once(refused: Refused) -> None:
    text = written(
        {"check": "a", "account": "1", "owner": " ", "expires": "2099-01-01"},
        {"reason": None},
        {"region": "global"},
        {"region": "global"},
        limits={"polite": 0},
    )
    assert [line.partition(": ")[0] for line in refused(text)] == [
        "suppressions[0].check",
        "suppressions[0].account",
        "suppressions[0].owner",
        "suppressions[0].expires",
        "suppressions[1].reason",
        "limits.polite",
        "suppressions[1]",
        "suppressions[3]",
    ]
    assert len(refused("suppressions: [{}]")) == 4


def test_a_suppression_of_what_is_not_looked_at_is_refused(refused: Refused, read: Read) -> None:
    text = written(
        {"account": "222222222222"},
        {"account": "333333333333"},
        {"check": "ec2-instance-idle"},
        {"region": "us-east-1"},
        {"region": "global", "account": "111111111111", "check": "ec2-eip-unassociated"},
        accounts={"ids": ["111111111111", "222222222222"], "exclude": ["222222222222"]},
        checks={"off": ["ec2-instance-idle"]},
        regions=["eu-*"],
    )
    assert refused(text) == [
        "suppressions[0].account: '222222222222': must be among the accounts above",
        "suppressions[1].account: '333333333333': must be among the accounts above",
        "suppressions[2].check: 'ec2-instance-idle': must not be in checks.off",
        "suppressions[3].region: 'us-east-1': must be among the regions above",
    ]
    assert read(written({"account": "333333333333"}, {"region": "us-east-1"})).suppressions


def test_the_functions_are_told_what_is_suppressed(read: Read) -> None:
    first = {
        "check": "s3-bucket-versioning-disabled",
        "account": "111122223333",
        "region": "eu-west-1",
        "resource": "arn:aws:s3:::logs",
        "tag": {"key": "stage", "value": ""},
        "reason": "  a cache,\n  made anew\n",
    }
    told = read(written(first, {"resource_glob": "*:volume/*"}, limits={"polite": 2})).runtime()
    assert told.polite == 2.0
    assert told.inventory
    assert told.suppressions == (
        Suppression(
            check="s3-bucket-versioning-disabled",
            account="111122223333",
            region="eu-west-1",
            resource="arn:aws:s3:::logs",
            tag=("stage", ""),
            reason="a cache, made anew",
            owner="team",
            expires=date(2026, 6, 30),
        ),
        Suppression(resource_glob="*:volume/*", reason="known", owner="team", expires=date(2026, 6, 30)),
    )
    assert Configuration.from_json(told.to_json()) == told


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^none.yaml: must be a readable file: No such file or directory$"):
        config.load(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: \xe4")
    with pytest.raises(ConfigError, match=r"^latin.yaml: must be UTF-8 text$"):
        config.load(tmp_path / "latin.yaml")


def test_plain_values_are_read_as_editors_read_them(read: Read) -> None:
    """Not as YAML 1.1 does, for which this key is False and this account an octal number."""
    decided = read("checks: {off: [ec2-instance-idle]}\naccounts: {tags: {no: off}, exclude: [012345670123]}")
    assert decided.checks.off == ("ec2-instance-idle",)
    assert decided.accounts.tags == {"no": "off"}
    assert decided.accounts.exclude == ("012345670123",)


def test_a_predefined_tag_policy_is_named_and_may_be_narrowed_or_replaced(read: Read) -> None:
    told = read(
        """
        tag_policies:
          - name: security
          - {name: cost-allocation, exempt_types: [Volume], case_sensitive: false}
          - {name: map-2.0, rules: [{key: map-migrated, required: true, pattern: d-.*, case_sensitive: null}]}
        """
    ).runtime()
    security, costs, migration = told.parameters["tag-value-not-allowed"]["policies"]
    assert security == PREDEFINED["security"]
    assert costs == {**PREDEFINED["cost-allocation"], "exempt_types": ["Volume"], "case_sensitive": False}
    rule = {"key": "map-migrated", "required": True, "pattern": "d-.*"}
    assert migration == {"name": "map-2.0", "rules": [rule]}
    assert told.parameters["tag-data-classification-missing"] == {"policy": security}
    assert told.parameters["tag-cost-allocation-incomplete"] == {"policy": costs}
    assert told.parameters["tag-map-migrated-missing-or-invalid"] == {"policy": migration}


def test_policies_of_other_names_leave_the_checks_of_one_policy_alone(read: Read) -> None:
    told = read("tag_policies: [{name: basic}]").runtime()
    assert told.parameters.keys() == {*tags.JUDGING}
    assert told.parameters["tag-required-key-missing"]["policies"] == [PREDEFINED["basic"]]


def test_what_a_policy_says_of_a_resource_survives_the_configuration(read: Read) -> None:
    (told,) = (
        read(
            """
        tag_policies:
          - name: own
            required: [Team]
            rules: [{key: Team, allowed_values: [a], case_sensitive: false}]
        """
        )
        .runtime()
        .parameters["tag-required-key-missing"]["policies"]
    )
    policy = TagPolicy(told)
    assert policy.wrong({"team": "A"}) == []
    assert policy.wrong({"team": "b"}) == ["team is 'b', which differs from a"]
    assert policy.wrong({}) == ["Team is missing"]


def test_a_file_of_defaults_scans_everything(read: Read) -> None:
    assert read("{}").runtime() == Configuration()


def test_the_functions_are_told_what_was_decided(read: Read) -> None:
    decided = read(
        """
        accounts: {ous: [ou-ab12-cdefgh34], tags: {stage: prod}, exclude: ["111111111111"]}
        regions: [eu-west-1, "us-*"]
        schedules:
          - {name: daily, expression: rate(1 day)}
          - {name: costs, expression: rate(7 days), scope: {categories: [cost], account_tags: {a: b}}}
        checks:
          off: [ec2-eip-unassociated]
          parameters: {ec2-instance-stopped-long: {max_days: 14}, ec2-instance-idle: {window_days: 7}}
        tag_policies: [{name: team, required: [Team], exempt_types: [SecurityGroup]}]
        routes: [{name: cost, emails: [a@example.com], minimum_severity: high, categories: [cost]}]
        """
    )
    told = decided.runtime()
    assert told.scope.ous == ("ou-ab12-cdefgh34",)
    assert told.scope.account_tags == {"stage": "prod"}
    assert told.scope.exclude_accounts == ("111111111111",)
    assert told.scope.regions == ("eu-west-1", "us-*")
    assert told.schedules == ("daily", "costs")
    assert told.off == ("ec2-eip-unassociated",)
    assert told.routes == (Route(name="cost", minimum_severity=Severity.HIGH, categories=(Category.COST,)),)
    team = {"name": "team", "required": ["Team"], "rules": [], "exempt_types": ["SecurityGroup"]}
    # A threshold that is written as it is by default is none of ours to tell.
    assert told.parameters == {
        "ec2-instance-stopped-long": {"max_days": 14},
        **{check: {"policies": [team]} for check in tags.JUDGING},
    }
    assert Configuration.from_json(told.to_json()) == told
    assert [each.request for each in decided.schedules] == [
        {"schedule": "daily"},
        {"schedule": "costs", "categories": ["cost"], "account_tags": {"a": "b"}},
    ]


def test_the_functions_are_told_of_routes_events_and_links(read: Read) -> None:
    decided = read(
        """
        schedules: [{name: weekly, expression: rate(7 days), digest: true}]
        routes:
          - {name: all, emails: [a@example.com], copy: true}
          - {name: data, emails: [b@example.com], owners: [data-*], ous: [r-ab12], chat: true}
          - {name: nobodys, machine: true, unowned: true}
        events: {findings: true, bus: acme/security}
        links: {presigned_minutes: 45}
        """
    )
    told = decided.runtime()
    assert told.routes == (
        Route(name="all", copy=True),
        Route(name="data", owners=("data-*",), ous=("r-ab12",), chat=True),
        Route(name="nobodys", owners=("",), mail=False, machine=True),
    )
    assert told.events == Events(findings=True, bus="acme/security")
    assert told.presigned_minutes == 45
    assert Configuration.from_json(told.to_json()) == told
    assert decided.schedules[0].request == {"schedule": "weekly", "digest": True}


def test_owners_are_named_by_the_tags_that_people_chose(read: Read) -> None:
    told = read("{}").runtime()
    assert (told.owner_tags, told.account_owners) == (("Owner",), True)
    told = Configuration.from_json(read("owners: {tags: [Team, Owner], accounts: false}").runtime().to_json())
    assert (told.owner_tags, told.account_owners) == (("Team", "Owner"), False)


def test_an_inventory_can_be_switched_off(read: Read) -> None:
    told = read("inventory: {enabled: false}").runtime()
    assert not told.inventory
    assert Configuration.from_json(told.to_json()) == told


def test_the_shipped_file_shows_every_field_with_its_default() -> None:
    """Of schedules, tag policies and routes, which are none by default, it shows one each.

    Suppressions are shown as comments: an example must not suppress anything.
    """
    path = ROOT / "orgscan.yaml"
    shown = yaml_text.read(path.read_text(encoding="utf-8"))
    declared = [each for each in _declared(Config) if not each.startswith("suppressions.")]
    assert sorted(_written(shown)) == sorted(declared)
    examples = {"schedules", "tag_policies", "routes"}
    decided = config.load(path)
    assert decided.model_dump(exclude=examples) == Config().model_dump(exclude=examples)
    assert all(len(getattr(decided, each)) == 1 for each in examples)


def test_the_shipped_file_explains_suppressions_with_examples_that_are_right() -> None:
    lines = (ROOT / "orgscan.yaml").read_text(encoding="utf-8").splitlines()
    begin = lines.index("suppressions: []")
    end = lines.index("", begin)
    text = "\n".join(["suppressions:", *(line.replace("#", " ", 1) for line in lines[begin + 1 : end])])
    entries = yaml_text.read(text)["suppressions"]
    assert {name for entry in entries for name in entry} == set(Section.model_fields)
    latest = max(entry["expires"] for entry in entries)
    path = ROOT / "orgscan.yaml"
    assert config.load(path, today=date(2000, 1, 1)).suppressions == ()
    decided = Config.model_validate({"suppressions": entries}, context={"today": date.fromisoformat(latest)})
    assert len(decided.runtime().suppressions) == len(entries) == 2


def _written(section: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, value in section.items():
        yield f"{path}{name}"
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, dict):
            yield from _written(first, f"{path}{name}.")


def _declared(section: Any, path: str = "") -> Iterator[str]:
    for field_name, field in section.model_fields.items():
        name = field.alias or field_name
        yield f"{path}{name}"
        kind = next(iter(get_args(field.annotation)), field.annotation)
        if hasattr(kind, "model_fields") and name != "parameters":
            yield from _declared(kind, f"{path}{name}.")


def test_editors_are_told_what_is_true_today() -> None:
    """Renewed by `python -m infra.config`."""
    assert config.SCHEMA.read_text(encoding="utf-8") == config.json_schema()
    first, _, _ = (ROOT / "orgscan.yaml").read_text(encoding="utf-8").partition("\n")
    assert first == f"# yaml-language-server: $schema={config.SCHEMA.name}"


def test_a_configuration_is_judged_without_cdk() -> None:
    """Which would take seconds, and Node."""
    script = "import sys, infra.config; sys.exit('aws_cdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0  # noqa: S603


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
SECTION = st.fixed_dictionaries({}, optional=dict.fromkeys(Config.model_fields, ANYTHING))
ENTRY = st.fixed_dictionaries(
    {}, optional=dict.fromkeys((*Schedule.model_fields, *Section.model_fields, "emails"), ANYTHING)
)
LISTED = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("schedules", "routes", "suppressions"), st.lists(ENTRY, max_size=3))
)


@given(SECTION | LISTED | ANYTHING)
def test_whatever_is_written_there_is_a_configuration_or_a_refusal(read: Read, written: Any) -> None:
    text = yaml.safe_dump(written, allow_unicode=True)
    with suppress(ConfigError):
        read(text)


@given(st.text(max_size=40))
def test_whatever_the_file_holds_there_is_a_configuration_or_a_refusal(read: Read, text: str) -> None:
    with suppress(ConfigError):
        read(text)
