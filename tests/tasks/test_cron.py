"""A cron is read alike by Django-Q, through croniter, and by EventBridge."""

import datetime as dt
import re

import pytest
from croniter import croniter
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from apps.tasks.cron import parse_cron

SEOUL = dt.timezone(dt.timedelta(hours=9))


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


# --- What EventBridge is told --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cron", "expression"),
    [
        ("* * * * *", "cron(* * * * ? *)"),
        ("17 * * * *", "cron(17 * * * ? *)"),
        ("30 18 * * *", "cron(30 18 * * ? *)"),
        ("*/5 * * * *", "cron(0/5 * * * ? *)"),
        ("0 */6 * * *", "cron(0 0/6 * * ? *)"),
        # Days and months begin with 1.
        ("0 0 */2 * *", "cron(0 0 1/2 * ? *)"),
        ("0 0 1 */3 *", "cron(0 0 1 1/3 ? *)"),
        # Weekdays begin with 1 for Sunday, and have no steps.
        ("0 0 * * 0", "cron(0 0 ? * 1 *)"),
        ("0 0 * * 7", "cron(0 0 ? * 1 *)"),
        ("0 0 * * sun", "cron(0 0 ? * 1 *)"),
        ("0 0 * * 1-5", "cron(0 0 ? * 2-6 *)"),
        ("0 0 * * MON-FRI", "cron(0 0 ? * 2-6 *)"),
        ("0 0 * * */2", "cron(0 0 ? * 1,3,5,7 *)"),
        ("0 0 * * sat-sun", "cron(0 0 ? * 1,7 *)"),
        ("0 0 * * 5-7", "cron(0 0 ? * 1,6,7 *)"),
        ("0 0 * * 0-6", "cron(0 0 ? * * *)"),
        ("0 0 1 jan,Jul *", "cron(0 0 1 1,7 ? *)"),
        ("0-10 9-17 * * *", "cron(0-10 9-17 * * ? *)"),
        ("10-50/20 * * * *", "cron(10,30,50 * * * ? *)"),
        ("5,35 8,20 * * *", "cron(5,35 8,20 * * ? *)"),
        ("*/30,5 * * * *", "cron(0,5,30 * * * ? *)"),
        ("*/1 0-23 1-31 1-12 *", "cron(* * * * ? *)"),
        ("05 03 * * *", "cron(5 3 * * ? *)"),
        ("  0   3 * * *  ", "cron(0 3 * * ? *)"),
        ("0 0 29 2 *", "cron(0 0 29 2 ? *)"),
    ],
)
def test_the_same_in_eventbridges_words(cron: str, expression: str) -> None:
    assert parse_cron(cron).eventbridge == expression


def test_the_text_is_kept_for_django_q_without_what_does_not_count() -> None:
    assert parse_cron("  0   3 * *  MON ").text == "0 3 * * mon"


