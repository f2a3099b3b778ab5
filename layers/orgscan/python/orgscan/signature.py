"""Signature Version 4, for requests whose headers and body are at hand.

The same as botocore's, to the byte (tests/test_signature.py and test_road.py compare them): its objects for
headers cost more than the hashes, and it derives the key of a day, a region and a service for each request.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

from botocore.auth import SIGNED_HEADERS_BLACKLIST
from botocore.utils import normalize_url_path

if TYPE_CHECKING:
    from datetime import datetime

    from botocore.credentials import ReadOnlyCredentials

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = frozenset(SIGNED_HEADERS_BLACKLIST)
"""Headers that proxies, retries and traces may change."""
BLOCK = 64
"""Bytes that SHA-256 takes at a time."""
INNER, OUTER = (bytes(each ^ pad for each in range(256)) for pad in (0x36, 0x5C))


class _Key:
    """HMAC-SHA256, which is but two hashes, with the key's half of both done once (RFC 2104).

    The module `hmac` lets other threads run at every digest, and they take long to let this one run again.
    """

    def __init__(self, key: bytes) -> None:
        key = (sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
        self._inner, self._outer = sha256(key.translate(INNER)), sha256(key.translate(OUTER))

    def digest(self, text: str) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text.encode())
        outer.update(inner.digest())
        return outer.digest()


class Signature:
    """Of the requests to one service in one region, at one host."""

    tells_digest = False

    def __init__(self, service: str, region: str, host: str) -> None:
        self._where = f"{region}/{service}/aws4_request"
        self._parts = (region, service, "aws4_request")
        self._host = host
        self._key: tuple[tuple[str, str], _Key] | None = None

    def sign(
        self,
        method: str,
        path: str,
        query: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        credentials: ReadOnlyCredentials,
        now: datetime,
    ) -> dict[str, str]:
        """The headers to send besides those given. `path`, `query`: encoded, as they are sent."""
        moment = now.strftime("%Y%m%dT%H%M%SZ")
        digest = sha256(body).hexdigest()
        added = {"X-Amz-Date": moment}
        if self.tells_digest:
            added["X-Amz-Content-SHA256"] = digest
        if credentials.token:
            added["X-Amz-Security-Token"] = credentials.token
        lowered = {name.lower(): value for name, value in (*headers.items(), *added.items())}
        signed = sorted((lowered.keys() - UNSIGNED) | {"host"})
        lowered.setdefault("host", self._host)
        names = ";".join(signed)
        canonical = "\n".join(
            (
                method,
                "/" if path == "/" else self._path(path),
                _ordered(query),
                *(f"{name}:{' '.join(lowered[name].split())}" for name in signed),
                "",
                names,
                lowered.get("x-amz-content-sha256", digest),
            )
        )
        scope = f"{moment[:8]}/{self._where}"
        told = f"{ALGORITHM}\n{moment}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        key = self._signing_key(credentials.secret_key or "", moment[:8])
        added["Authorization"] = (
            f"{ALGORITHM} Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={key.digest(told).hex()}"
        )
        return added

    def _path(self, path: str) -> str:
        return quote(normalize_url_path(path), safe="/~")

    def _signing_key(self, secret: str, day: str) -> _Key:
        """Of whoever signed last, most likely: one target's calls come together."""
        known = self._key
        if known and known[0] == (secret, day):
            return known[1]
        key = _Key(f"AWS4{secret}".encode())
        for part in (day, *self._parts):
            key = _Key(key.digest(part))
        # One assignment: another thread may sign for another account at this moment.
        self._key = (secret, day), key
        return key


class SignatureOfS3(Signature):
    """A key is what it is, also with dots and slashes in it; and the digest of the body is a header, too."""

    tells_digest = True

    def _path(self, path: str) -> str:
        return path


def _ordered(query: str) -> str:
    pairs = sorted(each.partition("=")[::2] for each in query.split("&")) if query else ()
    return "&".join(f"{name}={value}" for name, value in pairs)
