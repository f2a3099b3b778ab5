"""What is wrong in an account, from whatever could be learnt of it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cli.doctor.facts import Blind, Caller, Entry, Inside, Visit
from cli.doctor.problem import Problem, Severity, error, unseen, warning
from orgscan.model import Blindness, Gap
from orgscan.policy import Policy, Statement
from orgscan.policy.match import overlap

ASSUME = "sts:AssumeRole"
EXTERNAL_ID, PRINCIPAL = "sts:externalid", "aws:principalarn"
FEW = 6
UPDATE = "Update the member stack there: its role is older than this version, or was changed."
GIVE = "Give the account the member stack (README, Deploy), with this hub's account and ExternalId."
TRIED = (Blindness.DENIED, Blindness.DENIED_BY_SCP)


@dataclass(frozen=True, slots=True)
class Expected:
    """What the member role should be."""

    hub: str
    """The account."""
    role: str
    external_id: str
    hub_roles: tuple[str, ...]
    """The beginnings of the names of the roles that it should trust: 'OrgscanHub-ScanRole'."""

    @property
    def trusted(self) -> str:
        return " and ".join(f"{each}*" for each in self.hub_roles)


def nobody_entered(visits: Sequence[Visit]) -> bool:
    """Whether every account refused, so that the caller is to be doubted before the accounts are.

    STS says the same to who may not ask and to who is not trusted.
    """
    tried = [visit.entry for visit in visits if visit.entry]
    return bool(tried) and all(_refused(entry) for entry in tried)


def _refused(entry: Entry) -> bool:
    return entry.refused is not None and entry.refused.reason in TRIED


def doubt(visits: Sequence[Visit], caller: Caller, role: str) -> Problem:
    """Told once, instead of an error for every account."""
    tried = sum(1 for visit in visits if visit.entry)
    gaps = {visit.entry.refused.detail for visit in visits if visit.entry and visit.entry.refused}
    return Problem(
        severity=Severity.UNSEEN,
        kind="caller-not-trusted",
        problem=f"{caller.name} entered none of {tried} account{'s'[: tried != 1]} through {role} "
        f"({', '.join(sorted(gaps))}): either it may not {ASSUME}, or no account trusts it; "
        "AWS does not tell the two apart, and it says nothing of whether the hub gets in",
        fix="Allow it sts:AssumeRole on the role, or look from inside: --inside NAME of another role there.",
    )


def untried(caller: Caller, expected: Expected) -> Problem:
    """The caller is nobody whom member roles trust, which says nothing of them."""
    return Problem(
        severity=Severity.NOTE,
        kind="caller-not-trusted",
        problem=f"roles were not entered: {expected.role} trusts the roles {expected.trusted} of "
        f"{expected.hub} only, and you are {caller.name}; accounts are told as the hub's scans saw them",
        fix="Nothing to do. To look now: --role NAME of such a role, or --inside a role of the accounts.",
    )


def account(visit: Visit, expected: Expected, *, believe_refusal: bool) -> Iterator[Problem]:
    """The best word there is: entering, then looking from inside, then what the hub saw.

    `believe_refusal`: others let the same caller in, so that being refused says something of the account.
    """
    entry, inside = visit.entry, visit.inside
    if entry and entry.refused is None:
        yield from _entered(entry)
        if isinstance(inside, Inside) and not isinstance(inside.denied, Gap):
            yield from _simulated(inside.denied)
    elif isinstance(inside, Inside):
        yield from _inside(inside, expected)
    elif entry and entry.refused and not _refused(entry):
        yield unseen("the member role", entry.refused)
    elif entry and believe_refusal:
        yield from _shut(entry, expected)
    elif visit.word:
        source = f"scan {visit.word.scan}"
        yield from (replace(each, source=source) for each in blind(visit.word.blind, expected))
    else:
        yield _unknown(inside)


def _unknown(inside: Gap | None) -> Problem:
    why = f" ({inside.reason}: {inside.detail})" if inside else ""
    return Problem(
        severity=Severity.UNSEEN,
        kind="account-unseen",
        problem=f"nothing is known of its role: no scan looked at it, and doctor could not{why}",
        fix="Start a scan and ask again; or look yourself: --role, --inside.",
    )


def _entered(entry: Entry) -> Iterator[Problem]:
    if isinstance(entry.open_to_all, Gap):
        yield unseen("whether the role asks for the ExternalId", entry.open_to_all)
    elif entry.open_to_all:
        yield warning(
            "external-id-not-asked",
            "the role lets in without any ExternalId",
            f"Put sts:ExternalId into the role's trust policy again. {UPDATE}",
        )
    yield from blind(entry.blind, None)


def _shut(entry: Entry, expected: Expected) -> Iterator[Problem]:
    if entry.open_to_all is True:
        yield error(
            "external-id-wrong",
            f"{expected.role} lets in without ExternalId and refuses the configured one",
            "Compare role.external_id in orgscan.yaml with the role's trust policy, and update the stack.",
        )
    elif entry.refused and entry.refused.reason is Blindness.DENIED_BY_SCP:
        yield from blind([Blind("", entry.refused.reason, entry.refused.detail)], expected)
    else:
        yield _no_way_in(expected)


def _no_way_in(expected: Expected) -> Problem:
    return error(
        "role-refused",
        f"{expected.role} does not let in: it is missing, or it trusts another hub or ExternalId; "
        "AWS says the same of all three",
        f"{GIVE} --inside tells which it is.",
    )


def _inside(inside: Inside, expected: Expected) -> Iterator[Problem]:
    match inside.trust:
        case None:
            yield error("role-missing", f"there is no role {expected.role}", GIVE)
            return
        case Gap():
            yield unseen("the role's trust policy", inside.trust)
        case trust:
            yield from distrust(trust, expected)
    match inside.denied:
        case Gap():
            yield unseen("what the role may do (iam:SimulatePrincipalPolicy)", inside.denied)
        case denied:
            yield from _simulated(denied)


def distrust(trust: Policy, expected: Expected) -> Iterator[Problem]:
    """What of a trust policy keeps the hub out, or lets in more than the hub."""
    ours = [each for each in trust.statements if each.allows and _names(each, expected.hub)]
    if not ours:
        yield error("role-trust", f"{expected.role} does not trust account {expected.hub}", GIVE)
        return
    fitting = [each for each in ours if _holds(each, EXTERNAL_ID, expected.external_id)]
    if not fitting:
        yield error(
            "external-id-wrong",
            f"{expected.role} asks for another ExternalId than role.external_id in orgscan.yaml",
            "Make the two the same: update the member stack's parameter ExternalId, or orgscan.yaml.",
        )
    elif not all(any(_reaches(each, role) for each in fitting) for role in expected.hub_roles):
        yield error(
            "role-trust",
            f"{expected.role} trusts other roles of {expected.hub} than {expected.trusted}",
            f"{UPDATE} A hub of another name needs member stacks of that name.",
        )
    if any(EXTERNAL_ID not in each.keys for each in ours):
        yield warning(
            "external-id-not-asked", "the role's trust policy lets in without any ExternalId", UPDATE
        )


def _names(statement: Statement, hub: str) -> bool:
    if statement.principals is None or not statement.actions.include(ASSUME):
        return False
    named = statement.principals.of("aws")
    return statement.principals.anyone or any(each == hub or f"::{hub}:" in each for each in named)


def _holds(statement: Statement, key: str, value: str) -> bool:
    """Whether conditions on a key, if there are any, hold for a value. What is no equality is not judged."""
    return all(
        value in each.values
        for each in statement.conditions
        if each.key == key and each.operator == "stringequals"
    )


def _reaches(statement: Statement, role: str) -> bool:
    """Whether conditions on the principal's ARN, if there are any, speak of roles whose names begin so."""
    return all(
        any(
            # Behind the account: its path, if it has one, is not judged.
            overlap(value.split(":", 5)[-1], f"role/{role}*") or overlap(value.rpartition("/")[2], f"{role}*")
            for value in each.values
        )
        for each in statement.conditions
        if each.key == PRINCIPAL and each.operator in ("arnlike", "arnequals", "stringlike", "stringequals")
    )


