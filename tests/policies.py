"""Policies as they are found: from AWS's documentation, from known incidents, and with what goes wrong.

Every sample states all that the library says of it; what is left out is 'nothing'.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from orgscan.policy import Federation, Grant, Opening, escalations, parse

Document = Mapping[str, Any]
OWN, OTHER, VENDOR = "111122223333", "444455556666", "777788889999"
BUCKET = "arn:aws:s3:::b"
OBJECTS = f"{BUCKET}/*"
ROOT = f"arn:aws:iam::{OWN}:root"
GITHUB = "token.actions.githubusercontent.com"
EVERYONE = "*"


@dataclass(frozen=True, kw_only=True)
class Sample:
    name: str
    document: Document
    open: tuple[str, ...] = ()
    """'s3:GetObject, s3:PutObject', then in parentheses the keys that do not narrow it."""
    trusts: tuple[str, ...] = ()
    """The same of a trust policy, with ' + external id'."""
    external: tuple[str, ...] = ()
    """The account, then what else is asked for: 'id', 'org', 'source', 'mfa'."""
    services: tuple[str, ...] = ()
    """The service, with ' bound' if it is."""
    federated: tuple[str, ...] = ()
    """Host (or 'saml') and subject, with ' aud' if one is asked for."""
    deleted: tuple[str, ...] = ()
    admin: str = ""
    """'yes', 'lowered' or ''."""
    paths: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    secure: bool = False
    """Whether plain HTTP to the bucket 'b' is denied."""


def policy(*statements: Mapping[str, Any]) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def says(effect: str, action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def allow(action: Any = "s3:GetObject", resource: Any = OBJECTS, **more: Any) -> dict[str, Any]:
    return says("Allow", action, resource, **more)


def deny(action: Any = "s3:*", resource: Any = (BUCKET, OBJECTS), **more: Any) -> dict[str, Any]:
    return says("Deny", action, resource, **more)


def anyone(condition: Any = None, action: Any = "s3:GetObject", resource: Any = OBJECTS) -> dict[str, Any]:
    return allow(action, resource, Principal=EVERYONE, **({"Condition": condition} if condition else {}))


def nobody(condition: Any = None, action: Any = "s3:*", resource: Any = (BUCKET, OBJECTS)) -> dict[str, Any]:
    return deny(action, resource, Principal=EVERYONE, **({"Condition": condition} if condition else {}))


def trust(principal: Any, condition: Any = None, action: Any = "sts:AssumeRole") -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    return statement | ({"Condition": condition} if condition else {})


def conditioned(operator: str, key: str, value: Any) -> Document:
    """Everyone, under one condition."""
    return policy(anyone({operator: {key: value}}))


READ = "s3:GetObject"
NARROWED: tuple[tuple[str, str, Any], ...] = (
    ("StringEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
    ("StringEquals", "AWS:PRINCIPALORGID", ["o-a1b2c3d4e5", "o-b1b2c3d4e5"]),
    ("stringequals", "aws:PrincipalAccount", OWN),
    ("StringEqualsIgnoreCase", "aws:SourceVpc", "vpc-1"),
    ("StringEquals", "aws:SourceVpce", ["vpce-1", "vpce-2"]),
    ("StringLike", "aws:PrincipalOrgPaths", "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*"),
    ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", ["o-a1b2c3d4e5/*"]),
    ("StringEquals", "aws:SourceAccount", OWN),
    ("StringEquals", "aws:SourceOwner", OWN),
    ("StringEquals", "aws:SourceOrgID", "o-a1b2c3d4e5"),
    ("StringEquals", "kms:CallerAccount", OWN),
    ("StringEquals", "lambda:FunctionUrlAuthType", "AWS_IAM"),
    ("StringEquals", "aws:userid", "AROAEXAMPLEEXAMPLE1:session"),
    ("StringLike", "aws:userid", "AROAEXAMPLEEXAMPLE1:*"),
    ("StringEquals", "s3:DataAccessPointAccount", OWN),
    ("ArnLike", "s3:DataAccessPointArn", f"arn:aws:s3:eu-west-1:{OWN}:accesspoint/*"),
    ("ArnEquals", "aws:PrincipalArn", f"arn:aws:iam::{OWN}:role/app"),
    ("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{OWN}:role/*"),
    ("StringLike", "aws:PrincipalArn", f"arn:*:iam::{OWN}:*"),
    ("ArnLike", "aws:SourceArn", f"arn:aws:sns:*:{OWN}:*"),
    ("ArnLike", "aws:SourceArn", "arn:aws:s3:::mine"),
    ("ArnLike", "aws:SourceArn", "arn:aws:s3:*:*:mine"),
    ("StringEquals", "aws:SourceArn", "arn:aws:apigateway:eu-west-1::/restapis/a1"),
    ("StringEquals", "aws:PrincipalOrgID", "${aws:ResourceOrgID}"),
    ("StringEquals", "aws:PrincipalAccount", "${aws:ResourceAccount}"),
    ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::${aws:ResourceAccount}:role/*"),
    ("IpAddress", "aws:SourceIp", "203.0.113.0/24"),
    ("IpAddress", "aws:SourceIp", ["203.0.113.7", "2001:db8::/32"]),
    ("IpAddress", "aws:SourceIp", ["0.0.0.0/1"]),
    ("IpAddress", "aws:SourceIp", "10.0.0.0/8"),
)
"""Conditions that take everyone back to somebody."""
NOT_NARROWED: tuple[tuple[str, str, Any], ...] = (
    ("StringEqualsIfExists", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
    ("ForAllValues:StringEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
    ("StringNotEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
    ("StringLike", "aws:PrincipalOrgID", "o-*"),
    ("StringEquals", "aws:PrincipalOrgID", "*"),
    ("StringEquals", "aws:PrincipalOrgID", ["o-a1b2c3d4e5", "*"]),
    ("StringEquals", "aws:PrincipalOrgID", []),
    ("StringEquals", "aws:PrincipalOrgID", ""),
    ("StringLike", "aws:PrincipalOrgPaths", "*/ou-ab12-11111111/*"),
    ("StringLike", "aws:PrincipalAccount", "1111*"),
    ("StringLike", "aws:PrincipalAccount", "????????????"),
    ("StringEquals", "aws:PrincipalAccount", "${aws:PrincipalAccount}"),
    ("StringLike", "aws:PrincipalArn", "**"),
    ("ArnLike", "aws:PrincipalArn", "arn:aws:*:*"),
    ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/OrganizationAccountAccessRole"),
    ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::${aws:PrincipalAccount}:role/app"),
    ("ArnLike", "aws:PrincipalArn", [f"arn:aws:iam::{OWN}:role/app", "arn:aws:iam::*:root"]),
    ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:*:*"),
    ("ArnLike", "aws:SourceArn", "arn:aws:sns:eu-west-1:*:alerts"),
    ("ArnLike", "aws:SourceArn", "arn:aws:s3:::*"),
    ("ArnLike", "aws:SourceArn", "arn:aws:s3:::mine*"),
    ("ArnLike", "aws:SourceArn", "arn:aws:s3:*:*:*/mine"),
    ("ArnLike", "aws:SourceArn", "arn:aws:s3:*:*:accesspoint/mine"),
    ("ArnLike", "s3:DataAccessPointArn", "arn:aws:s3:*:*:accesspoint/*"),
    ("ArnNotEquals", "aws:PrincipalArn", f"arn:aws:iam::{OWN}:role/app"),
    ("StringLike", "aws:SourceVpce", "vpce-*"),
    ("StringLike", "aws:userid", "*:session"),
    ("IpAddress", "aws:SourceIp", "0.0.0.0/0"),
    ("IpAddress", "aws:SourceIp", ["203.0.113.0/24", "::/0"]),
    ("IpAddress", "aws:SourceIp", ["0.0.0.0/1", "128.0.0.0/1"]),
    ("IpAddress", "aws:SourceIp", "2000::/3"),
    ("IpAddress", "aws:SourceIp", "*"),
    ("IpAddress", "aws:SourceIp", []),
    ("NotIpAddress", "aws:SourceIp", "203.0.113.0/24"),
    ("IpAddressIfExists", "aws:SourceIp", "203.0.113.0/24"),
    ("Bool", "aws:SecureTransport", True),
    ("Bool", "aws:PrincipalIsAWSService", "true"),
    ("Null", "aws:PrincipalOrgID", "false"),
    ("StringEquals", "lambda:FunctionUrlAuthType", "NONE"),
    ("StringEquals", "lambda:FunctionUrlAuthType", ["AWS_IAM", "NONE"]),
    ("StringEquals", "kms:ViaService", "s3.eu-west-1.amazonaws.com"),
    ("StringEquals", "sns:Protocol", "https"),
    ("StringLike", "sns:Endpoint", "*@example.com"),
    ("StringLike", "aws:Referer", "https://www.example.com/*"),
    ("StringEquals", "sts:ExternalId", "a1"),
    ("StringEquals", "aws:PrincipalTag/team", "red"),
    ("NumericLessThan", "s3:max-keys", 10),
    ("DateLessThan", "aws:CurrentTime", "2030-01-01T00:00:00Z"),
    ("StringSimilar", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
)
"""Conditions that do not."""

ORG = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
OUTSIDE = {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
PERIMETER = {**OUTSIDE, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}
HTTP = {"Bool": {"aws:SecureTransport": "false"}}
OUR_ROLE = f"arn:aws:iam::{OWN}:role/app"
THEIRS = {"AWS": f"arn:aws:iam::{OTHER}:root"}


def _sample(name: str, *statements: Mapping[str, Any], **answers: Any) -> Sample:
    return Sample(name=name, document=policy(*statements), **answers)


RESOURCES = (
    *(
        Sample(name=f"narrowed by {operator} {key} {value}", document=conditioned(operator, key, value))
        for operator, key, value in NARROWED
    ),
    *(
        Sample(
            name=f"not narrowed by {operator} {key} {value}",
            document=conditioned(operator, key, value),
            open=(f"{READ} ({key}){' + external id' * (key == 'sts:ExternalId')}",),
        )
        for operator, key, value in NOT_NARROWED
    ),
    # Principals
    _sample("a website", anyone(), open=(READ,)),
    _sample("everyone of AWS", allow(Principal={"AWS": "*"}), open=(READ,)),
    _sample("everyone in a list", allow(Principal={"AWS": [ROOT, "*"]}), open=(READ,)),
    _sample("everyone, oddly written", allow(Principal={"aws": ["**"]}), open=(READ,)),
    _sample("every account's root", allow(Principal={"AWS": "arn:aws:iam::*:root"}), open=(READ,)),
    _sample("every service", allow(Principal={"Service": "*"}), open=(READ,), services=("*",)),
    _sample("all but one", allow(NotPrincipal={"AWS": ROOT}), open=(READ,)),
    _sample("all but one, of the organization", allow(NotPrincipal={"AWS": ROOT}, Condition=ORG)),
    _sample("nobody", allow(Principal={"AWS": []})),
    _sample("ourselves", allow(Principal={"AWS": OWN})),
    _sample("all of ours", allow(Principal={"AWS": f"arn:aws:iam::{OWN}:*"})),
    _sample("an identity's", allow()),
    # Actions
    Sample(
        name="all but some actions",
        document=policy({"Effect": "Allow", "Principal": "*", "NotAction": "s3:Put*", "Resource": OBJECTS}),
        open=("*",),
    ),
    _sample("two actions", anyone(action=[READ, "s3:PutObject"]), open=(f"{READ}, s3:PutObject",)),
    _sample("two statements", anyone(), anyone(action="s3:List*", resource=BUCKET), open=(READ, "s3:List*")),
    # Denies
    _sample("denied again", anyone(), nobody(), secure=True),
    _sample("denied in other case", anyone(action="S3:getobject"), nobody(action="s3:GetObject")),
    _sample(
        "one of two denied",
        anyone(action=[READ, "s3:PutObject"]),
        nobody(action="s3:Put*"),
        open=(READ,),
    ),
    _sample("another action denied", anyone(), nobody(action="s3:PutObject"), open=(READ,)),
    _sample("a folder denied", anyone(), nobody(resource=f"{BUCKET}/secret/*"), open=(READ,)),
    _sample(
        "one of two resources denied",
        anyone(action="s3:*", resource=[BUCKET, OBJECTS]),
        nobody(resource=BUCKET),
        open=("s3:*",),
    ),
    _sample(
        "denied by two",
        anyone(action="s3:*", resource=[BUCKET, OBJECTS]),
        nobody(resource=BUCKET),
        nobody(resource=OBJECTS),
        secure=True,
    ),
    _sample("denied to another", anyone(), deny(Principal=THEIRS), open=(READ,)),
    _sample("denied to all but ours", anyone(), deny(NotPrincipal={"AWS": OUR_ROLE})),
    _sample("denied to all but theirs", anyone(), deny(NotPrincipal=THEIRS), external=(OTHER,)),
    _sample(
        "something else denied to all but theirs",
        anyone(),
        deny("s3:Put*", NotPrincipal=THEIRS),
        open=(READ,),
    ),
    _sample(
        "denied to all but theirs, and to all but ours",
        anyone(),
        deny(NotPrincipal=THEIRS),
        deny(NotPrincipal={"AWS": OUR_ROLE}),
    ),
    _sample(
        "their account, denied to all but ours", allow(Principal=THEIRS), deny(NotPrincipal={"AWS": OUR_ROLE})
    ),
    _sample(
        "their account, denied to all but all",
        allow(Principal=THEIRS),
        deny(NotPrincipal={"AWS": "*"}),
        external=(OTHER,),
    ),
    _sample(
        "their account, denied to all but a role of it",
        allow(Principal=THEIRS),
        deny(NotPrincipal={"AWS": f"arn:aws:iam::{OTHER}:role/r"}),
        external=(OTHER,),
    ),
    _sample(
        "their account, denied on another resource",
        allow(Principal=THEIRS),
        nobody(resource=BUCKET),
        external=(OTHER,),
    ),
    _sample("their account, named twice", allow(Principal={"AWS": [OTHER, OTHER]}), external=(OTHER,)),
    _sample(
        "their account, denied but to services",
        allow(Principal=THEIRS),
        nobody({"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}),
        external=(OTHER,),
    ),
    _sample("denied everything oddly", anyone(action="*"), nobody(action="*:*", resource="*"), secure=True),
    _sample("HTTP of old TLS denied", nobody({**HTTP, "NumericLessThan": {"s3:TlsVersion": "1.2"}})),
    _sample(
        "denied to all but theirs, and to them", anyone(), deny(NotPrincipal=THEIRS), nobody(), secure=True
    ),
    _sample(
        "denied outside another account",
        anyone(),
        nobody({"StringNotEquals": {"aws:PrincipalAccount": [OWN, OTHER]}}),
        external=(OTHER,),
    ),
    _sample("denied to all but all", anyone(), deny(NotPrincipal={"AWS": "*"}), open=(READ,)),
    _sample("denied over HTTP", anyone(), nobody(HTTP), open=(READ,), secure=True),
    _sample("denied outside the organization", anyone(), nobody(OUTSIDE)),
    _sample("a perimeter that spares services", anyone(), nobody(PERIMETER), open=(READ,)),
    _sample(
        "denied outside an endpoint, but for one role",
        anyone(),
        nobody(
            {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}, "ArnNotLike": {"aws:PrincipalArn": OUR_ROLE}}
        ),
    ),
    _sample(
        "denied outside of everywhere",
        anyone(),
        nobody({"NotIpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
        open=(READ,),
    ),
    _sample(
        "denied outside paths",
        anyone(),
        nobody({"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*"}}),
    ),
    _sample(
        "denied outside paths, if there are any",
        anyone(),
        nobody({"ForAnyValue:StringNotLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*"}}),
        open=(READ,),
    ),
    _sample("denied inside", anyone(), nobody({"StringEquals": {"aws:SourceVpc": "vpc-1"}}), open=(READ,)),
    Sample(
        name="a Deny of all but some",
        document=policy(
            anyone(), {"Effect": "Deny", "Principal": "*", "NotAction": "s3:List*", "Resource": "*"}
        ),
    ),
    Sample(
        name="an Allow of all but what a Deny spares",
        document=policy(
            {"Effect": "Allow", "Principal": "*", "NotAction": "s3:List*", "Resource": "*"},
            {"Effect": "Deny", "Principal": "*", "NotAction": "s3:ListBucket", "Resource": "*"},
        ),
    ),
    Sample(
        name="an Allow of more than a Deny spares",
        document=policy(
            {"Effect": "Allow", "Principal": "*", "NotAction": "s3:List*", "Resource": "*"},
            {"Effect": "Deny", "Principal": "*", "NotAction": "s3:Get*", "Resource": "*"},
        ),
        open=("*",),
    ),
    Sample(
        name="all but one object",
        document=policy(
            {"Effect": "Allow", "Principal": "*", "Action": READ, "NotResource": f"{BUCKET}/secret"}, nobody()
        ),
        open=(READ,),
        secure=True,
    ),
    # Several conditions
    _sample(
        "two conditions, one of them narrow",
        anyone({"Bool": {"aws:SecureTransport": "true"}, **ORG}),
    ),
    _sample(
        "an optional key that must be there",
        anyone(
            {
                "StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
                "Null": {"aws:principalorgid": False},
            }
        ),
    ),
    _sample(
        "an optional key that must be absent",
        anyone(
            {
                "StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
                "Null": {"aws:principalorgid": True},
            }
        ),
        open=(f"{READ} (aws:PrincipalOrgID, aws:principalorgid)",),
    ),
    # Of services
    _sample(
        "CloudTrail's bucket",
        allow("s3:GetBucketAcl", BUCKET, Principal={"Service": "cloudtrail.amazonaws.com"}),
        allow(
            "s3:PutObject",
            f"{BUCKET}/AWSLogs/{OWN}/*",
            Principal={"Service": "cloudtrail.amazonaws.com"},
            Condition={
                "StringEquals": {
                    "s3:x-amz-acl": "bucket-owner-full-control",
                    "aws:SourceArn": f"arn:aws:cloudtrail:eu-west-1:{OWN}:trail/t",
                }
            },
        ),
        services=("cloudtrail.amazonaws.com", "cloudtrail.amazonaws.com bound"),
    ),
    _sample(
        "CloudFront with origin access control",
        allow(
            Principal={"Service": "cloudfront.amazonaws.com"},
            Condition={"StringEquals": {"AWS:SourceArn": f"arn:aws:cloudfront::{OWN}:distribution/E1"}},
        ),
        services=("cloudfront.amazonaws.com bound",),
    ),
    _sample(
        "CloudFront with an origin access identity",
        allow(Principal={"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}),
    ),
    _sample(
        "a load balancer's logs",
        allow("s3:PutObject", Principal={"AWS": "arn:aws:iam::156460612806:root"}),
        external=("156460612806",),
    ),
    _sample(
        "S3's log delivery",
        allow(
            "s3:PutObject",
            Principal={"Service": "logging.s3.amazonaws.com"},
            Condition={"StringEquals": {"aws:SourceAccount": OWN}},
        ),
        services=("logging.s3.amazonaws.com bound",),
    ),
    _sample(
        "SNS as it is made",
        {
            "Sid": "__default_statement_ID",
            **anyone({"StringEquals": {"AWS:SourceOwner": OWN}}, ["SNS:Publish", "SNS:Subscribe"], "t"),
            "Principal": {"AWS": "*"},
        },
    ),
    _sample(
        "SNS of another",
        anyone({"StringEquals": {"AWS:SourceOwner": OTHER}}, "SNS:Publish", "t"),
        external=(f"{OTHER} source",),
    ),
    _sample(
        "SQS from S3",
        allow(
            "sqs:SendMessage",
            "q",
            Principal={"Service": "s3.amazonaws.com"},
            Condition={
                "ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:mine"},
                "StringEquals": {"aws:SourceAccount": OWN},
            },
        ),
        services=("s3.amazonaws.com bound",),
    ),
    _sample(
        "SQS from any S3",
        allow("sqs:SendMessage", "q", Principal={"Service": "s3.amazonaws.com"}),
        services=("s3.amazonaws.com",),
    ),
    _sample(
        "SQS from S3, the old way",
        anyone({"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:mine"}}, "sqs:SendMessage"),
    ),
    _sample("SQS for all", anyone(action="SQS:*", resource="q"), open=("SQS:*",)),
    _sample("KMS as it is made", allow("kms:*", "*", Principal={"AWS": ROOT})),
    _sample(
        "KMS through S3, of the account",
        anyone(
            {"StringEquals": {"kms:CallerAccount": OWN, "kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
            ["kms:Decrypt"],
            "*",
        ),
    ),
    _sample(
        "KMS through S3, of another account",
        anyone({"StringEquals": {"kms:CallerAccount": OTHER}}, ["kms:Decrypt"], "*"),
        external=(OTHER,),
    ),
    _sample(
        "KMS grants for services",
        allow(
            "kms:CreateGrant", "*", Principal=THEIRS, Condition={"Bool": {"kms:GrantIsForAWSResource": True}}
        ),
        external=(OTHER,),
    ),
    Sample(
        name="ECR without resources",
        document={
            "Version": "2008-10-17",
            "Statement": [
                {"Sid": "pull", "Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage"]}
            ],
        },
        open=("ecr:BatchGetImage",),
    ),
    Sample(
        name="ECR of the organization",
        document=policy(
            {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage", "Condition": ORG}
        ),
    ),
    _sample(
        "a function's public URL",
        anyone({"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}, "lambda:InvokeFunctionUrl", "f"),
        anyone({"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}, "lambda:InvokeFunction", "f"),
        open=(
            "lambda:InvokeFunctionUrl (lambda:FunctionUrlAuthType)",
            "lambda:InvokeFunction (lambda:InvokedViaFunctionUrl)",
        ),
    ),
    _sample(
        "a function for any API",
        allow("lambda:InvokeFunction", "f", Principal={"Service": "apigateway.amazonaws.com"}),
        services=("apigateway.amazonaws.com",),
    ),
    _sample(
        "a function for our API",
        allow(
            "lambda:InvokeFunction",
            "f",
            Principal={"Service": "apigateway.amazonaws.com"},
            Condition={"ArnLike": {"AWS:SourceArn": f"arn:aws:execute-api:eu-west-1:{OWN}:a1/*/GET/"}},
        ),
        services=("apigateway.amazonaws.com bound",),
    ),
    _sample(
        "a function for any bucket",
        allow(
            "lambda:InvokeFunction",
            "f",
            Principal={"Service": "s3.amazonaws.com"},
            Condition={"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::*"}},
        ),
        services=("s3.amazonaws.com",),
    ),
    _sample(
        "a function for Alexa",
        allow(
            "lambda:InvokeFunction",
            "f",
            Principal={"Service": "alexa-appkit.amazon.com"},
            Condition={"StringEquals": {"lambda:EventSourceToken": "amzn1.ask.skill.1"}},
        ),
        services=("alexa-appkit.amazon.com bound",),
    ),
    _sample(
        "a secret for another account",
        allow("secretsmanager:GetSecretValue", "*", Principal=THEIRS),
        external=(OTHER,),
    ),
    _sample(
        "a bus for another account",
        allow("events:PutEvents", "*", Principal={"AWS": OTHER}),
        external=(OTHER,),
    ),
    _sample("an endpoint as it is made", anyone(action="*", resource="*"), open=("*",)),
    # Other accounts
    _sample(
        "a shared bucket",
        allow([READ, "s3:PutObject"], Principal={"AWS": [ROOT, f"arn:aws:iam::{OTHER}:root"]}),
        external=(OTHER,),
    ),
    _sample("in China", allow(Principal={"AWS": f"arn:aws-cn:iam::{OTHER}:user/path/x"}), external=(OTHER,)),
    _sample(
        "a session",
        allow(Principal={"AWS": f"arn:aws-us-gov:sts::{OTHER}:assumed-role/r/s"}),
        external=(OTHER,),
    ),
    _sample(
        "two of one account",
        allow(Principal={"AWS": [OTHER, f"arn:aws:iam::{OTHER}:role/r"]}),
        external=(OTHER, OTHER),
    ),
    _sample(
        "another account in the organization",
        allow(Principal=THEIRS, Condition=ORG),
        external=(f"{OTHER} org",),
    ),
    _sample(
        "another account within a perimeter",
        allow(Principal=THEIRS),
        nobody(PERIMETER),
        external=(f"{OTHER} org",),
    ),
    _sample(
        "a perimeter with another way out",
        allow(Principal=THEIRS),
        nobody({**OUTSIDE, "StringNotEquals": {"aws:PrincipalTag/x": "y"}}),
        external=(OTHER,),
    ),
    _sample(
        "a perimeter around something else",
        allow(Principal=THEIRS),
        nobody(PERIMETER, "s3:PutObject"),
        external=(OTHER,),
    ),
    _sample("another account, denied", allow(Principal=THEIRS), nobody(), secure=True),
    _sample(
        "another account's role, its account denied",
        allow(Principal={"AWS": f"arn:aws:iam::{OTHER}:role/r"}),
        deny(Principal=THEIRS),
    ),
    _sample(
        "an account, a user of that name denied",
        allow(Principal={"AWS": OTHER}),
        deny(Principal={"AWS": f"arn:aws:iam::{OWN}:user/{OTHER}"}),
        external=(OTHER,),
    ),
    _sample("an account, denied by number", allow(Principal=THEIRS), deny(Principal={"AWS": OTHER})),
    _sample(
        "another account, denied sometimes",
        allow(Principal=THEIRS),
        nobody(HTTP),
        external=(OTHER,),
        secure=True,
    ),
    _sample(
        "another account, denied something else",
        allow(Principal=THEIRS),
        nobody(action="s3:Put*"),
        external=(OTHER,),
    ),
    _sample(
        "everyone, but of another account",
        anyone({"StringEquals": {"aws:PrincipalAccount": [OWN, OTHER]}}),
        external=(OTHER,),
    ),
    _sample(
        "everyone, but a role elsewhere",
        anyone({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/*"}}),
        external=(OTHER,),
    ),
    _sample(
        "everyone, maybe of another account",
        anyone({"StringEqualsIfExists": {"aws:PrincipalAccount": OTHER}}),
        open=(f"{READ} (aws:PrincipalAccount)",),
    ),
    _sample(
        "somebody deleted",
        allow(Principal={"AWS": ["AIDAEXAMPLEEXAMPLE12", "AROAEXAMPLEEXAMPLE12"]}),
        deleted=("AIDAEXAMPLEEXAMPLE12", "AROAEXAMPLEEXAMPLE12"),
    ),
    _sample("a canonical id", allow(Principal={"CanonicalUser": "79a5" * 16})),
    # Plain HTTP
    _sample("HTTP denied", nobody(HTTP), secure=True),
    _sample("HTTP denied on everything", nobody(HTTP, "*", "*"), secure=True),
    _sample(
        "HTTP denied with one pattern",
        nobody({"bool": {"AWS:securetransport": False}}, resource=f"{BUCKET}*"),
        secure=True,
    ),
    _sample("HTTP denied in two", nobody(HTTP, resource=BUCKET), nobody(HTTP, resource=OBJECTS), secure=True),
    _sample("HTTP denied if told", nobody({"BoolIfExists": {"aws:SecureTransport": ["false"]}}), secure=True),
    _sample("old TLS denied", nobody({"NumericLessThan": {"s3:TlsVersion": 1.2}}), secure=True),
    _sample("older TLS denied", nobody({"NumericLessThan": {"s3:TlsVersion": "1.1"}})),
    _sample("no version of TLS", nobody({"NumericLessThan": {"s3:TlsVersion": "new"}})),
    _sample("HTTP denied on objects", nobody(HTTP, resource=OBJECTS)),
    _sample("HTTP denied on the bucket", nobody(HTTP, resource=BUCKET)),
    _sample("HTTP denied for reading", nobody(HTTP, READ)),
    _sample("HTTP denied to another", deny(Principal=THEIRS, Condition=HTTP)),
    _sample("HTTP denied to all but ours", deny(NotPrincipal={"AWS": OUR_ROLE}, Condition=HTTP)),
    _sample("HTTPS denied", nobody({"Bool": {"aws:SecureTransport": "true"}})),
    _sample("HTTP denied from outside", nobody({**HTTP, **OUTSIDE})),
    _sample("HTTP denied, says another operator", nobody({"StringEquals": {"aws:SecureTransport": "false"}})),
    _sample(
        "HTTPS allowed",
        anyone({"Bool": {"aws:SecureTransport": "true"}}),
        open=(f"{READ} (aws:SecureTransport)",),
    ),
)


def answers(sample: Sample) -> dict[str, Any]:
    """All that the library says of a sample, in the sample's own words."""
    asked = parse(sample.document)
    identity = all(each.principals is None for each in asked.statements)
    trusted = all("sts" in action for each in asked.statements for action in each.actions.patterns)
    admin = asked.is_admin() if identity else None
    return {
        "open": () if trusted else tuple(map(_opening, asked.openings())),
        "trusts": tuple(map(_opening, asked.trusts_everyone())) if trusted else (),
        "external": tuple(map(_grant, asked.external({OWN}))),
        "services": tuple(f"{each.service}{' bound' * each.bound}" for each in asked.services()),
        "federated": tuple(map(_federation, asked.federated())),
        "deleted": asked.deleted(),
        "admin": "" if admin is None else "lowered" if admin.lowered else "yes",
        "paths": escalations([asked]) if identity else (),
        "whole": asked.whole_services() if identity else (),
        "secure": not identity and asked.denies_insecure_transport(BUCKET),
    }


def expected(sample: Sample) -> dict[str, Any]:
    return {
        each.name: getattr(sample, each.name)
        for each in fields(sample)
        if each.name not in ("name", "document")
    }


def _opening(opening: Opening) -> str:
    narrowed = f" ({opening.narrowed})" if opening.narrowed else ""
    return f"{', '.join(opening.actions)}{narrowed}{' + external id' * opening.external_id}"


def _grant(grant: Grant) -> str:
    asked = {
        "id": grant.has_external_id,
        "org": grant.restricted_to_org,
        "source": grant.has_source,
        "mfa": grant.has_mfa,
    }
    return " ".join((grant.account, *(name for name, there in asked.items() if there)))


def _federation(federation: Federation) -> str:
    return f"{federation.host or 'saml'} {federation.subject}{' aud' * federation.has_audience}"
