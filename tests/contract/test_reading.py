"""What anybody can read, and how paths and queries come through."""

import pytest

from tests.contract.client import Client

# What other tests post is not to be seen here.
NOBODYS = "author=00000000-0000-7000-8000-000000000000"


def test_it_is_alive_and_ready(client: Client) -> None:
    assert client.get("/healthz").json["status"] == "ok"
    assert client.get("/readyz").json == {"status": "ok"}


def test_taxonomies_are_korean_and_keep_their_etag(client: Client) -> None:
    first = client.get("/api/v1/taxonomies")
    assert first.status == 200
    assert "16-25평" in first.text
    again = client.get("/api/v1/taxonomies", If_None_Match=first.headers["ETag"])
    assert (again.status, again.text) == (304, "")
    assert again.headers["ETag"] == first.headers["ETag"]


def test_head_is_get_without_a_body(client: Client) -> None:
    head = client.call("HEAD", "/api/v1/taxonomies")
    assert (head.status, head.text) == (200, "")
    get = client.get("/api/v1/taxonomies")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


def test_the_document_and_its_page(client: Client) -> None:
    assert client.get("/api/v1/openapi.json").json["openapi"] == "3.1.0"
    page = client.get("/api/docs", Accept="text/html")
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    root = client.get("/")
    assert (root.status, root.headers["Location"]) == (302, "/api/docs")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/taxonomies/", 404),
        ("/api/v1//taxonomies", 404),
        ("/api/v1/%74axonomies", 200),
        ("/api/v1/taxonomies?", 200),
        ("/api/v1/taxonomies;v=1", 404),
        ("/api/v1/%EC%A7%91", 404),
        ("/api/v1/%FF", 404),
        ("/api/v1/posts/a%2Fb", 404),
        ("/api/v1/posts/a+b", 404),
        ("/api/v1/posts/%00", 404),
        ("/api/v1/posts/00000000-0000-7000-8000-000000000000", 404),
        ("/api/v1/../../healthz", 404),
        ("/api/v1/%2e%2e/%2e%2e/healthz", 404),
        (f"/api/v1/posts?{NOBODYS}&limit=1&limit=2&style=modern,minimal", 200),
        (f"/api/v1/posts?{NOBODYS}&q=%EC%9B%90%EB%A3%B8+%2B%26", 200),
        (f"/api/v1/posts?{NOBODYS}&=&&a=b=c", 200),
        (f"/api/v1/posts?{NOBODYS}&q=%00", 200),
        (f"/api/v1/posts?{NOBODYS}&q=%FF", 200),
        ("/api/v1/posts?limit=none", 400),
        ("/api/v1/posts?limit=", 400),
        ("/api/v1/posts?cursor=made.up", 400),
        ("/no/page", 404),
        ("/admin", 301),
        ("/media/photos/none.jpg", 404),
    ],
)
def test_a_path_and_its_query(client: Client, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status == status, answer.text
    if status in (400, 404):
        answer.problem(status, answer.json["code"])


def test_long_queries(client: Client) -> None:
    """A search of 300 syllables has 2,700 bytes; the longest line that all take is 8,190."""
    word = "%ED%95%9C"
    assert client.get(f"/api/v1/posts?{NOBODYS}&q={word * 300}").status in (200, 400)
    assert client.get(f"/api/v1/taxonomies?q={word * 890}").status == 200


def test_an_error_speaks_the_callers_language(client: Client) -> None:
    for languages, detail in (
        ("ko-KR,ko;q=0.9,en;q=0.8", "찾을 수 없어요."),
        ("fr", "찾을 수 없어요."),
        ("en-US", "Not found."),
    ):
        answer = client.get("/api/v1/nothing", Accept_Language=languages)
        assert answer.problem(404, "not_found")["detail"] == detail
        assert answer.headers["Content-Language"] == ("en" if languages == "en-US" else "ko")


def test_a_request_keeps_the_id_it_came_with(client: Client) -> None:
    # Not noted: the id is replaced there.
    answer = client.get("/api/v1/nothing", X_Request_Id="first-tap-1")
    assert answer.headers["X-Request-Id"] == "first-tap-1"
    assert answer.json["request_id"] == "first-tap-1"


def test_a_header_with_an_underscore_is_not_one_with_a_hyphen(client: Client) -> None:
    answer = client.call_exactly("GET", "/healthz", headers={"X_Request_Id": "smuggled"})
    assert answer.status == 200
    assert answer.headers["X-Request-Id"] != "smuggled"
