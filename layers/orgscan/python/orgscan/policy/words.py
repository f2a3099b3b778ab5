"""What is told of a policy that lets in too many."""

from collections.abc import Iterator

from orgscan.policy.document import Policy
from orgscan.policy.public import Opening


def opened(policy: Policy, resource: str) -> Iterator[str]:
    """Each statement that lets everyone in to an ARN."""
    for opening in policy.openings(resource=resource):
        yield f"the policy allows everyone {listed(opening.actions)}{_where(opening)}"


def listed(actions: tuple[str, ...]) -> str:
    return "every action" if "*" in actions else ", ".join(actions)


def _where(opening: Opening) -> str:
    """What helps to find the statement, in parentheses."""
    told = [f"statement {opening.sid}"] if opening.sid else []
    told += [f"not narrowed by {opening.narrowed}"] if opening.narrowed else []
    return f" ({', '.join(told)})" if told else ""
