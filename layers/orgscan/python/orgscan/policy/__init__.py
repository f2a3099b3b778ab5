"""What IAM policies say: read once, asked many things. Pure reasoning, no I/O."""

from orgscan.policy.condition import Condition
from orgscan.policy.document import Policy, allows, escalation_paths, escalations, parse, read
from orgscan.policy.escalate import Escalation
from orgscan.policy.federation import Federation, Subject
from orgscan.policy.match import Names
from orgscan.policy.public import Opening
from orgscan.policy.reading import Malformed
from orgscan.policy.rights import Admin, Denial
from orgscan.policy.statement import Effect, Principals, Statement
from orgscan.policy.trust import Grant, ServiceGrant

__all__ = [
    "Admin",
    "Condition",
    "Denial",
    "Effect",
    "Escalation",
    "Federation",
    "Grant",
    "Malformed",
    "Names",
    "Opening",
    "Policy",
    "Principals",
    "ServiceGrant",
    "Statement",
    "Subject",
    "allows",
    "escalation_paths",
    "escalations",
    "parse",
    "read",
]
