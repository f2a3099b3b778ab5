"""What we know about Elastic Load Balancing (v2: application, network and gateway load balancers)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orgscan.model import Gap, Resource, Taggable


@dataclass(frozen=True, slots=True)
class Action:
    """What a listener does with what arrives; `protocol` and `port` of a redirect."""

    type: str
    protocol: str = ""
    port: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    protocol: str
    port: int
    actions: tuple[Action, ...]
    """By default."""
    forwarding: tuple[str, ...] | Gap | None
    """The priorities of the rules that forward; asked of HTTP listeners that do not forward by default."""
    tls_policy: str | None
    """None without TLS."""

    @property
    def forwards(self) -> bool:
        return any(each.type == "forward" for each in self.actions)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancer(Taggable):
    aws_types = ("AWS::ElasticLoadBalancingV2::LoadBalancer",)

    name: str
    type: str
    """'application', 'network', 'gateway'."""
    internal: bool
    state: str
    created: datetime
    addresses: int
    """Public IPv4 addresses, one in each zone: what it is billed for besides itself."""
    security_groups: tuple[str, ...]
    listeners: tuple[Listener, ...] | Gap | None

    @property
    def dimensions(self) -> Mapping[str, str]:
        return {"LoadBalancer": self.arn.partition(":loadbalancer/")[2]}


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroup(Taggable):
    aws_types = ("AWS::ElasticLoadBalancingV2::TargetGroup",)

    name: str
    type: str
    """'instance', 'ip', 'lambda', 'alb'."""
    load_balancers: tuple[str, ...]
    """ARNs."""
    health_checked: bool
    targets: tuple[str, ...] | Gap | None
    """The states of its targets. None: nobody asked, as no load balancer uses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsPolicy(Resource):
    """What AWS offers to TLS listeners."""

    aws_types = ()

    name: str
    protocols: tuple[str, ...]
    """'TLSv1.2'."""
    ciphers: tuple[str, ...]
    """As OpenSSL names them: 'ECDHE-RSA-AES128-GCM-SHA256'."""
