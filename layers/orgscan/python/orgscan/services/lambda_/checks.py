"""What we expect of Lambda."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from fnmatch import fnmatchcase

from orgscan import prices
from orgscan.check import Problem, Problems, View, check
from orgscan.model import Blindness, Category, Gap, Metric, Money, Severity, TagRecord, Unread, known
from orgscan.policy import Opening, Policy, Statement
from orgscan.services.lambda_.facts import Function, Lifecycle, Url, runtimes

AT_DEPLOYMENT = " (runs only at deployments)"
MANAGED = ("aws-controltower", "StackSet-AWSControlTower")
"""How the functions begin that Control Tower deploys and only Control Tower can update."""
HANDLERS = (
    "*CustomResource*",
    "*custom-resource*",
    "*CustomCDK*",
    "*CustomS3*",
    "*-LogRetention*",
    "*framework-onEvent*",
    "*AWS679f53fac002430cb0da5b7982bd22872*",
)
"""How handlers of custom resources are named, by CDK (the last is its AwsCustomResource) and by habit."""
DAY = 86400
MONTH_SECONDS = 2_628_000
ARM_SHARE = 0.8
"""What a second of memory costs on arm64, to that on x86."""
LONGEST = 900
"""Seconds that a function may run at most."""
MILLISECONDS = 1000
OPEN, SIGNED = "NONE", "AWS_IAM"
"""Who may call a function URL: anyone, or whoever signs the request and is allowed to."""
INVOKE_URL = "lambda:InvokeFunctionUrl"
URL_AUTH, VIA_URL = "lambda:functionurlauthtype", "lambda:invokedviafunctionurl"


@check(
    Function,
    severity=Severity.MEDIUM,
    category=Category.SECURITY,
    fix="Move the function to the successor of its runtime.",
    refs=("https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",),
    maps=("FSBP Lambda.2",),
    equivalent=("prowler:awslambda_function_using_supported_runtimes", "trusted-advisor:L4dfs2Q4C5"),
    cli=(
        (
            "aws lambda update-function-configuration --function-name={name} --runtime '<successor>' "
            "--region {region}"
        ),
    ),
    cdk="""
        lambda_.CfnFunction(
            self,
            "Function",
            role="<role-arn>",
            code=lambda_.CfnFunction.CodeProperty(s3_bucket="<bucket>", s3_key="<key>"),
            handler="<handler>",
            runtime="<successor>",
        )
    """,
)
def lambda_function_runtime_deprecated(function: Function, view: View, *, warn_days: int = 180) -> Problems:
    """The function uses a runtime that is deprecated or will be soon.

    A deprecated runtime gets no security patches: medium, or high once AWS blocks updates of the function.
    Within `warn_days` of deprecation it is low; a runtime missing in our table is informational.
    """
    if function.runtime is None:
        return
    table = runtimes()
    lifecycle = table.lifecycles.get(function.runtime)
    if lifecycle is None:
        text = f"runtime {function.runtime} is not in our table of {table.as_of}"
        yield Problem(text, severity=Severity.INFORMATIONAL)
        return
    stage = _stage(lifecycle, view.now.date(), timedelta(days=warn_days))
    if stage:
        severity, text = stage
        successor = f"; its successor is {lifecycle.successor}" if lifecycle.successor else ""
        managed = " (deployed by Control Tower)" if function.name.startswith(MANAGED) else ""
        yield Problem(f"runtime {function.runtime} {text}{successor}{managed}", severity=severity)


@check(
    Function,
    severity=Severity.LOW,
    category=Category.COST,
    fix="Delete the function, with its log group and its role.",
    also=(TagRecord,),
    measures=(Metric("AWS/Lambda", "Invocations", "Sum", DAY),),
    cli=(
        (
            "aws lambda put-function-concurrency --function-name={name} "
            "--reserved-concurrent-executions 0 --region {region}"
        ),
        (
            "aws lambda get-function --function-name={name} --query '[Code.Location, "
            "Configuration.Role]' --region {region}"
        ),
        "aws lambda delete-function --function-name={name} --region {region}",
        "aws logs delete-log-group --log-group-name /aws/lambda/{name} --region {region}",
        "aws iam delete-role --role-name '<role-that-nothing-else-uses>' --region {region}",
    ),
)
def lambda_function_unused(
    function: Function,
    view: View,
    *,
    window_days: int = 30,
    low_usage_per_month: int = 100,
    deploy_patterns: Sequence[str] = HANDLERS,
) -> Problems:
    """The function was not invoked for weeks.

    Its code grows old, and its role and triggers stay open. High where concurrency is provisioned, which is
    billed all the time. Informational: fewer calls than `low_usage_per_month`, what Control Tower deployed,
    replicas of Lambda@Edge, and what only a deployment calls: `deploy_patterns` are globs over the name, or,
    with an equals sign, over tags. What was changed within the window is not judged.
    """
    if function.modified > view.now - timedelta(days=window_days):
        return
    (invocations,) = view.measure(function, days=window_days)
    calls = int(sum(invocations.values))
    if calls:
        if calls * 30 < low_usage_per_month * window_days:
            text = f"{calls:,} invocations in {window_days} days"
            yield Problem(text, severity=Severity.INFORMATIONAL)
        return
    text = f"no invocations in {window_days} days"
    ready = known(function.provisioned) or 0
    if ready:
        text = f"{text}, with {ready:,} provisioned executions"
        yield Problem(text, severity=Severity.HIGH, saving=_kept_ready(function, view, ready))
        return
    excuse = _excuse(function, view, deploy_patterns)
    yield Problem(text + excuse, severity=Severity.INFORMATIONAL if excuse else Severity.LOW)


def _kept_ready(function: Function, view: View, executions: int) -> Money | None:
    gib = executions * function.memory_mib / 1024 * (ARM_SHARE if function.arm else 1)
    return prices.monthly(view.target, "lambda.pc_gb_second", gib * MONTH_SECONDS)


def _excuse(function: Function, view: View, deploy_patterns: Sequence[str]) -> str:
    if function.name.startswith(MANAGED):
        return " (deployed by Control Tower)"
    if function.replica:
        return " (a replica of Lambda@Edge)"
    names = [pattern for pattern in deploy_patterns if "=" not in pattern]
    if any(fnmatchcase(function.name, pattern) for pattern in names):
        return AT_DEPLOYMENT
    of_tags = [pattern for pattern in deploy_patterns if "=" in pattern]
    tags = [f"{key}={value}" for key, value in view.tags(function).items()] if of_tags else []
    return AT_DEPLOYMENT if any(fnmatchcase(tag, pattern) for tag in tags for pattern in of_tags) else ""


@check(
    Function,
    severity=Severity.MEDIUM,
    category=Category.RELIABILITY,
    fix="Increase the timeout, or split the work.",
    measures=(Metric("AWS/Lambda", "Duration", "Maximum", DAY),),
    cli=(
        (
            "aws lambda update-function-configuration --function-name={name} --timeout '<seconds>' "
            "--region {region}"
        ),
    ),
    cdk="""
        lambda_.CfnFunction(
            self,
            "Function",
            role="<role-arn>",
            code=lambda_.CfnFunction.CodeProperty(s3_bucket="<bucket>", s3_key="<key>"),
            handler="<handler>",
            runtime="<runtime>",
            timeout="<seconds>",
        )
    """,
)
def lambda_function_timeout_near_limit(
    function: Function, view: View, *, window_days: int = 14, share: float = 0.9
) -> Problems:
    """The function's longest runs come close to its timeout.

    A little more data or a slower neighbour, and it is stopped in the middle of its work. At the 900 seconds
    that Lambda allows at most, only another design helps. A function that never ran has no duration.
    """
    (durations,) = view.measure(function, days=window_days)
    longest = max(durations.values, default=0.0) / MILLISECONDS
    if not durations.values or longest < share * function.timeout:
        return
    text = f"the longest run of {window_days} days took {longest:,.1f} of {function.timeout} seconds"
    if function.timeout >= LONGEST:
        text += ", the most that Lambda allows: consider Step Functions, durable functions or ECS"
    yield text


@check(
    Function,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Read the secret at run time from Secrets Manager or Parameter Store, and change it.",
    equivalent=("prowler:awslambda_function_no_secrets_in_variables",),
    cli=(
        (
            "aws secretsmanager create-secret --name '<secret-name>' --secret-string "
            "'file://<file-with-the-new-secret>' --region {region}"
        ),
        (
            "aws lambda update-function-configuration --function-name={name} --environment "
            "'file://<environment-without-the-secret>' --region {region}"
        ),
    ),
    cdk="""
        secret = secretsmanager.CfnSecret(
            self,
            "Secret",
            generate_secret_string=secretsmanager.CfnSecret.GenerateSecretStringProperty(password_length=32),
        )
        lambda_.CfnFunction(
            self,
            "Function",
            role="<role-arn>",
            code=lambda_.CfnFunction.CodeProperty(s3_bucket="<bucket>", s3_key="<key>"),
            handler="<handler>",
            runtime="<runtime>",
            environment=lambda_.CfnFunction.EnvironmentProperty(variables={"SECRET": secret.ref}),
        )
    """,
)
def lambda_function_env_secret(function: Function) -> Problems:
    """An environment variable holds a credential in clear text.

    Whoever may read the function's configuration reads it, and every version of the function keeps it. Only
    rule, variable and a salted digest of the value are kept. Names of secrets, ARNs and placeholders pass.
    """
    for secret in known(function.secrets):
        yield f"{secret.location}: looks like a secret ({secret.rule}, sha256 {secret.digest})"


@check(
    Function,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    fix="Remove the statement, or name the callers it is meant for (aws:SourceArn, aws:PrincipalOrgID).",
    maps=("FSBP Lambda.1",),
    equivalent=("prowler:awslambda_function_not_publicly_accessible",),
    cli=(
        "aws lambda get-policy --function-name={name} --query Policy --output text --region {region}",
        (
            "aws lambda add-permission --function-name={name} --statement-id '<new-statement-id>' "
            "--action lambda:InvokeFunction --principal '<service-or-account>' --source-arn "
            "'<arn-of-the-caller>' --region {region}"
        ),
        (
            "aws lambda remove-permission --function-name={name} --statement-id '<statement-id>' "
            "--region {region}"
        ),
    ),
    cdk="""
        lambda_.CfnPermission(
            self,
            "Caller",
            function_name="<function-name>",
            action="lambda:InvokeFunction",
            principal="<service>",
            source_account="<account-of-the-caller>",
            source_arn="<arn-of-the-caller>",
        )
    """,
)
def lambda_function_policy_public(function: Function) -> Problems:
    """The function's resource policy lets anyone invoke or change it.

    Medium where a service is let in without aws:SourceArn or aws:SourceAccount: it then acts for whoever asks
    it (confused deputy). What only opens function URLs is left to lambda-function-url-public.
    """
    policy = known(function.policy)
    if policy is None:
        return
    direct = Policy(tuple(each for each in policy.statements if not _only_by_url(each)))
    for opening in direct.openings():
        yield f"everyone is allowed {', '.join(opening.actions)}{_where(opening)}"
    for grant in policy.services():
        if not grant.bound:
            text = f"{grant.service} is allowed {', '.join(grant.actions)} on behalf of any account"
            yield Problem(text, severity=Severity.MEDIUM)


def _only_by_url(statement: Statement) -> bool:
    """Whether an Allow holds for requests to a function URL alone; who may make those is asked elsewhere."""
    return statement.allows and any(
        not each.optional
        and (
            (each.key == URL_AUTH and each.operator in ("stringequals", "stringlike"))
            or (
                each.key == VIA_URL and each.operator == "bool" and "false" not in map(str.lower, each.values)
            )
        )
        for each in statement.conditions
    )


def _where(opening: Opening) -> str:
    """What helps to find the statement, in parentheses."""
    told = [f"statement {opening.sid}"] if opening.sid else []
    told += [f"not narrowed by {opening.narrowed}"] if opening.narrowed else []
    return f" ({', '.join(told)})" if told else ""


@check(
    Function,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Let the URL ask for signed requests (AWS_IAM); CloudFront with origin access control can sign them.",
    equivalent=("prowler:awslambda_function_url_public", "prowler:awslambda_function_url_cors_policy"),
    cli=(
        (
            "aws lambda update-function-url-config --function-name={name} --qualifier={key} "
            "--auth-type AWS_IAM --region {region}"
        ),
    ),
    cdk="""
        lambda_.CfnUrl(self, "Url", target_function_arn="<function-arn>", auth_type="AWS_IAM")
    """,
)
def lambda_function_url_public(function: Function) -> Problems:
    """A function URL needs no authentication.

    Anyone on the internet can call the function, as often as they like, and you pay. Low where its policy
    lets nobody in without a signature: the URL answers Forbidden, until somebody changes the policy.
    """
    urls = known(function.urls)
    for url in sorted(urls or (), key=_cannot_be_told):
        yield from _judge_url(url)


def _cannot_be_told(url: Url) -> bool:
    return isinstance(url.policy, Gap) or url.auth not in (OPEN, SIGNED)


def _judge_url(url: Url) -> Iterator[Problem]:
    if url.auth == SIGNED:
        return
    name = f"the URL of alias {url.alias}" if url.alias else "the URL"
    if url.auth != OPEN:
        raise Unread(Gap("lambda-function-url-public", Blindness.FAULT, f"unknown AuthType {url.auth}"))
    policy = known(url.policy)
    cors = ", and browsers may call it with credentials from any web page" if url.any_origin else ""
    if policy and any(opening.includes(INVOKE_URL) for opening in policy.openings()):
        yield Problem(f"{name} needs no authentication{cors}", key=url.alias)
    else:
        text = f"{name} needs no authentication, but the policy lets nobody in"
        yield Problem(text + cors, severity=Severity.LOW, key=url.alias)


def _stage(lifecycle: Lifecycle, today: date, warning: timedelta) -> tuple[Severity, str] | None:
    deprecated, update_blocked = lifecycle.deprecated, lifecycle.update_blocked
    if deprecated is None or deprecated > today + warning:
        return None
    if deprecated > today:
        return Severity.LOW, f"will be deprecated on {deprecated}"
    if update_blocked and update_blocked <= today:
        return (
            Severity.HIGH,
            f"is deprecated since {deprecated} and updates are blocked since {update_blocked}",
        )
    return Severity.MEDIUM, f"is deprecated since {deprecated}"
