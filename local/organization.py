"""The invented organization: who is in it, what is wrong with it, and what a scan must therefore find.

    organization = Organization(accounts=12)
    organization.found(aws.client)       # accounts, OUs, policies
    organization.plant(aws.client)       # all in order, then the faults
    organization.adopt(aws.client)       # after deploying the scanner: it is not what is wrong here
    organization.expected                # what the first scan must find, no more and no less
    organization.change(aws.client)      # somebody works: mended, removed, new
    organization.expected                # what the second scan must find

Names and places follow from the numbers alone: two organizations of one size differ in AWS's random ids only.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local import past
from local.beyond import Beyond
from local.faults import absent, plant, rework
from local.faults.accounts import adopt
from local.faults.payer import guard
from local.place import GLOBAL, HOME, Account, Book, Changes, Clients, Place, Planted

REGIONS = ("us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2", "me-south-1")
SCP_DENIED, OPT_IN = "ap-southeast-2", "me-south-1"
FEWEST = 6

_FIRST = (
    ("acme-management", "", "prod"),
    ("acme-security", "Security", "prod"),
    ("acme-payments-prod", "Workloads/Prod", "prod"),
    ("acme-sandbox-ada", "Sandbox", "dev"),
    ("acme-acquired <crm>", "Acquired", "prod"),
    ("acme-legacy", "Suspended", "prod"),
    ("acme-payments-dev", "Workloads/Dev", "dev"),
    ("acme-network", "Infrastructure", "prod"),
    ("acme-shop-prod", "Workloads/Prod", "prod"),
    ("acme-shop-dev", "Workloads/Dev", "dev"),
    ("acme-log-archive", "Security", "prod"),
    ("acme-sandbox-grace", "Sandbox", "dev"),
)
"""Name, OU, stage: even the smallest organization has one of each kind."""
_UNIT_OWNERS = {"Security": "secops@acme.example", "Workloads": "platform@acme.example"}
_ACCOUNT_OWNERS = {"acme-payments-prod": "payments@acme.example", "acme-acquired <crm>": "=1+1 <b>crm</b>"}
_CONTACTS = {"acme-sandbox-ada": "ada@acme.example", "acme-network": "netops@acme.example"}
"""Unit, account -> who answers for it: by tag, and by its alternate contact for operations."""
_UNGUARDED = "Acquired"
"""The unit that no guardrails are attached to yet, nor the scanner's StackSet brought into."""
_NO_ROLE, _CLOSED = "acme-acquired <crm>", "acme-legacy"
_WITHOUT_OPT_IN = ("acme-security", "acme-shop-dev")
_TEAMS = ("search", "billing", "mobile", "fraud", "media", "pricing", "claims", "maps", "chat", "ledger")
"""Whose accounts follow."""

_DENY_REGION = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "DenyRegion",
            "Effect": "Deny",
            # Services without regions, which must stay usable wherever they are called.
            "NotAction": [
                "budgets:*",
                "ce:*",
                "cloudfront:*",
                "globalaccelerator:*",
                "iam:*",
                "organizations:*",
                "route53:*",
                "sts:*",
                "support:*",
            ],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": [SCP_DENIED]}},
        }
    ],
}


