"""Where readers find more: the console, and a link that opens a report without credentials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-eusc": "console.amazonaws-eusc.eu",
}
"""Partition -> the domain of its console, before which a region may stand."""
SIGNED_AT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Of one scan."""

    results: str
    """s3://<bucket>/scans/<scan>/"""
    console: str = ""
    """The report in the console, which asks who wants to see it."""
    report: str = ""
    """The report for whoever has this link, until it expires. It is a credential: for mails alone."""
    expires: datetime | None = None
    """When `report` does."""


def console(partition: str, region: str, bucket: str, key: str) -> str:
    """An object in the S3 console. Raises KeyError for a partition that has none we know."""
    where = f"https://{region}.{CONSOLES[partition]}/s3/object/{quote(bucket)}"
    return f"{where}?region={quote(region)}&prefix={quote(key)}"


def presigned(s3: S3Client, *, bucket: str, key: str, minutes: int, until: datetime) -> tuple[str, datetime]:
    """A link that opens an object, and when it ends to: with its time, or with the credentials `until`.

    `s3` is a client whose credentials expire at a known time, as `session.lend` makes them.
    """
    url = s3.generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=minutes * 60
    )
    told = parse_qs(urlsplit(url).query)
    signed = datetime.strptime(told["X-Amz-Date"][0], SIGNED_AT).replace(tzinfo=UTC)
    return url, min(signed + timedelta(seconds=int(told["X-Amz-Expires"][0])), until)
