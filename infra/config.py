"""orgscan.yaml as types: what people decide. Refuses what is wrong, all of it at once.

`python -m infra.config` writes the JSON schema with which editors complete and check the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import (
    Field,
    StrictBool,
    StrictInt,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
)

from infra import ROOT, CannotSynthesize, tags, yaml_text
from infra import fields as f
from infra.deployment import Deployment
from infra.fields import Section
from infra.refusal import refusals
from infra.routes import Events, Links, Route, unheard
from orgscan import catalog, settings, suppress
from orgscan.model import GLOBAL, Category

SCHEMA = ROOT / "orgscan.schema.json"
ROUTES = 30
"""Each has a part in every receipt, which must stay an item of the table."""


class ConfigError(CannotSynthesize):
    """Everything that is wrong with a configuration, one line each: file, field, value, what is allowed."""

    def __init__(self, file: Path, refused: list[str]) -> None:
        super().__init__("\n".join(f"{file.name}: {line}" for line in refused))


class Accounts(Section):
    """Which accounts exist for orgscan."""

    organization: StrictBool = Field(
        default=True, description="Ask AWS Organizations; false: only the accounts in `ids`."
    )
    ous: tuple[f.Ou, ...] = Field(default=(), description="Only accounts in or below these OUs.")
    tags: dict[str, str] = Field(default={}, description="Only accounts that carry all of these tags.")
    ids: tuple[f.Account, ...] = Field(
        default=(), description="Only these accounts; empty: all.", validate_default=True
    )
    exclude: tuple[f.Account, ...] = Field(default=(), description="Never these accounts.")

    @field_validator("ous", "tags", "ids")
    @classmethod
    def _without_organization(cls, value: Any, info: ValidationInfo) -> Any:
        if info.data.get("organization") is False:
            if info.field_name == "ids" and not value:
                raise ValueError("must list the accounts when `organization` is false")
            if info.field_name != "ids" and value:
                raise ValueError("must be empty when `organization` is false: only Organizations knows")
        return value


class Role(Section):
    """The role that the member stack makes in every account."""

    name: f.RoleName = Field(default="orgscan-member", description="Its name, the same in every account.")
    external_id: f.ExternalId = Field(default="orgscan", description="What the hub presents to assume it.")
    organization_id: f.Organization | None = Field(
        default=None, description="It also asks that the hub be in this organization; null: it does not ask."
    )


class Scope(Section):
    """What one schedule scans, within `accounts` and `regions`."""

    accounts: tuple[f.Account, ...] = Field(default=(), description="Only these accounts; empty: all.")
    ous: tuple[f.Ou, ...] = Field(default=(), description="Only accounts in or below these OUs.")
    account_tags: dict[str, str] = Field(default={}, description="Only accounts that carry all of these.")
    regions: tuple[f.ScopeRegion, ...] = Field(
        default=(), description="Only these regions, 'global' for what has none; empty: all."
    )
    checks: tuple[f.CheckId, ...] = Field(default=(), description="Only these checks; empty: all.")
    categories: tuple[Category, ...] = Field(default=(), description="Only these categories; empty: all.")


class Schedule(Section):
    """When to scan what."""

    name: f.Name = Field(description="Unique; appears in reports.")
    expression: f.Expression = Field(description="EventBridge Scheduler's cron(...) or rate(...).")
    timezone: f.Timezone = Field(default="UTC", description="IANA name of the zone that cron(...) means.")
    scope: Scope = Field(default=Scope(), description="Empty: everything.")
    digest: StrictBool = Field(
        default=False, description="Tell everything that is open, whether or not anything changed."
    )

    @property
    def request(self) -> dict[str, Any]:
        """The input of the executions it starts."""
        digest = {"digest": True} if self.digest else {}
        return {
            "schedule": self.name,
            **digest,
            **self.scope.model_dump(mode="json", exclude_defaults=True),
        }


class Owners(Section):
    """Who answers for what is found."""

    tags: tuple[f.TagKey, ...] = Field(
        default=("Owner",),
        min_length=1,
        max_length=10,
        description="Keys of the tags that name owners, best first, in any case.",
    )
    accounts: StrictBool = Field(
        default=True,
        description="Whether accounts, OUs and alternate contacts are asked, for what names nobody itself.",
    )


class Tag(Section):
    """A tag that a resource carries, as it is spelled there."""

    key: f.TagKey = Field(description="Its key.")
    value: str = Field(description="Its value.")


NO_TAG = Tag.model_construct(key="", value="")


class Suppression(Section):
    """Findings that somebody decided to live with, until a date. Everything it names must hold."""

    check: f.CheckId = Field(default_factory=str, description="Only findings of this check.")
    account: f.Account = Field(default_factory=str, description="Only in this account.")
    region: f.OneRegion = Field(
        default_factory=str, description="Only in this region, 'global' for what has none."
    )
    resource: f.Arn = Field(default_factory=str, description="Only on this resource: its whole ARN.")
    resource_glob: f.ArnGlob = Field(
        default_factory=str,
        description="Only on resources whose ARN is like this: * is anything, / and : too, ? any character.",
    )
    tag: Tag = Field(
        default_factory=lambda: NO_TAG, description="Only on resources that were seen to carry this tag."
    )
    reason: f.Said = Field(description="Why it is acceptable.")
    owner: f.Said = Field(description="Who answers for it.")
    expires: f.Expiry = Field(
        description=f"The last day on which it holds, UTC; at most {suppress.LONGEST_DAYS} days ahead."
    )

    @field_validator("resource_glob")
    @classmethod
    def _without_resource(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("resource"):
            raise ValueError("must not be given together with `resource`")
        return value

    def rule(self) -> suppress.Suppression:
        """As the functions know it."""
        named = self.model_dump(exclude={"tag"})
        tag = None if self.tag is NO_TAG else (self.tag.key, self.tag.value)
        return suppress.Suppression(tag=tag, **named)


MATCHES = [name for name, field in Suppression.model_fields.items() if not field.is_required()]


class Inventory(Section):
    """The list of everything that was seen, which Athena reads."""

    enabled: StrictBool = Field(
        default=True,
        description="Whether scans write it, and rows of what they found, and the tables of both exist.",
    )
    keep_days: StrictInt = Field(
        default=90, ge=1, le=3650, description="How long each day's is kept, and can be asked."
    )


class Limits(Section):
    """How large it may get."""

    concurrency: StrictInt = Field(
        default=50, ge=1, le=10_000, description="Targets (an account in a region) scanned at a time."
    )
    scan_memory: StrictInt = Field(
        default=1024, ge=256, le=10_240, description="MiB of the function that scans; its CPU grows with it."
    )
    log_retention_days: f.RetentionDays = Field(default=90, description="How long the logs are kept.")
    polite: float = Field(
        default=1.0,
        strict=True,
        ge=0.1,
        le=100,
        description=(
            "API calls per second are divided by it: "
            "2 is half as fast, so that others in the account are not throttled."
        ),
    )
    suppressed_share: StrictInt = Field(
        default=20,
        ge=1,
        le=100,
        description="Percent; `orgscan lint` refuses a suppression that covers more of all findings.",
    )


def _thresholds() -> type[Section]:
    """A section of every check that has thresholds, each of the type and with the value it has by default."""
    checks: dict[str, Any] = {}
    for check in catalog.checks():
        thresholds: dict[str, Any] = {
            name: (f.type_of(default), default)
            for name, default in check.parameters.items()
            if not tags.is_section(check.id, name)
        }
        if thresholds:
            section = create_model(check.id, __base__=Section, __doc__=check.title, **thresholds)
            checks[check.id] = (section, section())
    return create_model("Thresholds", __base__=Section, __doc__="By check id.", **checks)


if TYPE_CHECKING:
    Thresholds = Section
else:
    Thresholds = _thresholds()


class Checks(Section):
    """Which checks run, and how strict they are."""

    off: tuple[f.CheckId, ...] = Field(default=(), description="These do not run.")
    parameters: Thresholds = Field(
        default=Thresholds(), description="Thresholds that are not the default: {check: {threshold: value}}."
    )


class Config(Section):
    """What orgscan scans, when, how strictly, and whom it tells."""

    name: f.StackName = Field(default="orgscan", description="Begins the stacks' names.")
    accounts: Accounts = Field(default=Accounts(), description="Which accounts exist for orgscan.")
    regions: tuple[f.Region, ...] = Field(
        default=("enabled",),
        min_length=1,
        description="Names, patterns ('eu-*'), or 'enabled': whatever each account has enabled.",
    )
    role: Role = Field(default=Role(), description="The role in every account.")
    deployment: Deployment = Field(
        default=Deployment(),
        description="How the member role gets into accounts, and what is asked of everything deployed.",
    )
    schedules: tuple[Schedule, ...] = Field(default=(), description="When to scan what.")
    checks: Checks = Field(default=Checks(), description="Which checks run, and how strict they are.")
    tag_policies: tuple[tags.TagPolicy, ...] = Field(
        default=(), description="What tags are checked against; empty: what each check has by default."
    )
    owners: Owners = Field(default=Owners(), description="Who answers for what is found.")
    routes: tuple[Route, ...] = Field(
        default=(),
        max_length=ROUTES,
        description="Who is told of what. The first also hears of trouble with orgscan itself.",
    )
    events: Events = Field(
        default=Events(), description="What goes to EventBridge, for tickets and automation."
    )
    links: Links = Field(default=Links(), description="What messages lead to.")
    suppressions: tuple[Suppression, ...] = Field(
        default=(), description="Findings that somebody decided to live with, until a date."
    )
    inventory: Inventory = Field(
        default=Inventory(), description="The list of everything that was seen, which Athena reads."
    )
    limits: Limits = Field(default=Limits(), description="How large it may get.")

    @property
    def member_role(self) -> str:
        """As it stands in ARNs: its path without the first /, and its name."""
        return f"{self.deployment.path}{self.role.name}".removeprefix("/")

    @property
    def hub_roles(self) -> tuple[str, ...]:
        """How the names of the roles begin that the member role trusts: of the functions that enter accounts.

        CloudFormation ends each name itself, anew whenever it replaces a role.
        """
        return tuple(f"{self.stack('hub')}-{each}Role" for each in ("Plan", "Scan"))

    def stack(self, part: str) -> str:
        """The name of a stack, 'OrgscanHub', of which no two configurations' names make the same."""
        return re.sub("(?:^|-)([a-z])", lambda begin: begin[1].upper(), f"{self.name}-{part}")

    def runtime(self) -> settings.Configuration:
        """What the functions need of it."""
        accounts, parameters = self.accounts, self.checks.parameters
        thresholds = parameters.model_dump(mode="json", exclude_defaults=True)
        for check, told in tags.thresholds(self.tag_policies).items():
            thresholds[check] = {**thresholds.get(check, {}), **told}
        return settings.Configuration(
            scope=settings.Scope(
                organization=accounts.organization,
                accounts=accounts.ids,
                ous=accounts.ous,
                account_tags=accounts.tags,
                exclude_accounts=accounts.exclude,
                regions=self.regions,
            ),
            schedules=tuple(schedule.name for schedule in self.schedules),
            off=self.checks.off,
            parameters=thresholds,
            routes=tuple(route.runtime() for route in self.routes),
            suppressions=tuple(suppression.rule() for suppression in self.suppressions),
            polite=self.limits.polite,
            inventory=self.inventory.enabled,
            events=settings.Events(**self.events.model_dump()),
            presigned_minutes=self.links.presigned_minutes,
            owner_tags=self.owners.tags,
            account_owners=self.owners.accounts,
        )


