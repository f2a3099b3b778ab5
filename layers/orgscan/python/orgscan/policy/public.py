"""Where a policy of a resource lets everyone in."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from orgscan.policy.condition import EXTERNAL_ID, RESTRICTING, Condition, pinned
from orgscan.policy.match import ANY_ACTION, ANYTHING, Names, covers
from orgscan.policy.statement import Statement


@dataclass(frozen=True, slots=True)
class Opening:
    actions: tuple[str, ...]
    """As written; ('*',) for all but some."""
    sid: str = ""
    narrowed: str = ""
    """The condition keys, by ', ', that ask for something and still let everyone in."""
    external_id: bool = False
    """A concrete sts:ExternalId is asked for: no protection, but not nothing."""

    def includes(self, action: str) -> bool:
        """Whether it may open this action ('s3:PutObject')."""
        return Names(self.actions, caseless=True).touch(action)


def openings(
    statements: tuple[Statement, ...], *, resource: str | None = None, also: Collection[str] = ()
) -> Iterator[Opening]:
    """`resource`: only what concerns it or what is in it; `also`: more keys that take everyone back."""
    keys = RESTRICTING | {key.lower() for key in also}
    for statement in statements:
        if statement.allows and statement.principals and statement.principals.anyone:
            actions = open_actions(statement, statements, RESTRICTING, resource)
            if actions and not pinned(statement.conditions, keys):
                yield opening(statement, actions)


def opening(statement: Statement, actions: tuple[str, ...]) -> Opening:
    asked = bool(pinned(statement.conditions, {EXTERNAL_ID}))
    return Opening(actions, statement.sid, narrowing(statement.conditions), asked)


def narrowing(conditions: tuple[Condition, ...]) -> str:
    return ", ".join(dict.fromkeys(each.name for each in conditions))


def open_actions(
    statement: Statement,
    statements: tuple[Statement, ...],
    keys: Collection[str],
    resource: str | None = None,
) -> tuple[str, ...]:
    """The actions that no Deny takes back from everyone; `keys`: what a Deny may ask for to count."""
    closing = [each for each in statements if closes(each, keys)]
    parts = _parts(statement.resources, resource)
    return tuple(
        dict.fromkeys(
            action
            for action in statement.actions.shown
            if any(not any(_takes(deny, statement, action, part) for deny in closing) for part in parts)
        )
    )


def closes(statement: Statement, keys: Collection[str]) -> bool:
    """Whether a Deny leaves only somebody: without conditions, or only concrete values escape them."""
    return (
        statement.denies
        and statement.principals is not None
        and statement.principals.spare_only_named
        and all(each.key in keys and each.pins_by_denial() for each in statement.conditions)
    )


def _takes(deny: Statement, allow: Statement, action: str, part: str | None) -> bool:
    """Whether a Deny covers an action on a part of the Allow's resources (None: all but some)."""
    acts = within(allow.actions, deny.actions) if allow.actions.outside else deny.actions.include(action)
    return acts and (
        within(allow.resources, deny.resources) if part is None else deny.resources.include(part)
    )


def within(names: Names, others: Names) -> bool:
    """Whether all of the names are among the others; False in doubt."""
    if others.everything or (others.caseless and others.include(ANY_ACTION)):
        return True
    if not names.outside:
        return all(others.include(each) for each in names.patterns)
    return others.outside and all(not names.touch(each) for each in others.patterns)


def _parts(resources: Names, resource: str | None) -> list[str | None]:
    """What of a resource and of what is in it the patterns speak of."""
    if resource is None:
        return [None] if resources.outside else [*resources.patterns]
    asked = [each for each in (resource, f"{resource}/{ANYTHING}") if resources.touch(each)]
    if resources.outside or all(resources.include(each) for each in asked):
        return [*asked]
    return [part for each in asked for part in _common(resources, each)]


def _common(resources: Names, asked: str) -> Iterator[str]:
    if resources.include(asked):
        yield asked
        return
    for pattern in resources.patterns:
        if Names((pattern,)).touch(asked):
            yield pattern if covers(asked, pattern) else asked
