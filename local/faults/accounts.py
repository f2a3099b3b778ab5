"""What each account is like as a whole: in order, except where its number says otherwise."""

from functools import partial

from local import past
from local.faults.storage import block_account, bucket, put_in_order
from local.place import Place, tag_list

TRAIL = "cloudtrail-multi-region-trail-missing"
PASSWORD, ROOT = "iam-password-policy-min-length-short", "iam-root-mfa-disabled"
ROOT_KEY, ROOT_USED = "iam-root-access-key-present", "iam-root-used-recently"
NAME = "acme-trail"


def furnish(place: Place, number: int) -> None:
    """Settle the `number`th account that can be seen; most are without fault."""
    block_account(place)
    _root_user(place, guarded=number % 4 != 3)  # noqa: PLR2004
    _root_key(place, present=number % 4 == 3)  # noqa: PLR2004
    _root_use(place, days=(200, 200, 8, 2)[number % 4])
    _passwords(place, length=(16, 16, 0, 16, 16, 16, 16, 8)[number % 8])
    if number % 3 == 1:
        (_no_trail, _stopped_trail, _regional_trail, _half_a_trail)[number // 3 % 4](place)
    else:
        _trail(place)


def stop_trail(place: Place) -> None:
    """Something new, for an account that has a good trail."""
    place.client("cloudtrail").stop_logging(Name=NAME)
    _fails(place)


def adopt(place: Place) -> None:
    """Tags for all that is no fault of ours, and order in the buckets."""
    s3, aws_lambda, logs = (place.client(each) for each in ("s3", "lambda", "logs"))
    planted = {each.resource for each in (*place.book.open, *place.book.look_alikes)}
    for found in s3.list_buckets(BucketRegion=place.region)["Buckets"]:
        name = found["Name"]
        if f"arn:aws:s3:::{name}" not in planted:
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(place.tags(name))})
            put_in_order(place, name)
    for page in aws_lambda.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            if function["FunctionArn"] not in planted:
                tags = place.tags(function["FunctionName"])
                aws_lambda.tag_resource(Resource=function["FunctionArn"], Tags=tags)
    for page in logs.get_paginator("describe_log_groups").paginate():
        for found in page["logGroups"]:
            if found["logGroupArn"] not in planted:
                logs.tag_resource(resourceArn=found["logGroupArn"], tags=place.tags(found["logGroupName"]))
    _adopt_tables(place, planted)
    _adopt_keys_and_messages(place, planted)


def _adopt_tables(place: Place, planted: set[str]) -> None:
    dynamodb = place.client("dynamodb")
    for page in dynamodb.get_paginator("list_tables").paginate():
        for name in page["TableNames"]:
            arn = place.arn("dynamodb", f"table/{name}")
            if arn not in planted:
                dynamodb.tag_resource(ResourceArn=arn, Tags=tag_list(place.tags(name)))


def _adopt_keys_and_messages(place: Place, planted: set[str]) -> None:
    kms, sns, sqs = (place.client(service) for service in ("kms", "sns", "sqs"))
    tags = place.tags("orgscan")
    for key in kms.list_keys()["Keys"]:
        if key["KeyArn"] not in planted:
            told = [{"TagKey": name, "TagValue": value} for name, value in tags.items()]
            kms.tag_resource(KeyId=key["KeyId"], Tags=told)
    for topic in sns.list_topics()["Topics"]:
        if topic["TopicArn"] not in planted:
            sns.tag_resource(ResourceArn=topic["TopicArn"], Tags=tag_list(tags))
    for url in sqs.list_queues().get("QueueUrls", ()):
        if place.arn("sqs", url.rpartition("/")[2]) not in planted:
            sqs.tag_queue(QueueUrl=url, Tags=tags)


def _root_user(place: Place, *, guarded: bool) -> None:
    past.set_root_mfa(place.account.id, on=guarded)
    if not guarded:
        place.fails(
            ROOT,
            resource=place.arn("iam", "root"),
            mend=lambda: past.set_root_mfa(place.account.id, on=True),
        )


def _root_key(place: Place, *, present: bool) -> None:
    root = place.arn("iam", "root")
    past.set_root_keys(place.account.id, present=present)
    if present:
        mend = partial(past.set_root_keys, place.account.id, present=False)
        place.fails(ROOT_KEY, resource=root, mend=mend)


def _root_use(place: Place, *, days: float) -> None:
    root = place.arn("iam", "root")
    past.set_root_use(place.account.id, days=days)
    if days < 7:  # noqa: PLR2004
        place.fails(ROOT_USED, resource=root, mend=partial(past.set_root_use, place.account.id, days=30))
    else:
        place.looks_like(ROOT_USED, resource=root)


def _passwords(place: Place, *, length: int) -> None:
    """0: no policy at all."""
    iam = place.client("iam")
    if length:
        iam.update_account_password_policy(MinimumPasswordLength=length)
    if length < 14:  # noqa: PLR2004
        place.fails(
            PASSWORD,
            resource=place.arn("iam", "password-policy"),
            mend=lambda: iam.update_account_password_policy(MinimumPasswordLength=20),
        )


def _trail(place: Place, *, everywhere: bool = True, logging: bool = True, events: str = "All") -> None:
    name, _ = bucket(place, "trail")
    cloudtrail = place.client("cloudtrail")
    cloudtrail.create_trail(Name=NAME, S3BucketName=name, IsMultiRegionTrail=everywhere)
    selectors = [{"ReadWriteType": events, "IncludeManagementEvents": True}]
    cloudtrail.put_event_selectors(TrailName=NAME, EventSelectors=selectors)
    if logging:
        cloudtrail.start_logging(Name=NAME)


def _fails(place: Place) -> None:
    def mend() -> None:
        cloudtrail = place.client("cloudtrail")
        selectors = [{"ReadWriteType": "All", "IncludeManagementEvents": True}]
        cloudtrail.update_trail(Name=NAME, IsMultiRegionTrail=True)
        cloudtrail.put_event_selectors(TrailName=NAME, EventSelectors=selectors)
        cloudtrail.start_logging(Name=NAME)

    place.fails(TRAIL, resource=place.arn("cloudtrail", "account"), mend=mend)


def _no_trail(place: Place) -> None:
    place.fails(TRAIL, resource=place.arn("cloudtrail", "account"), mend=lambda: _trail(place))


def _stopped_trail(place: Place) -> None:
    _trail(place, logging=False)
    _fails(place)


def _regional_trail(place: Place) -> None:
    _trail(place, everywhere=False)
    _fails(place)


def _half_a_trail(place: Place) -> None:
    """It records who changed something, and not who read it."""
    _trail(place, events="WriteOnly")
    _fails(place)