class Organization:
    """See the module."""

    def __init__(self, *, accounts: int = 12, regions: Sequence[str] = REGIONS) -> None:
        """`accounts` counts everyone, also whom nobody can scan; `regions` are those in scope.

        Raises ValueError when there are too few to have one of each kind.
        """
        if accounts < FEWEST:
            raise ValueError(f"an organization needs at least {FEWEST} accounts, not {accounts}")
        if not regions:
            raise ValueError("an organization needs at least one region")
        self.accounts = tuple(_accounts(accounts))
        self.regions = tuple(regions)
        self.hub = self.accounts[0].id
        """The management account."""
        self.denied_region = SCP_DENIED if SCP_DENIED in self.regions else None
        self.opt_in_region = OPT_IN if OPT_IN in self.regions else None
        self.id = ""
        """As AWS says it, once it is founded."""
        self._units: Mapping[str, str] = {}
        self._book = Book(beyond=Beyond(absent()))
        self._changes = Changes()

    @property
    def opt_in_regions(self) -> Mapping[str, frozenset[str]]:
        """Opt-in region -> the accounts in which it is enabled."""
        enabled = frozenset(each.id for each in self.accounts if each.name not in _WITHOUT_OPT_IN)
        return {self.opt_in_region: enabled} if self.opt_in_region else {}

    @property
    def active(self) -> tuple[Account, ...]:
        """Those that a scan of everything plans."""
        return tuple(each for each in self.accounts if not each.suspended)

    @property
    def members(self) -> tuple[Account, ...]:
        """Those that have the scanner's role, the management account included."""
        return tuple(each for each in self.active if each.role)

    @property
    def owners(self) -> Mapping[str, str]:
        """Id of each active account -> who answers for what names nobody itself; '' is nobody."""
        return {
            each.id: _ACCOUNT_OWNERS.get(each.name)
            or _UNIT_OWNERS.get(each.ou.partition("/")[0])
            or _CONTACTS.get(each.name, "")
            for each in self.active
        }

    @property
    def guarded(self) -> list[str]:
        """The units, below the root, whose accounts have the scanner's role and the guardrails."""
        return [unit for path, unit in self._units.items() if path and "/" not in path and path != _UNGUARDED]

    @property
    def targets(self) -> frozenset[tuple[str, str]]:
        """What a scan of everything plans: (account, region), and (account, 'global')."""
        return frozenset((each.id, region) for each in self.active for region in (GLOBAL, *self.regions))

    @property
    def blind(self) -> Mapping[tuple[str, str], str]:
        """Targets that cannot be seen, and why: 'denied', 'denied-by-scp' or 'region-off'."""
        found: dict[tuple[str, str], str] = {}
        for account in self.active:
            if not account.role:
                found |= dict.fromkeys(((account.id, region) for region in (GLOBAL, *self.regions)), "denied")
            elif account.ou == "Sandbox" and self.denied_region:
                found[account.id, self.denied_region] = "denied-by-scp"
            elif account.name in _WITHOUT_OPT_IN and self.opt_in_region:
                found[account.id, self.opt_in_region] = "region-off"
        return found

    @property
    def expected(self) -> frozenset[Planted]:
        """The findings that must be open now."""
        return frozenset(self._book.open)

    @property
    def hidden(self) -> frozenset[Planted]:
        """Faults in blind targets: nothing may be said of them."""
        return frozenset(self._book.hidden)

    @property
    def look_alikes(self) -> frozenset[Planted]:
        """What only a careless check would find."""
        return frozenset(self._book.look_alikes)

    @property
    def no_data(self) -> frozenset[Planted]:
        """What can be neither found nor vouched for."""
        return frozenset(self._book.no_data)

    @property
    def beyond(self) -> Beyond:
        """What the embedded AWS answers though it cannot hold it."""
        return self._book.beyond

    @property
    def fixed(self) -> frozenset[Planted]:
        """Mended by `change`."""
        return self._changes.fixed

    @property
    def deleted(self) -> frozenset[Planted]:
        """Gone with their resource in `change`."""
        return self._changes.deleted

    @property
    def added(self) -> frozenset[Planted]:
        """New since `change`."""
        return self._changes.added

    def found(self, clients: Clients) -> None:
        """Create the organization: accounts, units, and the policy that denies one of them a region."""
        organizations = clients("organizations", self.hub, HOME)
        with past.account_ids([each.id for each in self.accounts]):
            made = organizations.create_organization(FeatureSet="ALL")
            self.id = made["Organization"]["Id"]
            for account in self.accounts[1:]:
                organizations.create_account(
                    AccountName=account.name,
                    Email=f"aws-{account.id}@acme.example",
                    Tags=[{"Key": "stage", "Value": account.stage}, *_owned(_ACCOUNT_OWNERS, account.name)],
                )
        past.name_management_account(self.hub, self.accounts[0].name)
        root = organizations.list_roots()["Roots"][0]["Id"]
        self._units = units = self._create_units(organizations, root)
        for account in self.accounts[1:]:
            organizations.move_account(
                AccountId=account.id, SourceParentId=root, DestinationParentId=units[account.ou]
            )
            if account.suspended:
                organizations.close_account(AccountId=account.id)
        organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
        policy = organizations.create_policy(
            Name="deny-region",
            Description=f"Nothing runs in {SCP_DENIED}",
            Type="SERVICE_CONTROL_POLICY",
            Content=json.dumps(_DENY_REGION),
        )["Policy"]["PolicySummary"]["Id"]
        organizations.attach_policy(PolicyId=policy, TargetId=units["Sandbox"])
        guard(organizations, self.guarded)
        self._answer_for(clients)

    def plant(self, clients: Clients) -> None:
        """Put everything that can be seen in order, then plant the faults."""
        unguarded = [each.id for each in self.active if each.ou == _UNGUARDED]
        plant(self._places(clients), self._book, unguarded)

    def adopt(self, clients: Clients) -> None:
        """Tag and version what deploying the scanner left in the management account, as its team would."""
        for place in self._places(clients):
            if place.account.id == self.hub and place.region != GLOBAL:
                adopt(place)

    def change(self, clients: Clients) -> None:
        """What happens between two scans: some things are mended, some deleted, some new."""
        self._changes = rework(self._places(clients), self._book)

    def _places(self, clients: Clients) -> list[Place]:
        """Every target, in the order of accounts and regions."""
        blind = self.blind
        exposed = {account.id for account in self.members[2::4]}
        return [
            Place(
                account=account,
                region=region,
                clients=clients,
                book=self._book,
                why_blind=blind.get((account.id, region)),
                exposed=account.id in exposed,
                payer=account.id == self.hub,
            )
            for account in self.active
            for region in (GLOBAL, *self.regions)
        ]

    def _answer_for(self, clients: Clients) -> None:
        """Units and contacts, after the accounts that they are of."""
        organizations = clients("organizations", self.hub, HOME)
        for name in _UNIT_OWNERS:
            organizations.tag_resource(ResourceId=self._units[name], Tags=_owned(_UNIT_OWNERS, name))
        for account in self.accounts:
            if account.name in _CONTACTS:
                clients("account", self.hub, HOME).put_alternate_contact(
                    AccountId=account.id,
                    AlternateContactType="OPERATIONS",
                    EmailAddress=_CONTACTS[account.name],
                    Name=account.name,
                    PhoneNumber="+1 555 0100",
                    Title="Owner",
                )

    def _create_units(self, organizations: Any, root: str) -> dict[str, str]:
        """Path ('Workloads/Prod') -> id of each organizational unit."""
        units = {"": root}
        for account in self.accounts:
            path = ""
            for name in filter(None, account.ou.split("/")):
                parent, path = path, f"{path}/{name}".strip("/")
                if path not in units:
                    made = organizations.create_organizational_unit(ParentId=units[parent], Name=name)
                    units[path] = made["OrganizationalUnit"]["Id"]
        return units


def _owned(owners: Mapping[str, str], name: str) -> list[dict[str, str]]:
    """The tag, if there is one."""
    return [{"Key": "Owner", "Value": owners[name]}] if name in owners else []


def _accounts(count: int) -> Iterator[Account]:
    for number in range(count):
        name, unit, stage = _FIRST[number] if number < len(_FIRST) else _later(number - len(_FIRST))
        yield Account(
            id=f"{(4421 + 613 * number) % 10000:04}" * 3,  # some begin with 0, as real ones do
            name=name,
            stage=stage,
            ou=unit,
            role=name != _NO_ROLE,
            suspended=name == _CLOSED,
        )


def _later(number: int) -> tuple[str, str, str]:
    """A production and a development account for each team, and again."""
    round_, team = divmod(number // 2, len(_TEAMS))
    name = _TEAMS[team] + (str(round_ + 1) if round_ else "")
    stage = ("prod", "dev")[number % 2]
    return f"acme-{name}-{stage}", f"Workloads/{stage.title()}", stage
