"""What policies of identities and organizations allow and deny, and where they allow everything."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from orgscan.policy.condition import Condition
from orgscan.policy.match import ANY_ACTION, ANYTHING, Names, is_every_resource, reaches
from orgscan.policy.public import narrowing, within
from orgscan.policy.statement import Statement

SECURE_TRANSPORT = "aws:securetransport"
TLS_VERSION = "s3:tlsversion"
OLDEST_TLS = 1.2


@dataclass(frozen=True, slots=True)
class Admin:
    """Every action on every resource."""

    sid: str = ""
    lowered: bool = False
    """Only from some network, with MFA, at some time or for some callers."""
    narrowed: str = ""
    """The condition keys, by ', '."""


@dataclass(frozen=True, slots=True)
class Denial:
    """A Deny that covers what was asked for."""

    sid: str = ""
    conditions: tuple[Condition, ...] = ()
    """Empty: it always holds."""


def admin(statements: tuple[Statement, ...]) -> Admin | None:
    """The widest statement that allows everything; partial Denies leave it as it is."""
    if any(_denies_all(each) for each in statements):
        return None
    found = [
        Admin(each.sid, any(one.limits_callers for one in each.conditions), narrowing(each.conditions))
        for each in statements
        if each.allows and _is_all(each) and not any(one.limits_things for one in each.conditions)
    ]
    return min(found, key=lambda each: each.lowered, default=None)


def allowing(
    statements: Iterable[Statement],
    action: str,
    resource: str | None = None,
    kinds: Collection[str] = (ANYTHING,),
) -> Iterator[Statement]:
    """The Allows of an action on (all that is written as) a resource, None: on any at all of some kinds."""
    everything = tuple(statements)
    for each in everything:
        if each.allows and each.actions.touch(action):
            parts = _parts(each.resources, resource, kinds)
            if any(not _is_denied(part, action, everything) for part in parts):
                yield each


def _parts(resources: Names, resource: str | None, kinds: Collection[str]) -> list[Names]:
    """What of a statement's resources was asked for."""
    if resource is not None:
        return [Names((resource,))] if resources.include(resource) else []
    if resources.outside:
        spared = all(any(reaches(each, kind, whole=True) for each in resources.patterns) for kind in kinds)
        return [] if spared else [resources]
    return [Names((each,)) for each in resources.patterns if any(reaches(each, kind) for kind in kinds)]


def _is_denied(part: Names, action: str, statements: tuple[Statement, ...]) -> bool:
    return any(
        each.denies and not each.conditions and each.actions.include(action) and within(part, each.resources)
        for each in statements
    )


def denials(statements: Iterable[Statement], action: str, resource: str = ANYTHING) -> Iterator[Denial]:
    for each in statements:
        if each.denies and each.actions.include(action) and each.resources.include(resource):
            yield Denial(each.sid, each.conditions)


def whole_services(statements: tuple[Statement, ...]) -> Iterator[str]:
    """The services of which every action is allowed on every resource, as 's3'."""
    for each in statements:
        if each.allows and not each.actions.outside and is_unrestricted(each.resources):
            for pattern in each.actions.patterns:
                service, _, rest = pattern.lower().partition(":")
                if rest and not rest.strip("*") and service.strip("*"):
                    yield service


def denies_insecure_transport(statements: tuple[Statement, ...], resource: str, *, strict: bool) -> bool:
    """Whether everyone's plain HTTP is denied on a resource and what is in it."""
    denies = [each for each in statements if _denies_http(each)]
    service = resource.split(":")[2]
    actions = [f"{service}:*"] if strict or service != "s3" else ["s3:GetObject", "s3:PutObject"]
    places = [resource, f"{resource}/*"] if service == "s3" else [resource]
    return all(
        any(each.actions.include(action) and each.resources.include(place) for each in denies)
        for action in actions
        for place in places
    )


def _denies_http(statement: Statement) -> bool:
    return (
        statement.denies
        and statement.principals is not None
        and statement.principals.everyone
        and len(statement.conditions) <= 1
        and all(map(_is_plain, statement.conditions))
    )


def _is_plain(condition: Condition) -> bool:
    """Whether it holds for every request over plain HTTP."""
    if condition.key == SECURE_TRANSPORT:
        return condition.operator == "bool" and "false" in map(str.lower, condition.values)
    if condition.key == TLS_VERSION:
        return condition.operator == "numericlessthan" and any(map(_is_recent, condition.values))
    return False


def _is_recent(version: str) -> bool:
    try:
        return float(version) >= OLDEST_TLS
    except ValueError:
        return False


def _denies_all(statement: Statement) -> bool:
    return (
        statement.denies
        and not statement.conditions
        and statement.actions.include(ANY_ACTION)
        and statement.resources.everything
    )


def _is_all(statement: Statement) -> bool:
    return statement.actions.include(ANY_ACTION) and is_unrestricted(statement.resources)


def is_unrestricted(resources: Names) -> bool:
    if resources.outside:
        return resources.include("arn:*")
    return any(map(is_every_resource, resources.patterns))
