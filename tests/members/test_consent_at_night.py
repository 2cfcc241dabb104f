"""`marketing_night` stands beside `marketing` and ends with it."""

from typing import Any

import pytest
from django.core import mail

from apps.members.models import Consent, ConsentNotice, Member
from apps.members.services.consent_notices import send_notice
from apps.tasks.runner import run_due_tasks
from tests.builders import CONSENTS_JSON, ApiClient, make_member, social_ticket
from tests.common.test_problems import assert_problem
from tests.concurrency import at_once
from tests.members.test_consent_notices import reachable
from tests.members.test_consents import VERSION, choose, rows, state
from tests.members.test_signup import BODY

YES, NO = (VERSION, True), (VERSION, False)


def test_a_yes_to_it_takes_one_to_marketing(alice: ApiClient) -> None:
    assert_problem(choose(alice, "marketing_night"), 409, "marketing_needed")
    choose(alice, "marketing", False)
    assert_problem(choose(alice, "marketing_night"), 409, "marketing_needed")
    assert rows(alice, "marketing_night") == []
    choose(alice, "marketing")
    assert choose(alice, "marketing_night").json()["granted"] is True
    assert rows(alice, "marketing_night") == [YES]


def test_a_no_to_marketing_is_one_to_it_and_a_later_yes_is_none(alice: ApiClient) -> None:
    choose(alice, "marketing")
    choose(alice, "marketing_night")
    answer = choose(alice, "marketing", False).json()
    night = state(alice, "marketing_night")
    assert (night["granted"], night["confirm_by"], night["version"]) == (False, None, VERSION)
    assert answer["also"] == [night]
    assert rows(alice, "marketing_night") == [YES, NO]
    # The phone lost the answer.
    assert choose(alice, "marketing", False).json() == answer
    choose(alice, "marketing")
    assert rows(alice, "marketing_night") == [YES, NO]


def test_who_never_agreed_to_it_has_no_row_of_it(alice: ApiClient) -> None:
    choose(alice, "marketing")
    answer = choose(alice, "marketing", False).json()
    assert [item["version"] for item in answer["also"]] == [None]
    assert rows(alice, "marketing_night") == []


def test_both_ends_are_told_by_one_mail(alice: ApiClient) -> None:
    reachable(Member.objects.get())
    for kind in ("marketing", "marketing_night"):
        choose(alice, kind)
    run_due_tasks()
    mail.outbox.clear()
    choose(alice, "marketing", False)
    assert run_due_tasks() == 1
    [message] = mail.outbox
    assert message.body.count("철회하셨고") == 2


@pytest.mark.usefixtures("committed")
def test_no_to_marketing_and_yes_to_it_at_once_end_without_it() -> None:
    client = ApiClient(make_member())
    choose(client, "marketing")
    at_once(
        lambda: choose(client, "marketing", False),
        lambda: choose(client, "marketing_night"),
    )
    assert state(client, "marketing")["granted"] is False
    assert state(client, "marketing_night")["granted"] is False


@pytest.mark.parametrize("path", ["/auth/signup", "/auth/social/kakao"])
@pytest.mark.parametrize("marketing", [None, False])
def test_neither_is_it_taken_alone_at_sign_up(
    anonymous: ApiClient, path: str, marketing: bool | None
) -> None:
    free = {"marketing": marketing, "marketing_night": True}
    consents: list[dict[str, Any]] = CONSENTS_JSON + [
        {"kind": kind, "version": VERSION, "granted": granted}
        for kind, granted in free.items()
        if granted is not None
    ]
    body = BODY | {"consents": consents}
    if "social" in path:
        names = ("consents", "birth_date", "device")
        body = {name: body[name] for name in names} | {"social_ticket": social_ticket()}
    problem = assert_problem(anonymous.post(path, body, format="json"), 400, "invalid_input")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [
        (f"/consents/{len(consents) - 1}/granted", "marketing_needed")
    ]
    assert not Member.objects.exists()
    if marketing is False:
        consents[-2]["granted"] = True
        assert anonymous.post(path, body, format="json").status_code == 201
        assert Consent.objects.filter(granted=True).count() == 4


def test_no_mail_says_that_an_old_one_without_marketing_goes_on(alice: ApiClient) -> None:
    """The version before let it stand."""
    member = reachable(Member.objects.get())
    row = Consent.objects.create(
        member=member, kind="marketing_night", version=VERSION, granted=True
    )
    notice = ConsentNotice.objects.create(consent=row, reason="two_years", channel="mail")
    send_notice(notice_ids=[notice.pk])
    assert mail.outbox == []
    assert not ConsentNotice.objects.filter(pk=notice.pk).exists()
