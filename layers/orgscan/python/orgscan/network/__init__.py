"""What reaches what: pure reasoning about addresses, firewall rules, access lists and routes."""

from orgscan.network.acls import Entry, answers, lets_in
from orgscan.network.paths import Route, through_gateway
from orgscan.network.ranges import WORLD, routed_publicly, worlds
from orgscan.network.rules import Expand, Opening, Rule, openings, opens

__all__ = [
    "WORLD",
    "Entry",
    "Expand",
    "Opening",
    "Route",
    "Rule",
    "answers",
    "lets_in",
    "openings",
    "opens",
    "routed_publicly",
    "through_gateway",
    "worlds",
]
