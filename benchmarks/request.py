"""What makes two requests the same: who asks, where, and what. Signature, date and agent do not count."""

from typing import TypeAlias

Key: TypeAlias = tuple[str, str, str, str, str, str, bytes]
"""Account, region, service as signed, method, path with query, operation where a header names it, body."""
VIRTUAL = ".s3."
"""After it S3's host goes on with a region; before it is the bucket."""


def key(  # noqa: PLR0913 (as many as a request has parts)
    *,
    account: str,
    region: str,
    service: str,
    method: str,
    host: str,
    target: str,
    operation: str,
    body: bytes,
) -> Key:
    """`host` as in the header, '' where a path says all; `target` as in the request's first line."""
    if target.startswith("http"):  # through a proxy
        target = "/" + target.split("/", 3)[3]
    path, mark, query = target.partition("?")
    if service == "s3" and VIRTUAL in host:
        path = f"/{host.partition(VIRTUAL)[0]}{path}"
    if service == "s3" and len(path) > 1:
        path = path.rstrip("/")
    return account, region, service, method, path + mark + query, operation, body