# --- What is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("", "0 fields"),
        ("@daily", "1 fields"),
        ("0 3 * *", "4 fields"),
        ("0 0 3 * * *", "6 fields"),
        ("60 * * * *", "minute '60': it must be from 0 to 59"),
        ("* 24 * * *", "hour '24': it must be from 0 to 23"),
        ("* * 0 * *", "day of month '0': it must be from 1 to 31"),
        ("* * 32 * *", "day of month '32'"),
        ("* * * 0 *", "month '0'"),
        ("* * * 13 *", "month '13'"),
        ("* * * * 8", "weekday '8'"),
        ("-1 * * * *", "minute '-1'"),
        ("100 * * * *", "minute '100'"),
        ("1,,2 * * * *", "minute '1,,2'"),
        ("1, * * * *", "minute '1,'"),
        ("٣ * * * *", "minute '٣'"),
        # Names where there are none.
        ("mon * * * *", "minute 'mon'"),
        ("* * * mon *", "month 'mon'"),
        ("* * * * jan", "weekday 'jan'"),
        ("* * * * monday", "weekday 'monday'"),
        # Of one of the two alone.
        ("* * ? * *", r"day of month '\?'"),
        ("* * l * *", "day of month 'l'"),
        ("* * 15w * *", "day of month '15w'"),
        ("* * * * mon#1", "weekday 'mon#1'"),
        ("* * * * l5", "weekday 'l5'"),
        ("h * * * *", "minute 'h'"),
        ("r * * * *", "minute 'r'"),
        # croniter would read each of these in a way of its own.
        ("5/15 * * * *", "minute '5/15': a step needs a range: 5-59/15"),
        ("5-5 * * * *", "minute '5-5': a range must go up"),
        ("50-10 * * * *", "minute '50-10': a range must go up"),
        ("* * * * fri-mon", "weekday 'fri-mon': a range must go up"),
        ("*,5 * * * *", r"minute '\*,5': \* stands alone"),
        ("*/0 * * * *", r"minute '\*/0': a step must be from 1 to 59"),
        ("*/60 * * * *", r"minute '\*/60': a step must be from 1 to 59"),
        ("* * * * */8", r"weekday '\*/8': a step must be from 1 to 7"),
        # EventBridge has no such pair.
        ("0 0 1 * 1", "day of month '1' and weekday '1': one must be \\*"),
        ("0 0 */2 * 1", r"day of month '\*/2' and weekday '1'"),
        ("0 0 1-31 * 0-6", "day of month '1-31' and weekday '0-6'"),
        # Never.
        ("0 0 30 2 *", "day of month '30': month '2' has 29 days"),
        ("0 0 31 apr,jun *", "day of month '31': month 'apr,jun' has 30 days"),
    ],
)
def test_what_one_of_the_two_could_not_say_is_refused_by_field(cron: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_cron(cron)


@pytest.mark.parametrize(
    "cron",
    [
        f"{','.join(['0'] * 60)} * * * *",  # for Django-Q's column
        "0-28,30-59 0-10,12-23 1-14,16-31 * *",  # for EventBridge, which gets lists
    ],
)
def test_what_is_too_long_for_one_of_the_two_is_refused(cron: str) -> None:
    with pytest.raises(ValueError, match="too long"):
        parse_cron(cron)


# --- When it comes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "latest", "following"),
    [
        ("2026-03-01T02:59:59.999999", "2026-02-28T03:00", "2026-03-01T03:00"),
        ("2026-03-01T03:00", "2026-03-01T03:00", "2026-03-02T03:00"),
        ("2026-03-01T03:00:59.999999", "2026-03-01T03:00", "2026-03-02T03:00"),
        ("2026-03-01T03:01", "2026-03-01T03:00", "2026-03-02T03:00"),
    ],
)
def test_the_latest_is_of_this_minute_or_before_and_the_next_is_later(
    moment: str, latest: str, following: str
) -> None:
    cron = parse_cron("0 3 * * *")
    assert cron.latest(utc(moment)) == utc(latest)
    assert cron.next(utc(moment)) == utc(following)


def test_times_are_utc_whatever_the_zone_of_the_moment() -> None:
    cron = parse_cron("0 3 * * mon")
    # In Seoul it is Monday already, in UTC not yet.
    moment = dt.datetime(2026, 3, 2, 8, 0, tzinfo=SEOUL)
    for found in (cron.latest(moment), cron.next(moment)):
        assert found.tzinfo == dt.UTC
    assert cron.latest(moment) == utc("2026-02-23T03:00")
    assert cron.next(moment) == utc("2026-03-02T03:00")


def test_29_february_comes_in_leap_years() -> None:
    cron = parse_cron("0 0 29 2 *")
    assert cron.next(utc("2026-01-01T00:00")) == utc("2028-02-29T00:00")
    assert cron.latest(utc("2026-01-01T00:00")) == utc("2024-02-29T00:00")


# --- Both agree ----------------------------------------------------------------------------------

ITEM = re.compile(r"\*|\?|([0-9]+)(?:-([0-9]+)|/([0-9]+))?")
# Of each of EventBridge's fields, and the wildcards that its guide lists.
EVENTBRIDGE = [
    (0, 59, ",-*/"),
    (0, 23, ",-*/"),
    (1, 31, ",-*?/"),
    (1, 12, ",-*/"),
    (1, 7, ",-*?"),
    (1970, 2199, ",-*/"),
]


