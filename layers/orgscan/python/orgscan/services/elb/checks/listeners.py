"""What we expect of listeners: that nobody has to speak in the clear, or with outdated encryption."""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from orgscan.check import Problem, Problems, View, check
from orgscan.model import Blindness, Category, Gap, Severity, Unread, known
from orgscan.services.ec2.facts import PrefixList, SecurityGroup
from orgscan.services.elb.facts import Action, Listener, LoadBalancer, TlsPolicy

LISTENER_SECURITY = "trusted-advisor:a2sEc6ILx"
HTTPS_PORT = "443"
PROTOCOL = re.compile(r"TLSv(\d+)(?:\.(\d+))?")
"""'TLSv1' is TLS 1.0. What is named otherwise, SSLv3 or a new name, is older than all of them to us."""

LISTENER = (
    "aws elbv2 describe-listeners --load-balancer-arn {arn} --query 'Listeners[?Port==`{key}`].ListenerArn' "
    "--region {region}"
)
"""A command that tells the ARN of the finding's listener."""


@check(
    LoadBalancer,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Let the listener redirect to HTTPS, and move its rules to the HTTPS listener.",
    also=(SecurityGroup, PrefixList),
    maps=("FSBP ELB.1", "FSBP ELB.18"),
    equivalent=("prowler:elbv2_ssl_listeners", LISTENER_SECURITY),
    cli=(
        LISTENER,
        "aws elbv2 describe-rules --listener-arn '<listener>' --region {region}",
        (
            "aws elbv2 modify-listener --listener-arn '<listener>' --default-actions "
            '\'[{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", '
            '"StatusCode": "HTTP_301"}}]\' --region {region}'
        ),
    ),
    cdk="""
        elasticloadbalancingv2.CfnListener(
            self,
            "Http",
            load_balancer_arn="<load-balancer>",
            port=80,
            protocol="HTTP",
            default_actions=[
                elasticloadbalancingv2.CfnListener.ActionProperty(
                    type="redirect",
                    redirect_config=elasticloadbalancingv2.CfnListener.RedirectConfigProperty(
                        protocol="HTTPS", port="443", status_code="HTTP_301"
                    ),
                )
            ],
        )
    """,
)
def elbv2_listener_http_not_redirected(balancer: LoadBalancer, view: View) -> Problems:
    """An HTTP listener of an application load balancer serves requests instead of redirecting to HTTPS.

    Everybody on the way can read and change what is sent. Its rules count as well when they forward; answers
    that are fixed pass. Low inside of the VPC, informational where only CloudFront can reach the listener.
    """
    if balancer.type != "application":
        return
    unread = None
    for listener in known(balancer.listeners) or ():
        if listener.protocol != "HTTP":
            continue
        key = str(listener.port)
        try:
            for fault in _in_the_clear(listener):
                severity = Severity.LOW if balancer.internal else None
                problem = Problem(f"port {key} {fault}", severity=severity, key=key)
                yield from _lighter(problem, balancer, listener, view)
        except Unread as lost:
            unread = lost
    if unread:
        raise unread


def _in_the_clear(listener: Listener) -> Iterator[str]:
    for action in listener.actions:
        if not _harmless(action):
            where = f" to {action.protocol}" if action.type == "redirect" else ""
            yield f"answers HTTP: its default action is {action.type}{where}"
            return
    rules = known(listener.forwarding)
    if rules:
        yield f"answers HTTP: rules that forward: {', '.join(rules)}"


def _harmless(action: Action) -> bool:
    if action.type == "redirect":
        kept = action.protocol == "#{protocol}" and action.port == HTTPS_PORT
        return action.protocol == "HTTPS" or kept
    return action.type == "fixed-response"


