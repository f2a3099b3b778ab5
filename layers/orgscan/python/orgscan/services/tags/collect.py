"""How we learn about tags."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from orgscan.collector import Reader, collector
from orgscan.model import TagRecord

if TYPE_CHECKING:
    from mypy_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from mypy_boto3_resourcegroupstaggingapi.type_defs import ResourceTagMappingTypeDef


@collector(TagRecord, calls=("resourcegroupstaggingapi:GetResources",))
def tag_records(aws: Reader) -> Iterator[TagRecord]:
    tagging: ResourceGroupsTaggingAPIClient = aws.client("resourcegroupstaggingapi")
    for page in aws.pages(tagging.get_paginator("get_resources"), PaginationConfig={"PageSize": 100}):
        yield from aws.shaped(partial(_record, aws), page["ResourceTagMappingList"])


def _record(aws: Reader, resource: ResourceTagMappingTypeDef) -> TagRecord:
    return TagRecord(arn=resource["ResourceARN"], tags=aws.tags(resource.get("Tags")))
