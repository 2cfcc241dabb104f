"""Calls made up from the API's document: some that it allows, some that it does not, and those at
the limits of what it allows.

In `make test` few of each, and always the same; `make fuzz` makes others for as long as is asked.
Not among the checks: schemathesis' positive_data_acceptance, since a schema can't say which
username is free or which text is blank; `_is_read` asks for what can be asked.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis import Case
from schemathesis.checks import CheckContext, not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from apps.common.fields import PlainText
from tests.builders import make_member
from tests.fuzz.api import (
    Known,
    allowed,
    at_the_limits,
    can_be_wrong,
    operations,
    refused,
    strict_document,
    undone,
)
from tests.test_roles import ROLES, World, client_of

# Set by `make fuzz`, which says how to repeat what it finds.
SEED = os.environ.get("FUZZ_SEED")
CALLS = int(os.environ.get("FUZZ_CALLS", "10"))
SETTINGS = settings(
    max_examples=CALLS,
    derandomize=SEED is None,
    # What was found before would make a run depend on the one before it.
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    # A schema's data is large and filtered; how long it takes shows in the tests' time.
    suppress_health_check=list(HealthCheck),
)
_CLEANING = PlainText(multiline=True, allow_blank=True)


def _is_read(context: CheckContext, response: Response, case: Case) -> None:
    """What the schema allows may be refused for what it says, with the place, but is never
    malformed."""
    if response.status_code == 400:
        problem = response.json()
        assert problem["code"] not in ("malformed_json", "bad_request"), problem
        assert problem["code"] != "invalid_input" or problem["errors"], problem


def _is_refused(context: CheckContext, response: Response, case: Case) -> bool | None:
    """schemathesis' own check, but for texts that are short enough once they are trimmed."""
    if _too_long_untrimmed_alone(case):
        return None
    return negative_data_rejection(context, response, case)


def _too_long_untrimmed_alone(case: Case) -> bool:
    if not isinstance(case.body, dict):
        return False
    operation = strict_document()["paths"][case.operation.path][case.operation.method]
    schema = operation["requestBody"]["content"][case.media_type]["schema"]
    whole = {**schema, "components": strict_document()["components"]}
    # With formats: an empty text is no address, and so is one of two things and not both.
    checked = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return checked.is_valid(_trimmed(case.body))


def _trimmed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _trimmed(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_trimmed(inner) for inner in value]
    if isinstance(value, str):
        return _CLEANING.to_internal_value(value)
    return value


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    ignored_auth,
]


def _try(
    make: Callable[..., st.SearchStrategy[Case]],
    check: Callable[..., bool | None],
    method: str,
    path: str,
    role: str,
) -> None:
    owner = make_member("theowner")
    known = Known(World(owner), method, path)
    token = client_of(role, owner)._credentials.get("HTTP_AUTHORIZATION")
    headers = {"Authorization": token} if token else None

    @SETTINGS
    @given(case=make(method, path, known))
    def call(case: Case) -> None:
        with undone():
            case.call_and_validate(headers=headers, checks=[*CHECKS, check])

    (call if SEED is None else seed(int(SEED))(call))()


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES if SEED else ["anonymous", "owner"])
@pytest.mark.parametrize(("method", "path"), operations())
def test_what_the_schema_allows(method: str, path: str, role: str) -> None:
    _try(allowed, _is_read, method, path, role)


# Without a token most answers are the same 401.
@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES if SEED else ["owner"])
@pytest.mark.parametrize(("method", "path"), [key for key in operations() if can_be_wrong(*key)])
def test_what_the_schema_does_not_allow(method: str, path: str, role: str) -> None:
    _try(refused, _is_refused, method, path, role)


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), operations())
def test_at_the_limits_of_the_schema(method: str, path: str) -> None:
    owner = make_member("theowner")
    known = Known(World(owner), method, path)
    headers = {"Authorization": client_of("owner", owner)._credentials["HTTP_AUTHORIZATION"]}
    checks = [*CHECKS, _is_refused, unsupported_method]
    cases = at_the_limits(method, path, known)
    assert cases
    for case in cases:
        with undone():
            case.call_and_validate(headers=headers, checks=checks)
