"""What several checks ask about networks."""

from orgscan.check import View
from orgscan.model import Blindness, Gap, Unread, known
from orgscan.services.ec2.facts import NetworkInterface, PrefixList, SecurityGroup


def entries(view: View, prefix_list: str) -> tuple[str, ...]:
    """Its CIDRs; none for AWS's own lists. Needs PrefixList in the check's `also`."""
    seen = view.related(PrefixList, "id", prefix_list)
    if not seen:
        detail = f"{prefix_list} is used in a rule, but cannot be seen from this account"
        raise Unread(Gap("ec2-prefix-lists", Blindness.NO_DATA, detail))
    return known(seen[0].cidrs) or ()


def in_use(group: SecurityGroup, view: View) -> bool | Gap:
    """Whether a network interface has it. Only the weight of a fault: the fault stands without it."""
    try:
        return bool(view.related(NetworkInterface, "security_groups", group.id))
    except Unread as unread:
        return unread.gap
