"""From a trigger to its slots, the moments at which it starts a job: pure, without a clock.

A slot is a whole number of seconds since 1970 in UTC. Rules, and where they come from:

- Azure's reference: DAYS and MONTHS of cron do not count; what starts in the past goes on at its
  next slot; without a start, the creation is the start, and a slot; a 30th or 31st is skipped in
  shorter months.
- RFC 5545, where Azure is silent: intervals count from the start; weeks begin on Monday; the end
  belongs to it; a time of day that a change of clocks skips is taken by the offset before it (02:30
  becomes 03:30); one that comes twice is the first.
- cron(8): what runs every hour of the day follows the clock, that is, runs in both of an hour that
  comes twice, and not in one that is skipped. Minutes and hours of a recurrence are elapsed time.

Not on croniter or apscheduler: they let the fields for days count, and have rules of their own for
the change of clocks; nor on `dateutil.rrule`, which knows no zones and is 20 times slower. The last
is what the tests compare with.
"""

from __future__ import annotations

import calendar
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from amlocal.plan.cron import parse_cron
from amlocal.plan.schedule import (
    CronTrigger,
    Frequency,
    RecurrencePattern,
    RecurrenceTrigger,
    Trigger,
    WeekDay,
)
from amlocal.plan.windows_zones import WINDOWS_ZONES

_DAY = 86_400
_EPOCH = date(1970, 1, 1).toordinal()
_ELAPSED = {Frequency.MINUTE: 60, Frequency.HOUR: 3600}
#: No clock has ever been set by more than a day.
_LONGEST_CHANGE_DAYS = 2
_LAST = date.max.toordinal() - 1
_NEVER = (_LAST - _EPOCH) * _DAY
#: Slots of elapsed time that are counted at once.
_PIECE = 1000


@dataclass(frozen=True, slots=True)
class _Times:
    """The times of a day, as seconds after midnight; `hourly` if every hour has one."""

    seconds: Sequence[int]
    hourly: bool

    def since(self, midnight: int) -> Sequence[int]:
        """Return the moments of a day on which the clocks are not changed."""
        times = self.seconds
        if isinstance(times, range):
            return range(midnight + times.start, midnight + times.stop, times.step)
        return [midnight + second for second in times]


def zone_of(time_zone: str) -> ZoneInfo:
    """Return the zone of a Windows name; raises KeyError where there is none."""
    return ZoneInfo(WINDOWS_ZONES[time_zone])


def moment(text: str, zone: ZoneInfo) -> int:
    """Return an ISO 8601 time in seconds since 1970; without an offset it is one of the zone.

    Raises:
        ValueError: It is no such time.
    """
    read = _read(text)
    return int((read if read.tzinfo else read.replace(tzinfo=zone)).timestamp())


def is_zoned(text: str) -> bool:
    """Return whether an ISO 8601 time says its offset."""
    return _read(text).tzinfo is not None


def _read(text: str) -> datetime:
    # `Z` is read from Python 3.11 on.
    return datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith(("Z", "z")) else text)


def slots(trigger: Trigger, created: int, *, after: int, until: int | None = None) -> Iterator[int]:
    """Yield the slots of a trigger in order, without end where it has none.

    Args:
        trigger: The trigger; its time zone and times are right.
        created: When its schedule was created, in seconds since 1970: the start, where it has none.
        after: Slots up to this moment are left out.
        until: Slots later than this are, too.
    """
    zone = zone_of(trigger.time_zone)
    start = moment(trigger.start_time, zone) if trigger.start_time else created
    ends = [until] if until is not None else []
    if trigger.end_time:
        ends.append(moment(trigger.end_time, zone))
    end = min(ends, default=_NEVER)
    last = max(after, start - 1)
    first: list[Sequence[int]] = [] if trigger.start_time else [(created,)]
    # By the day, since what is done for every slot would cost ten times what they do themselves.
    for block in itertools.chain(first, _blocks(trigger, zone, start, last + 1)):
        if not block or block[-1] <= last:
            continue
        if block[0] > last and block[-1] <= end:
            yield from block
        else:
            yield from (slot for slot in block if last < slot <= end)
        if block[-1] > end:
            return
        last = block[-1]


def next_slot(trigger: Trigger, created: int, *, after: int) -> int | None:
    """Return the first slot of a trigger after a moment, or None where it has ended."""
    return next(slots(trigger, created, after=after), None)


