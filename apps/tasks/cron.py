"""Cron expressions that Django-Q and EventBridge read alike, in UTC.

The two syntaxes differ, and each has more than the other: what only one can say is refused where
it is declared. Sources: crontab(5), croniter's documentation, and "Cron expressions" in the
EventBridge user guide.
"""

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

# Characters: of Django-Q's Schedule.cron, and of EventBridge's ScheduleExpression.
_LONGEST = 100
_LONGEST_EVENTBRIDGE = 256


@dataclass(frozen=True)
class _Field:
    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()

    def number(self, text: str) -> int:
        """Of a number or a name; -1 for what is neither."""
        if text.isdecimal():
            return int(text)
        return self.first + self.names.index(text) if text in self.names else -1


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    # Both 0 and 7 are Sunday.
    _Field("weekday", 0, 7, _WEEKDAYS),
)
_, _, _DAY, _MONTH, _WEEKDAY = _FIELDS
_BOUND = r"(?:[0-9]{1,2}|[a-z]{3})"
_ITEM = re.compile(rf"(?:\*|({_BOUND})(?:-({_BOUND}))?)(?:/([0-9]{{1,2}}))?")


@dataclass(frozen=True)
class Cron:
    """A schedule; `parse_cron` makes it."""

    # As it was declared, in lower case, with one blank between two fields.
    text: str
    # The same for EventBridge: "cron(…)", six fields.
    eventbridge: str

    def latest(self, moment: dt.datetime) -> dt.datetime:
        """The last time this came, in UTC: in the minute of `moment` (aware), or before it."""
        # croniter's "previous" excludes the very moment.
        end_of_minute = moment.astimezone(dt.UTC).replace(second=59, microsecond=0)
        slot: dt.datetime = self._iterator(end_of_minute).get_prev(dt.datetime)
        return slot

    def next(self, moment: dt.datetime) -> dt.datetime:
        """When this comes first after `moment` (aware), in UTC."""
        slot: dt.datetime = self._iterator(moment.astimezone(dt.UTC)).get_next(dt.datetime)
        return slot

    def _iterator(self, start: dt.datetime) -> Any:
        # Here: it takes 15 ms to import, which a cold start without Django-Q's app need not pay.
        from croniter import croniter

        return croniter(self.text, start)


def parse_cron(text: str) -> Cron:
    """Read five fields: minute, hour, day of the month, month, weekday. All in UTC.

    A field is `*`, a number, a range `a-b`, a step `*/n` or `a-b/n`, or several but `*` with
    commas. Months and weekdays may be named (jan, mon).

    Raises:
        ValueError: it is no such cron, one of the two could not say it, or it never comes. The
            message names the field.
    """
    parts = text.lower().split()
    if len(parts) != len(_FIELDS):
        raise ValueError(
            f"cron {text!r} has {len(parts)} fields instead of five: minute, hour, day of the "
            "month, month, weekday"
        )
    of = dict(zip(_FIELDS, parts, strict=True))
    values = {}
    for field, part in of.items():
        try:
            values[field] = _values(field, part)
        except ValueError as error:
            raise ValueError(f"cron {text!r}: {field.name} {part!r}: {error}") from error
    if of[_DAY] != "*" and of[_WEEKDAY] != "*":
        raise ValueError(
            f"cron {text!r}: day of month {of[_DAY]!r} and weekday {of[_WEEKDAY]!r}: one must be "
            "*, because EventBridge can't restrict both"
        )
    # 2024: a leap year, so 29 February comes, now and then.
    longest = max(calendar.monthrange(2024, month)[1] for month in values[_MONTH])
    if min(values[_DAY]) > longest:
        raise ValueError(
            f"cron {text!r}: day of month {of[_DAY]!r}: month {of[_MONTH]!r} has {longest} days"
        )
    said = {field: _for_eventbridge(field, part, values[field]) for field, part in of.items()}
    # One of the two days must be "?", no matter which where neither is restricted.
    said[_DAY if of[_WEEKDAY] != "*" else _WEEKDAY] = "?"
    cron = Cron(text=" ".join(parts), eventbridge=f"cron({' '.join(said.values())} *)")
    if len(cron.text) > _LONGEST or len(cron.eventbridge) > _LONGEST_EVENTBRIDGE:
        raise ValueError(
            f"cron {text!r} is too long: {_LONGEST} characters are the most, and "
            f"{_LONGEST_EVENTBRIDGE} as EventBridge's {cron.eventbridge}"
        )
    return cron


def _values(field: _Field, part: str) -> set[int]:
    """All that a field stands for; a weekday from 0, which is Sunday."""
    found: set[int] = set()
    for item in part.split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise ValueError("neither *, a number, a range a-b nor a step */n or a-b/n")
        low, high, step = match.groups()
        if low is None and "," in part and step is None:
            raise ValueError("* stands alone")
        if step is not None and not 1 <= int(step) <= field.last:
            raise ValueError(f"a step must be from 1 to {field.last}")
        if step is not None and low is not None and high is None:
            # croniter takes it to the end of the field, crontab(5) does not know it.
            raise ValueError(f"a step needs a range: {low}-{field.last}/{step}")
        found.update(_range(field, low, high)[:: int(step or 1)])
    return {number % 7 for number in found} if field is _WEEKDAY else found


def _range(field: _Field, low: str | None, high: str | None) -> range:
    if low is None:
        return range(field.first, 7 if field is _WEEKDAY else field.last + 1)
    first = field.number(low)
    last = field.number(high or low)
    if field is _WEEKDAY and high == "sun":
        last = 7
    for number in (first, last):
        if not field.first <= number <= field.last:
            raise ValueError(f"it must be from {field.first} to {field.last}")
    # croniter reads 5-5 as all there are.
    if high is not None and first >= last:
        raise ValueError("a range must go up")
    return range(first, last + 1)


def _for_eventbridge(field: _Field, part: str, values: set[int]) -> str:
    if len(values) == (7 if field is _WEEKDAY else field.last + 1 - field.first):
        return "*"
    if field is _WEEKDAY:
        # From 1 for Sunday, and without steps: their list of wildcards has none for weekdays.
        values = {number + 1 for number in values}
    elif part.startswith("*/") and "," not in part:
        return f"{field.first}/{int(part[2:])}"
    numbers = sorted(values)
    first, last = numbers[0], numbers[-1]
    if last - first == len(numbers) - 1 > 1:
        return f"{first}-{last}"
    return ",".join(map(str, numbers))
