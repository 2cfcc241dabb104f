"""What it takes to know who calls."""

import datetime as dt
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from apps.common.ids import uuid7
from apps.members.authentication import AccessTokenAuthentication
from apps.members.models import DeviceSession, Member
from tests.builders import ApiClient, make_member, processed_upload, suspended


def of_token(session: DeviceSession) -> DeviceSession | None:
    return DeviceSession.of_token(session_id=session.pk, member_id=session.member_id)


def columns(row: DeviceSession | Member) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


@pytest.fixture
def session(alice: ApiClient) -> DeviceSession:
    """Alice's, with a value in every column that may have one."""
    assert alice.member is not None
    avatar = processed_upload(alice.member)
    Member.objects.update(
        avatar=avatar,
        email="alice@example.com",
        bio="볕",
        last_login=timezone.now(),
        suspended_until=timezone.now(),
    )
    return DeviceSession.objects.latest("id")


def test_a_call_with_a_token_asks_once_whoever_calls(alice: ApiClient) -> None:
    request = Request(APIRequestFactory().get("/api/v1/me", **alice._credentials))
    with CaptureQueriesContext(connection) as asked:
        found = AccessTokenAuthentication().authenticate(request)
        assert found is not None
        member, session = found
        assert member.username == "alice"
        assert session.member is member
    assert len(asked) == 1


def test_the_query_finds_its_rows_by_indexes(session: DeviceSession) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert of_token(session) is not None
    with connection.cursor() as cursor:
        # A table of a few rows is read whole, index or not. Where none fits, it still is.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {asked[0]['sql']}")
        plan = [line for (line,) in cursor.fetchall()]
    scans = [line for line in plan if "Scan" in line]
    assert len(scans) == 2, plan
    assert all("Index Scan using" in line for line in scans), plan
    assert sum("Index Cond" in line for line in plan) == 2, plan


def test_it_is_the_same_session_and_member_as_any_query_gives(session: DeviceSession) -> None:
    found = of_token(session)
    expected = DeviceSession.objects.select_related("member").get(pk=session.pk)
    assert found is not None
    assert columns(found) == columns(expected)
    assert columns(found.member) == columns(expected.member)
    # A model made by hand would be inserted by `save`.
    assert not found._state.adding
    assert found._state.db == expected.member._state.db == found.member._state.db
    found.member.bio = "changed"
    found.member.save(update_fields=["bio"])
    assert Member.objects.get().bio == "changed"


def test_a_suspended_member_is_known(session: DeviceSession) -> None:
    suspended(session.member)
    found = of_token(session)
    assert found is not None
    assert found.member.suspended_until is not None


@pytest.mark.parametrize("change", ["ended", "expired", "closed", "other member", "no such"])
def test_no_other_session_is_found(session: DeviceSession, change: str) -> None:
    member_id: UUID = session.member_id
    match change:
        case "ended":
            DeviceSession.objects.update(ended_at=timezone.now(), end_reason="logout")
        case "expired":
            DeviceSession.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
        case "closed":
            Member.objects.update(is_active=False)
        case "other member":
            member_id = make_member("bob").pk
        case "no such":
            session.pk = uuid7()
    assert DeviceSession.of_token(session_id=session.pk, member_id=member_id) is None
