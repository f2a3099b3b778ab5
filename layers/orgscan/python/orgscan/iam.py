"""From the API calls that collectors declare to the IAM actions that allow them."""

from functools import cache

from botocore.loaders import Loader

# Where AWS named the permission differently from the call.
RENAMED = {
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3control:GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock",
}

# Where a service signs its requests with another name than IAM knows it by.
PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag"}


def action(call: str) -> str:
    """'elbv2:DescribeListeners' -> 'elasticloadbalancing:DescribeListeners'."""
    service, _, operation = call.partition(":")
    return RENAMED.get(call, f"{_prefix(service)}:{operation}")


@cache
def _prefix(service: str) -> str:
    metadata = Loader().load_service_model(service, "service-2")["metadata"]
    signing = metadata.get("signingName", metadata["endpointPrefix"])
    return PREFIXES.get(signing, str(signing))
