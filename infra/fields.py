"""What a single field of orgscan.yaml may hold, and the words that say so."""

import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import date, timedelta
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from botocore.loaders import Loader
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationInfo,
)

from infra import schedule
from orgscan import catalog
from orgscan.model import ACCOUNT_ID, GLOBAL, OU_ID, Taggable
from orgscan.suppress import LONGEST_DAYS

EXTERNAL_ID = "^[0-9A-Za-z+=,.@:/_-]{2,1224}$"
ENABLED = "enabled"
LONGEST_PATTERN = 256

CHECKS = [check.id for check in catalog.checks()]
TAGGABLE = [each.resource for each in catalog.collectors() if issubclass(each.resource, Taggable)]
KINDS = sorted({name for kind in TAGGABLE for name in (kind.__name__, *kind.aws_types)})
REGIONS = sorted(
    region for partition in Loader().load_data("endpoints")["partitions"] for region in partition["regions"]
)
PLACES = [*REGIONS, GLOBAL]
TODAY = "today"
"""What the validation's context calls the day from which dates are counted."""
TIMEZONES = {"UTC", *available_timezones()}
"""A machine without the database still knows UTC."""

SHAPES: dict[str, str] = {}
"""Pattern -> what is allowed, in words."""


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def closest(name: str, names: Iterable[str]) -> str:
    """'; did you mean ...?', or nothing where nothing is close."""
    return "".join(f"; did you mean {match!r}?" for match in get_close_matches(name, names, n=1))


def overlap(pattern: str, patterns: Iterable[str]) -> bool:
    """Whether `pattern` means a region that one of `patterns` means too."""
    meant = [region for region in REGIONS if fnmatchcase(region, pattern)]
    return any(other == ENABLED or fnmatchcase(region, other) for region in meant for other in patterns)


def type_of(default: Any) -> Any:
    """The type of a threshold, as its default value tells."""
    if isinstance(default, list):
        return list[type_of(default[0]) if default else Any]  # type: ignore[misc]
    strict = {bool: StrictBool, int: StrictInt, float: Annotated[float, Field(strict=True)]}
    return strict.get(type(default), type(default))


def _shape(pattern: str, rule: str) -> Any:
    SHAPES[pattern] = f"must be {rule}"
    return Field(pattern=pattern)


def _one_of(names: Collection[str], rule: str) -> AfterValidator:
    def known(name: str) -> str:
        if name not in names:
            raise ValueError(f"must be {rule}{closest(name, names)}")
        return name

    return AfterValidator(known)


def _region_or(word: str) -> AfterValidator:
    def known(pattern: str) -> str:
        if pattern != word and not overlap(pattern, [ENABLED]):
            rule = f"must be a region, a pattern that matches one ('eu-*'), or {word!r}"
            raise ValueError(rule + closest(pattern, REGIONS))
        return pattern

    return AfterValidator(known)


def _one_arn(text: Any) -> Any:
    if isinstance(text, str) and ("*" in text or "?" in text):
        raise ValueError("must be one ARN; patterns belong into `resource_glob`")
    return text


def _said(text: str) -> str:
    """On one line, without the spaces around it."""
    words = " ".join(text.split())
    if not words:
        raise ValueError("must not be empty")
    return words


def _taggable(text: str) -> str:
    """What every service takes, although some take more."""
    if not re.fullmatch(r"[\w .:/=+@-]*", text):
        raise ValueError("must consist of letters, digits, spaces and _.:/=+@-")
    return text


def _ours(key: str) -> str:
    if key.lower().startswith("aws:"):
        raise ValueError("must not begin with aws:, which is AWS's own")
    return _taggable(key)


