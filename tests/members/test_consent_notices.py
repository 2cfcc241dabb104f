"""What members are told of their consents, when marketing may be sent, and the two years."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.members import tasks
from apps.members.models import Consent, ConsentNotice, Member
from apps.members.services import consent_notices
from apps.members.services.consent_notices import send_notice, send_notices
from apps.members.services.consents import may_market
from apps.tasks.models import BackgroundTask
from apps.tasks.runner import run_due_tasks
from igloo.laptop.providers.world import World
from tests.builders import ApiClient, make_member
from tests.concurrency import at_once
from tests.members.social import NEW_MEMBER, id_token_login, log_in
from tests.members.test_consents import VERSION, choose, state

DAY = dt.timedelta(days=1)
KOREA = ZoneInfo("Asia/Seoul")
NOTHING = {"again": 0, "two_years": 0}


def reachable(member: Member, locale: str = "ko") -> Member:
    """The same member, whose address is verified."""
    member.email, member.email_verified, member.locale = "minji@example.com", True, locale
    member.save(update_fields=["email", "email_verified", "locale"])
    return member


def consent(member: Member, kind: str = "marketing", *, age: dt.timedelta, **changes: Any) -> Any:
    """A row that is so old."""
    fields = {"version": VERSION, "granted": True, "created_at": timezone.now() - age} | changes
    return Consent.objects.create(member=member, kind=kind, **fields)


def told(**fields: Any) -> list[tuple[str, str, bool]]:
    """Of the notices: why, how, and whether it was done."""
    notices = ConsentNotice.objects.filter(consent__kind__startswith="marketing", **fields)
    return [(n.reason, n.channel, n.told_at is not None) for n in notices.order_by("id")]


# --- The outcome of a choice ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        (
            "ko",
            ("마케팅 정보 수신", "동의하셨고", "철회하셨고", "보낸 곳: igloo"),
        ),
        ("en", ("marketing messages", "You agreed", "back", "From: igloo")),
    ],
)
def test_each_change_is_told_by_mail(alice: ApiClient, locale: str, words: tuple[str, ...]) -> None:
    what, agreed, taken_back, sender = words
    member = reachable(Member.objects.get(), locale)
    choose(alice, "marketing")
    choose(alice, "marketing")
    choose(alice, "marketing", False)
    assert mail.outbox == []
    assert run_due_tasks() == 2
    results = {message.body: message for message in mail.outbox}
    assert len(results) == 2
    for result, granted in ((agreed, True), (taken_back, False)):
        [body] = [text for text in results if result in text]
        row = Consent.objects.get(kind="marketing", granted=granted)
        when = row.created_at.astimezone(KOREA).strftime("%Y-%m-%d %H:%M (KST)")
        assert all(part in body for part in (what, sender, "alice", VERSION, when))
        assert results[body].to == [member.email]
        [(html, _kind)] = results[body].alternatives
        assert when in html
    assert told() == [("outcome", "mail", True)] * 2


def test_a_no_that_was_never_a_yes_is_told_by_the_answer(alice: ApiClient) -> None:
    """Nothing has changed by it."""
    reachable(Member.objects.get())
    choose(alice, "marketing_night", False)
    assert run_due_tasks() == 0
    assert told() == [("outcome", "answer", True)]


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("ko", ("igloo: 동의 처리 결과 안내", "동의하셨고", "동의하지 않")),
        ("en", ("igloo: your choices", "You agreed", "You did not agree")),
    ],
)
def test_a_new_member_is_told_of_all_choices_in_one_mail(
    anonymous: ApiClient, providers: World, settings: Any, locale: str, words: tuple[str, ...]
) -> None:
    """Whose address Google has confirmed."""
    subject, agreed, refused = words
    body = id_token_login(anonymous, providers, "google") | NEW_MEMBER
    choice = {"kind": "marketing", "version": VERSION, "granted": False}
    body["consents"] = [*body["consents"], choice]
    log_in(anonymous, "google", **body)
    Member.objects.update(locale=locale)
    # What fails once is told again in one mail, too.
    working, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, f"{__name__}.Away"
    run_due_tasks()
    BackgroundTask.objects.all().delete()
    ConsentNotice.objects.update(queued_at=timezone.now() - 1.1 * DAY)
    assert send_notices() == {"again": 3, "two_years": 0}
    settings.EMAIL_BACKEND = working
    assert run_due_tasks() == 1
    [message] = mail.outbox
    assert message.subject == subject
    assert message.body.count(agreed) == 2
    assert message.body.count(refused) == 1
    assert message.body.count(VERSION) == 3
    assert ConsentNotice.objects.filter(channel="mail", told_at__isnull=False).count() == 3
    assert send_notices() == NOTHING


def test_without_a_verified_address_the_answer_tells(alice: ApiClient) -> None:
    Member.objects.update(email="somebody.elses@example.com")
    choose(alice, "marketing")
    assert told() == [("outcome", "answer", True)]
    assert run_due_tasks() == 0


def test_a_mail_is_sent_once_whoever_runs_its_task(alice: ApiClient) -> None:
    reachable(Member.objects.get())
    choose(alice, "marketing")
    [notice] = ConsentNotice.objects.filter(told_at=None)
    send_notice(notice_ids=[notice.pk])
    send_notice(notice_ids=[notice.pk])
    assert run_due_tasks() == 1
    assert len(mail.outbox) == 1


@pytest.mark.usefixtures("committed")
def test_two_workers_at_once_send_one_mail() -> None:
    client = ApiClient(reachable(make_member()))
    choose(client, "marketing")
    [notice] = ConsentNotice.objects.filter(told_at=None)
    at_once(*(lambda: send_notice(notice_ids=[notice.pk]) for _ in range(3)))
    assert len(mail.outbox) == 1


def test_an_address_that_was_taken_away_gets_no_mail(alice: ApiClient) -> None:
    reachable(Member.objects.get())
    choose(alice, "marketing")
    Member.objects.update(email="stranger@example.com", email_verified=False)
    run_due_tasks()
    assert mail.outbox == []
    assert told() == [("outcome", "answer", True)]


def test_a_choice_that_is_rolled_back_tells_nothing(
    alice: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    reachable(Member.objects.get())

    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(type(tasks.send_consent_notice), "enqueue", fail)
    assert choose(alice, "marketing").status_code == 500
    assert not Consent.objects.filter(kind="marketing").exists()
    assert told() == []


def test_a_mail_that_could_not_be_sent_is_tried_again_for_14_days(
    alice: ApiClient, settings: Any
) -> None:
    reachable(Member.objects.get())
    settings.EMAIL_BACKEND = "tests.members.test_consent_notices.Away"
    choose(alice, "marketing")
    run_due_tasks()
    assert told() == [("outcome", "mail", False)]
    assert send_notices() == NOTHING
    BackgroundTask.objects.all().delete()
    ConsentNotice.objects.filter(told_at=None).update(queued_at=timezone.now() - 1.1 * DAY)
    assert send_notices() == {"again": 1, "two_years": 0}
    assert send_notices() == NOTHING
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    run_due_tasks()
    assert len(mail.outbox) == 1
    assert told() == [("outcome", "mail", True)]


def test_after_14_days_it_is_left_for_operators_to_see(alice: ApiClient) -> None:
    reachable(Member.objects.get())
    choose(alice, "marketing")
    ages = {"queued_at": timezone.now() - 2 * DAY, "created_at": timezone.now() - 14.1 * DAY}
    ConsentNotice.objects.filter(told_at=None).update(**ages)
    assert send_notices() == NOTHING
    assert told() == [("outcome", "mail", False)]


class Away:
    """A mail server that is away."""

    def __init__(self, **_options: Any) -> None:
        pass

    def send_messages(self, messages: Any) -> int:
        raise ConnectionRefusedError


# --- Two years ------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(("locale", "words"), [("ko", "2년마다"), ("en", "every two years")])
def test_before_two_years_are_over_the_member_is_told(locale: str, words: str) -> None:
    member = reachable(make_member(), locale)
    row = consent(member, age=717 * DAY)
    assert send_notices() == {"again": 0, "two_years": 1}
    assert send_notices() == NOTHING
    run_due_tasks()
    assert send_notices() == NOTHING
    [message] = mail.outbox
    assert words in message.body
    assert f"{row.created_at.astimezone(KOREA):%Y-%m-%d %H:%M}" in message.body
    assert told() == [("two_years", "mail", True)]
    # It goes on for two more years, and is asked again before they are over.
    assert may_market(member=member, at=noon(timezone.now() + 729 * DAY))
    assert not may_market(member=member, at=noon(timezone.now() + 732 * DAY))
    ConsentNotice.objects.update(told_at=timezone.now() - 717 * DAY)
    assert send_notices() == {"again": 0, "two_years": 1}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [
        {"age": 715 * DAY},
        {"granted": False},
        {"kind": "terms"},
        {"kind": "privacy"},
    ],
    ids=str,
)
def test_who_is_not_told(changes: dict[str, Any]) -> None:
    consent(reachable(make_member()), **({"age": 800 * DAY} | changes))
    assert send_notices() == NOTHING


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes", [{"is_active": False}, {"email_verified": False}], ids=lambda item: next(iter(item))
)
def test_whom_no_mail_reaches_is_not_told(changes: dict[str, Any]) -> None:
    consent(reachable(make_member()), age=717 * DAY)
    Member.objects.update(**changes)
    assert send_notices() == NOTHING


@pytest.mark.django_db
def test_what_was_taken_back_or_given_anew_is_over() -> None:
    back, anew = reachable(make_member()), reachable(make_member())
    consent(back, age=800 * DAY)
    consent(back, age=DAY, granted=False)
    consent(anew, age=800 * DAY)
    consent(anew, age=DAY)
    assert send_notices() == NOTHING


def test_one_that_is_taken_back_while_its_mail_waits(alice: ApiClient) -> None:
    consent(reachable(Member.objects.get()), age=717 * DAY)
    send_notices()
    choose(alice, "marketing", False)
    run_due_tasks()
    assert ["철회" in message.body for message in mail.outbox] == [True]
    assert told() == [("outcome", "mail", True)]


@pytest.mark.django_db
@pytest.mark.parametrize("count", [3, 4, 5])
def test_batches_go_on_where_they_stopped(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(consent_notices, "_BATCH", 2)
    for _ in range(count):
        consent(reachable(make_member()), age=717 * DAY)
    enqueue, calls = consent_notices.enqueue_many, []

    def die_at_the_second(task: Any, items: Any) -> Any:
        calls.append(items)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return enqueue(task, items)

    monkeypatch.setattr(consent_notices, "enqueue_many", die_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        consent_notices._tell_after_two_years()
    assert ConsentNotice.objects.filter(reason="two_years").count() == 2
    assert send_notices() == {"again": 0, "two_years": count - 2}
    run_due_tasks()
    assert len(mail.outbox) == count


@pytest.mark.django_db
@pytest.mark.parametrize("count", [3, 4, 5])
def test_those_of_the_same_moment_are_told_too(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(consent_notices, "_BATCH", 2)
    moment = timezone.now() - 717 * DAY
    for _ in range(count):
        member = reachable(make_member())
        consent(member, age=DAY, created_at=moment)
        consent(member, "marketing_night", age=DAY, created_at=moment)
    assert send_notices() == {"again": 0, "two_years": 2 * count}


@pytest.mark.django_db
def test_the_daily_search_reads_by_index() -> None:
    """Of a table in which few consents are to marketing, and fewer are old."""
    member = make_member()
    Consent.objects.bulk_create(
        Consent(member=member, kind="terms", version=VERSION, granted=True) for _ in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE members_consent")
    plan = Consent.objects.to_be_confirmed(timezone.now())[:200].explain()
    assert "consent_marketing_age" in plan
    assert "Seq Scan on members_consent " not in plan


@pytest.mark.usefixtures("committed")
def test_two_at_once_tell_each_member_once() -> None:
    for _ in range(5):
        consent(reachable(make_member()), age=717 * DAY)
    found = at_once(send_notices, send_notices, send_notices)
    assert sum(item["two_years"] for item in found) == 5
    assert run_due_tasks() == 5
    assert len(mail.outbox) == 5


@pytest.mark.django_db
def test_a_batch_costs_the_same_whatever_its_size() -> None:
    costs = []
    for count in (1, 10):
        for _ in range(count):
            consent(reachable(make_member()), age=717 * DAY)
        with CaptureQueriesContext(connection) as queries:
            assert send_notices()["two_years"] == count
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_a_member_without_mail_confirms_by_choosing_again(alice: ApiClient) -> None:
    member = Member.objects.get()
    consent(member, age=731 * DAY)
    assert not may_market(member=member, at=noon())
    assert dt.datetime.fromisoformat(state(alice, "marketing")["confirm_by"]) < timezone.now()
    answer = choose(alice, "marketing").json()
    assert dt.datetime.fromisoformat(answer["confirm_by"]) > timezone.now() + 729 * DAY
    assert Consent.objects.filter(kind="marketing").count() == 1
    assert told() == [("two_years", "answer", True)]
    assert may_market(member=member, at=noon())
    choose(alice, "marketing")
    assert len(told()) == 1


def test_who_confirms_before_the_mail_goes_out_gets_none(alice: ApiClient) -> None:
    consent(reachable(Member.objects.get()), age=717 * DAY)
    send_notices()
    choose(alice, "marketing")
    run_due_tasks()
    assert mail.outbox == []
    assert told() == [("two_years", "answer", True)]


# --- When an advertisement may be sent ------------------------------------------------------------


def noon(day: dt.datetime | None = None) -> dt.datetime:
    """12:00 in Korea on that day, in UTC."""
    return korean(12, day=day)


def korean(*clock: int, day: dt.datetime | None = None) -> dt.datetime:
    """That time of the day in Korea, in UTC."""
    time = dt.time(*clock, tzinfo=KOREA)
    today = (day or timezone.now()).astimezone(KOREA).date()
    return dt.datetime.combine(today, time).astimezone(dt.UTC)


NIGHT = [(21,), (21, 0, 1), (23, 59, 59), (0,), (3,), (7, 59, 59, 999999)]
BY_DAY = [(8,), (12,), (20, 59, 59, 999999)]


@pytest.mark.django_db
@pytest.mark.parametrize("clock", NIGHT + BY_DAY)
@pytest.mark.parametrize(
    ("kinds", "by_day", "by_night"),
    [
        ((), False, False),
        (("marketing",), True, False),
        (("marketing_night",), False, False),
        (("marketing", "marketing_night"), True, True),
    ],
)
def test_when_marketing_may_be_sent(
    clock: tuple[int, ...], kinds: tuple[str, ...], by_day: bool, by_night: bool
) -> None:
    member = make_member()
    for kind in kinds:
        consent(member, kind, age=DAY)
    assert may_market(member=member, at=korean(*clock)) is (by_night if clock in NIGHT else by_day)


@pytest.mark.django_db
def test_the_night_is_koreas_whatever_the_zone_of_the_time() -> None:
    member = make_member()
    consent(member, age=DAY)
    evening_in_utc = dt.datetime(2026, 11, 27, 12, 0, tzinfo=dt.UTC)
    assert not may_market(member=member, at=evening_in_utc)
    assert may_market(member=member, at=evening_in_utc - dt.timedelta(microseconds=1))
    new_york = evening_in_utc.astimezone(ZoneInfo("America/New_York"))
    assert not may_market(member=member, at=new_york)


def test_taking_it_back_ends_it(alice: ApiClient, django_assert_num_queries: Any) -> None:
    member = Member.objects.get()
    choose(alice, "marketing")
    with django_assert_num_queries(1):
        assert may_market(member=member, at=noon())
    choose(alice, "marketing", False)
    assert not may_market(member=member, at=noon())


@pytest.mark.django_db
def test_nobody_markets_to_an_account_that_is_closed() -> None:
    member = make_member()
    consent(member, age=DAY)
    member.is_active = False
    assert not may_market(member=member, at=noon())
