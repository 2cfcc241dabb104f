"""GET /members?q=: finding members by how their names start."""

from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection

from apps.members.models import Member, member
from apps.members.models.member import Member as MemberModel
from tests.builders import ApiClient, make_member
from tests.common.test_problems import assert_problem


def found(client: ApiClient, text: str, more: str = "") -> list[str]:
    response = client.get(f"/members?q={quote(text)}{more}")
    assert response.status_code == 200, response.content
    return [item["username"] for item in response.json()["items"]]


@pytest.fixture
def people(db: None) -> None:
    """Names that start alike, or do not."""
    for username, display_name in (
        ("minji", "민지"),
        ("minji.home", "민지네 집"),
        ("hanok_minjae", "민재의 한옥살이"),
        ("studio", "MINJI 스튜디오"),
        ("a_b", "100%_집"),
        ("axb", "1000원"),
    ):
        make_member(username, display_name=display_name)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # That very name, then usernames that start so, then display names; the newest first.
        ("minji", ["minji", "minji.home", "studio"]),
        ("MinJi", ["minji", "minji.home", "studio"]),
        ("  minji. ", ["minji.home"]),
        ("민", ["hanok_minjae", "minji.home", "minji"]),
        ("민지", ["minji.home", "minji"]),
        ("민지네 집", ["minji.home"]),
        # Decomposed, as an iPhone may send it.
        ("\u1106\u1175\u11ab\u110c\u1175", ["minji.home", "minji"]),
        # No wildcards.
        ("a_", ["a_b"]),
        ("%", []),
        ("100%", ["a_b"]),
        ("\\", []),
        ("'; --", []),
        ("한옥", []),
        ("nobody", []),
    ],
)
def test_names_that_start_so_the_best_match_first(
    anonymous: ApiClient, text: str, expected: list[str]
) -> None:
    assert found(anonymous, text) == expected


@pytest.mark.usefixtures("people")
def test_pages_skip_nobody(anonymous: ApiClient) -> None:
    seen, cursor = [], ""
    while cursor is not None:
        page = anonymous.get(f"/members?q=min&limit=1{cursor and f'&cursor={cursor}'}").json()
        seen += [item["username"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ["minji.home", "minji", "studio"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "required"),
        ("?q=", "blank"),
        ("?q=%20", "blank"),
        ("?q=%00", "blank"),
        ("?q=%E3%85%A4", "blank"),
        (f"?q={'x' * 31}", "too_long"),
    ],
)
def test_nothing_to_look_for_is_400(anonymous: ApiClient, query: str, code: str) -> None:
    problem = assert_problem(anonymous.get(f"/members{query}"), 400, "invalid_input")
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [("/q", code)]


def test_it_tells_who_follows_whom_and_leaves_closed_accounts_out(
    alice: ApiClient, bob: ApiClient
) -> None:
    alice.put(f"/members/{bob.member.pk}/follow")
    [him] = alice.get("/members?q=bob").json()["items"]
    assert (him["followed_by_me"], him["follows_me"]) == (True, False)
    [her] = bob.get("/members?q=alice").json()["items"]
    assert (her["followed_by_me"], her["follows_me"]) == (False, True)
    Member.objects.filter(pk=bob.member.pk).update(is_active=False)
    assert found(alice, "bob") == []


def test_of_very_many_that_start_so_the_first_by_name_are_looked_at(
    anonymous: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("aab", "aaa", "aac"):
        make_member(name, display_name=f"x{name}")
    monkeypatch.setattr(member, "SEARCHED", 2)
    assert found(anonymous, "aa") == ["aaa", "aab"]
    assert found(anonymous, "xaa") == ["aaa", "aab"]
    # That very name is found however many there are.
    assert found(anonymous, "aac") == ["aac"]


@pytest.mark.django_db
def test_it_reads_the_indexes_of_names() -> None:
    viewer: Any = ApiClient(make_member()).member
    rows = MemberModel.objects.search(viewer, "민")
    with connection.cursor() as cursor:
        # Of a handful of rows PostgreSQL would rather read all.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        plan = rows.explain()
    assert "Seq Scan" not in plan, plan
    for index in ("member_by_username", "member_by_display_name"):
        [line] = [line for line in plan.splitlines() if f" using {index} " in line]
        assert "Scan" in line
    assert plan.count("Index Cond: ((") >= 2, plan
