"""What holds for every answer of the API, wherever it is mounted."""

import pytest
from django.test import Client


@pytest.mark.parametrize("stage", ["", "/dev"])
@pytest.mark.django_db
def test_below_a_stage_of_api_gateway_the_api_is_still_the_api(client: Client, stage: str) -> None:
    """API Gateway's own addresses begin with the stage's name, as SCRIPT_NAME."""
    answer = client.get("/api/v1/taxonomies", SCRIPT_NAME=stage)
    assert answer.status_code == 200
    assert "Authorization" in answer.headers["Vary"]
    missing = client.get("/api/v1/nothing", SCRIPT_NAME=stage, headers={"accept": "text/html"})
    assert missing.headers["Content-Type"] == "application/problem+json"
    assert missing.headers["Cache-Control"] == "private, no-cache"
    large = client.post(
        "/api/v1/auth/login",
        b"x" * (1024 * 1024 + 1),
        content_type="application/json",
        SCRIPT_NAME=stage,
    )
    assert (large.status_code, large.json()["code"]) == (413, "body_too_large")
