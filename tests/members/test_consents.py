"""GET /me/consents, PUT /me/consents/{kind}, and the versions that ask again."""

import datetime as dt
import re
from importlib import import_module
from itertools import pairwise
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.db import IntegrityError, connection, transaction
from django.db.migrations.loader import MigrationLoader

from apps.members.models import Consent, ConsentNotice, DeviceSession, Member
from apps.members.services.consents import ConsentChoice, record_consents
from apps.members.services.sessions import Device
from tests.builders import (
    CONSENTS_JSON,
    PASSWORD,
    ApiClient,
    make_member,
    sign_up,
)
from tests.common.test_problems import assert_problem
from tests.concurrency import at_once
from tests.openapi import assert_documented

VERSION = "2026-11-01"
NEWER = "2027-02-01"


def choose(client: ApiClient, kind: str, granted: Any = True, version: Any = VERSION) -> Any:
    body = {"version": version, "granted": granted}
    return client.put(f"/me/consents/{kind}", body, format="json")


def rows(client: ApiClient, kind: str) -> list[tuple[str, bool]]:
    """What was said, oldest first."""
    found = Consent.objects.filter(member=client.member, kind=kind).order_by("id")
    return [(row.version, row.granted) for row in found]


def state(client: ApiClient, kind: str) -> dict[str, Any]:
    response = client.get("/me/consents")
    assert_documented(response, "get", "/me/consents")
    [found] = [item for item in response.json()["items"] if item["kind"] == kind]
    return found


@pytest.fixture
def new_terms(alice: ApiClient, settings: Any) -> None:
    """The terms have changed since Alice signed up; the other texts have not."""
    settings.CONSENT_VERSIONS = settings.CONSENT_VERSIONS | {"terms": NEWER}


# --- Reading and choosing ------------------------------------------------------------------------


def test_every_kind_is_there_whether_it_was_asked_or_not(alice: ApiClient) -> None:
    body = alice.get("/me/consents").json()
    assert [item["kind"] for item in body["items"]] == Consent.Kind.values
    assert body["next_cursor"] is None
    terms, marketing = state(alice, "terms"), state(alice, "marketing")
    assert (terms["granted"], terms["version"], terms["agree_again"]) == (True, VERSION, False)
    assert marketing == {
        "kind": "marketing",
        "granted": False,
        "version": None,
        "created_at": None,
        "current_version": VERSION,
        "agree_again": False,
        "confirm_by": None,
    }


def test_a_choice_is_a_row_and_the_answer_its_confirmation(alice: ApiClient) -> None:
    response = choose(alice, "marketing")
    assert response.status_code == 200
    assert_documented(response, "put", "/me/consents/{kind}")
    row = Consent.objects.get(member=alice.member, kind="marketing")
    session = DeviceSession.objects.get(member=alice.member, pk=row.session_id)
    assert (row.device_name, row.device_platform) == (session.name, session.platform)
    assert response.json() == state(alice, "marketing") | {"also": []}
    assert response.json()["granted"] is True
    assert dt.datetime.fromisoformat(response.json()["created_at"]) == row.created_at
    assert [item["kind"] for item in alice.get("/me").json()["consents"]] == [
        "marketing",
        "privacy",
        "terms",
    ]


def test_the_device_stays_when_the_session_is_gone(alice: ApiClient) -> None:
    choose(alice, "marketing")
    Member.objects.get().sessions.all().delete()
    row = Consent.objects.get(kind="marketing")
    assert (row.device_name, row.device_platform) == ("test phone", "ios")


@pytest.mark.django_db
def test_sign_up_notes_the_device_and_that_it_was_answered() -> None:
    pair = sign_up("minji", device=Device("민지의 폰", "android", "1.0.0"))
    for row in Consent.objects.filter(member=pair.member):
        assert (row.device_name, row.device_platform) == ("민지의 폰", "android")
        assert row.session_id == pair.session.pk
        [notice] = row.notices.all()
        assert (notice.reason, notice.channel) == ("outcome", "answer")
        assert notice.told_at == row.created_at


def test_the_same_choice_again_adds_nothing(alice: ApiClient) -> None:
    first = choose(alice, "marketing").json()
    assert choose(alice, "marketing").json() == first
    assert rows(alice, "marketing") == [(VERSION, True)]
    assert choose(alice, "marketing", False).json()["granted"] is False
    choose(alice, "marketing", False)
    choose(alice, "marketing", True)
    assert [granted for _version, granted in rows(alice, "marketing")] == [True, False, True]