def load(path: Path, today: date | None = None) -> Config:
    """Raises ConfigError with everything that is wrong. `today`, in UTC unless told: how far dates may be."""
    try:
        raw = yaml_text.read(path.read_text(encoding="utf-8"))
    except OSError as trouble:
        raise ConfigError(path, [f"must be a readable file: {trouble.strerror}"]) from None
    except UnicodeDecodeError:
        raise ConfigError(path, ["must be UTF-8 text"]) from None
    except yaml_text.NotYaml as wrong:
        raise ConfigError(path, wrong.places) from None
    if raw is None:
        raise ConfigError(path, ["is empty; must hold a mapping, {} for all defaults"])
    repeated = [*_repeated_names(raw), *_pointless(raw)]
    try:
        config = Config.model_validate(raw, context={f.TODAY: today or datetime.now(UTC).date()})
    except ValidationError as wrong:
        raise ConfigError(path, [*refusals(wrong, Config), *repeated]) from None
    if refused := [*repeated, *_contradictions(config)]:
        raise ConfigError(path, refused)
    return config


def _repeated_names(raw: Any) -> Iterator[str]:
    """Looks at what was written, so that it is told together with every other mistake."""
    for section in ("schedules", "tag_policies", "routes"):
        names: list[Any] = []
        for place, entry in _entries(raw, section):
            name = entry.get("name")
            if name is not None and name in names:
                yield f"{section}[{place}].name: {name!r}: must be unique"
            names.append(name)


