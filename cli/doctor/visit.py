"""Asking accounts: as the hub would, through the member role, and from inside, with other rights."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.doctor.ask import asked, or_none
from cli.doctor.facts import Blind, Entry, Inside, Visit
from orgscan import catalog, iam, metrics, policy, regions, session
from orgscan.model import Blindness, Gap
from orgscan.organization import Account
from orgscan.session import declared

if TYPE_CHECKING:
    from orgscan.session import Clients

SESSION = "orgscan-doctor"
AT_ONCE = 8
"""Accounts."""
OWN = "<account>"
"""Stands for the id of the account that is asked."""
PROBES: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "accessanalyzer": ("ListAnalyzers", "list_analyzers", {"maxResults": 1}),
    "acm": ("ListCertificates", "list_certificates", {"MaxItems": 1}),
    "autoscaling": ("DescribeAutoScalingGroups", "describe_auto_scaling_groups", {"MaxRecords": 1}),
    "backup": ("ListProtectedResources", "list_protected_resources", {"MaxResults": 1}),
    "cloudtrail": ("DescribeTrails", "describe_trails", {}),
    "cloudwatch": ("DescribeAlarms", "describe_alarms", {"MaxRecords": 1}),
    "config": ("DescribeConfigurationRecorders", "describe_configuration_recorders", {}),
    "dynamodb": ("ListTables", "list_tables", {"Limit": 1}),
    "ec2": ("DescribeVpcs", "describe_vpcs", {"MaxResults": 5}),
    "ecr": ("DescribeRepositories", "describe_repositories", {"maxResults": 1}),
    "ecs": ("ListClusters", "list_clusters", {"maxResults": 1}),
    "efs": ("DescribeFileSystems", "describe_file_systems", {"MaxItems": 1}),
    "eks": ("ListClusters", "list_clusters", {"maxResults": 1}),
    "elasticache": ("DescribeCacheClusters", "describe_cache_clusters", {"MaxRecords": 20}),
    "elbv2": ("DescribeLoadBalancers", "describe_load_balancers", {"PageSize": 1}),
    "guardduty": ("ListDetectors", "list_detectors", {"MaxResults": 1}),
    "iam": ("GetAccountSummary", "get_account_summary", {}),
    "kms": ("ListKeys", "list_keys", {"Limit": 1}),
    "lambda": ("ListFunctions", "list_functions", {"MaxItems": 1}),
    "logs": ("DescribeLogGroups", "describe_log_groups", {"limit": 1}),
    "rds": ("DescribeDBInstances", "describe_db_instances", {"MaxRecords": 20}),
    "resourcegroupstaggingapi": ("GetResources", "get_resources", {"ResourcesPerPage": 1}),
    "s3": ("ListBuckets", "list_buckets", {"MaxBuckets": 1}),
    "s3control": ("GetPublicAccessBlock", "get_public_access_block", {"AccountId": OWN}),
    "secretsmanager": ("ListSecrets", "list_secrets", {"MaxResults": 1}),
    "sns": ("ListTopics", "list_topics", {}),
    "sqs": ("ListQueues", "list_queues", {"MaxResults": 1}),
    "ssm": ("DescribeParameters", "describe_parameters", {"MaxResults": 1}),
}
"""Service -> its cheapest harmless call among those that collectors declare: operation, method, arguments."""
UNPROBED = {
    "ce": "each request is billed",
    "cost-optimization-hub": "refuses who has not enrolled like who is not allowed",
    "organizations": "answers the management account only",
}
"""Service -> why it is not asked."""
CALLS = (
    "sts:AssumeRole",
    *regions.CALLS,
    *(f"{service}:{operation}" for service, (operation, _, _) in PROBES.items()),
    "iam:GetRole",
    "iam:SimulatePrincipalPolicy",
)
REFUSALS = (Blindness.DENIED, Blindness.DENIED_BY_SCP)
SHUT = (*REFUSALS, Blindness.THROTTLED, Blindness.UNREACHABLE)
"""Of a probe. Any other error came after the permission was checked: it is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    home: Clients
    own: str
    """The account of `home`, where its rights are enough to look from inside."""
    role: str
    external_id: str
    asker: Clients | None
    """Who enters accounts through the member role; None: nobody tries."""
    inside: str | None
    """Another role of the accounts, that `home` may assume."""
    patterns: tuple[str, ...]
    services: tuple[str, ...]
    """Those of PROBES that the configured checks need."""
    actions: tuple[str, ...]
    """What the role must allow."""
    polite: float

    def visit(self, account: Account) -> Visit:
        with declared(CALLS):
            return Visit(account, self._entry(account.id), self._inside(account.id))

    def _enter(self, asker: Clients, account: str, external_id: str | None) -> Clients:
        return session.assume(
            asker,
            account,
            role=self.role,
            external_id=external_id,
            session_name=SESSION,
            polite=self.polite,
        )

    def _entry(self, account: str) -> Entry | None:
        asker = self.asker
        if asker is None:
            return None
        open_to_all = _granted(lambda: self._enter(asker, account, None))
        clients = asked(lambda: self._enter(asker, account, self.external_id))
        if isinstance(clients, Gap):
            return Entry(clients, open_to_all)
        return Entry(None, open_to_all, tuple(self._blind(clients, account)))

    def _blind(self, clients: Clients, account: str) -> Iterator[Blind]:
        home = self.home.get("sts").meta.region_name
        known = asked(lambda: regions.known(clients.get("ec2")))
        if isinstance(known, Gap):
            yield Blind(home, known.reason, known.detail)
            planned = {each: True for each in self.patterns if regions.is_name(each) and each != home}
        else:
            planned = regions.planned(self.patterns, known)
        open_regions = []
        for region, on in planned.items():
            if not on:
                yield Blind(region, Blindness.REGION_OFF, "not enabled in this account")
            elif region != home and (found := _region(clients, region)) is not None:
                yield found
            else:
                open_regions.append(region)
        if open_regions:
            where = home if home in open_regions else open_regions[0]
            for service in self.services:
                yield from _probe(clients, service, where, account)

    def _inside(self, account: str) -> Inside | Gap | None:
        if account == self.own:
            return self._look(self.home)
        if self.inside is None:
            return None
        role = self.inside
        clients = asked(
            lambda: session.assume(self.home, account, role=role, external_id=None, session_name=SESSION)
        )
        return clients if isinstance(clients, Gap) else self._look(clients)

    def _look(self, clients: Clients) -> Inside | Gap:
        client = clients.get("iam")
        name = self.role.rpartition("/")[2]
        told = or_none(lambda: client.get_role(RoleName=name)["Role"], "NoSuchEntity")
        if told is None or isinstance(told, Gap):
            return told or Inside(None)
        return Inside(
            policy.read("trust", told["AssumeRolePolicyDocument"]),
            asked(lambda: self._denied(client, told["Arn"])),
        )

    def _denied(self, client: Any, arn: str) -> dict[str, bool]:
        region = self.home.get("sts").meta.region_name
        context = {
            "ContextKeyName": "aws:RequestedRegion",
            "ContextKeyValues": [region],
            "ContextKeyType": "string",
        }
        pages = client.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=arn, ActionNames=[*self.actions], ContextEntries=[context]
        )
        return {
            each["EvalActionName"]: not each.get("OrganizationsDecisionDetail", {}).get(
                "AllowedByOrganizations", True
            )
            for page in pages
            for each in page["EvaluationResults"]
            if each["EvalDecision"] != "allowed"
        }


