"""A body of 1 MiB that is one long list costs a moment, and is answered in a few words."""

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
