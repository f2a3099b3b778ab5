"""What the table knows of accounts: where they were scanned, their state as told, whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, ConditionBase, Key
from botocore.exceptions import ClientError

from orgscan import items
from orgscan.errors import code_of
from orgscan.membership import Move, Remembered
from orgscan.model import OwnedBy, Owner

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class Rows:
    """The table, as all who use it do."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def _put_if(self, item: dict[str, Any], condition: ConditionBase) -> bool:
        try:
            self._table.put_item(Item=item, ConditionExpression=condition)
        except ClientError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _query(self, condition: ConditionBase, **how: Any) -> Iterator[Mapping[str, Any]]:
        while True:
            page = self._table.query(KeyConditionExpression=condition, **how)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            how["ExclusiveStartKey"] = page["LastEvaluatedKey"]


class AccountRows(Rows):
    def remembered(self) -> Iterator[Remembered]:
        """Every account that some scan met."""
        for row in self._query(Key("pk").eq("ACCOUNTS"), ConsistentRead=True):
            yield Remembered(
                str(row["sk"]),
                str(row["account_name"]),
                frozenset(items.strings(row.get("regions", ()))),
                frozenset(items.strings(row.get("absent", ()))),
                str(row.get("told_state", "")),
                str(row.get("told_in", "")),
                Owner(str(row.get("owner_name", "")), OwnedBy(row.get("owned_by", OwnedBy.NOBODY))),
                str(row.get("owner_read", "")),
            )

    def remember(self, account: Remembered) -> None:
        """That these regions of it are scanned from now on, and that what is `absent` of it no longer is."""
        back = {":back": set(account.absent)} if account.absent else {}
        self._table.update_item(
            Key={"pk": "ACCOUNTS", "sk": account.account},
            UpdateExpression="SET account_name = :name ADD regions :regions"
            + (" DELETE absent :back" if back else ""),
            ExpressionAttributeValues={":name": account.name, ":regions": set(account.regions), **back},
        )

    def remember_owner(self, account: str, owner: Owner, day: str) -> None:
        """That this is what an account that is known was read to say, on that day."""
        values = {":name": owner.name, ":by": owner.by.value, ":day": day}
        changes = "SET owner_name = :name, owned_by = :by, owner_read = :day"
        self._update_if(account, Attr("pk").exists(), changes, values)

    def first_to_move(self, move: Move, scan: str) -> bool:
        """Whether no other scan has told of the account since the move was noticed. Its state stands then.

        The one that did may tell it again.
        """
        unchanged = Attr("told_in").eq(move.told_in) if move.told_in else Attr("told_in").not_exists()
        values = {":name": move.name, ":state": move.now, ":scan": scan}
        changes = "SET account_name = :name, told_state = :state, told_in = :scan"
        if self._update_if(move.account, unchanged, changes, values):
            return True
        key = {"pk": "ACCOUNTS", "sk": move.account}
        row = self._table.get_item(Key=key, ConsistentRead=True).get("Item", {})
        return bool(row.get("told_in") == scan)

    def miss(self, account: str, regions: Iterable[str], scan: str) -> None:
        """These regions of it are no longer scanned."""
        marks = {mark_of(region, scan) for region in regions}
        self._update_if(account, Attr("pk").exists(), "ADD absent :marks", {":marks": marks})

    def _update_if(
        self, account: str, condition: ConditionBase, expression: str, values: Mapping[str, Any]
    ) -> bool:
        try:
            self._table.update_item(
                Key={"pk": "ACCOUNTS", "sk": account},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeValues=dict(values),
            )
        except ClientError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True


def mark_of(region: str, scan: str) -> str:
    return f"{region}#{scan}"