def test_a_refusal_that_was_never_a_consent_is_a_row(alice: ApiClient) -> None:
    assert choose(alice, "marketing_night", False).json()["version"] == VERSION
    assert rows(alice, "marketing_night") == [(VERSION, False)]


@pytest.mark.usefixtures("committed")
def test_two_taps_at_once_add_one_row() -> None:
    client = ApiClient(make_member())
    answers = at_once(*(lambda: choose(client, "marketing") for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert rows(client, "marketing") == [(VERSION, True)]
    assert ConsentNotice.objects.filter(consent__kind="marketing").count() == 1


@pytest.mark.usefixtures("committed")
def test_yes_and_no_at_once_are_both_kept_and_the_later_one_holds() -> None:
    client = ApiClient(make_member())
    choose(client, "marketing")
    at_once(
        lambda: choose(client, "marketing", False),
        lambda: choose(client, "marketing", True),
        lambda: choose(client, "marketing", False),
    )
    said = [granted for _version, granted in rows(client, "marketing")]
    # Each row is a change from the one before, whatever came first.
    assert all(one != other for one, other in pairwise(said))
    assert state(client, "marketing")["granted"] is said[-1]


def test_a_later_choice_holds_though_an_earlier_hosts_clock_was_ahead(alice: ApiClient) -> None:
    ahead = Consent(member=alice.member, kind="marketing", version=VERSION, granted=True)
    ahead.pk = type(ahead.pk)("0fffffff-ffff-7fff-bfff-ffffffffff00")
    ahead.save(force_insert=True)
    assert choose(alice, "marketing", False).json()["granted"] is False
    assert state(alice, "marketing")["granted"] is False


def test_reading_costs_the_same_however_much_was_said(
    alice: ApiClient, django_assert_num_queries: Any
) -> None:
    for number in range(10):
        # Who is calling; the newest of each kind.
        with django_assert_num_queries(2):
            alice.get("/me/consents")
        choose(alice, "marketing", number % 2 == 0)


# --- What is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["cookies", "TERMS", "%00", "마케팅", "terms%2F", "x" * 5000])
def test_an_unknown_kind_is_404(alice: ApiClient, kind: str) -> None:
    assert_problem(choose(alice, kind), 404, "not_found")
    assert Consent.objects.count() == 2


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("2026-11-02", "unknown_version"),
        ("9999-12-31", "unknown_version"),
        ("2026-02-30", "unknown_version"),
        ("20261101", "unknown_version"),
        ("v1", "unknown_version"),
        ("２０２６-11-01", "unknown_version"),
        ("", "blank"),
        ("x" * 21, "too_long"),
        (None, "null"),
        ({}, "invalid"),
        ("\u0000", "blank"),
    ],
)
def test_a_version_that_never_was_is_400(alice: ApiClient, version: Any, code: str) -> None:
    problem = assert_problem(choose(alice, "marketing", True, version), 400, "invalid_input")
    assert [(e["pointer"], e["code"]) for e in problem["errors"]] == [("/version", code)]
    assert rows(alice, "marketing") == []


@pytest.mark.parametrize("granted", [None, "maybe", 2, []])
def test_yes_or_no_and_nothing_else(alice: ApiClient, granted: Any) -> None:
    problem = assert_problem(choose(alice, "marketing", granted), 400, "invalid_input")
    assert [error["pointer"] for error in problem["errors"]] == ["/granted"]
    assert rows(alice, "marketing") == []


@pytest.mark.parametrize("kind", ["terms", "privacy"])
def test_what_every_member_agrees_to_is_taken_back_by_leaving(alice: ApiClient, kind: str) -> None:
    assert_problem(choose(alice, kind, False), 409, "consent_needed")
    assert rows(alice, kind) == [(VERSION, True)]


def test_nobody_chooses_for_another(alice: ApiClient, bob: ApiClient) -> None:
    choose(alice, "marketing")
    assert state(bob, "marketing")["version"] is None
    assert rows(bob, "marketing") == []


def test_a_member_whose_account_closes_meanwhile(alice: ApiClient) -> None:
    session = DeviceSession.objects.filter(member=alice.member).latest("id")
    Member.objects.update(is_active=False)
    with pytest.raises(Exception, match="token_invalid"):
        record_consents(session=session, choices=[ConsentChoice("marketing", VERSION, True)])
    assert rows(alice, "marketing") == []
    assert_problem(choose(alice, "marketing"), 401, "token_invalid")


# --- A new version asks again ---------------------------------------------------------------------


