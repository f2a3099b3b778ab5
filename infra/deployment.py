"""How the member role gets into accounts: the section of orgscan.yaml, and what a StackSet can hold."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from infra import CannotSynthesize
from infra import fields as f
from infra.fields import Section

BODY_LIMIT = 51_200
"""Bytes of a template that stands in a StackSet itself."""


class Deployment(Section):
    """How the member role gets into accounts."""

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
