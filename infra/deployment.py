"""The section of orgscan.yaml on what is deployed where, and what a StackSet can hold."""

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from infra import CannotSynthesize
from infra import fields as f
from infra.fields import Section

BODY_LIMIT = 51_200
"""Bytes of a template that stands in a StackSet itself."""

MOST_TAGS = 50
"""That a stack may give to what it makes."""


class Deployment(Section):
    """How the member role gets into accounts, and what is asked of everything that is deployed."""

    ous: tuple[f.Ou, ...] = Field(
        default=(),
        description=(
            "The hub stack brings the member role into all accounts in and below these OUs, future ones too; "
            "empty: into none."
        ),
    )
    call_as: Literal["SELF", "DELEGATED_ADMIN"] = Field(
        default="SELF",
        description=(
            "SELF: the hub runs in the management account, which gets the role as well. "
            "DELEGATED_ADMIN: it runs in a delegated administrator of CloudFormation StackSets."
        ),
    )
    region: f.HomeRegion | None = Field(
        default=None,
        description="Where the accounts' stacks are, enabled in all of them; null: in the hub's own region.",
    )
    qualifier: f.Qualifier | None = Field(
        default="hnb659fds",
        description=(
            "Of the CDK bootstrap that the hub is deployed through; "
            "null: there is none, and doctor misses none."
        ),
    )
    key: f.KeyArn | None = Field(
        default=None,
        description=(
            "ARN of a KMS key in the hub's region, for all that the hub keeps; its policy is yours to write: "
            "docs/deploy.md. null: one is made."
        ),
    )
    path: f.RolePath = Field(
        default="/", description="Of every role that is made, the hub's and the accounts': '/security/'."
    )
    permissions_boundary: f.Boundary | None = Field(
        default=None,
        description="Of the same roles: the name of a policy that each account has, or an ARN; null: none.",
    )
    tags: dict[f.OurTagKey, f.OurTagValue] = Field(
        default={}, max_length=MOST_TAGS, description="That everything carries which is made."
    )

    @field_validator("permissions_boundary")
    @classmethod
    def _there_in_all_accounts(cls, value: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("ous") and re.match("arn:[^:]*:iam::[0-9]", value or ""):
            raise ValueError("must be a name or a policy of AWS's own: StackSets bring it into many accounts")
        return value


def inline(template: Mapping[str, Any]) -> str:
    """The template as a StackSet's body. Raises CannotSynthesize when it is too long for that."""
    body = json.dumps(template, separators=(",", ":"))
    size = len(body.encode())
    if size > BODY_LIMIT:
        raise CannotSynthesize(
            f"the member role's template has {size} bytes, and a StackSet takes {BODY_LIMIT}: "
            "leave deployment.ous empty and deploy it yourself"
        )
    return body
