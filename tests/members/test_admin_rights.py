"""Moderators, who may change members and are no superusers, in the admin."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from apps.common.ids import uuid7
from apps.members.models import Member, RetainedRecord, SocialIdentity
from apps.members.services import suspensions
from tests.builders import PASSWORD, make_member, operator

NEW_PASSWORD = "a new and longer one"


@pytest.fixture
def maud(db: None) -> Member:
    """A moderator."""
    member = make_member("maud")
    member.is_staff = True
    member.save(update_fields=["is_staff"])
    names = ["add_member", "change_member", "view_member"]
    member.user_permissions.set(Permission.objects.filter(codename__in=names))
    return member


@pytest.fixture
def desk(maud: Member) -> Client:
    """The moderator's browser."""
    client = Client()
    client.force_login(maud)
    return client


def url(member: Member, page: str = "change") -> str:
    return f"/admin/members/member/{member.pk}/{page}/"


def form_of(page: Any) -> dict[str, Any]:
    """What a browser would send of a form that nobody has touched."""
    form = page.context["adminform"].form
    given = {name: form[name].value() for name in form.fields}
    given |= {"consents-TOTAL_FORMS": 0, "consents-INITIAL_FORMS": 0}
    return {name: value for name, value in given.items() if value not in (None, False)}


def test_a_moderator_suspends_a_member_and_gives_no_rights(desk: Client) -> None:
    member = make_member()
    sent = form_of(desk.get(url(member))) | {
        "suspended_until_0": "2027-01-01",
        "suspended_until_1": "00:00:00",
        "is_staff": "on",
        "is_superuser": "on",
        "user_permissions": [Permission.objects.values_list("pk", flat=True)[0]],
    }
    assert desk.post(url(member), sent).status_code == 302
    member.refresh_from_db()
    assert member.suspended_until is not None
    assert (member.is_staff, member.is_superuser) == (False, False)
    assert not member.user_permissions.exists()


def test_a_suspension_that_ends_early_ends_for_logins_that_were_lost(desk: Client) -> None:
    """Whoever joins with one would be suspended as long as it was said first."""
    member = make_member("alice")
    first, second = (timezone.now() + dt.timedelta(days=days) for days in (30, 60))
    Member.objects.filter(pk=member.pk).update(suspended_until=first)
    member.refresh_from_db()
    identity = SocialIdentity.objects.create(member=member, provider="kakao", subject="5")
    suspensions.keep_suspension(member=member, identity=identity)
    # Of somebody who had the name before, and was erased.
    before = SocialIdentity(pk=uuid7(), member=member, provider="kakao", subject="6")
    suspensions.keep_suspension(member=member, identity=before)
    RetainedRecord.objects.filter(source_id=str(before.pk)).update(
        created_at=member.created_at - dt.timedelta(days=1)
    )

    def decide(day: str, hour: str) -> None:
        sent = form_of(desk.get(url(member)))
        sent |= {"suspended_until_0": day, "suspended_until_1": hour}
        assert desk.post(url(member), sent).status_code == 302

    def until(subject: str) -> dt.datetime | None:
        return suspensions.suspended_until(provider="kakao", subject=subject)

    assert until("5") == until("6") == first
    decide(f"{timezone.localtime(second):%Y-%m-%d}", "00:00:00")
    member.refresh_from_db()
    assert until("5") == member.suspended_until != first
    decide("", "")
    assert (until("5"), until("6")) == (None, first)


@pytest.mark.parametrize("whose", ["their own", "a superuser's"])
def test_a_moderator_changes_no_operators_account(desk: Client, maud: Member, whose: str) -> None:
    target = maud if whose == "their own" else operator(make_member("olga"))
    given = {"username": target.username, "display_name": "x", "kind": "common", "locale": "ko"}
    given |= {"is_active": "on", "is_superuser": "on", "is_staff": "on"}
    given |= {"email": "maud@example.com", "email_verified": "on"}
    given |= {"consents-TOTAL_FORMS": "0", "consents-INITIAL_FORMS": "0"}
    assert desk.post(url(target), given).status_code == 403
    passwords = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    assert desk.post(url(target, "password"), passwords).status_code == 403
    before = (target.is_superuser, target.email)
    target.refresh_from_db()
    assert (target.is_superuser, target.email) == before
    assert target.check_password(PASSWORD)


def test_a_moderator_sets_a_members_password(desk: Client) -> None:
    member = make_member()
    passwords = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    assert desk.post(url(member, "password"), passwords).status_code == 302
    member.refresh_from_db()
    assert member.check_password(NEW_PASSWORD)
