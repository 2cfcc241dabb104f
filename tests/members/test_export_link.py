"""The link of an export: who gets the file, for how long, and who is told."""

import datetime as dt
from typing import Any

import pytest
import requests
from django.core import mail, signing
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from apps.members import tasks
from apps.members.models import Export, Member
from apps.members.services import exporting, leaving
from apps.tasks.models import BackgroundTask
from tests.background import run_tasks
from tests.builders import ApiClient, make_member
from tests.common.test_problems import assert_problem
from tests.media.storage import Place
from tests.members.test_export import ready
from tests.members.test_leaving import verified

DAY = dt.timedelta(days=1, seconds=1)


def test_the_link_ends_with_the_day(
    committed: None,
    place: Place,
    later: Any,
    settings: Settings,
) -> None:
    alice = ApiClient(make_member("alice"))
    export = ready(alice)
    ends = dt.datetime.fromisoformat(export["expires_at"])
    assert abs(ends - timezone.now() - dt.timedelta(days=1)) < dt.timedelta(minutes=1)
    path = export["url"].removeprefix(settings.PUBLIC_BASE_URL)
    assert [name for name in sorted(place.keys()) if name.startswith("exports/")]
    later(DAY)
    assert Client().get(path).status_code == 404
    tasks.delete_old_exports.enqueue()
    run_tasks()
    assert not [name for name in sorted(place.keys()) if name.startswith("exports/")]
    assert not Export.objects.exists()
    assert_problem(alice.get(f"/me/export/{export['id']}"), 404, "not_found")


def test_deleting_keeps_what_can_be_fetched(committed: None, place: Place, later: Any) -> None:
    alice = ApiClient(make_member("alice"))
    ready(alice)
    later(dt.timedelta(hours=23))
    assert exporting.delete_old_exports() == 0
    assert len(place.keys()) == 1


def test_one_that_was_never_made_goes_after_two_days(committed: None, later: Any) -> None:
    ApiClient(make_member("alice")).post("/me/export")
    later(dt.timedelta(days=2, minutes=-1))
    assert exporting.delete_old_exports() == 0
    later(dt.timedelta(days=2, minutes=1))
    assert exporting.delete_old_exports() == 1


@pytest.mark.parametrize("spoil", ["changed", "another purpose", "left", "not ready", "made up"])
def test_links_that_give_nothing(
    committed: None,
    local_place: Place,
    settings: Settings,
    spoil: str,
) -> None:
    alice = ApiClient(make_member("alice"))
    export = ready(alice)
    path = export["url"].removeprefix(settings.PUBLIC_BASE_URL)
    match spoil:
        case "changed":
            path = path[:-2] + ("A" if path[-2] != "A" else "B") + path[-1]
        case "another purpose":
            other = signing.Signer(salt="another").sign_object(export["id"])
            path = f"/account/export/{other}"
        case "left":
            leaving.leave(member=Member.objects.get(pk=alice.member.pk))
        case "not ready":
            Export.objects.update(status="processing")
        case "made up":
            path = "/account/export/" + "x" * 3000
    assert Client().get(path).status_code == 404
    assert Client().post(path).status_code == 405


def test_the_link_is_the_same_each_time(committed: None, local_place: Place, later: Any) -> None:
    alice = ApiClient(make_member("alice"))
    export = ready(alice)
    later(dt.timedelta(minutes=5))
    assert alice.get(f"/me/export/{export['id']}").json() == export


def test_the_redirect_to_s3_ends_within_a_minute(
    committed: None,
    s3: Any,
    settings: Settings,
) -> None:
    alice = ApiClient(make_member("alice"))
    path = ready(alice)["url"].removeprefix(settings.PUBLIC_BASE_URL)
    answer = Client().get(path)
    assert "X-Amz-Expires=60&" in answer["Location"]
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "no-referrer"
    # Without the signature it is private.
    assert requests.get(answer["Location"].partition("?")[0], timeout=20).status_code == 403


def test_a_mail_tells_that_it_is_ready(
    committed: None,
    local_place: Place,
) -> None:
    alice, bob = verified(make_member("alice")), make_member("bob")
    Member.objects.filter(pk=bob.pk).update(email="bob@example.com")  # and not verified
    export = ready(ApiClient(alice))
    ready(ApiClient(bob))
    [message] = mail.outbox
    assert message.to == ["minji@example.com"]
    assert export["url"] in message.body
    for task in BackgroundTask.objects.all():
        assert "account/export" not in str(task.args_kwargs) + str(task.return_value)
