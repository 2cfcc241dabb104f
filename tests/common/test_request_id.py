"""X-Request-Id is in every answer and every line of the log."""

import logging

import pytest

from apps.common.request_id import RequestIdFilter
from tests.builders import ApiClient


def test_each_answer_has_its_own(anonymous: ApiClient) -> None:
    ids = {anonymous.get(path)["X-Request-Id"] for path in ("/taxonomies", "/posts", "/nothing")}
    assert len(ids) == 3


def test_a_harmless_one_of_the_caller_is_kept(anonymous: ApiClient) -> None:
    response = anonymous.get("/taxonomies", headers={"X-Request-Id": "phone-42_retry"})
    assert response["X-Request-Id"] == "phone-42_retry"


@pytest.mark.parametrize("offered", ["short", "x" * 65, "two\twords", "a b c d e f", "é" * 10, ""])
def test_another_is_replaced(anonymous: ApiClient, offered: str) -> None:
    response = anonymous.get("/taxonomies", headers={"X-Request-Id": offered})
    assert response["X-Request-Id"] != offered
    assert len(response["X-Request-Id"]) == 36


def test_log_lines_carry_it(anonymous: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.addFilter(RequestIdFilter())
    with caplog.at_level(logging.WARNING, logger="django.request"):
        response = anonymous.get("/nothing")
    [record] = [record for record in caplog.records if record.name == "django.request"]
    assert record.request_id == response["X-Request-Id"]  # type: ignore[attr-defined]
