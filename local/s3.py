"""S3 for the embedded AWS: moto's, which does not say in its list where a bucket is, nor reads conditions."""

import json
from typing import Any

import pytest
from moto.core.responses import ActionResult
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response

OWNER = "bcaf1ffd86f41161ca5fb16fd081034f"
"""Of all buckets, as elsewhere in moto."""


def install(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(S3Response, "all_buckets", _all_buckets)
    patch.setattr(FakeBucket, "get_permission", _permission)


def _all_buckets(response: Any) -> Any:
    response.data["Action"] = "ListBuckets"
    found = response.backend.list_buckets(
        prefix=response._get_param("prefix"),
        bucket_region=response._get_param("bucket-region"),
        max_buckets=response._get_param("max-buckets"),
    )
    buckets = [
        {"Name": each.name, "CreationDate": each.creation_date_ISO8601, "BucketRegion": each.region_name}
        for each in found
    ]
    return response.serialized(ActionResult({"Owner": {"ID": OWNER}, "Buckets": buckets}))


def _permission(bucket: Any, action: str, resource: str) -> Any:
    """By the statements without conditions: with them, who denies plain HTTP here would deny everything."""
    policy = json.loads(bucket.policy or "{}")
    written = policy.get("Statement", [])
    statements = written if isinstance(written, list) else [written]
    plain = [each for each in statements if "Condition" not in each]
    if not plain:
        return PermissionResult.NEUTRAL
    return IAMPolicy(json.dumps({**policy, "Statement": plain})).is_action_permitted(action, resource)
