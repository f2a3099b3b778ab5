"""What doctor learns of AWS. Whatever could not be learnt is a Gap, and never the same as `fine`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orgscan.model import Blindness, Gap
from orgscan.organization import Account
from orgscan.policy import Policy

ASSUMED = "assumed-role/"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever runs doctor, as STS tells it."""

    account: str
    arn: str
    region: str

    @property
    def name(self) -> str:
        """'assumed-role/Admin/alice', 'user/ci'."""
        return self.arn.split(":", 5)[-1]

    @property
    def role(self) -> str:
        """The name of the role whose session it is; empty for users and the root user."""
        return self.name.split("/")[1] if self.name.startswith(ASSUMED) else ""


@dataclass(frozen=True, slots=True)
class Stack:
    name: str
    status: str
    outputs: Mapping[str, str]
    resources: Iterable[tuple[str, str]] | Gap
    """(type, physical id)."""

    def named(self, kind: str) -> list[str]:
        """Physical ids; none where the resources could not be listed, which is told once."""
        if isinstance(self.resources, Gap):
            return []
        return [name for each, name in self.resources if each == kind and name]


@dataclass(frozen=True, slots=True)
class Subscription:
    topic: str
    """'findings' or 'operations'."""
    address: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Started:
    """A schedule that was deployed."""

    id: str
    name: str
    """As in orgscan.yaml; empty when it is gone."""
    state: str
    """ENABLED or DISABLED; empty when it is gone."""


@dataclass(frozen=True, slots=True)
class Queue:
    name: str
    waiting: int
    """Messages."""


@dataclass(frozen=True, slots=True)
class Presents:
    """What the deployed functions present to accounts."""

    role: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Instance:
    """One account's stack of a StackSet."""

    account: str
    status: str
    """CURRENT, OUTDATED or INOPERABLE."""
    detail: str
    """SUCCEEDED, FAILED, RUNNING, ..."""
    reason: str


@dataclass(frozen=True, slots=True)
class StackSet:
    name: str
    parameters: Mapping[str, str]
    joins: bool
    """Whether accounts that join get it by themselves."""
    instances: tuple[Instance, ...] | Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What must be before anything is deployed."""

    organization: str | Gap
    """Its id; empty when nobody is to be asked."""
    management: str | Gap
    """The account that manages the organization; empty when nobody is to be asked."""
    bootstrap: int | Gap | None
    """Version of the CDK bootstrap; None without one, and when none is wanted."""
    trusted_access: str | Gap
    """Of StackSets: ENABLED, DISABLED, DISABLED_PERMANENTLY; empty when nobody is to be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """The KMS key that encrypts all that the hub keeps."""

    state: str
    """'Enabled', 'Disabled', 'PendingDeletion'."""
    purpose: tuple[str, str]
    """Spec and usage: ('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT')."""
    services: frozenset[str] | Gap
    """Which its policy lets encrypt and decrypt: 'logs.eu-west-1.amazonaws.com'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """What was deployed."""

    stack: Stack
    subscriptions: tuple[Subscription, ...] | Gap
    schedules: tuple[Started, ...] | Gap
    queues: tuple[Queue, ...] | Gap
    presents: Presents | Gap | None
    """None: no function of the stack says what it presents."""


@dataclass(frozen=True, slots=True)
class Blind:
    """Something of an account that a scan cannot see, and where."""

    region: str
    reason: Blindness
    detail: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Trying what the hub does: entering an account through the member role."""

    refused: Gap | None
    open_to_all: bool | Gap
    """Whether the role lets in without any ExternalId too."""
    blind: tuple[Blind, ...] = ()


@dataclass(frozen=True, slots=True)
class Inside:
    """Looking at the member role with other rights in its account."""

    trust: Policy | Gap | None
    """None: there is no such role."""
    denied: Mapping[str, bool] | Gap = field(default_factory=dict)
    """Action that IAM's simulator denies to the role -> whether an organization's policy does."""


@dataclass(frozen=True, slots=True)
class Word:
    """What the hub itself saw, in the newest scan that looked at the account."""

    scan: str
    blind: tuple[Blind, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """All that is known of one account. None: this way was not tried."""

    account: Account
    entry: Entry | None = None
    inside: Inside | Gap | None = None
    word: Word | None = None
