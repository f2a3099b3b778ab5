"""What looks secret in an instance's user data: a text, packed in one or more of several ways."""

from __future__ import annotations

import email
import gzip
from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING

from orgscan import secrets
from orgscan.errors import fact
from orgscan.model import Blindness, Gap
from orgscan.secrets import Secret

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

NAME = "user data"
GZIP = b"\x1f\x8b"
LONGEST = 2**20
"""Bytes that are searched. EC2 takes 16 KiB, but compressed those can be a thousand times as many."""
MIME = ("MIME-Version", "Content-Transfer-Encoding")
"""Headers of a message; scripts and cloud-config have none."""


@fact(absent="InvalidInstanceID.NotFound")
def user_data_of(ec2: EC2Client, instance: str, salt: str) -> tuple[Secret, ...] | Gap | None:
    """None: it has none, or was terminated since it was listed."""
    answer = ec2.describe_instance_attribute(InstanceId=instance, Attribute="userData")
    value = answer["UserData"].get("Value")
    return None if value is None else find(b64decode(value), salt)


def find(packed: bytes, salt: str) -> tuple[Secret, ...] | Gap:
    """The secrets of all parts, in their order; of a MIME message they are counted from 1.

    Raises OSError or EOFError for what is compressed and damaged.
    """
    data = _unzipped(packed)
    if data is None:
        return _TOO_LONG
    found: list[Secret] = []
    for name, part in _parts(data):
        text = _unzipped(part)
        if text is None:
            return _TOO_LONG
        found += secrets.find(text.decode(errors="replace"), location=name, salt=salt)
    return tuple(found)


_TOO_LONG = Gap("user_data_of", Blindness.NO_DATA, f"user data of more than {LONGEST} bytes was not searched")


def _unzipped(data: bytes) -> bytes | None:
    """None: it is longer than what is searched."""
    if data.startswith(GZIP):
        with gzip.open(BytesIO(data)) as unpacked:
            data = unpacked.read(LONGEST + 1)
    return data if len(data) <= LONGEST else None


def _parts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """What cloud-init runs one by one, decoded; without MIME, all in one."""
    message = email.message_from_bytes(data)
    if not message.is_multipart() and not any(header in message for header in MIME):
        yield NAME, data
        return
    leaves = [each for each in message.walk() if not each.is_multipart()]
    for number, each in enumerate(leaves, start=1):
        content = each.get_payload(decode=True)
        if isinstance(content, bytes):
            yield f"{NAME}, part {number}", content