@pytest.mark.usefixtures("new_terms")
def test_a_new_version_refuses_writes_and_reads_go_on(alice: ApiClient) -> None:
    problem = assert_problem(alice.post("/posts", {}, format="json"), 409, "consent_required")
    assert problem["missing"] == [{"kind": "terms", "version": NEWER}]
    assert "errors" not in problem
    assert alice.get("/posts").status_code == 200
    assert alice.get("/me").status_code == 200
    assert state(alice, "terms")["agree_again"] is True
    assert state(alice, "privacy")["agree_again"] is False
    # What must go on: consents, devices, password, refreshing.
    assert choose(alice, "marketing", False).status_code == 200
    assert alice.get("/auth/sessions").status_code == 200
    passwords = {"current_password": PASSWORD, "new_password": "quite another one"}
    assert alice.post("/auth/password/change", passwords, format="json").status_code == 204


@pytest.mark.usefixtures("new_terms")
def test_agreeing_to_it_lets_writes_through(alice: ApiClient) -> None:
    answer = choose(alice, "terms", True, NEWER).json()
    assert (answer["version"], answer["agree_again"]) == (NEWER, False)
    assert alice.post("/posts", {"title": "새 제목"}, format="json").status_code == 201
    assert rows(alice, "terms") == [(VERSION, True), (NEWER, True)]


@pytest.mark.usefixtures("new_terms")
def test_agreeing_to_the_old_one_does_not(alice: ApiClient) -> None:
    answer = choose(alice, "terms", True, VERSION).json()
    assert answer["agree_again"] is True
    assert rows(alice, "terms") == [(VERSION, True)]
    choose(alice, "terms", True, "2026-12-01")
    assert_problem(alice.post("/posts", {}, format="json"), 409, "consent_required")


@pytest.mark.usefixtures("new_terms")
def test_an_old_app_takes_nothing_back_by_agreeing_to_an_older_text(alice: ApiClient) -> None:
    choose(alice, "terms", True, NEWER)
    assert choose(alice, "terms", True, VERSION).json()["version"] == NEWER
    assert alice.post("/posts", {"title": "새 제목"}, format="json").status_code == 201
    assert rows(alice, "terms")[-1] == (NEWER, True)
    assert Member.objects.get().terms_agreed == NEWER


def test_a_text_that_goes_back_does_not_ask_again(alice: ApiClient, settings: Any) -> None:
    """A deploy that went back, or the version before that still answers some requests."""
    before = settings.CONSENT_VERSIONS
    settings.CONSENT_VERSIONS = before | {"terms": NEWER}
    choose(alice, "terms", True, NEWER)
    settings.CONSENT_VERSIONS = before
    assert alice.post("/posts", {"title": "새 제목"}, format="json").status_code == 201


@pytest.mark.parametrize("version", ["9999-12-31", "zzz", "v1", "2026-10-01"])
def test_a_row_of_a_version_that_never_was_agrees_to_nothing_to_come(
    alice: ApiClient, version: str
) -> None:
    """Signing up took them once: the first write asks for the text that there is."""
    Consent.objects.create(member=alice.member, kind="terms", version=version, granted=True)
    Member.objects.update(terms_agreed="")
    assert_problem(alice.post("/posts", {}, format="json"), 409, "consent_required")
    choose(alice, "terms")
    assert alice.post("/posts", {"title": "새 제목"}, format="json").status_code == 201
    assert rows(alice, "terms")[1:] == [(version, True), (VERSION, True)]


def test_a_suspended_member_is_told_that_first(
    sue: ApiClient, new_terms: None, anonymous: ApiClient
) -> None:
    assert_problem(sue.post("/posts", {}, format="json"), 403, "suspended")
    assert choose(sue, "terms", True, NEWER).status_code == 200


@pytest.mark.django_db
def test_an_operator_made_by_a_command_agrees_like_everyone() -> None:
    boss = Member.objects.create_superuser("boss", PASSWORD, display_name="운영자")
    client = ApiClient(boss)
    problem = assert_problem(client.post("/posts", {}, format="json"), 409, "consent_required")
    assert [item["kind"] for item in problem["missing"]] == ["terms", "privacy"]
    choose(client, "terms")
    choose(client, "privacy")
    assert client.post("/posts", {"title": "새 제목"}, format="json").status_code == 201