def comes(expression: str, moment: dt.datetime) -> bool:
    """Whether EventBridge would fire in this minute, by the table and examples of its guide."""
    parts = expression.removeprefix("cron(").removesuffix(")").split(" ")
    assert [parts[2], parts[4]].count("?") == 1
    numbers = [
        moment.minute,
        moment.hour,
        moment.day,
        moment.month,
        moment.isoweekday() % 7 + 1,
        moment.year,
    ]
    # A list: each part is to be read, and found well formed.
    said = [allows(*each) for each in zip(parts, numbers, EVENTBRIDGE, strict=True)]
    return all(said)


def allows(part: str, number: int, field: tuple[int, int, str]) -> bool:
    first, last, wildcards = field
    assert set(re.sub("[0-9]", "", part)) <= set(wildcards)
    found = False
    for item in part.split(","):
        match = ITEM.fullmatch(item)
        assert match, item
        if item in ("*", "?"):
            assert part == item
            return True
        low, high, step = (int(text) if text else None for text in match.groups())
        assert low is not None
        assert first <= low <= (high or last) <= last
        if step:
            assert 1 <= step <= last
            found |= number >= low and (number - low) % step == 0
        else:
            found |= low <= number <= (high or low)
    return found


def parts_of(first: int, last: int, names: str = "") -> st.SearchStrategy[str]:
    """A field of a cron, restricted somehow."""
    numbers = st.integers(first, last)
    singles = numbers.map(str)
    if names:
        singles |= st.sampled_from(names.split())
    steps = st.integers(1, last)
    ranges = st.tuples(numbers, numbers).filter(lambda pair: pair[0] < pair[1])
    items = (
        singles
        | steps.map("*/{}".format)
        | ranges.map(lambda pair: f"{pair[0]}-{pair[1]}")
        | st.tuples(ranges, steps).map(lambda both: f"{both[0][0]}-{both[0][1]}/{both[1]}")
    )
    return st.lists(items, min_size=1, max_size=3).map(",".join)


ANY = st.just("*")
WEEKDAYS = parts_of(0, 7, "sun mon Tue wed THU fri sat") | st.sampled_from(
    ["mon-fri", "fri-sun", "sun-tue", "sun-sat", "wed-sun/2"]
)
MONTHS = parts_of(1, 12, "jan FEB mar apr May jun jul aug sep oct nov dec")
# In any month, or all days that every month has.
DAYS_AND_MONTHS = st.tuples(ANY | parts_of(1, 31), ANY) | st.tuples(ANY | parts_of(1, 28), MONTHS)
CRONS = st.builds(
    lambda minute, hour, days: f"{minute} {hour} {' '.join(days)}",
    ANY | parts_of(0, 59),
    ANY | parts_of(0, 23),
    DAYS_AND_MONTHS.map(lambda pair: (*pair, "*")) | st.tuples(ANY, ANY | MONTHS, ANY | WEEKDAYS),
)
MINUTE = dt.timedelta(minutes=1)
# Of ten years.
MOMENTS = st.integers(0, 3653 * 1440).map(lambda minutes: utc("2024-01-01") + minutes * MINUTE)
# From one time that the cron comes to others that it might.
NEAR = [sign * step for sign in (-1, 1) for step in (MINUTE, 60 * MINUTE, 1440 * MINUTE)]


# No deadline: a cron that comes every few years takes croniter a while.
@settings(deadline=None, max_examples=200)
@given(text=CRONS, moment=MOMENTS)
def test_eventbridge_and_croniter_agree_on_every_minute(text: str, moment: dt.datetime) -> None:
    try:
        cron = parse_cron(text)
    except ValueError as error:
        assume("too long" not in str(error))
        raise
    following, latest = cron.next(moment), cron.latest(moment)
    for slot in (following, latest):
        assert comes(cron.eventbridge, slot)
        assert croniter.match(text, slot)
        for near in (slot + step for step in NEAR):
            assert comes(cron.eventbridge, near) == croniter.match(text, near)
    # Nothing comes in between, as far as there is time to look.
    assert latest <= moment < following
    quiet = (following - latest) // MINUTE - 1
    for minutes in range(1, min(quiet, 500) + 1):
        assert not comes(cron.eventbridge, latest + minutes * MINUTE)
        assert not comes(cron.eventbridge, following - minutes * MINUTE)
    # And each is the other's neighbour.
    assert cron.next(latest) == following
    assert cron.latest(following - MINUTE) == latest
    assert cron.latest(following) == following
