"""What things cost a month: list prices from a dated table. None means unpriced, never zero."""

import json
from collections.abc import Iterable
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

from orgscan.model import Confidence, Money, Target

TABLE = Path(__file__).parent / "data" / "prices.json"
"""USD per hour or month of each thing, where and when it cost that, and who says so.

`of_region` is what a region's list is, roughly, to that of the one region that is in the table.
"""
HOURS = 730
"""In a month, as AWS itself reckons."""
CENT = Decimal("0.01")


def monthly(target: Target, key: str, amount: float = 1) -> Money | None:
    """`amount` of what the table lists under a dotted key as a price per month: 'ebs.snapshot_gb', 120."""
    return _money(target, listed(key) * Decimal(str(amount)), same_everywhere=_everywhere(key))


def hourly(target: Target, key: str, count: float = 1) -> Money | None:
    """A month of what is billed by the hour, `count` of it: 'elb.application_hour', 'eks.extended_hour'."""
    return _money(target, listed(key) * Decimal(str(count)) * HOURS, same_everywhere=_everywhere(key))


def instance(target: Target, instance_type: str, platform: str | None) -> Money | None:
    """On demand, on shared hardware. `platform`: as DescribeInstances' PlatformDetails says it."""
    hourly = _table()["ec2_hour"].get(platform, {}).get(instance_type)
    return _money(target, None if hourly is None else hourly * HOURS)


def database(target: Target, instance_class: str, engine: str, *, multi_az: bool) -> Money | None:
    """On demand, without storage. `multi_az`: with a standby, which costs as much."""
    table = _table()["rds_hour"]
    hourly = table.get(table["listed_as"].get(engine), {}).get(instance_class)
    return _money(target, None if hourly is None else hourly * (2 if multi_az else 1) * HOURS)


def cache_node(target: Target, node_type: str, engine: str) -> Money | None:
    """One node of ElastiCache, on demand."""
    table = _table()["elasticache_hour"]
    hourly, factor = table["node"].get(node_type), table["engine"].get(engine)
    return _money(target, None if hourly is None or factor is None else hourly * factor * HOURS)


def volume(
    target: Target, volume_type: str, size_gib: int, iops: int | None = None, mibps: int | None = None
) -> Money | None:
    """Storage, and what is provisioned beyond the part that comes with it."""
    price = _table()["ebs_month"].get(volume_type)
    if price is None or (iops or 0) > price.get("most_iops", float("inf")):
        return None
    extra_iops = max(0, (iops or 0) - price.get("free_iops", 0)) * price.get("iops", 0)
    extra_mibps = max(0, (mibps or 0) - price.get("free_mibps", 0)) * price.get("mibps", 0)
    return _money(target, size_gib * price["gb"] + extra_iops + extra_mibps)


def public_ipv4(target: Target) -> Money | None:
    return _money(target, _table()["public_ipv4_hour"] * HOURS, same_everywhere=True)


def nat_gateway(target: Target) -> Money | None:
    """One that is zonal, without its addresses and its traffic."""
    return hourly(target, "nat.hour")


def total(parts: Iterable[Money | None]) -> Money | None:
    """Unpriced when any part is, or when there are none."""
    amounts = list(parts)
    priced = [part for part in amounts if part]
    if not priced or len(priced) < len(amounts):
        return None
    return replace(priced[0], monthly_usd=round(sum(part.monthly_usd for part in priced), 2))


def doubted(money: Money | None, confidence: Confidence) -> Money | None:
    """The same amount, less sure to be saved."""
    return money and replace(money, confidence=confidence)


def listed(key: str) -> Decimal:
    """USD. KeyError for what is not in the table: a wrong key is a mistake of ours, not an unknown price."""
    section, _, name = key.partition(".")
    return Decimal(_table()["usd"][section][name])


def listed_when() -> str:
    """'us-east-1 list price of 2026-01'."""
    table = _table()
    return f"{table['region']} list price of {table['as_of']}"


def _everywhere(key: str) -> bool:
    return key.partition(".")[0] in _table()["same_everywhere"]


def _money(target: Target, monthly: Decimal | None, *, same_everywhere: bool = False) -> Money | None:
    """From the list of one region to that of the target's. Other partitions have lists of their own."""
    table = _table()
    factor = Decimal(1) if same_everywhere else table["of_region"].get(target.api_region)
    if monthly is None or factor is None or target.partition != table["partition"]:
        return None
    basis = listed_when()
    if factor != 1:
        basis += f" x {factor} for {target.api_region}"
    return Money(float((monthly * factor).quantize(CENT, ROUND_HALF_UP)), basis, Confidence.HIGH)


@cache
def _table() -> Any:
    return json.loads(TABLE.read_text(encoding="utf-8"), parse_float=Decimal)
