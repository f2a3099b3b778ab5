"""Whom orgscan tells, through which channels: a part of orgscan.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field, StrictBool, StrictInt, ValidationInfo, field_validator

from infra import fields as f
from infra.fields import Section
from orgscan import settings
from orgscan.model import Category, Severity


class Route(Section):
    """Who is told of what."""

    name: f.Name = Field(description="Unique; the message attribute `route` of what is sent.")
    chat: StrictBool = Field(
        default=False, description="Also to a topic of its own, for Slack and Teams (Amazon Q Developer)."
    )
    machine: StrictBool = Field(
        default=False, description="Also to a topic of its own, as JSON for queues and functions."
    )
    emails: tuple[f.Email, ...] = Field(
        default=(), validate_default=True, description="Each confirms its subscription once."
    )
    minimum_severity: Severity = Field(default=Severity.INFORMATIONAL, description="Nothing below it.")
    categories: tuple[Category, ...] = Field(default=(), description="Only these; empty: all.")
    accounts: tuple[f.Account, ...] = Field(default=(), description="Only these; empty: all.")
    ous: tuple[f.Ou, ...] = Field(default=(), description="Only accounts in or below these; empty: all.")
    owners: tuple[f.OwnerGlob, ...] = Field(
        default=(), description="Only what these own, in any case: * is anything, ? any character."
    )
    unowned: StrictBool = Field(default=False, description="Only what nobody owns, beside what `owners` own.")
    copy_: StrictBool = Field(
        default=False,
        alias="copy",
        description="It also hears of what another route is given, and takes nothing from any.",
    )

    @field_validator("emails")
    @classmethod
    def _somehow(cls, emails: Any, info: ValidationInfo) -> Any:
        if not emails and not info.data.get("chat") and not info.data.get("machine"):
            raise ValueError("must not be empty unless `chat` or `machine` is true")
        return emails

    def runtime(self) -> settings.Route:
        """As the functions know it."""
        return settings.Route(
            name=self.name,
            minimum_severity=self.minimum_severity,
            categories=self.categories,
            accounts=self.accounts,
            ous=self.ous,
            owners=(*self.owners, *([""] if self.unowned else [])),
            copy=self.copy_,
            mail=bool(self.emails),
            chat=self.chat,
            machine=self.machine,
        )


class Events(Section):
    """What goes to EventBridge, for tickets and automation."""

    scans: StrictBool = Field(default=False, description="One event per scan.")
    findings: StrictBool = Field(
        default=False, description="One per finding that was opened, reopened, got worse or was resolved."
    )
    bus: f.Bus = Field(default="default", description="Of the hub's account and region; it must exist.")


class Links(Section):
    """What messages lead to."""

    presigned_minutes: StrictInt = Field(
        default=0,
        ge=0,
        le=60,
        description="For how long whoever has the link in a mail may open the report; 0: there is none.",
    )


def unheard(routes: Sequence[Route], *, organization: bool) -> Iterator[str]:
    """Routes that could not be told what they are for."""
    topics: dict[str, str] = {}
    for place, route in enumerate(routes):
        path = f"routes[{place}]"
        if not place and not route.emails:
            yield f"{path}.emails: must not be empty: the first route hears of trouble with orgscan itself"
        if route.ous and not organization:
            yield f"{path}.ous: must be empty when accounts.organization is false"
        if route.chat or route.machine:
            other = topics.setdefault(route.name.replace("-", ""), route.name)
            if other != route.name:
                yield f"{path}.name: {route.name!r}: must differ from {other!r} by more than hyphens"