def _simulated(denied: Mapping[str, bool]) -> Iterator[Problem]:
    by_role = sorted(action for action, by_organization in denied.items() if not by_organization)
    by_organization = sorted(action for action, other in denied.items() if other)
    if by_role:
        yield error("permission-missing", f"the role may not {_some(by_role)} (simulated)", UPDATE)
    if by_organization:
        yield error(
            "scp-denies",
            f"a service control policy denies {_some(by_organization)} (simulated)",
            "Exempt the role in the policy, or take the account out of scope (accounts.exclude).",
        )


def blind(seen: Iterable[Blind], expected: Expected | None) -> Iterator[Problem]:
    """`expected`: there may have been no way in; None where somebody was inside."""
    places: dict[tuple[Blindness, str], set[str]] = defaultdict(set)
    off: set[str] = set()
    for each in seen:
        if each.reason is Blindness.REGION_OFF:
            off.add(each.region)
        elif each.reason is not Blindness.NO_DATA:
            places[each.reason, each.detail].add(each.region)
    if off:
        yield error(
            "region-off",
            f"not enabled in the account: {_some(sorted(off))}",
            "Enable it there, or name the regions you use: `enabled` never means one that is off.",
        )
    shut = [key for key in places if expected and key[0] is Blindness.DENIED and ASSUME in key[1]]
    if expected and shut:
        yield _no_way_in(expected)
    denied: dict[str, set[str]] = defaultdict(set)
    for (reason, detail), where in sorted(places.items()):
        if (reason, detail) in shut:
            continue
        if reason is Blindness.DENIED:
            denied[_some(sorted(where))].add(detail)
        else:
            yield _lost(reason, detail, sorted(where))
    for where_told, details in sorted(denied.items()):
        yield error(
            "permission-missing", f"the role may not {_some(sorted(details))} in {where_told}", UPDATE
        )


def _lost(reason: Blindness, detail: str, where: Sequence[str]) -> Problem:
    place = f" in {_some(where)}" if any(where) else ""
    if reason is Blindness.DENIED_BY_SCP:
        return error(
            "scp-denies",
            f"a service control policy denies {detail}{place}",
            "Exempt the role in the policy, or take the region or account out of scope.",
        )
    return warning(
        reason.value,
        f"not everything answered{place} ({reason}: {detail})",
        "Once: nothing. If it stays: docs/operating.md, When a scan says INCOMPLETE.",
    )


def _some(names: Sequence[str]) -> str:
    more = len(names) - FEW
    return ", ".join(names[:FEW]) + (f" and {more} more" if more > 0 else "")
