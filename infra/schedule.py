"""EventBridge Scheduler's recurring expressions: cron(...) and rate(...)."""

import re
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise, product
from math import ceil
from typing import NamedTuple

RULE = (
    "must be rate(<number> minutes|hours|days) or "
    "cron(<minutes> <hours> <day of month> <month> <day of week> <year>), such as cron(0 6 * * ? *)"
)
LOOK_BACK = timedelta(days=7)
"""An alarm's limit: periods times their length."""
LEAP_CYCLE = timedelta(days=1461)
MONTH = LEAP_CYCLE / 48
RATE = re.compile(r"rate\(([1-9][0-9]{0,4}) (minute|hour|day)(s?)\)")
CRON = re.compile(r"cron\(([^()]*)\)")


class Field(NamedTuple):
    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()
    """Names of the values, from `low` on."""
    calendar: str = "(?!)"
    """What only a calendar resolves: the last day (L), the nearest weekday (15W), 2nd Tuesday (TUE#2)."""


MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FIELDS = (
    Field("minutes", 0, 59),
    Field("hours", 0, 23),
    Field("day of month", 1, 31, calendar=r"L|LW|L-[0-9]{1,2}|([1-9]|[12][0-9]|3[01])W"),
    Field("month", 1, 12, MONTHS),
    Field("day of week", 1, 7, DAYS, calendar=rf"L|([1-7]|{'|'.join(DAYS)})(L|#[1-5])"),
    Field("year", 1970, 2199),
)


def checked(expression: str) -> str:
    """The expression itself. Raises ValueError saying what is allowed."""
    if rate := RATE.fullmatch(expression):
        if (rate[1] == "1") == bool(rate[3]):
            raise ValueError("must be singular for 1 and plural otherwise: rate(1 day), rate(2 days)")
        return expression
    cron = CRON.fullmatch(expression)
    fields = cron[1].split() if cron else []
    if len(fields) != len(FIELDS):
        raise ValueError(RULE)
    for field, text in zip(FIELDS, fields, strict=True):
        _values(field, text)
    if (fields[2] == "?") == (fields[4] == "?"):
        raise ValueError("must have ? as day of month or as day of week, and not as both")
    return expression


def longest_gap(expression: str) -> timedelta | None:
    """The longest time between two runs, to the hour; None where only a calendar knows."""
    if rate := RATE.fullmatch(expression):
        return timedelta(**{f"{rate[2]}s": int(rate[1])})
    _, hours, days, months, weekdays, years = map(_values, FIELDS, expression[len("cron(") : -1].split())
    if not (days and weekdays) or len(years) <= FIELDS[-1].high - FIELDS[-1].low:
        return None
    start = datetime(2001, 1, 1, tzinfo=UTC)
    runs = [
        at
        for at in (start + timedelta(hours=passed) for passed in range(2 * 366 * 24))
        if at.hour in hours and at.day in days and at.month in months and at.isoweekday() % 7 + 1 in weekdays
    ]
    return max((later - earlier for earlier, later in pairwise(runs)), default=None)


def following(expression: str, now: datetime) -> datetime | None:
    """The next run of cron(...), in the zone of `now`; None where only a calendar, or AWS, knows it."""
    if RATE.fullmatch(expression):
        return None  # it counts from when the schedule was made
    minutes, hours, days, months, weekdays, years = map(
        _values, FIELDS, expression[len("cron(") : -1].split()
    )
    if not (days and weekdays):
        return None
    for passed in range(LEAP_CYCLE.days):
        on = (now + timedelta(days=passed)).date()
        if on.month in months and on.day in days and on.isoweekday() % 7 + 1 in weekdays and on.year in years:
            runs = (
                datetime.combine(on, time(hour, minute), now.tzinfo)
                for hour, minute in product(hours, minutes)
            )
            if later := [run for run in runs if run > now]:
                return min(later)
    return None


def runs_a_month(expression: str) -> float:
    """On average over four years. Days that only a calendar knows count as one a month, any year as now."""
    if rate := RATE.fullmatch(expression):
        return MONTH / timedelta(**{f"{rate[2]}s": int(rate[1])})
    minutes, hours, days, months, weekdays, _ = map(_values, FIELDS, expression[len("cron(") : -1].split())
    start, sure = datetime(2001, 1, 1, tzinfo=UTC), days and weekdays
    dates = [
        on
        for on in (start + timedelta(days=passed) for passed in range(LEAP_CYCLE.days))
        if on.month in months
        and (on.day in days and on.isoweekday() % 7 + 1 in weekdays if sure else on.day == 1)
    ]
    return len(dates) * len(hours) * len(minutes) / (LEAP_CYCLE / MONTH)


def dead_man_hours(expression: str) -> int | None:
    """1.5 times the time between runs; None where nobody knows it or CloudWatch cannot look back that far."""
    gap = longest_gap(expression)
    patience = max(1.5 * gap, timedelta(hours=1)) if gap else None
    return ceil(patience / timedelta(hours=1)) if patience and patience <= LOOK_BACK else None


def _values(field: Field, text: str) -> frozenset[int]:
    """What a field of a cron expression stands for; empty where only the calendar knows."""
    parts = [_part(field, part) for part in text.split(",")]
    return frozenset().union(*parts) if all(parts) else frozenset()


def _part(field: Field, text: str) -> range:
    """One alternative of a field: *, 7, MON, 1-5, 0/15."""
    if re.fullmatch(field.calendar, text):
        return range(0)
    span, slash, step = text.partition("/")
    start, dash, end = span.partition("-")
    if span == "*" or (span == "?" and field.name.startswith("day") and not slash):
        low, high = field.low, field.high
    else:
        low = _number(field, start)
        high = _number(field, end) if dash else field.high if slash else low
    if low > high or (slash and not re.fullmatch("[1-9][0-9]?", step)):
        raise ValueError(_rule(field, text))
    return range(low, high + 1, int(step or 1))


def _number(field: Field, text: str) -> int:
    if text in field.words:
        return field.low + field.words.index(text)
    if re.fullmatch("[0-9]{1,4}", text) and field.low <= int(text) <= field.high:
        return int(text)
    raise ValueError(_rule(field, text))


def _rule(field: Field, text: str) -> str:
    words = f" or {field.words[0]}-{field.words[-1]}" if field.words else ""
    return f"must have {field.low}-{field.high}{words} as {field.name}, not {text!r}"