def test_whom_the_version_before_signed_up_has_agreed(alice: ApiClient) -> None:
    """It writes consents and knows no columns for them."""
    Member.objects.update(terms_agreed="", privacy_agreed="")
    assert alice.post("/posts", {"title": "새 제목"}, format="json").status_code == 201
    # The same choice again adds no row, and spares the look at the rows from now on.
    choose(alice, "terms")
    assert rows(alice, "terms") == [(VERSION, True)]
    assert Member.objects.get().terms_agreed == VERSION


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("version", "granted", "filled"),
    [
        (VERSION, True, VERSION),
        ("2026-10-01", True, "2026-10-01"),
        ("9999-12-31", True, ""),
        ("v1", True, ""),
        (VERSION, False, ""),
    ],
)
@pytest.mark.parametrize("batch", [2, 3, 4])
def test_the_migration_fills_the_columns_in(
    monkeypatch: pytest.MonkeyPatch, version: str, granted: bool, filled: str, batch: int
) -> None:
    migrations = MigrationLoader(None).graph.nodes
    [name] = [name for app, name in migrations if name.endswith("_agreed_versions")]
    module = import_module(f"apps.members.migrations.{name}")
    monkeypatch.setattr(module, "BATCH", batch)
    for number in range(3):
        member = Member.objects.create(username=f"before{number}", display_name="전")
        for kind in ("terms", "privacy"):
            Consent.objects.create(member=member, kind=kind, version=version, granted=granted)
    newer = make_member()
    Member.objects.filter(pk=newer.pk).update(terms_agreed=NEWER)
    module.fill(apps, None)
    columns = list(Member.objects.order_by("pk").values_list("terms_agreed", "privacy_agreed"))
    # Who has agreed since is left alone.
    assert columns == [(filled, filled)] * 3 + [(NEWER, VERSION)]


def test_current_versions_are_dates_that_sort() -> None:
    assert set(django_settings.CONSENT_VERSIONS) == set(Consent.Kind.values)
    for version in django_settings.CONSENT_VERSIONS.values():
        assert dt.date.fromisoformat(version).isoformat() == version


def test_who_has_agreed_costs_no_query(alice: ApiClient, django_assert_num_queries: Any) -> None:
    # Session and member in one; the other counts the call. This body is refused before more.
    with django_assert_num_queries(2) as queries:
        assert_problem(alice.post("/posts", [], format="json"), 400, "invalid_input")
    caller, count = [query["sql"] for query in queries.captured_queries]
    assert 'FROM "members_devicesession" INNER JOIN "members_member"' in caller
    assert "common_ratewindow" in count


# --- The record -----------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE members_consent SET granted = NOT granted",
        "UPDATE members_consent SET created_at = now() - interval '1 year'",
        "DELETE FROM members_consent; SET CONSTRAINTS ALL IMMEDIATE",
    ],
)
def test_the_database_keeps_every_row(statement: str) -> None:
    make_member()
    before = list(Consent.objects.order_by("id").values())
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert list(Consent.objects.order_by("id").values()) == before


@pytest.mark.usefixtures("committed")
def test_consents_go_with_their_member() -> None:
    member, other = make_member(), make_member()
    member.delete()
    assert set(Consent.objects.values_list("member_id", flat=True)) == {other.pk}
    # Of an account that is closed, the rows may go before it does.
    Member.objects.update(is_active=False)
    Consent.objects.all().delete()
    assert not ConsentNotice.objects.exists()


# --- The birth date -------------------------------------------------------------------------------

BIRTH_DATE = "1973-08-19"


def places_of(mark: str) -> set[str]:
    """The tables with a row in which this stands, as text or as bytes."""
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name} AS t "  # noqa: S608
                "WHERE t::text ILIKE %(text)s OR t::text ILIKE %(bytes)s)"
                for name in names
            ),
            {"text": f"%{mark}%", "bytes": f"%{mark.encode().hex()}%"},
        )
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.parametrize("outcome", ["signed up", "refused"])
def test_the_birth_date_is_nowhere(
    anonymous: ApiClient, caplog: pytest.LogCaptureFixture, outcome: str
) -> None:
    body = {
        "username": "minji.home",
        "password": PASSWORD,
        "display_name": "planted-name",
        "birth_date": BIRTH_DATE,
        "consents": CONSENTS_JSON if outcome == "signed up" else [],
        "device": {"name": "planted-device", "platform": "ios", "app_version": "1.0.0"},
    }
    with caplog.at_level("DEBUG"):
        response = anonymous.post(
            "/auth/signup", body, format="json", headers={"Idempotency-Key": "planted-key"}
        )
    assert response.status_code == (201 if outcome == "signed up" else 409)
    forms = [BIRTH_DATE, BIRTH_DATE.replace("-", ""), "1973. 8", "19 Aug 1973"]
    assert [places_of(form) for form in forms] == [set()] * 4
    assert not re.search("1973.?0?8.?19", caplog.text)
    assert BIRTH_DATE not in response.content.decode()
    if outcome == "signed up":
        # The search finds what is there.
        assert places_of("planted-name") == {"members_member"}
        assert places_of("planted-device") == {"members_devicesession", "members_consent"}
