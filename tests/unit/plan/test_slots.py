from __future__ import annotations

import csv
import itertools
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from amlocal.plan.schedule import (
    CronTrigger,
    Frequency,
    RecurrencePattern,
    RecurrenceTrigger,
    Trigger,
    WeekDay,
)
from amlocal.plan.slots import moment, next_slot, slots, told, zone_of

UTC = ZoneInfo("UTC")
with Path(__file__).with_name("slots.csv").open(newline="") as rows:
    TABLE = list(csv.DictReader(rows))


def at(text: str) -> int:
    return moment(text, UTC)


def trigger_of(row: dict[str, str]) -> Trigger:
    """`cron EXPRESSION`, or `UNIT/INTERVAL h=.. m=.. wd=.. md=..`."""
    times: dict[str, Any] = {
        "start_time": row["start"] or None,
        "end_time": row["end"] or None,
        "time_zone": row["time_zone"],
    }
    kind, _, rest = row["trigger"].partition(" ")
    if kind == "cron":
        return CronTrigger(expression=rest, **times)
    unit, _, interval = kind.partition("/")
    said = dict(word.split("=") for word in rest.split())
    numbers = {
        key: tuple(map(int, said[key].split(","))) for key in ["h", "m", "md"] if key in said
    }
    days = tuple(WeekDay(day) for day in said["wd"].split(",")) if "wd" in said else ()
    pattern = RecurrencePattern(
        hours=numbers.get("h", ()),
        minutes=numbers.get("m", ()),
        week_days=days,
        month_days=numbers.get("md", ()),
    )
    return RecurrenceTrigger(
        frequency=Frequency(unit),
        interval=int(interval),
        schedule=pattern if said else None,
        **times,
    )


@pytest.mark.parametrize("row", TABLE, ids=[row["what"] for row in TABLE])
def test_slots_are_those_of_the_table(row: dict[str, str]) -> None:
    trigger, created = trigger_of(row), at(row["created"])
    expected = row["slots"].split()
    # Where a row ends with a point, one more is asked for than there is.
    found = list(itertools.islice(slots(trigger, created, after=created - 1), len(expected)))
    assert [told(slot) for slot in found] == [told(at(s)) for s in expected if s != "."]
    assert type(trigger).from_json(trigger.to_json()) == trigger


def test_the_table_is_long_and_every_row_has_its_source() -> None:
    assert len(TABLE) >= 60
    assert all(row["source"] and row["slots"] for row in TABLE)
    assert len({row["what"] for row in TABLE}) == len(TABLE)


def test_ten_years_have_every_slot_once() -> None:
    hourly = CronTrigger(
        expression="0 * * * *",
        start_time="2024-01-01T00:00:00",
        time_zone="Pacific Standard Time",
    )
    created, until = at("2024-01-01T00:00:00Z"), at("2034-01-01T00:00:00Z")
    found = list(slots(hourly, created, after=created, until=until))
    # Every hour of ten years (three leap days) but for the first eight, which are still 2023 there.
    assert len(found) == (3653 * 24) - 8 + 1
    assert {later - one for one, later in itertools.pairwise(found)} == {3600}
    daily = CronTrigger(
        expression="30 2 * * *",
        start_time="2024-01-01T00:00:00",
        time_zone="Pacific Standard Time",
    )
    steps = [b - a for a, b in itertools.pairwise(slots(daily, 0, after=0, until=until))]
    assert len(steps) == 3653 - 1
    assert sorted(set(steps)) == [23 * 3600, 24 * 3600, 25 * 3600]
    assert steps.count(23 * 3600) == steps.count(25 * 3600) == 10


@pytest.mark.parametrize("expression", ["* * * * *", "*/7 * * * *", "0 9-17 * * 1-5"])
def test_ten_years_take_no_second(expression: str) -> None:
    trigger = CronTrigger(
        expression=expression, start_time="2024-01-01T00:00:00", time_zone="Eastern Standard Time"
    )
    begin = time.process_time()
    count = sum(1 for _ in slots(trigger, 0, after=0, until=at("2034-01-01T00:00:00Z")))
    # Seconds of the processor, twice as many as it may take of a machine that does other things.
    assert time.process_time() - begin < 2
    assert count > 20_000


# Changes of clocks: by an hour in both hemispheres, by half an hour, at midnight, and none.
ZONES = (
    *("Pacific Standard Time", "W. Europe Standard Time", "AUS Eastern Standard Time"),
    *("Lord Howe Standard Time", "Egypt Standard Time", "India Standard Time", "UTC"),
)
# On or before such a day in one of them.
CHANGED = [
    *(date(2025, 3, 8), date(2025, 3, 29), date(2025, 4, 5), date(2025, 4, 24)),
    *(date(2025, 10, 4), date(2025, 10, 25), date(2025, 10, 30), date(2025, 11, 1)),
]


