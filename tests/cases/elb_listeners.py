"""What the checks of listeners accept and reject."""

from dataclasses import replace

from orgscan.check import Problem
from orgscan.model import Severity
from orgscan.network import Rule
from orgscan.services.ec2.facts import PrefixList, SecurityGroup
from orgscan.services.elb.checks.listeners import (
    elbv2_listener_http_not_redirected,
    elbv2_listener_weak_tls_policy,
)
from orgscan.services.elb.facts import Action, Listener, LoadBalancer, TlsPolicy
from tests.cases.case import Case, cannot_tell, fails, passes
from tests.cases.ec2 import EC2
from tests.cases.elb import BALANCER, DENIED, ELB, HTTP, REDIRECTS

FIXED = replace(HTTP, actions=(Action("fixed-response"),), forwarding=())
HTTPS = replace(HTTP, protocol="HTTPS", port=443, tls_policy="ELBSecurityPolicy-2016-08")
IN_THE_CLEAR = "port 80 answers HTTP: its default action is forward"


def balancer(*listeners: Listener, **more: object) -> LoadBalancer:
    return replace(BALANCER, listeners=listeners, **more)  # type: ignore[arg-type]


def redirecting(protocol: str, port: str) -> LoadBalancer:
    return balancer(replace(REDIRECTS, actions=(Action("redirect", protocol, port),)))


def group(*rules: Rule) -> SecurityGroup:
    return SecurityGroup(
        arn=f"{EC2}:security-group/sg-1", tags={}, id="sg-1", name="web", ingress=rules, egress=()
    )


def http(*cidrs: str, lists: tuple[str, ...] = (), port: int = 80) -> Rule:
    return Rule(protocol="tcp", from_port=port, to_port=port, cidrs=cidrs, prefix_lists=lists)


CLOUDFRONT = PrefixList(arn="arn:aws:ec2:eu-west-1:aws:prefix-list/pl-1", id="pl-1", cidrs=None)
OFFICES = PrefixList(arn=f"{EC2}:prefix-list/pl-2", id="pl-2", cidrs=("198.51.100.0/24",))
LISTED = http(lists=("pl-1",))
FULL_WEIGHT, LOW = (
    Problem(IN_THE_CLEAR, key="80"),
    Problem(IN_THE_CLEAR, severity=Severity.LOW, key="80"),
)
BEHIND_CLOUDFRONT = Problem(
    f"{IN_THE_CLEAR}; only AWS's own prefix lists (CloudFront) reach it",
    severity=Severity.INFORMATIONAL,
    key="80",
)
HTTP_CASES: list[Case] = [
    passes(elbv2_listener_http_not_redirected, balancer(REDIRECTS, HTTPS)),
    passes(elbv2_listener_http_not_redirected, balancer(FIXED)),
    passes(elbv2_listener_http_not_redirected, balancer()),
    passes(elbv2_listener_http_not_redirected, replace(BALANCER, listeners=None)),
    passes(elbv2_listener_http_not_redirected, redirecting("#{protocol}", "443")),
    # Plain TCP is all a network load balancer knows.
    passes(elbv2_listener_http_not_redirected, balancer(replace(HTTP, protocol="TCP"), type="network")),
    fails(elbv2_listener_http_not_redirected, balancer(HTTP, HTTPS), FULL_WEIGHT),
    fails(elbv2_listener_http_not_redirected, balancer(HTTP, internal=True), LOW),
    fails(
        elbv2_listener_http_not_redirected,
        redirecting("HTTP", "80"),
        "port 80 answers HTTP: its default action is redirect to HTTP",
    ),
    fails(
        elbv2_listener_http_not_redirected,
        redirecting("#{protocol}", "#{port}"),
        "port 80 answers HTTP: its default action is redirect to #{protocol}",
    ),
    fails(
        elbv2_listener_http_not_redirected,
        balancer(replace(FIXED, actions=(Action("teleport"),))),
        "port 80 answers HTTP: its default action is teleport",
    ),
    fails(
        elbv2_listener_http_not_redirected,
        balancer(replace(REDIRECTS, forwarding=("10", "20"))),
        Problem("port 80 answers HTTP: rules that forward: 10, 20", key="80"),
    ),
    fails(
        elbv2_listener_http_not_redirected,
        balancer(HTTP, replace(FIXED, port=8080, forwarding=("1",))),
        FULL_WEIGHT,
        Problem("port 8080 answers HTTP: rules that forward: 1", key="8080"),
    ),
    fails(
        elbv2_listener_http_not_redirected,
        balancer(HTTP),
        BEHIND_CLOUDFRONT,
        beside=[group(LISTED), CLOUDFRONT],
    ),
    # Only what opens the listener's port matters.
    fails(
        elbv2_listener_http_not_redirected,
        balancer(HTTP, internal=True),
        BEHIND_CLOUDFRONT,
        beside=[group(LISTED, http("0.0.0.0/0", port=443)), CLOUDFRONT],
    ),
    *(
        fails(elbv2_listener_http_not_redirected, balancer(HTTP), FULL_WEIGHT, beside=beside)
        for beside in (
            [group(LISTED, http("10.0.0.0/8")), CLOUDFRONT],
            [group(LISTED, http()), CLOUDFRONT],  # another security group
            [group(http(lists=("pl-1", "pl-2"))), CLOUDFRONT, OFFICES],
            [group(LISTED)],  # a list that cannot be seen
            [group(), CLOUDFRONT],
        )
    ),
    fails(
        elbv2_listener_http_not_redirected,
        balancer(HTTP, security_groups=("sg-1", "sg-2")),
        FULL_WEIGHT,
        beside=[group(LISTED), CLOUDFRONT],
    ),
    fails(elbv2_listener_http_not_redirected, balancer(HTTP, security_groups=()), FULL_WEIGHT),
    # That it answers is known even where nobody can tell whom.
    fails(
        elbv2_listener_http_not_redirected,
        balancer(HTTP),
        FULL_WEIGHT,
        lost={SecurityGroup: DENIED},
        unread="DescribeSomething",
    ),
    fails(
        elbv2_listener_http_not_redirected,
        balancer(HTTP),
        FULL_WEIGHT,
        beside=[group(http(lists=("pl-2",))), replace(OFFICES, cidrs=DENIED)],
        unread="DescribeSomething",
    ),
    passes(
        elbv2_listener_http_not_redirected,
        balancer(REDIRECTS),
        lost={SecurityGroup: DENIED, PrefixList: DENIED},
    ),
    cannot_tell(elbv2_listener_http_not_redirected, replace(BALANCER, listeners=DENIED), "DescribeSomething"),
    cannot_tell(
        elbv2_listener_http_not_redirected,
        balancer(replace(REDIRECTS, forwarding=DENIED)),
        "DescribeSomething",
    ),
    fails(
        elbv2_listener_http_not_redirected,
        balancer(replace(REDIRECTS, port=81, forwarding=DENIED), HTTP),
        FULL_WEIGHT,
        unread="DescribeSomething",
    ),
]