def visit_all(visitor: Visitor, accounts: Collection[Account]) -> list[Visit]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(visitor.visit, accounts))


def needed(off: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Services to probe, and IAM actions, of the checks that are not off."""
    everything = catalog.everything()
    on = everything.only(everything.ids(without=off))
    calls = {call for once in (True, False) for each in on.needed(once=once) for call in each.calls}
    calls |= {*regions.CALLS, *metrics.CALLS}
    services = {call.partition(":")[0] for call in calls}
    return tuple(sorted(services & PROBES.keys())), tuple(sorted(set(map(iam.action, calls))))


def _granted(enter: Callable[[], Clients]) -> bool | Gap:
    """Whether the door is open; a refusal is an answer."""
    found = asked(enter)
    if isinstance(found, Gap):
        return False if found.reason in REFUSALS else found
    return True


def _region(clients: Clients, region: str) -> Blind | None:
    """Why a region does not answer."""
    found = asked(lambda: clients.get("ec2", region).describe_regions())
    return Blind(region, found.reason, found.detail) if isinstance(found, Gap) else None


def _probe(clients: Clients, service: str, region: str, account: str) -> Iterator[Blind]:
    _, method, arguments = PROBES[service]
    told = {name: account if value is OWN else value for name, value in arguments.items()}
    found = asked(lambda: getattr(clients.get(service, region), method)(**told))
    if isinstance(found, Gap) and found.reason in SHUT:
        yield Blind(region, found.reason, found.detail)
