"""Holding answers to the API's document."""

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from jsonschema import Draft202012Validator


@cache
def document() -> dict[str, Any]:
    """docs/openapi.json, made strict: what a schema does not name is not allowed."""
    found: dict[str, Any] = json.loads(
        (Path(settings.BASE_DIR) / "docs" / "openapi.json").read_text(encoding="utf-8")
    )
    strict = copy.deepcopy(found)
    for name, schema in strict["components"]["schemas"].items():
        if name != "Problem" and schema.get("type") == "object":
            schema["additionalProperties"] = False
    return strict


def assert_valid(value: Any, schema: dict[str, Any]) -> None:
    """Fail with every place where the value is not what the schema says."""
    whole = {**schema, "components": document()["components"]}
    errors = [
        f"{error.json_path}: {error.message}"
        for error in Draft202012Validator(whole).iter_errors(value)
    ]
    assert not errors, errors


def answer_schema(method: str, route: str, status: int) -> dict[str, Any]:
    """The schema of an answer; KeyError for a status that is not documented."""
    [content] = document()["paths"][f"/api/v1{route}"][method]["responses"][str(status)][
        "content"
    ].values()
    schema: dict[str, Any] = content["schema"]
    return schema


def assert_documented(response: Any, method: str, route: str) -> None:
    """Fail where the answer is not as the document says."""
    assert_valid(response.json(), answer_schema(method, route, response.status_code))
