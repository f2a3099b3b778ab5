"""What the tagging API's collector sees."""

import boto3
import pytest
from botocore.exceptions import ClientError

from orgscan.model import TagRecord, Target
from orgscan.services.tags.collect import tag_records
from orgscan.session import Clients
from tests.answers import answer, refuse

HERE = {"LocationConstraint": "eu-west-1"}


def test_tags_by_arn(aws: boto3.Session, clients: Clients, target: Target) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="untagged", CreateBucketConfiguration=HERE)
    s3.create_bucket(Bucket="tagged", CreateBucketConfiguration=HERE)
    s3.put_bucket_tagging(Bucket="tagged", Tagging={"TagSet": [{"Key": "Owner", "Value": "ann"}]})
    assert list(tag_records.read(clients, target)) == [
        TagRecord(arn="arn:aws:s3:::tagged", tags={"Owner": "ann"})
    ]


def test_tags_of_two_pages(aws: boto3.Session, clients: Clients, target: Target) -> None:
    ec2 = aws.client("ec2")
    for _ in range(2):
        ec2.create_volume(
            AvailabilityZone="eu-west-1a",
            Size=1,
            TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "Owner", "Value": "ann"}]}],
        )
    everything = aws.client("resourcegroupstaggingapi").get_resources()["ResourceTagMappingList"]
    first, second = everything
    answer(
        clients,
        target,
        "resourcegroupstaggingapi:GetResources",
        {"PaginationToken": "more", "ResourceTagMappingList": [first]},
        # A page may be empty while more follow, and the last token is an empty one.
        {"PaginationToken": "more still", "ResourceTagMappingList": []},
        {"PaginationToken": "", "ResourceTagMappingList": [{**second, "Tags": []}]},
    )
    assert list(tag_records.read(clients, target)) == [
        TagRecord(arn=first["ResourceARN"], tags={"Owner": "ann"}),
        TagRecord(arn=second["ResourceARN"], tags={}),
    ]


def test_a_denied_listing_is_not_an_empty_one(clients: Clients, target: Target) -> None:
    refuse(clients, target, "resourcegroupstaggingapi:GetResources")
    with pytest.raises(ClientError, match="GetResources"):
        list(tag_records.read(clients, target))
