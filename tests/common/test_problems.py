"""Every error has the shape of RFC 9457, in the caller's language."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.builders import ApiClient

pytestmark = pytest.mark.urls("tests.common.urls")


def assert_problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["code"] == code
    assert body["type"] == f"urn:igloo:problem:{code}"
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == response["X-Request-Id"]
    return body


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
@pytest.mark.parametrize("path", ["/api/v1/nothing-here", "/api", "/api/", "/api/v2/posts"])
def test_an_unknown_path_is_404_for_every_method(
    anonymous: ApiClient, method: str, path: str
) -> None:
    assert_problem(getattr(anonymous, method)(path), 404, "not_found")


@pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/api/docs", "/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_a_page_that_is_read_takes_nothing(db: None, path: str, method: str) -> None:
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    response = getattr(browser, method)(f"http://testserver{path}")
    if path.startswith("/api/"):
        assert_problem(response, 405, "method_not_allowed")
    else:
        assert_problem(response, 403, "permission_denied")


def test_options_says_which_methods_there_are(anonymous: ApiClient) -> None:
    response = anonymous.options("/taxonomies")
    assert_problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD, OPTIONS"


def test_a_malformed_id_is_an_unknown_path(anonymous: ApiClient) -> None:
    assert_problem(anonymous.get("/posts/1"), 404, "not_found")
    assert_problem(anonymous.get("/posts/%00"), 404, "not_found")


def test_a_trailing_slash_is_another_path(anonymous: ApiClient) -> None:
    assert_problem(anonymous.get("/posts/"), 404, "not_found")


def test_an_unknown_page_is_html_for_a_browser_and_a_problem_for_a_program(
    anonymous: ApiClient,
) -> None:
    page = anonymous.generic(
        "GET", "http://testserver/nothing", headers={"Accept": "text/html,*/*"}
    )
    assert page.status_code == 404
    assert page["Content-Type"].startswith("text/html")
    assert_problem(anonymous.get("/api/nothing", headers={"Accept": "text/html"}), 404, "not_found")


def test_a_wrong_method_is_405_and_says_which_are_right(anonymous: ApiClient) -> None:
    response = anonymous.delete("/taxonomies")
    assert_problem(response, 405, "method_not_allowed")
    assert "GET" in response["Allow"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data"])
def test_a_body_that_is_not_json_is_415(anonymous: ApiClient, content_type: str) -> None:
    response = anonymous.post("/auth/login", data=b"a=b", content_type=content_type)
    assert_problem(response, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "body",
    [b"{", b"", b"nul", b'{"a": NaN}', b'{"a": "\\ud800"}', b'"\xff"', b"[1,]", b"1e999"],
)
def test_malformed_json_is_400(anonymous: ApiClient, body: bytes) -> None:
    response = anonymous.post("/test/echo", data=body, content_type="application/json")
    if body == b"":
        # No body is no input; what is missing is then said field by field.
        assert response.status_code == 200
    else:
        assert_problem(response, 400, "malformed_json")


@pytest.mark.parametrize("depth", [33, 1_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_json_that_is_nested_too_deep_is_400(
    anonymous: ApiClient, depth: int, opening: bytes, closing: bytes
) -> None:
    body = opening * depth + b"1" + closing * depth
    response = anonymous.post("/test/echo", data=body, content_type="application/json")
    assert_problem(response, 400, "malformed_json")


def test_json_may_nest_32_deep(anonymous: ApiClient) -> None:
    body = b"[" * 32 + b"]" * 32
    response = anonymous.post("/test/echo", data=body, content_type="application/json")
    assert response.status_code == 200


def test_a_body_that_is_no_object_is_bad_input(anonymous: ApiClient) -> None:
    for body in ([], "text", 5, None):
        response = anonymous.post("/auth/login", body, format="json")
        problem = assert_problem(response, 400, "invalid_input")
        assert problem["errors"]


def test_a_body_of_just_1_mib_is_read_and_a_byte_more_is_413(anonymous: ApiClient) -> None:
    limit = 1024 * 1024
    fits = b'"' + b"x" * (limit - 2) + b'"'
    response = anonymous.post("/test/echo", data=fits, content_type="application/json")
    assert response.status_code == 200
    response = anonymous.post("/test/echo", data=fits + b" ", content_type="application/json")
    assert_problem(response, 413, "body_too_large")


def test_a_body_of_unknown_length_is_411_and_nothing_is_made(alice: ApiClient) -> None:
    # As gunicorn and runserver show a chunked body: Django reads none of it.
    for coding in ("chunked", "Chunked", "gzip, chunked"):
        response = alice.generic("POST", "/posts", HTTP_TRANSFER_ENCODING=coding)
        assert_problem(response, 411, "length_required")
    assert alice.get("/me/drafts").json()["items"] == []


def test_413_comes_before_anything_else(anonymous: ApiClient) -> None:
    response = anonymous.post("/nothing", data=b"x" * 1_100_000, content_type="text/plain")
    assert_problem(response, 413, "body_too_large")


@pytest.mark.parametrize("path", ["/account/delete", "/account/password", "/admin/login/"])
@pytest.mark.django_db
def test_a_page_takes_no_file_whatever_its_size(client: Client, path: str) -> None:
    """Its form is filled in right, so that it would be read, and the file written to disk."""
    client.get("/account/delete")
    file = SimpleUploadedFile("file", b"x" * 3_000_000)
    token = client.cookies["csrftoken"].value
    response = client.post(path, {"csrfmiddlewaretoken": token, "file": file})
    assert_problem(response, 413, "body_too_large")


def test_a_content_length_that_is_no_number_is_400(anonymous: ApiClient) -> None:
    response = anonymous.generic("POST", "/auth/login", CONTENT_LENGTH="many")
    assert_problem(response, 400, "bad_request")


def test_a_fault_of_ours_is_500_and_tells_nothing(anonymous: ApiClient) -> None:
    response = anonymous.get("/test/crash")
    assert_problem(response, 500, "server_error")
    assert b"secret" not in response.content
    response = anonymous.post("/test/crash", {}, format="json")
    assert_problem(response, 500, "server_error")
    assert b"secret" not in response.content


def test_a_database_that_gives_up_is_503_with_retry_after(anonymous: ApiClient) -> None:
    response = anonymous.get("/test/database-away")
    assert_problem(response, 503, "database_unavailable")
    assert int(response["Retry-After"]) > 0


def test_a_database_that_is_away_is_503_outside_of_the_api_too(anonymous: ApiClient) -> None:
    response = anonymous.generic("GET", "http://testserver/test/crash-page")
    assert_problem(response, 503, "database_unavailable")


def test_a_host_that_is_not_ours_is_400(anonymous: ApiClient, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["api.example.com"]
    response = anonymous.get("/posts", headers={"Host": "evil.example.com"})
    assert_problem(response, 400, "bad_request")


def test_texts_follow_accept_language_and_codes_do_not(anonymous: ApiClient) -> None:
    korean = assert_problem(anonymous.get("/nothing"), 404, "not_found")
    english = assert_problem(
        anonymous.get("/nothing", headers={"Accept-Language": "en-US,en"}), 404, "not_found"
    )
    french = assert_problem(
        anonymous.get("/nothing", headers={"Accept-Language": "fr"}), 404, "not_found"
    )
    assert english["detail"] == "Not found."
    assert korean["detail"] == french["detail"] != english["detail"]


def test_field_errors_point_at_the_place(alice: ApiClient) -> None:
    body = {
        "title": "x" * 51,
        "photos": [{"upload_id": "nope"}, {"caption": "y" * 201}],
        "pyeong": "castle",
        "styles": ["modern", "baroque"],
    }
    problem = assert_problem(alice.post("/posts", body, format="json"), 400, "invalid_input")
    found = {(error["pointer"], error["code"]) for error in problem["errors"]}
    assert found >= {
        ("/title", "too_long"),
        ("/photos/0/upload_id", "invalid"),
        ("/photos/1/caption", "too_long"),
        ("/pyeong", "invalid_choice"),
        ("/styles/1", "invalid_choice"),
    }


def test_a_null_character_is_bad_input(alice: ApiClient) -> None:
    response = alice.post("/posts", {"pyeong": "8\x0015"}, format="json")
    assert_problem(response, 400, "invalid_input")
    response = alice.post(
        "/auth/login",
        {"username": "a\x00", "password": "\x00", "device": {}},
        format="json",
    )
    assert_problem(response, 400, "invalid_input")


@pytest.mark.parametrize("method", ["get", "post"])
def test_accept_decides_nothing(anonymous: ApiClient, method: str) -> None:
    response = getattr(anonymous, method)("/auth/login", headers={"Accept": "application/xml"})
    assert response["Content-Type"] == "application/problem+json"
    response = anonymous.get("/taxonomies", headers={"Accept": "text/html"})
    assert response["Content-Type"] == "application/json"
