"""What the tag checks accept and reject."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orgscan.check import Check
from orgscan.model import Blindness, Gap, Taggable, TagRecord
from orgscan.services.ec2.facts import Instance
from orgscan.services.tags.checks import (
    tag_cost_allocation_incomplete,
    tag_data_classification_missing,
    tag_forbidden_key_present,
    tag_map_migrated_missing_or_invalid,
    tag_required_key_missing,
    tag_value_not_allowed,
    tag_value_pattern_mismatch,
)
from orgscan.tagging import PREDEFINED
from tests.cases import lambda_, rds
from tests.cases.case import ACCOUNT, NOW, Case, cannot_tell, fails, passes
from tests.cases.ec2 import INSTANCE, ago

TAGGED = Taggable(
    arn="arn:aws:ec2:eu-west-1:123456789012:volume/vol-1",
    tags={"Name": "data", "Environment": "prod", "Owner": "ann"},
)
UNTAGGED = replace(TAGGED, tags={})
UNLISTED = replace(TAGGED, tags=None)
FUNCTION = replace(lambda_.FUNCTION, tags={})
NOTHING = "policy basic: Name is missing, Environment is missing, Owner is missing"
DENIED = Gap("tag-records", Blindness.DENIED, "tag:GetResources")
COSTS = {"name": "costs", "required": ["CostCenter"]}


def tagged(**tags: str) -> Taggable:
    return replace(TAGGED, tags=tags)


def rules(*told: Mapping[str, Any], **policy: Any) -> Mapping[str, Any]:
    return {"policies": [{"name": "own", "rules": list(told), **policy}]}


def needs_tags(check: Check[Any], faulty: Mapping[str, str], problem: str, **world: Any) -> list[Case]:
    """The same wherever the tags come from; unless nobody could read them."""
    unlisted = replace(TAGGED, tags=None)
    record = TagRecord(arn=TAGGED.arn, tags=faulty)
    return [
        fails(check, replace(TAGGED, tags=faulty), problem, lost={TagRecord: DENIED}, **world),
        fails(check, unlisted, problem, beside=[record], **world),
        cannot_tell(check, unlisted, "tag:GetResources", lost={TagRecord: DENIED}, **world),
        passes(check, replace(TAGGED, tags=faulty, tags_optional=True), **world),
    ]


REQUIRED: list[Case] = [
    passes(tag_required_key_missing, TAGGED, lost={TagRecord: DENIED}),
    fails(tag_required_key_missing, UNTAGGED, NOTHING, lost={TagRecord: DENIED}),
    fails(
        tag_required_key_missing,
        tagged(Name="data", Environment=" ", owner="ann"),
        "policy basic: Environment is empty, Owner is missing",
    ),
    # A listing without tags says nothing; the tagging API leaves out what never had one.
    passes(tag_required_key_missing, UNLISTED, beside=[TagRecord(arn=TAGGED.arn, tags=TAGGED.tags or {})]),
    fails(
        tag_required_key_missing, UNLISTED, NOTHING, beside=[TagRecord(arn="arn:other", tags={"Name": "x"})]
    ),
    fails(tag_required_key_missing, UNLISTED, NOTHING, beside=[TagRecord(arn=TAGGED.arn, tags={})]),
    cannot_tell(tag_required_key_missing, UNLISTED, "tag:GetResources", lost={TagRecord: DENIED}),
    passes(tag_required_key_missing, replace(UNTAGGED, tags_optional=True)),
    # AWS sets these, so they are nobody's answer.
    fails(
        tag_required_key_missing,
        replace(TAGGED, tags={"aws:owner": "a stack"}),
        "policy costs: aws:owner is missing",
        parameters={"policies": [{"name": "costs", "required": ["aws:owner"]}]},
    ),
    passes(
        tag_required_key_missing,
        tagged(costcenter=""),
        parameters={"policies": [{**COSTS, "case_sensitive": False, "allow_empty": True}]},
    ),
    fails(
        tag_required_key_missing,
        UNTAGGED,
        "policy costs: CostCenter is missing",
        "policy owners: Owner is missing",
        parameters={"policies": [COSTS, {"name": "owners", "required": ["Owner"]}]},
    ),
    # One key in two spellings, whichever the listing names last.
    *(
        passes(
            tag_required_key_missing,
            replace(TAGGED, tags=tags),
            parameters={"policies": [{**COSTS, "case_sensitive": False}]},
        )
        for tags in ({"CostCenter": "7", "costcenter": ""}, {"costcenter": "", "CostCenter": "7"})
    ),
    # By our name of a kind, or by CloudFormation's.
    *(
        passes(
            tag_required_key_missing, FUNCTION, parameters={"policies": [{**COSTS, "exempt_types": [name]}]}
        )
        for name in ("Function", "AWS::Lambda::Function")
    ),
    *(
        passes(tag_required_key_missing, FUNCTION, parameters={"policies": [{**COSTS, "types": [name]}]})
        for name in ("Instance", "AWS::EC2::Instance", "AWS::Lambda")
    ),
    fails(
        tag_required_key_missing,
        FUNCTION,
        "policy costs: CostCenter is missing",
        parameters={"policies": [{**COSTS, "types": ["AWS::S3::Bucket", "AWS::Lambda::Function"]}]},
    ),
    fails(
        tag_required_key_missing,
        UNTAGGED,
        "policy costs: CostCenter is missing",
        parameters={"policies": [{**COSTS, "exempt_types": ["Function"]}]},
    ),
    passes(tag_required_key_missing, UNTAGGED, parameters={"policies": []}),
    passes(tag_required_key_missing, UNTAGGED, parameters={"policies": [{"name": "none"}]}),
    # A rule may be stricter or laxer about case than its policy; a pattern of keys requires none.
    passes(
        tag_required_key_missing,
        tagged(costcenter="7"),
        parameters=rules({"key": "CostCenter", "required": True, "case_sensitive": False}),
    ),
    fails(
        tag_required_key_missing,
        tagged(costcenter="7"),
        "policy own: CostCenter is missing",
        parameters=rules(
            {"key": "CostCenter", "required": True, "case_sensitive": True}, case_sensitive=False
        ),
    ),
    passes(
        tag_required_key_missing,
        UNTAGGED,
        parameters=rules({"key": "cost.*", "key_is_pattern": True, "required": True}),
    ),
    passes(
        tag_required_key_missing, tagged(**{"a.c": "1"}), parameters=rules({"key": "a.c", "required": True})
    ),
    fails(
        tag_required_key_missing,
        tagged(abc="1"),
        "policy own: a.c is missing",
        parameters=rules({"key": "a.c", "required": True}),
    ),
]

ALLOWED: list[Case] = [
    passes(tag_value_not_allowed, TAGGED),
    passes(tag_value_not_allowed, UNTAGGED),
    passes(tag_value_not_allowed, tagged(Environment=" ")),  # missing is another finding
    *needs_tags(
        tag_value_not_allowed,
        {"Environment": "production"},
        "policy basic: Environment is 'production', which differs from prod, stg, dev, test, sandbox",
    ),
    fails(
        tag_value_not_allowed,
        tagged(Environment="Prod"),
        "policy basic: Environment is 'Prod', which differs only in case from prod",
    ),
    passes(tag_value_not_allowed, tagged(environment="production")),  # another key
    passes(
        tag_value_not_allowed,
        tagged(environment="PROD"),
        parameters={"policies": [PREDEFINED["cost-allocation"]]},
    ),
    passes(
        tag_value_not_allowed,
        tagged(stage="A"),
        parameters=rules({"key": "stage", "allowed_values": ["a"], "case_sensitive": False}),
    ),
    fails(
        tag_value_not_allowed,
        tagged(**{"cost:eu": "x", "cost:us": "1", "other": "x"}),
        "policy own: cost:eu is 'x', which differs from 1, 2",
        parameters=rules({"key": "cost:.*", "key_is_pattern": True, "allowed_values": ["1", "2"]}),
    ),
    fails(
        tag_value_not_allowed,
        tagged(a="1", b="2"),
        "policy own: a is '1', which differs from 0",
        "policy own: b is '2', which differs from 0",
        parameters=rules({"key": "a", "allowed_values": ["0"]}, {"key": "b", "allowed_values": ["0"]}),
    ),
]

COSTLY: Instance = replace(INSTANCE, tags={})


def allocated(**tags: str) -> Instance:
    good = {"CostCenter": "CC-1234", "Project": "shop", "Owner": "ann@acme.example", "Environment": "prod"}
    return replace(COSTLY, tags={key: value for key, value in {**good, **tags}.items() if value})


PATTERNS: list[Case] = [
    passes(tag_value_pattern_mismatch, allocated()),
    passes(tag_value_pattern_mismatch, COSTLY),
    passes(
        tag_value_pattern_mismatch,
        allocated(CostCenter="cc-1234"),
        parameters=rules({"key": "CostCenter", "pattern": "CC-[0-9]+", "case_sensitive": False}),
    ),
    fails(
        tag_value_pattern_mismatch,
        allocated(CostCenter="cc-1234"),
        "policy cost-allocation: CostCenter is 'cc-1234', which does not match CC-[0-9]{4,6}",
    ),
    # The whole value.
    *(
        fails(
            tag_value_pattern_mismatch,
            allocated(CostCenter=value),
            f"policy cost-allocation: CostCenter is {value!r}, which does not match CC-[0-9]{{4,6}}",
        )
        for value in ("CC-123", "CC-1234567", "xCC-1234", "CC-1234 ", "CC-1234\n")
    ),
    fails(
        tag_value_pattern_mismatch,
        allocated(Owner="ann"),
        r"policy cost-allocation: Owner is 'ann', which does not match [^@ ]+@[^@ ]+\.[A-Za-z]{2,}",
    ),
    passes(tag_value_pattern_mismatch, replace(TAGGED, tags={"CostCenter": "none"})),  # no type that costs
    *needs_tags(
        tag_value_pattern_mismatch,
        {"Team": "7"},
        "policy own: Team is '7', which does not match [a-z]+",
        parameters=rules({"key": "Team", "pattern": "[a-z]+"}),
    ),
]

FORBIDDEN: list[Case] = [
    passes(tag_forbidden_key_present, TAGGED),
    passes(tag_forbidden_key_present, UNTAGGED),
    *needs_tags(tag_forbidden_key_present, {"owner": "x"}, "policy basic: 'owner' is a variant of Owner"),
    *(
        fails(
            tag_forbidden_key_present,
            replace(TAGGED, tags={**(TAGGED.tags or {}), key: "x"}),
            f"policy basic: {key!r} is a variant of {name}",
        )
        for key, name in [
            ("Owner ", "Owner"),
            ("OWNER", "Owner"),
            ("env", "Environment"),
            ("Env", "Environment"),
            ("en-vironment", "Environment"),
            ("name", "Name"),
        ]
    ),
    *(
        passes(tag_forbidden_key_present, replace(TAGGED, tags={key: "x"}))
        for key in ("Owners", "CostCenter", "team", "aws:owner", "AWS:Owner")
    ),
    passes(tag_forbidden_key_present, tagged(owner="x"), parameters={"normalise": False}),
    passes(
        tag_forbidden_key_present,
        tagged(owner="x"),
        parameters={"policies": [{"name": "lax", "required": ["Owner"], "case_sensitive": False}]},
    ),
    fails(
        tag_forbidden_key_present,
        tagged(secret="x", temp1="y", temporary="z"),
        "secret is forbidden",
        "temp1 is forbidden",
        parameters={"keys": ["secret"], "patterns": ["temp[0-9]"]},
    ),
    fails(
        tag_forbidden_key_present,
        tagged(**{"legacy:a": "x", "b": "y", "B": "z"}),
        "policy own: legacy:a is forbidden",
        "policy own: b is forbidden",
        parameters=rules(
            {"key": "legacy:.*", "key_is_pattern": True, "forbidden": True}, {"key": "b", "forbidden": True}
        ),
    ),
    passes(
        tag_forbidden_key_present,
        replace(TAGGED, tags={"aws:autoscaling:groupName": "x"}),
        parameters={"patterns": [".*"]},
    ),
]

LACKING = (
    "policy cost-allocation: CostCenter is missing; Project is missing; Owner is missing; "
    "Environment is missing"
)
DATABASE = replace(rds.DATABASE, tags={})
ALLOCATION: list[Case] = [
    passes(tag_cost_allocation_incomplete, allocated()),
    passes(tag_cost_allocation_incomplete, allocated(Environment="PROD", Team="x")),
    fails(tag_cost_allocation_incomplete, COSTLY, LACKING),
    fails(tag_cost_allocation_incomplete, DATABASE, LACKING),
    passes(tag_cost_allocation_incomplete, UNTAGGED),  # a kind that costs nothing
    passes(tag_cost_allocation_incomplete, replace(COSTLY, tags_optional=True)),
    fails(
        tag_cost_allocation_incomplete,
        allocated(Project=" ", Owner="ann", Environment="live"),
        "policy cost-allocation: Project is empty; Owner is 'ann', which does not match "
        r"[^@ ]+@[^@ ]+\.[A-Za-z]{2,}; Environment is 'live', "
        "which differs from prod, stg, dev, test, sandbox",
    ),
    cannot_tell(
        tag_cost_allocation_incomplete,
        replace(COSTLY, tags=None),
        "tag:GetResources",
        lost={TagRecord: DENIED},
    ),
    fails(
        tag_cost_allocation_incomplete,
        UNTAGGED,
        "policy own: Budget is missing",
        parameters={"policy": {"name": "own", "required": ["Budget"]}},
    ),
]

CLASSIFIED: list[Case] = [
    passes(tag_data_classification_missing, replace(DATABASE, tags={"DataClassification": "internal"})),
    passes(tag_data_classification_missing, replace(DATABASE, tags={"dataclassification": "Restricted"})),
    passes(
        tag_data_classification_missing,
        replace(DATABASE, tags={"DataClassification": "public", "Compliance": "GDPR"}),
    ),
    fails(tag_data_classification_missing, DATABASE, "policy security: DataClassification is missing"),
    fails(
        tag_data_classification_missing,
        replace(DATABASE, tags={"DataClassification": "secret", "Compliance": "iso"}),
        "policy security: DataClassification is 'secret', which differs from public, internal, confidential, "
        "restricted; Compliance is 'iso', which differs from pci, hipaa, sox, gdpr, none",
    ),
    passes(tag_data_classification_missing, COSTLY),  # holds no data; its volumes do
    cannot_tell(
        tag_data_classification_missing,
        replace(DATABASE, tags=None),
        "tag:GetResources",
        lost={TagRecord: DENIED},
    ),
]

MINE = {"in_scope_accounts": [ACCOUNT]}
UNMIGRATED = "policy map-2.0: map-migrated is missing"
MIGRATION: list[Case] = [
    passes(tag_map_migrated_missing_or_invalid, COSTLY),  # no agreement
    passes(tag_map_migrated_missing_or_invalid, COSTLY, parameters={"in_scope_accounts": ["111111111111"]}),
    fails(tag_map_migrated_missing_or_invalid, COSTLY, UNMIGRATED, parameters=MINE),
    *(
        passes(
            tag_map_migrated_missing_or_invalid,
            replace(COSTLY, tags={"map-migrated": value}),
            parameters=MINE,
        )
        for value in ("mig12345", "migABCDE1", "sap7", "comm99")
    ),
    *(
        fails(
            tag_map_migrated_missing_or_invalid,
            replace(COSTLY, tags={"map-migrated": value}),
            f"policy map-2.0: map-migrated is {value!r}, which does not match "
            "(mig|sap|oracle|comm)([A-Z]{0,5})?[0-9]+",
            parameters=MINE,
        )
        for value in ("12345", "MIG12345", "mig", "migABCDEF1")
    ),
    # Its case matters.
    fails(
        tag_map_migrated_missing_or_invalid,
        replace(COSTLY, tags={"Map-Migrated": "mig1"}),
        UNMIGRATED,
        parameters=MINE,
    ),
    passes(
        tag_map_migrated_missing_or_invalid,
        COSTLY,
        parameters={**MINE, "in_scope_types": ["AWS::RDS::DBInstance"]},
    ),
    fails(
        tag_map_migrated_missing_or_invalid,
        COSTLY,
        UNMIGRATED,
        parameters={**MINE, "in_scope_types": ["AWS::EC2::Instance"]},
    ),
    passes(
        tag_map_migrated_missing_or_invalid,
        replace(COSTLY, tags={"map-migrated": "d-server-0"}),
        parameters={**MINE, "value_pattern": "d-server-[0-9]"},
    ),
    passes(
        tag_map_migrated_missing_or_invalid,
        replace(COSTLY, launched=ago(20)),
        parameters={**MINE, "agreement_start": f"{ago(10):%Y-%m-%d}"},
    ),
    fails(
        tag_map_migrated_missing_or_invalid,
        replace(COSTLY, launched=NOW),
        UNMIGRATED,
        parameters={**MINE, "agreement_start": f"{NOW:%Y-%m-%d}"},
    ),
    cannot_tell(
        tag_map_migrated_missing_or_invalid,
        UNTAGGED,
        "when a Taggable was made is not known",
        parameters={**MINE, "agreement_start": "2026-01-01"},
    ),
    # Where nothing is wrong, nothing needs to be known.
    passes(
        tag_map_migrated_missing_or_invalid,
        replace(UNTAGGED, tags={"map-migrated": "mig1"}),
        parameters={**MINE, "agreement_start": "2026-01-01"},
    ),
]

CASES: list[Case] = [*REQUIRED, *ALLOWED, *PATTERNS, *FORBIDDEN, *ALLOCATION, *CLASSIFIED, *MIGRATION]
