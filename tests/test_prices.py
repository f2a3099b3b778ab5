"""Prices, worked out by hand from the list, to the cent."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from orgscan import prices
from orgscan.model import GLOBAL, Confidence, Money, Target

HERE = Target("123456789012", "us-east-1")
BASIS = "us-east-1 list price of 2026-01"


def usd(monthly: float, confidence: Confidence = Confidence.HIGH) -> Money:
    return Money(monthly, BASIS, confidence)


@pytest.mark.parametrize(
    ("type_", "size_gib", "iops", "mibps", "monthly"),
    [
        ("gp2", 100, 300, None, 10.00),  # 100 x 0.10; its IOPS come with the size
        ("gp3", 8, 3000, 125, 0.64),  # 8 x 0.08; the baseline is free
        ("gp3", 10, 4000, 200, 8.80),  # 0.80 + 1000 x 0.005 + 75 x 0.04
        ("gp3", 500, 16000, 1000, 140.00),  # 40 + 13000 x 0.005 + 875 x 0.04
        ("gp3", 100, None, None, 8.00),
        ("io1", 100, 2000, None, 142.50),  # 12.50 + 2000 x 0.065
        ("io2", 200, 32000, None, 2105.00),  # 25 + 32000 x 0.065
        ("io2", 200, 32001, None, None),  # cheaper beyond, and not in the table
        ("st1", 500, None, None, 22.50),
        ("sc1", 500, None, None, 7.50),
        ("standard", 33, None, None, 1.65),
        ("gp9", 100, None, None, None),
    ],
)
def test_volume(
    type_: str, size_gib: int, iops: int | None, mibps: int | None, monthly: float | None
) -> None:
    assert prices.volume(HERE, type_, size_gib, iops, mibps) == (None if monthly is None else usd(monthly))


@pytest.mark.parametrize(
    ("type_", "platform", "monthly"),
    [
        ("t3.micro", "Linux/UNIX", 7.59),  # 0.0104 x 730 = 7.592
        ("t2.nano", "Linux/UNIX", 4.23),  # 0.0058 x 730 = 4.234
        ("m5.xlarge", "Linux/UNIX", 140.16),  # 0.192 x 730
        ("c7g.large", "Linux/UNIX", 52.93),  # 0.0725 x 730 = 52.925
        ("r6g.8xlarge", "Linux/UNIX", 1177.34),  # 1.6128 x 730 = 1177.344
        ("t3.micro", "Windows", None),
        ("t3.micro", "Red Hat Enterprise Linux", None),
        ("t3.micro", None, None),
        ("x99.huge", "Linux/UNIX", None),
    ],
)
def test_instance(type_: str, platform: str | None, monthly: float | None) -> None:
    assert prices.instance(HERE, type_, platform) == (None if monthly is None else usd(monthly))


@pytest.mark.parametrize(
    ("class_", "engine", "multi_az", "monthly"),
    [
        ("db.t3.micro", "mysql", False, 12.41),  # 0.017 x 730
        ("db.t3.micro", "mariadb", False, 12.41),
        ("db.t3.micro", "postgres", False, 13.14),  # 0.018 x 730
        ("db.t3.micro", "postgres", True, 26.28),  # its standby costs as much
        ("db.r5.large", "aurora-mysql", False, 211.70),  # 0.29 x 730
        ("db.r5.large", "aurora-postgresql", False, 211.70),
        ("db.r5.large", "oracle-se2", False, None),
        ("db.r5.large", "docdb", False, None),
        ("db.serverless", "aurora-mysql", False, None),
        ("db.x9.huge", "mysql", False, None),
    ],
)
def test_database(class_: str, engine: str, monthly: float | None, *, multi_az: bool) -> None:
    money = prices.database(HERE, class_, engine, multi_az=multi_az)
    assert money == (None if monthly is None else usd(monthly))


@pytest.mark.parametrize(
    ("type_", "engine", "monthly"),
    [
        ("cache.t4g.micro", "redis", 11.68),  # 0.016 x 730
        ("cache.t4g.micro", "memcached", 11.68),
        ("cache.t4g.micro", "valkey", 9.34),  # a fifth less
        ("cache.t4g.micro", "something-new", None),
        ("cache.x9.huge", "redis", None),
    ],
)
def test_cache_node(type_: str, engine: str, monthly: float | None) -> None:
    assert prices.cache_node(HERE, type_, engine) == (None if monthly is None else usd(monthly))


def test_public_ipv4() -> None:
    assert prices.public_ipv4(HERE) == usd(3.65)  # 0.005 x 730


def test_nat_gateway() -> None:
    assert prices.nat_gateway(HERE) == usd(32.85)  # 0.045 x 730


IRELAND = Target("123456789012", "eu-west-1")


@pytest.mark.parametrize(
    ("money", "expected"),
    [
        (prices.monthly(HERE, "ebs.snapshot_gb", 120), 6.00),
        (prices.monthly(HERE, "rds.backup_gb", 0.5), 0.05),  # 0.0475
        (prices.hourly(HERE, "elb.application_hour"), 16.43),  # 0.0225 x 730 = 16.425
        (prices.hourly(HERE, "eks.extended_hour", 2), 876.00),
    ],
)
def test_what_the_table_lists(money: Money, expected: float) -> None:
    assert money == usd(expected)


def test_another_region_is_estimated_with_the_table_and_says_so() -> None:
    basis = f"{BASIS} x 1.11 for eu-west-1"
    assert prices.volume(IRELAND, "gp3", 100) == Money(8.88, basis, Confidence.HIGH)
    assert (
        prices.hourly(IRELAND, "nat.hour")
        == prices.nat_gateway(IRELAND)
        == Money(36.46, basis, Confidence.HIGH)
    )


def test_some_things_cost_the_same_everywhere() -> None:
    assert prices.public_ipv4(IRELAND) == usd(3.65)
    assert prices.monthly(IRELAND, "secretsmanager.secret_month") == usd(0.40)


def test_a_region_that_is_not_in_the_table_is_unpriced() -> None:
    moon = Target("123456789012", "moon-west-1")
    assert prices.volume(moon, "gp3", 100) is None
    assert prices.monthly(moon, "ebs.snapshot_gb") is None
    assert prices.public_ipv4(moon) == usd(3.65)


def test_what_is_global_is_priced_where_it_lives() -> None:
    assert prices.monthly(Target("123456789012", GLOBAL), "ebs.snapshot_gb", 1) == usd(0.05)


def test_a_key_that_is_not_in_the_table_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        prices.monthly(HERE, "ebs.unobtainium")


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov", "aws-eusc"])
def test_another_partition_is_unpriced(partition: str) -> None:
    there = Target("123456789012", "-", partition)
    assert prices.public_ipv4(there) is None
    assert prices.nat_gateway(there) is None
    assert prices.volume(there, "gp3", 100) is None
    assert prices.instance(there, "t3.micro", "Linux/UNIX") is None
    assert prices.database(there, "db.t3.micro", "mysql", multi_az=False) is None
    assert prices.cache_node(there, "cache.t3.micro", "redis") is None


def test_a_total_is_unpriced_when_a_part_is() -> None:
    assert prices.total([usd(8.80), usd(3.65), usd(3.65)]) == usd(16.10)
    assert prices.total([usd(8.80), None]) is None
    assert prices.total([]) is None


def test_doubt_changes_the_confidence_alone() -> None:
    assert prices.doubted(usd(3.65), Confidence.LOW) == usd(3.65, Confidence.LOW)
    assert prices.doubted(None, Confidence.LOW) is None


def test_the_table_says_when_and_whence() -> None:
    table = prices._table()
    assert date.fromisoformat(f"{table['as_of']}-01")
    assert table["source"]
    assert table["currency"] == "USD"


def test_sizes_of_a_family_cost_in_proportion() -> None:
    """A misremembered digit stands out: within a family, every step doubles, but for the smallest t2."""
    steps = {"large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16, "8xlarge": 32, "9xlarge": 36}
    hourly = prices._table()["ec2_hour"]["Linux/UNIX"]
    for name, price in hourly.items():
        family, _, size = name.partition(".")
        if size in steps:
            assert price == hourly[f"{family}.large"] * steps[size] / 2, name


def test_sizes_of_databases_and_caches_cost_in_proportion() -> None:
    """Lists round to a tenth of a cent: a small step is off by no more than that."""
    steps = {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16, "2xlarge": 32, "4xlarge": 64}
    table = prices._table()
    lists = [*(each for name, each in table["rds_hour"].items() if name != "listed_as")]
    for hourly in [*lists, table["elasticache_hour"]["node"]]:
        families = {name.rpartition(".")[0] for name in hourly}
        for family in families:
            of = {
                name.rpartition(".")[2]: price
                for name, price in hourly.items()
                if name.startswith(f"{family}.")
            }
            unit = min(price / steps[size] for size, price in of.items())
            for size, price in of.items():
                assert abs(price - unit * steps[size]) <= Decimal("0.0006") * steps[size], (family, size)


def test_engines_are_listed_as_something_that_is_there() -> None:
    table = prices._table()["rds_hour"]
    assert set(table["listed_as"].values()) == table.keys() - {"listed_as"}


def test_the_table_lies_beside_the_code() -> None:
    """A layer is a folder: what is not in it does not exist in Lambda."""
    assert prices.TABLE.parent.parent == Path(prices.__file__).parent
