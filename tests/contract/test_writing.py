"""What a member does, from signing up to taking a post away, and what is refused."""

import pytest

from tests.contract.client import Client
from tests.contract.people import DEVICE, PASSWORD, key, sign_up, signup_body, upload_photo
from tests.contract.places import Place

JSON = {"Content-Type": "application/json"}
NOBODY = "00000000-0000-7000-8000-000000000000"


def test_signing_up_and_in_and_out(client: Client) -> None:
    name = client.name("minji")
    assert client.get(f"/api/v1/auth/username-available?username={name}").json["available"]
    member = sign_up(client)
    assert client.get("/api/v1/me").json["display_name"] == "민지"
    client.token = ""
    assert client.get(f"/api/v1/members/{member}").json["username"] == name

    login = {"username": name, "password": PASSWORD, "device": DEVICE}
    client.post("/api/v1/auth/login", login | {"password": "wrong"}).problem(401, "login_failed")
    first = client.post("/api/v1/auth/login", login).json
    second = client.post("/api/v1/auth/refresh", {"refresh_token": first["refresh_token"]})
    assert second.status == 200, second.text
    client.token = second.json["access_token"]
    assert len(client.get("/api/v1/auth/sessions").json["items"]) == 2
    assert client.post("/api/v1/auth/logout").status == 204
    client.get("/api/v1/me").problem(401, "token_invalid")


def test_a_name_is_taken_once(client: Client) -> None:
    sign_up(client)
    client.token = ""
    body = signup_body(client, "minji")
    client.post("/api/v1/auth/signup", body).problem(409, "username_taken")
    young = signup_body(client, "young") | {"birth_date": "2020-01-01"}
    client.post("/api/v1/auth/signup", young).problem(403, "under_age")


def test_a_provider_has_to_confirm_a_login(client: Client) -> None:
    nonce = client.post("/api/v1/auth/nonce")
    assert nonce.status == 201
    for provider in ("kakao", "apple", "google", "facebook"):
        body = {"id_token": "e30.e30.eA", "nonce": nonce.json["nonce"], "device": DEVICE}
        answer = client.post(f"/api/v1/auth/social/{provider}", body)
        # Where the provider is not set up, and where it is.
        assert answer.json["code"] in ("provider_not_configured", "social_token_invalid")
        assert answer.status in (404, 401)
    client.post("/api/v1/auth/social/line", body).problem(404, "not_found")
    for provider in ("apple", "kakao", "facebook"):
        answer = client.post(f"/webhooks/{provider}", {"payload": "e30.e30.eA"})
        assert answer.status in (404, 401)
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_photo_becomes_a_post_that_others_see(client: Client) -> None:
    author = sign_up(client)
    upload = upload_photo(client)
    photos = [
        {
            "upload_id": upload,
            "caption": "창가",
            "products": [{"x": 0.5, "y": 0.25, "name": "의자"}],
        }
    ]
    wanted = {
        "title": "볕이 드는 집",
        "content": "거실이\n완성됐어요. 🏠",
        "pyeong": "8-15",
        "housing_type": "apartment",
        "styles": ["korean", "minimal"],
        "colors": ["beige"],
        "photos": photos,
        "status": "published",
    }
    made = client.post("/api/v1/posts", wanted)
    assert made.status == 201, made.text
    post = f"/api/v1/posts/{made.json['id']}"

    sign_up(client, "reader")
    assert [client.send(method, f"{post}/like").status for method in ("PUT", "PUT")] == [204, 204]
    comment = client.post(f"{post}/comments", {"content": "예뻐요 @" + client.name("minji")})
    assert comment.status == 201, comment.text
    [card] = client.get(f"/api/v1/posts?author={author}").json["items"]
    assert (card["like_count"], card["comment_count"], card["liked_by_me"]) == (1, 1, True)
    assert card["cover"]["renditions"][0]["url"].startswith("http")
    client.send("DELETE", post).problem(403, "not_yours")
    assert client.send("DELETE", f"/api/v1/comments/{comment.json['id']}").status == 204
    assert client.send("DELETE", f"{post}/like").status == 204
    assert client.get(post).json["like_count"] == 0