def by_walking(
    hours: set[int], minutes: set[int], zone: ZoneInfo, begin: int, end: int
) -> set[int]:
    """What the clock shows is looked at every minute; a time that it skips is taken by itself."""
    found = set()
    for instant in range(begin, end, 60):
        wall = datetime.fromtimestamp(instant, zone)
        if wall.hour in hours and wall.minute in minutes and (len(hours) == 24 or not wall.fold):
            found.add(instant)
    if len(hours) < 24:
        first = datetime.fromtimestamp(begin, zone).date() - timedelta(days=1)
        for day, hour, minute in itertools.product(range(8), hours, minutes):
            date = first + timedelta(days=day)
            skipped = datetime(date.year, date.month, date.day, hour, minute, tzinfo=zone)
            found.add(int(skipped.timestamp()))
    return {instant for instant in found if begin <= instant < end}


@given(
    zone=st.sampled_from(ZONES),
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=4) | st.just(set(range(24))),
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=3) | st.just(set(range(0, 60, 7))),
    day=st.dates(date(2024, 1, 1), date(2026, 12, 31)) | st.sampled_from(CHANGED),
)
@settings(max_examples=120, deadline=None)
def test_times_of_a_day_are_those_that_the_clock_shows(
    zone: str, hours: set[int], minutes: set[int], day: date
) -> None:
    begin = at(day.isoformat())
    end = begin + 4 * 86_400
    lists = (",".join(map(str, sorted(numbers))) for numbers in (minutes, hours))
    trigger = CronTrigger(
        expression=f"{' '.join(lists)} * * *", start_time="2024-01-01T00:00:00", time_zone=zone
    )
    found = list(slots(trigger, 0, after=begin - 1, until=end - 1))
    start = moment("2024-01-01T00:00:00", zone_of(zone))
    expected = by_walking(hours, minutes, zone_of(zone), max(begin, start), end)
    assert found == sorted(expected)


@pytest.mark.parametrize("row", TABLE, ids=[row["what"] for row in TABLE])
def test_slots_do_not_depend_on_where_one_begins_to_ask(row: dict[str, str]) -> None:
    """What a scheduler finds that was started anew is what one finds that ran all the time."""
    trigger, created = trigger_of(row), at(row["created"])
    whole = list(itertools.islice(slots(trigger, created, after=created - 1), 12))
    asked: list[int] = []
    after = created - 1
    while len(asked) < len(whole):
        slot = next_slot(trigger, created, after=after)
        assert slot is not None
        asked.append(slot)
        after = slot
    assert asked == whole


FREQUENCIES = {
    Frequency.DAY: rrule.DAILY,
    Frequency.WEEK: rrule.WEEKLY,
    Frequency.MONTH: rrule.MONTHLY,
}


def rule_of(trigger: RecurrenceTrigger, start: datetime) -> Iterator[datetime]:
    """The same recurrence by dateutil, of times without a zone."""
    pattern = trigger.schedule or RecurrencePattern()
    order = list(WeekDay)
    days = [order.index(day) for day in pattern.week_days]
    given: dict[str, Any] = {}
    if trigger.frequency is not Frequency.DAY and days:
        given["byweekday"] = days
    if trigger.frequency is Frequency.MONTH and pattern.month_days:
        given["bymonthday"] = pattern.month_days
    if pattern.hours:
        given |= {"byhour": pattern.hours, "byminute": pattern.minutes, "bysecond": 0}
    return iter(
        rrule.rrule(
            FREQUENCIES[trigger.frequency], dtstart=start, interval=trigger.interval, **given
        )
    )


@given(
    frequency=st.sampled_from(sorted(FREQUENCIES, key=str)),
    interval=st.integers(1, 5),
    start=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - a time of day
    hours=st.lists(st.integers(0, 23), max_size=3),
    minutes=st.lists(st.integers(0, 59), min_size=1, max_size=3),
    week_days=st.lists(st.sampled_from(list(WeekDay)), max_size=3),
    month_days=st.lists(st.integers(1, 28), max_size=3),
)
@settings(max_examples=150, deadline=None)
def test_recurrences_are_those_of_dateutil(
    frequency: Frequency,
    interval: int,
    start: datetime,
    hours: list[int],
    minutes: list[int],
    week_days: list[WeekDay],
    month_days: list[int],
) -> None:
    start = start.replace(microsecond=0)
    pattern = RecurrencePattern(
        hours=tuple(hours),
        minutes=tuple(minutes) if hours else (),
        week_days=tuple(week_days),
        month_days=tuple(month_days),
    )
    trigger = RecurrenceTrigger(
        frequency=frequency, interval=interval, schedule=pattern, start_time=start.isoformat()
    )
    limit = start + timedelta(days=3000)
    theirs = list(
        itertools.takewhile(lambda when: when < limit, itertools.islice(rule_of(trigger, start), 8))
    )
    ours = itertools.takewhile(
        lambda when: when < limit,
        (
            datetime.fromtimestamp(slot, timezone.utc).replace(tzinfo=None)
            for slot in itertools.islice(slots(trigger, 0, after=0), 8)
        ),
    )
    assert list(ours) == theirs


def test_a_time_is_read_as_its_zone_has_it() -> None:
    assert moment("2026-07-01T00:00:00", zone_of("Tokyo Standard Time")) == at("2026-06-30T15:00Z")
    assert moment("2026-07-01T00:00:00+02:00", zone_of("UTC")) == at("2026-06-30T22:00Z")
    with pytest.raises(ValueError, match="Invalid isoformat"):
        moment("tomorrow", UTC)
    with pytest.raises(KeyError):
        zone_of("Europe/Berlin")