def policy(protocols: str, *ciphers: str, name: str = "P") -> TlsPolicy:
    return TlsPolicy(
        arn=f"{ELB}:ssl-policy/{name}", name=name, protocols=tuple(protocols.split()), ciphers=ciphers
    )


TLS = balancer(replace(HTTPS, tls_policy="P"))
GOOD = ("TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256")
TLS_CASES: list[Case] = [
    passes(elbv2_listener_weak_tls_policy, TLS, beside=[policy("TLSv1.3 TLSv1.2", *GOOD)]),
    passes(elbv2_listener_weak_tls_policy, TLS, beside=[policy("TLSv1.2", "AES128-GCM-SHA256")]),
    passes(elbv2_listener_weak_tls_policy, balancer(HTTP)),
    passes(elbv2_listener_weak_tls_policy, balancer(HTTP), lost={TlsPolicy: DENIED}),
    passes(elbv2_listener_weak_tls_policy, replace(BALANCER, listeners=None)),
    fails(
        elbv2_listener_weak_tls_policy,
        TLS,
        Problem("port 443 accepts TLSv1.1, TLSv1 (policy P)", key="443"),
        beside=[policy("TLSv1.2 TLSv1.1 TLSv1", *GOOD)],
    ),
    *(
        fails(
            elbv2_listener_weak_tls_policy,
            TLS,
            f"port 443 accepts {weak} (policy P)",
            beside=[policy("TLSv1.2", *GOOD, weak)],
        )
        for weak in ("AES128-SHA256", "AES256-SHA", "DES-CBC3-SHA", "ECDHE-RSA-RC4-SHA")
    ),
    *(
        fails(
            elbv2_listener_weak_tls_policy,
            TLS,
            f"port 443 accepts {name} (policy P)",
            beside=[policy(f"TLSv1.2 {name}")],
        )
        for name in ("SSLv3", "QTLSv9")
    ),
    fails(
        elbv2_listener_weak_tls_policy,
        TLS,
        "port 443 accepts TLSv1.2 (policy P)",
        beside=[policy("TLSv1.3 TLSv1.2")],
        parameters={"min_tls": "1.3"},
    ),
    passes(
        elbv2_listener_weak_tls_policy,
        TLS,
        beside=[policy("TLSv1.2", "AES128-SHA256")],
        parameters={"weak_ciphers": ["*RC4*"]},
    ),
    fails(
        elbv2_listener_weak_tls_policy,
        balancer(replace(HTTP, protocol="TLS", port=8883, tls_policy="P"), type="network"),
        Problem("port 8883 accepts TLSv1 (policy P)", key="8883"),
        beside=[policy("TLSv1")],
    ),
    cannot_tell(elbv2_listener_weak_tls_policy, TLS, "does not describe security policy P"),
    cannot_tell(elbv2_listener_weak_tls_policy, TLS, "DescribeSomething", lost={TlsPolicy: DENIED}),
    cannot_tell(elbv2_listener_weak_tls_policy, replace(BALANCER, listeners=DENIED), "DescribeSomething"),
    # One policy that nobody knows does not hide another.
    fails(
        elbv2_listener_weak_tls_policy,
        balancer(HTTPS, replace(HTTPS, port=8443, tls_policy="P")),
        Problem("port 8443 accepts TLSv1 (policy P)", key="8443"),
        beside=[policy("TLSv1")],
        unread="ELBSecurityPolicy-2016-08",
    ),
]

CASES = [*HTTP_CASES, *TLS_CASES]
