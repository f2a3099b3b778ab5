"""Whose keys a request is signed with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from botocore.credentials import CredentialProvider, Credentials, ReadOnlyCredentials
from botocore.exceptions import NoCredentialsError

from orgscan.errors import NO_ANSWER
from orgscan.warm import calling


class RoleCredentials(Credentials):
    """A role's keys, which can be asked for a second time.

    A token lasts an hour and an invocation a quarter of that; this is for those that expire all the same.
    """

    def __init__(self, ask: Callable[[], Mapping[str, Any]]) -> None:
        """`ask` answers with STS's Credentials."""
        self._ask: Callable[[], Mapping[str, Any]] | None = ask
        self._lock = Lock()
        self._take(ask())

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        return self._frozen

    def renew(self, used: str) -> bool:
        """Whether there are newer keys than those with the token `used`; asks for them at most once.

        Of many threads whose token has expired the first asks, and the others wait for the answer.
        """
        with self._lock:
            if self._frozen.token != used:
                return True
            ask, self._ask = self._ask, None
            if ask is None:
                return False
            try:
                self._take(ask())
            except NO_ANSWER:
                return False
            return True

    def _take(self, keys: Mapping[str, Any]) -> None:
        super().__init__(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], method="assume-role"
        )
        # One assignment: whoever signs at this moment must not mix old keys with new ones.
        self._frozen = super().get_frozen_credentials()


class OfCaller(Credentials):
    """The keys of whoever makes the running call. Raises NoCredentialsError where nobody does."""

    def __init__(self) -> None:
        super().__init__("", "", method="assume-role")

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        caller = calling()
        if caller is None:
            raise NoCredentialsError
        return caller.credentials.get_frozen_credentials()


class Given(CredentialProvider):
    """Botocore's way to use credentials of a kind of our own."""

    METHOD = "assume-role"

    def __init__(self, credentials: Credentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> Credentials:
        return self._credentials
