"""What we expect of CloudTrail."""

from collections.abc import Iterator

from orgscan.check import Problem, Problems, View, check
from orgscan.model import Category, Gap, Severity, Unread
from orgscan.services.cloudtrail.facts import ALL_EVENTS, AccountTrails, Trail, TrailBucket
from orgscan.services.s3.checks.access import (
    BLOCKED,
    NEW_POLICY,
    PUT_BLOCK,
    s3_bucket_acl_public,
    s3_bucket_policy_public,
)
from orgscan.services.s3.facts import AccountPublicAccessBlock, Bucket


@check(
    AccountTrails,
    severity=Severity.HIGH,
    category=Category.SECURITY,
    fix="Create a multi-region trail, best one for the whole organization, that logs all management events.",
    maps=("CIS AWS 3.0 3.1", "CIS AWS 5.0 3.1", "CIS AWS 6.0 4.1", "CIS AWS 7.0 4.1", "FSBP CloudTrail.1"),
    equivalent=(
        "prowler:cloudtrail_multi_region_enabled",
        "prowler:cloudtrail_multi_region_enabled_logging_management_events",
        "trusted-advisor:vjafUGJ9H0",
        "trusted-advisor:c25hn9x03v",
    ),
    cli=(
        (
            "aws cloudtrail describe-trails --query 'trailList[].[TrailARN,HomeRegion,IsMultiRegionTrail]' "
            "--region {region}"
        ),
        (
            "aws cloudtrail create-trail --name '<trail>' --s3-bucket-name "
            "'<bucket-that-lets-cloudtrail-write>' --is-multi-region-trail --enable-log-file-validation "
            "--region {region}"
        ),
        (
            "aws cloudtrail put-event-selectors --trail-name '<one-that-records-only-some>' "
            "--event-selectors 'file://<its-selectors-with-all-management-events>' --region {region}"
        ),
        "aws cloudtrail start-logging --name '<trail>' --region {region}",
    ),
    cdk="""
        cloudtrail.CfnTrail(
            self,
            "Trail",
            is_logging=True,
            is_multi_region_trail=True,
            enable_log_file_validation=True,
            s3_bucket_name="<bucket>",
        )
    """,
)
def cloudtrail_multi_region_trail_missing(
    account: AccountTrails, *, org_trail_covers: bool = False
) -> Problems:
    """No multi-region trail that records all management events is logging.

    Without it nobody can tell later who did what. An organization's trail counts where the account can see
    it; its event selectors are judged in the account that owns it. With `org_trail_covers` every account
    passes.
    """
    judged = {trail: tuple(_shortcomings(trail)) for trail in account.trails if trail.multi_region}
    if org_trail_covers or not all(judged.values()):
        return
    for found in judged.values():
        # This trail may be the one that does, so nothing can be said of the account.
        if all(isinstance(shortcoming, Gap) for shortcoming in found):
            raise Unread(next(gap for gap in found if isinstance(gap, Gap)))
    for trail, found in judged.items():
        yield f"trail {trail.name} {' and '.join(said for said in found if isinstance(said, str))}"
    if not judged:
        names = ", ".join(trail.name for trail in account.trails)
        yield f"no trail covers all regions: {names}" if names else "there is no trail"


def _shortcomings(trail: Trail) -> Iterator[str | Gap]:
    """Why the trail does not do; a gap where that could not be seen."""
    if isinstance(trail.logging, Gap):
        yield trail.logging
    elif not trail.logging:
        yield "is not logging"
    if isinstance(trail.management_events, Gap):
        yield trail.management_events
    elif trail.management_events is not None and trail.management_events != ALL_EVENTS:
        missing = " and ".join(sorted(ALL_EVENTS - trail.management_events))
        yield f"does not record all {missing} management events"


@check(
    Bucket,
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    fix="Turn on the bucket's public access block, and name in its policy whom the logs are meant for.",
    also=(TrailBucket, AccountPublicAccessBlock),
    maps=("FSBP CloudTrail.6",),
    equivalent=("prowler:cloudtrail_logs_s3_bucket_is_not_publicly_accessible",),
    cli=(PUT_BLOCK, *NEW_POLICY),
    cdk=BLOCKED,
)
def cloudtrail_bucket_public(bucket: Bucket, view: View) -> Problems:
    """A bucket that receives the logs of a trail is public.

    The logs tell strangers who works here, with which roles, and what there is to attack. It is public as
    s3-bucket-policy-public and s3-bucket-acl-public say. Judged in the account and the region of the bucket,
    whose trails show there: multi-region and organization's trails from anywhere, others of that region.
    """
    trails = ", ".join(each.trail for each in view.related(TrailBucket, "bucket", bucket.name))
    if not trails:
        return
    unread: Unread | None = None
    for public in (s3_bucket_policy_public, s3_bucket_acl_public):
        try:
            for problem in public.judge(bucket, view):
                text = problem.text if isinstance(problem, Problem) else problem
                yield f"it has the logs of trail {trails}, and {text}"
        except Unread as lost:
            unread = unread or lost
    if unread:
        raise unread