def test_a_post_is_changed_by_who_saw_it_last_and_taken_away(client: Client) -> None:
    sign_up(client)
    post = f"/api/v1/posts/{client.post('/api/v1/posts', {'title': '처음'}).json['id']}"
    seen = client.get(post).headers["ETag"]
    assert client.send("PATCH", post, {"title": "둘째"}, If_Match=seen).status == 200
    client.send("PATCH", post, {"title": "셋째"}, If_Match=seen).problem(412, "stale")
    assert client.get(post).json["title"] == "둘째"
    assert client.send("DELETE", post).status == 204
    client.get(post).problem(404, "not_found")


def test_the_same_tap_twice_makes_one_post(client: Client) -> None:
    sign_up(client)
    tap = {"Idempotency-Key": key()}
    first, again = (client.post("/api/v1/posts", {"title": "한 번"}, **tap) for _ in range(2))
    assert (first.status, again.status) == (201, 201)
    assert first.text == again.text
    assert again.headers["Idempotency-Replayed"] == "true"
    client.post("/api/v1/posts", {"title": "다른"}, **tap).problem(409, "idempotency_key_reused")
    assert len(client.get("/api/v1/me/drafts").json["items"]) == 1


def test_pages_go_on_where_the_last_ended(client: Client) -> None:
    sign_up(client)
    for number in range(3):
        client.post("/api/v1/posts", {"title": f"초안 {number}"})
    first = client.get("/api/v1/me/drafts?limit=2").json
    assert [post["title"] for post in first["items"]] == ["초안 2", "초안 1"]
    rest = client.get(f"/api/v1/me/drafts?limit=2&cursor={first['next_cursor']}").json
    assert ([post["title"] for post in rest["items"]], rest["next_cursor"]) == (["초안 0"], None)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/api/v1/posts", b'{"a"', 400, "malformed_json"),
        ("POST", "/api/v1/posts", b'"\xff"', 400, "malformed_json"),
        ("POST", "/api/v1/posts", b"[]", 400, "invalid_input"),
        ("POST", "/api/v1/posts", b'{"title": ["x"]}', 400, "invalid_input"),
        ("POST", "/api/v1/posts", b'{"photos": [{"caption": {}}]}', 400, "invalid_input"),
        ("POST", "/api/v1/posts", b"x" * 1_048_577, 413, "body_too_large"),
        ("PUT", "/api/v1/posts", b"{}", 405, "method_not_allowed"),
        ("PATCH", f"/api/v1/posts/{NOBODY}", b"{}", 404, "not_found"),
        ("DELETE", f"/api/v1/comments/{NOBODY}", None, 404, "not_found"),
    ],
)
def test_what_is_refused(
    client: Client, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    sign_up(client)
    client.call(method, path, body, JSON if body else {}).problem(status, code)
    assert client.get("/api/v1/me/drafts").json["items"] == []


def test_a_body_has_to_be_json(client: Client) -> None:
    sign_up(client)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    client.call("POST", "/api/v1/posts", b"title=x", form).problem(415, "unsupported_media_type")


def test_a_stranger_without_a_token_or_with_another(client: Client) -> None:
    assert client.get("/api/v1/me").headers["WWW-Authenticate"] == "Bearer"
    client.post("/api/v1/posts", {"title": "x"}).problem(401, "not_authenticated")
    client.token = "not.a.token"
    client.get("/api/v1/me").problem(401, "token_invalid")


def test_nobody_sends_ten_megabytes(client: Client) -> None:
    """On Lambda the gateway refuses them, in its own words."""
    sign_up(client)
    answer = client.call(
        "POST",
        "/api/v1/posts",
        b" " * 10_000_000,
        {"Content-Type": "application/json"},
        record=False,
    )
    assert answer.status == 413


def test_a_body_in_chunks(client: Client, place: Place) -> None:
    """API Gateway puts it together; a WSGI server can't say how long it is, and it is refused."""
    sign_up(client)
    chunks = iter([b'{"title": ', b'"whole"}'])
    answer = client.call_exactly("POST", "/api/v1/posts", chunks, JSON, record=False)
    drafts = client.call("GET", "/api/v1/me/drafts", record=False).json["items"]
    if place.name.startswith("lambda"):
        assert (answer.status, [post["title"] for post in drafts]) == (201, ["whole"])
    else:
        answer.problem(411, "length_required")
        assert drafts == []
