"""S3 for the embedded AWS: moto's, which does not say in its list where a bucket is."""

from typing import Any

import pytest
from moto.core.responses import ActionResult
from moto.s3.responses import S3Response


def install(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(S3Response, "all_buckets", _all_buckets)


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
    return response.serialized(ActionResult({"Buckets": buckets}))
