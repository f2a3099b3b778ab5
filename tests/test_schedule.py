"""When a schedule runs, and when its silence is noticed."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import schedule


@pytest.mark.parametrize(
    ("expression", "gap"),
    [
        ("rate(12 hours)", timedelta(hours=12)),
        ("cron(0 6 * * ? *)", timedelta(days=1)),
        ("cron(0/15 * * * ? *)", timedelta(hours=1)),
        ("cron(30 6,18 * * ? *)", timedelta(hours=12)),
        ("cron(0 6 ? * MON-FRI *)", timedelta(days=3)),
        ("cron(0 6 ? * 2 *)", timedelta(days=7)),
        ("cron(0 6 1 * ? *)", timedelta(days=31)),
        ("cron(0 6 L * ? *)", None),
        ("cron(0 6 1,15W * ? *)", None),
        ("cron(0 6 ? * TUE#2 *)", None),
        ("cron(0 6 1 1 ? 2030)", None),
    ],
)
def test_how_long_a_schedule_pauses(expression: str, gap: timedelta | None) -> None:
    assert schedule.longest_gap(schedule.checked(expression)) == gap


@pytest.mark.parametrize(
    ("expression", "hours"),
    [
        ("rate(1 day)", 36),
        ("cron(0 6 ? * MON-FRI *)", 108),
        ("rate(5 minutes)", 1),
        ("rate(4 days)", 144),
        ("rate(7 days)", None),
        ("cron(0 6 L * ? *)", None),
    ],
)
def test_silence_is_noticed_after_one_and_a_half_periods(expression: str, hours: int | None) -> None:
    """Where the alarm can look back that far."""
    assert schedule.dead_man_hours(expression) == hours


MOMENT = st.tuples(*(st.integers(field.low, field.high) for field in schedule.FIELDS))


@given(MOMENT, st.sampled_from([2, 4]), st.sampled_from(["{}", "{}/2", "{},{}", "*", "*/3"]))
def test_what_the_scheduler_accepts_is_accepted(moment: tuple[int, ...], unsaid: int, shape: str) -> None:
    fields = [shape.format(value, value) for value in moment]
    fields[unsaid] = "?"
    expression = f"cron({' '.join(fields)})"
    assert schedule.checked(expression) == expression
    gap = schedule.longest_gap(expression)
    assert gap is None or gap >= timedelta(hours=1)
