"""A body of 1 MiB that is one long list or text costs a moment, and is answered in a few words."""

import json
import time
from typing import Any

import pytest

from tests.builders import ApiClient
from tests.common.test_problems import assert_problem
from tests.openapi import document

MANY = [{}] * 250_000
SIGNUP = {"username": "x", "password": "y", "birth_date": "z"}


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/auth/signup", SIGNUP | {"consents": MANY}, "/consents"),
        ("/auth/social/kakao", {"access_token": "x", "consents": MANY}, "/consents"),
        ("/posts", {"photos": MANY}, "/photos"),
        ("/posts", {"photos": [{"products": MANY}]}, "/photos/0/products"),
        ("/posts", {"styles": MANY}, "/styles"),
        ("/posts", {"colors": MANY}, "/colors"),
    ],
)
def test_a_list_of_very_many_is_refused_at_once(
    alice: ApiClient, path: str, body: dict[str, Any], pointer: str
) -> None:
    started = time.process_time()
    response = alice.post(path, body, format="json")
    # Seconds; it took half a minute and more.
    assert time.process_time() - started < 3
    assert len(response.content) < 2000
    errors = assert_problem(response, 400, "invalid_input")["errors"]
    assert (pointer, "too_long") in {(error["pointer"], error["code"]) for error in errors}


@pytest.mark.parametrize(
    ("path", "field"), [("/auth/login", "password"), ("/posts", "content"), ("/me", "bio")]
)
def test_a_text_of_very_many_marks_is_refused_at_once(
    alice: ApiClient, path: str, field: str
) -> None:
    body = json.dumps({field: "a" + "\u0301\u0327" * 60_000}, ensure_ascii=False).encode()
    method = "PATCH" if path == "/me" else "POST"
    started = time.process_time()
    response = alice.generic(method, path, body, content_type="application/json")
    # Seconds; it took eight, and minutes for a body of 1 MiB.
    assert time.process_time() - started < 2
    errors = assert_problem(response, 400, "invalid_input")["errors"]
    assert (f"/{field}", "too_long") in {(error["pointer"], error["code"]) for error in errors}


def test_every_list_that_is_taken_has_an_end() -> None:
    schemas = document()["components"]["schemas"]
    endless = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        if name.endswith("In")
        for field, kind in schema.get("properties", {}).items()
        if kind.get("type") == "array" and "maxItems" not in kind
    ]
    assert endless == []