def _blocks(trigger: Trigger, zone: ZoneInfo, start: int, low: int) -> Iterator[Sequence[int]]:
    """Yield the slots from about `low` on, in pieces."""
    if isinstance(trigger, RecurrenceTrigger) and trigger.frequency in _ELAPSED:
        step = trigger.interval * _ELAPSED[trigger.frequency]
        piece = step * _PIECE
        for first in range(start + -(-(low - start) // step) * step, _NEVER, piece):
            yield range(first, first + piece, step)
        return
    begin = _wall(trigger.start_time, zone, start)
    floor = datetime.fromtimestamp(low, zone).toordinal() - _LONGEST_CHANGE_DAYS
    floor = max(floor, begin.toordinal())
    if isinstance(trigger, CronTrigger):
        cron = parse_cron(trigger.expression)
        times = _times(cron.hours, cron.minutes)
        days = _weekly(begin.toordinal(), floor, 1, cron.weekdays)
    else:
        times = _pattern_times(trigger.schedule, begin)
        days = _days(trigger, begin, floor)
    yield from _instants(zone, days, times)


def _wall(text: str | None, zone: ZoneInfo, start: int) -> datetime:
    """Return what the clocks of a zone show at the start, or should, where they skip it."""
    if text and (read := _read(text)).tzinfo is None:
        return read
    return datetime.fromtimestamp(start, zone)


def _times(
    hours: Sequence[int] | frozenset[int], minutes: Sequence[int] | frozenset[int]
) -> _Times:
    seconds = sorted({(hour * 60 + minute) * 60 for hour in hours for minute in minutes})
    # Evenly spaced ones are a range: of every minute, it takes half the time of a list.
    step = seconds[1] - seconds[0] if len(seconds) > 1 else 1
    even = range(seconds[0], seconds[-1] + 1, step)
    return _Times(even if list(even) == seconds else seconds, hourly=len(set(hours)) == 24)


def _pattern_times(pattern: RecurrencePattern | None, begin: datetime) -> _Times:
    if pattern is None or not (pattern.hours or pattern.minutes):
        return _Times((begin.hour * 3600 + begin.minute * 60 + begin.second,), hourly=False)
    return _times(pattern.hours or (begin.hour,), pattern.minutes or (begin.minute,))


def _days(trigger: RecurrenceTrigger, begin: datetime, floor: int) -> Iterator[int]:
    """Return the days of a recurrence from `floor` on, as ordinals."""
    first, every = begin.toordinal(), trigger.interval
    pattern = trigger.schedule or RecurrencePattern()
    order = list(WeekDay)
    weekdays = frozenset(order.index(day) for day in pattern.week_days)
    if trigger.frequency is Frequency.DAY:
        return iter(range(first + -(-(floor - first) // every) * every, _LAST, every))
    if trigger.frequency is Frequency.WEEK:
        return _weekly(first, floor, every, weekdays or frozenset({begin.weekday()}))
    days = frozenset(pattern.month_days) or (frozenset() if weekdays else frozenset({begin.day}))
    return _monthly(begin, floor, every, days, weekdays)


def _weekly(first: int, floor: int, every: int, weekdays: frozenset[int]) -> Iterator[int]:
    # Ordinal 1 is a Monday.
    monday = first - (first - 1) % 7
    step = 7 * every
    for week in range(monday + (floor - monday) // step * step, _LAST, step):
        yield from (week + day for day in sorted(weekdays) if week + day >= floor)


def _monthly(
    begin: datetime, floor: int, every: int, days: frozenset[int], weekdays: frozenset[int]
) -> Iterator[int]:
    """Yield the days of every so manieth month; of no days, all; of no weekdays, any."""
    low = date.fromordinal(floor)
    first = begin.year * 12 + begin.month - 1
    month = first + max(0, (low.year * 12 + low.month - 1 - first) // every) * every
    for number in range(month, 12 * date.max.year, every):
        year, index = divmod(number, 12)
        one = date(year, index + 1, 1).toordinal()
        for day in range(1, calendar.monthrange(year, index + 1)[1] + 1):
            ordinal = one + day - 1
            if days and day not in days:
                continue
            if weekdays and (ordinal - 1) % 7 not in weekdays:
                continue
            if ordinal >= floor:
                yield ordinal


def _instants(zone: ZoneInfo, days: Iterator[int], times: _Times) -> Iterator[Sequence[int]]:
    """Yield the moments of some times on some days of a zone, by the day."""
    for day in days:
        before, behind = _offset(zone, day), _offset(zone, day + 1)
        if before == behind:
            yield times.since((day - _EPOCH) * _DAY - before)
        else:
            yield sorted(_of_change(zone, day, times))


def _of_change(zone: ZoneInfo, day: int, times: _Times) -> set[int]:
    """Return the moments of some times on a day on which the clocks are changed."""
    found = set()
    for second in times.seconds:
        first, later = _offset(zone, day, second), _offset(zone, day, second, fold=1)
        wall = (day - _EPOCH) * _DAY + second
        if first >= later or not times.hourly:
            found.add(wall - first)
        if first > later and times.hourly:
            found.add(wall - later)
    return found


def _offset(zone: ZoneInfo, day: int, second: int = 0, *, fold: int = 0) -> int:
    """Return by how many seconds a zone is ahead of UTC at a time of a day."""
    wall = datetime.fromordinal(day) + timedelta(seconds=second)
    offset = wall.replace(tzinfo=zone, fold=fold).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def told(slot: float, zone: timezone | ZoneInfo = timezone.utc) -> str:
    """Return a moment as ISO 8601 with its offset."""
    return datetime.fromtimestamp(slot, zone).isoformat()