def _day(text: Any) -> date:
    """Python reads 20260630 and 2026-W27-2 too, which people would not."""
    if isinstance(text, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        with suppress(ValueError):
            return date.fromisoformat(text)
    raise ValueError("must be a date, such as 2026-06-30")


def pattern(text: str) -> str:
    """A regular expression."""
    try:
        re.compile(text)
    except re.error as wrong:
        raise ValueError(f"must be a regular expression: {wrong}") from None
    if len(text) > LONGEST_PATTERN:
        raise ValueError(f"must be at most {LONGEST_PATTERN} characters long")
    return text


def _soon(day: date, info: ValidationInfo) -> date:
    today: date | None = (info.context or {}).get(TODAY)
    if today and (day - today).days > LONGEST_DAYS:
        latest = today + timedelta(days=LONGEST_DAYS)
        raise ValueError(f"must be at most {LONGEST_DAYS} days ahead: {latest} or earlier")
    return day


def _offer(names: Iterable[str]) -> Any:
    """For editors."""
    return Field(json_schema_extra={"enum": [*names]})


Account = Annotated[str, _shape(f"^{ACCOUNT_ID}$", "an account id: 12 digits, in quotes")]
Ou = Annotated[str, _shape(f"^{OU_ID}$", "the id of an OU or a root, such as ou-ab12-cdefgh34")]
Region = Annotated[str, _region_or(ENABLED)]
ScopeRegion = Annotated[str, _region_or(GLOBAL)]
Organization = Annotated[
    str, _shape("^o-[a-z0-9]{10,32}$", "the id of an organization, such as o-a1b2c3d4e5")
]
HomeRegion = Annotated[str, _one_of(REGIONS, "a region"), _offer(REGIONS)]
OneRegion = Annotated[str, _one_of(PLACES, f"a region, or {GLOBAL!r}"), _offer(PLACES)]
Arn = Annotated[str, _shape("^arn:.{1,2044}$", "an ARN, which begins with arn:"), BeforeValidator(_one_arn)]
ArnGlob = Annotated[str, _shape("^.{1,2048}$", "a pattern of ARNs, such as '*:log-group:/tmp/*'")]
OwnerGlob = Annotated[str, _shape(r"^\S(.{0,254}\S)?$", "an owner's name, or a pattern of names: team-*")]
Bus = Annotated[
    str, _shape("^[A-Za-z0-9._/-]{1,256}$", "the name of an event bus of the hub's account and region")
]
Said = Annotated[str, AfterValidator(_said)]
Expiry = Annotated[date, BeforeValidator(_day), AfterValidator(_soon)]
Email = Annotated[str, _shape(r"^[^@\s,;<>]+@([0-9A-Za-z-]+\.)+[A-Za-z]{2,}$", "an e-mail address")]
Name = Annotated[str, _shape("^[a-z][a-z0-9-]{0,39}$", "1-40 of a-z, 0-9 and -, first a letter")]
# CloudFormation shortens longer names of stacks in the names of roles, which member accounts trust by name.
StackName = Annotated[str, _shape("^[a-z][a-z0-9-]{0,19}$", "1-20 of a-z, 0-9 and -, first a letter")]
RoleName = Annotated[str, _shape("^[0-9A-Za-z+=,.@_-]{1,64}$", "1-64 letters, digits and +=,.@_-")]
RolePath = Annotated[
    str, _shape("^/([0-9A-Za-z+=,.@_-]{1,64}/){0,7}$", "/ or words of letters, digits and +=,.@_- between /")
]
Boundary = Annotated[
    str,
    _shape(
        "^(arn:aws[a-z-]*:iam::(aws|[0-9]{12}):policy/)?([0-9A-Za-z+=,.@_-]{1,128}/){0,3}[0-9A-Za-z+=,.@_-]{1,128}$",
        "the name of a policy, with its path before it if there is one, or an ARN",
    ),
]
KeyArn = Annotated[
    str,
    _shape(
        "^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$",
        "the ARN of a KMS key, and not of an alias",
    ),
]
Qualifier = Annotated[str, _shape("^[a-z0-9]{1,10}$", "1-10 of a-z and 0-9")]
ExternalId = Annotated[str, _shape(EXTERNAL_ID, "2-1224 letters, digits and +=,.@:/_-")]
PolicyName = Annotated[str, _shape("^[a-z][a-z0-9.-]{0,39}$", "1-40 of a-z, 0-9, . and -, first a letter")]
TagKey = Annotated[str, _shape("^.{1,128}$", "a tag's key of 1-128 characters")]
TagValue = Annotated[str, _shape("^.{0,256}$", "a tag's value of at most 256 characters")]
OurTagKey = Annotated[TagKey, AfterValidator(_ours)]
OurTagValue = Annotated[TagValue, AfterValidator(_taggable)]
Pattern = Annotated[str, AfterValidator(pattern)]
CheckId = Annotated[str, _one_of(CHECKS, "the id of a check"), _offer(CHECKS)]
Kind = Annotated[str, _one_of(KINDS, "a kind of resource"), _offer(KINDS)]
Timezone = Annotated[str, _one_of(TIMEZONES, "an IANA time zone, such as Europe/Berlin")]
Expression = Annotated[str, AfterValidator(schedule.checked)]
RetentionDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731]