def _pointless(raw: Any) -> Iterator[str]:
    """Suppressions of everything, and of what another one suppresses."""
    first: dict[str, int] = {}
    for place, entry in _entries(raw, "suppressions"):
        named = {name: entry[name] for name in MATCHES if name in entry}
        if not named:
            yield f"suppressions[{place}]: must name at least one of {', '.join(MATCHES)}"
        elif (key := _key(named)) and first.setdefault(key, place) != place:
            yield f"suppressions[{place}]: must not match the same as suppressions[{first[key]}]"


def _key(named: dict[str, Any]) -> str | None:
    """Of the rule that names this; None where a name is wrong, which is told anyway."""
    whole = {**named, "reason": "any", "owner": "any", "expires": date.min.isoformat()}
    try:
        return Suppression.model_validate(whole).rule().key
    except ValidationError:
        return None


def _entries(raw: Any, section: str) -> list[tuple[int, dict[Any, Any]]]:
    """What was written in a list, with its place."""
    entries = raw.get(section) if isinstance(raw, dict) else None
    listed = entries if isinstance(entries, list) else []
    return [(place, entry) for place, entry in enumerate(listed) if isinstance(entry, dict)]


def _contradictions(config: Config) -> Iterator[str]:
    if config.deployment.ous and not config.accounts.organization:
        yield "deployment.ous: must be empty when accounts.organization is false"
    yield from unheard(config.routes, organization=config.accounts.organization)
    yield from _failing(config)
    yield from _dead(config)


