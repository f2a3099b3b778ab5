"""Organizations and EC2, as far as planning asks them."""

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, Literal

PAGE = 2


class OrganizationsTwin:
    """Lists accounts that come and go. Every page is followed by an empty one, as happens."""

    def __init__(self) -> None:
        self.accounts: dict[str, tuple[str, str]] = {}
        """Id -> name and state."""

    def get_paginator(self, operation: str) -> SimpleNamespace:
        if operation != "list_accounts":
            raise NotImplementedError(operation)
        return SimpleNamespace(paginate=self._list_accounts)

    def _list_accounts(self) -> Iterator[dict[str, Any]]:
        told = [
            {"Id": id_, "Name": name, "State": state, "Status": state}
            for id_, (name, state) in self.accounts.items()
        ]
        for start in range(0, len(told), PAGE):
            yield {"Accounts": told[start : start + PAGE], "NextToken": f"page-{start}"}
            yield {"Accounts": [], "NextToken": f"empty-{start}"}
        yield {"Accounts": []}


class RegionsTwin:
    """An EC2 client that only knows which regions there are."""

    def __init__(self, regions: Mapping[str, str]) -> None:
        self._regions = regions

    def describe_regions(self, *, AllRegions: Literal[True]) -> dict[str, Any]:  # noqa: ARG002, N803 (as boto3 has it)
        told = [{"RegionName": name, "OptInStatus": status} for name, status in self._regions.items()]
        return {"Regions": told}
