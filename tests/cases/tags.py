"""What the tag checks accept and reject."""

from dataclasses import replace

from orgscan.model import Blindness, Gap, Taggable, TagRecord
from orgscan.services.tags.checks import tag_required_key_missing
from tests.cases import lambda_
from tests.cases.case import Case, cannot_tell, fails, passes

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

CASES: list[Case] = [
    passes(tag_required_key_missing, TAGGED, lost={TagRecord: DENIED}),
    fails(tag_required_key_missing, UNTAGGED, NOTHING, lost={TagRecord: DENIED}),
    fails(
        tag_required_key_missing,
        replace(TAGGED, tags={"Name": "data", "Environment": " ", "owner": "ann"}),
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
        replace(TAGGED, tags={"costcenter": ""}),
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
    passes(
        tag_required_key_missing,
        FUNCTION,
        parameters={"policies": [{**COSTS, "exempt_types": ["Function"]}]},
    ),
    fails(
        tag_required_key_missing,
        UNTAGGED,
        "policy costs: CostCenter is missing",
        parameters={"policies": [{**COSTS, "exempt_types": ["Function"]}]},
    ),
    passes(tag_required_key_missing, UNTAGGED, parameters={"policies": []}),
    passes(tag_required_key_missing, UNTAGGED, parameters={"policies": [{"name": "none"}]}),
]