def _failing(config: Config) -> Iterator[str]:
    """Schedules that would fail each time, since a scope can only narrow."""
    for place, schedule in enumerate(config.schedules):
        path, scope = f"schedules[{place}].scope", schedule.scope
        if not config.accounts.organization and (scope.ous or scope.account_tags):
            yield f"{path}: ous and account_tags must be empty when accounts.organization is false"
        for check in scope.checks:
            if check in config.checks.off:
                yield f"{path}.checks: {check!r}: must not be in checks.off"
        for account in scope.accounts:
            if not _in_scope(account, config.accounts):
                yield f"{path}.accounts: {account!r}: must be among the accounts above"
        for region in scope.regions:
            if region != GLOBAL and not f.overlap(region, config.regions):
                yield f"{path}.regions: {region!r}: must be among the regions above"


def _dead(config: Config) -> Iterator[str]:
    """Suppressions of what is not looked at: there is nothing to suppress."""
    for place, rule in enumerate(config.suppressions):
        path = f"suppressions[{place}]"
        if rule.check in config.checks.off:
            yield f"{path}.check: {rule.check!r}: must not be in checks.off"
        if rule.account and not _in_scope(rule.account, config.accounts):
            yield f"{path}.account: {rule.account!r}: must be among the accounts above"
        if rule.region not in ("", GLOBAL) and not f.overlap(rule.region, config.regions):
            yield f"{path}.region: {rule.region!r}: must be among the regions above"


def _in_scope(account: str, accounts: Accounts) -> bool:
    """As far as the file tells; who is in an OU, only Organizations knows."""
    return account not in accounts.exclude and account in (accounts.ids or (account,))


def json_schema() -> str:
    return json.dumps(Config.model_json_schema(), indent=1) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(json_schema(), encoding="utf-8")