def _lighter(problem: Problem, balancer: LoadBalancer, listener: Listener, view: View) -> Iterator[Problem]:
    """The problem, weighed by who can reach the listener; at full weight, and Unread, if nobody can tell."""
    try:
        behind = _only_aws_lists(balancer, listener, view)
    except Unread:
        yield problem
        raise
    if behind:
        text = f"{problem.text}; only AWS's own prefix lists (CloudFront) reach it"
        yield Problem(text, severity=Severity.INFORMATIONAL, key=problem.key)
    else:
        yield problem


def _only_aws_lists(balancer: LoadBalancer, listener: Listener, view: View) -> bool:
    """Whether all that its security groups let in to the port are prefix lists of AWS."""
    groups = [view.related(SecurityGroup, "id", each) for each in balancer.security_groups]
    if not groups or not all(groups):
        return False
    rules = [rule for found in groups for rule in found[0].ingress if rule.covers(listener.port)]
    lists = {each for rule in rules for each in rule.prefix_lists}
    if any(rule.cidrs or not rule.prefix_lists for rule in rules) or not lists:
        return False
    # AWS's own are those whose addresses nobody needs to read; one shared from elsewhere may be unseen.
    seen = [view.related(PrefixList, "id", each) for each in lists]
    return all(found and known(found[0].cidrs) is None for found in seen)


@check(
    LoadBalancer,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Select a policy of TLS 1.2 and 1.3 with forward secrecy: ELBSecurityPolicy-TLS13-1-2-Res-2021-06.",
    also=(TlsPolicy,),
    refs=("https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html",),
    maps=("FSBP ELB.17",),
    equivalent=("prowler:elbv2_insecure_ssl_ciphers", LISTENER_SECURITY),
    cli=(
        LISTENER,
        (
            "aws elbv2 modify-listener --listener-arn '<listener>' --ssl-policy "
            "ELBSecurityPolicy-TLS13-1-2-Res-2021-06 --region {region}"
        ),
    ),
    cdk="""
        elasticloadbalancingv2.CfnListener(
            self,
            "Https",
            load_balancer_arn="<load-balancer>",
            port=443,
            protocol="HTTPS",
            ssl_policy="ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
            certificates=[
                elasticloadbalancingv2.CfnListener.CertificateProperty(certificate_arn="<certificate>")
            ],
            default_actions=[
                elasticloadbalancingv2.CfnListener.ActionProperty(
                    type="forward", target_group_arn="<target-group>"
                )
            ],
        )
    """,
)
def elbv2_listener_weak_tls_policy(
    balancer: LoadBalancer,
    view: View,
    *,
    min_tls: str = "1.2",
    weak_ciphers: Sequence[str] = ("AES???-SHA*", "*DES-CBC*", "*3DES*", "*RC4*"),
) -> Problems:
    """A TLS listener accepts protocols below TLS 1.2, or weak ciphers.

    What a security policy accepts is asked of AWS, so that its name does not matter. `weak_ciphers` are globs
    over OpenSSL's names: RC4, 3DES, and AES in CBC mode without forward secrecy.
    """
    unread = None
    for listener in known(balancer.listeners) or ():
        if listener.tls_policy is None:
            continue
        seen = view.related(TlsPolicy, "name", listener.tls_policy)
        if not seen:
            detail = f"AWS does not describe security policy {listener.tls_policy}"
            unread = Unread(Gap("elbv2-listener-weak-tls-policy", Blindness.NO_DATA, detail))
            continue
        (policy,) = seen
        weak = [
            *(each for each in policy.protocols if _version(each) < _version(f"TLSv{min_tls}")),
            *(each for each in policy.ciphers if any(fnmatchcase(each, glob) for glob in weak_ciphers)),
        ]
        if weak:
            text = f"port {listener.port} accepts {', '.join(weak)} (policy {policy.name})"
            yield Problem(text, key=str(listener.port))
    if unread:
        raise unread


def _version(protocol: str) -> tuple[int, int]:
    named = PROTOCOL.fullmatch(protocol)
    return (int(named[1]), int(named[2] or 0)) if named else (0, 0)
