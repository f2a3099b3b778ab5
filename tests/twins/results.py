"""S3, where reports, plans and spools are, and SNS, which mails."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

from botocore.response import StreamingBody

from tests.twins.calls import Watched, accepts, refusal

MESSAGE_BYTES = 262_144
SUBJECT = 99


class S3Twin(Watched):
    """What `boto3.client("s3")` offers, as far as reports, plans and spools use it."""

    def __init__(self, *buckets: str) -> None:
        super().__init__()
        self.meta = SimpleNamespace(region_name="us-east-1")
        self._buckets: dict[str, dict[str, bytes]] = {bucket: {} for bucket in buckets}

    def snapshot(self) -> dict[tuple[str, str], bytes]:
        """(Bucket, key) -> what is in it."""
        return {
            (bucket, key): body
            for bucket, stored in sorted(self._buckets.items())
            for key, body in sorted(stored.items())
        }

    def put_object(self, **call: Any) -> dict[str, Any]:
        accepts("PutObject", call, {"Bucket", "Key", "Body"}, {"ContentType"})
        self._starts("PutObject", call)
        body = call["Body"]
        self._buckets[call["Bucket"]][call["Key"]] = body if isinstance(body, bytes) else body.read()
        self._ends("PutObject", call)
        return {}

    def get_object(self, **call: Any) -> dict[str, Any]:
        accepts("GetObject", call, {"Bucket", "Key"})
        self.reads += 1
        body = self._buckets[call["Bucket"]].get(call["Key"])
        if body is None:
            raise refusal("NoSuchKey", "The specified key does not exist.", "GetObject")
        return {"Body": StreamingBody(BytesIO(body), len(body))}

    def upload_fileobj(self, fileobj: IO[bytes], bucket: str, key: str) -> None:
        self.put_object(Bucket=bucket, Key=key, Body=fileobj.read())

    def upload_file(self, filename: str, bucket: str, key: str) -> None:
        self.put_object(Bucket=bucket, Key=key, Body=Path(filename).read_bytes())


class SnsTwin(Watched):
    """What `boto3.client("sns")` offers to who sends mails."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Mapping[str, Any]] = []
        """All that were accepted, in turn."""

    def publish(self, **call: Any) -> dict[str, Any]:
        accepts("Publish", call, {"TopicArn", "Message", "Subject"}, {"MessageAttributes"})
        self._starts("Publish", call)
        if wrong := _not_a_message(call):
            raise refusal("InvalidParameter", f"Invalid parameter: {wrong}", "Publish")
        self.messages.append(call)
        self._ends("Publish", call)
        return {}


def _not_a_message(call: Mapping[str, Any]) -> str | None:
    subject, message = call["Subject"], call["Message"]
    plain = subject.isascii() and subject.isprintable() and not subject.startswith(" ")
    if not plain or not 0 < len(subject) <= SUBJECT:
        return "Subject"
    if not message:
        return "Empty message"
    # Attributes count, by their names, types and values.
    attributes = call.get("MessageAttributes", {}).items()
    counted = [message, *(text for name, told in attributes for text in (name, *told.values()))]
    return "Message too long" if len("".join(counted).encode()) > MESSAGE_BYTES else None
