"""OpenAPI 3.1 out of the views and their `@describe`, through drf-spectacular.

Used by `manage.py openapi` alone: the service answers with the file that it wrote.
"""

from collections import defaultdict
from http import HTTPStatus
from typing import Any

from drf_spectacular.openapi import AutoSchema as SpectacularAutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from apps.common import errors
from apps.common.errors import DomainError
from apps.common.openapi import Operation, Query
from apps.common.permissions import IsMember, MembersOnly, MembersWrite

PROBLEM = "application/problem+json"


class AutoSchema(SpectacularAutoSchema):
    """Reads a view's `Operation` and adds what every endpoint may answer."""

    @property
    def operation_facts(self) -> Operation:
        """The facts of this method; a view without them is a mistake that shows at once."""
        handler = getattr(self.view, self.method.lower())
        facts: Operation = handler.operation
        return facts

    def get_operation_id(self) -> str:
        """`posts_list`-like ids would change with the path; the view's name is enough."""
        name = type(self.view).__name__.removesuffix("View")
        return f"{self.method.lower()}{name}"

    def get_summary(self) -> str:
        """One line."""
        return self.operation_facts.summary

    def get_description(self) -> str:  # type: ignore[override]
        """The docstring of the method, where it has one."""
        handler = getattr(self.view, self.method.lower())
        return " ".join((handler.__doc__ or "").split())

    def get_tags(self) -> list[str]:
        """The group that the docs page shows it in."""
        return [self.operation_facts.tag]

    def get_auth(self) -> list[dict[str, list[str]]]:
        """A bearer token: needed, optional, or not looked at."""
        if not self.view.get_authenticators():
            return []
        needed = self._needs_member()
        return [{"accessToken": []}] if needed else [{"accessToken": []}, {}]

    def _needs_member(self) -> bool:
        permissions = {type(permission) for permission in self.view.get_permissions()}
        if permissions & {IsMember, MembersOnly}:
            return True
        return MembersWrite in permissions and self.method not in ("GET", "HEAD")

    def get_request_serializer(self) -> Any:
        """The `In` class."""
        return self.operation_facts.body

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        """With the body of a DELETE that takes one, such as a proof: spectacular leaves it out."""
        operation = super().get_operation(*args, **kwargs)
        facts = self.operation_facts
        body: Any = facts.body
        if operation and self.method == "DELETE" and body is not None:
            content: dict[str, Any] = {"schema": self.resolve_serializer(body, "request").ref}
            if facts.example_in is not None:
                content["examples"] = {"Request": {"value": facts.example_in}}
            operation["requestBody"] = {"required": True, "content": {"application/json": content}}
        return operation

    def get_override_parameters(self) -> list[Any]:
        """Query parameters, and the headers of the conventions."""
        facts = self.operation_facts
        found = [
            OpenApiParameter(
                query.name,
                _query_schema(query),
                OpenApiParameter.QUERY,
                required=query.required,
                description=query.description,
                enum=query.choices or None,
                explode=False if query.many else None,
                style="form" if query.many else None,
            )
            for query in facts.query
        ]
        found += [
            OpenApiParameter(
                parameter.name,
                _query_schema(parameter),
                OpenApiParameter.PATH,
                required=True,
                description=parameter.description,
                enum=parameter.choices or None,
            )
            for parameter in facts.path
        ]
        headers = []
        if facts.idempotent:
            headers.append(
                ("Idempotency-Key", "Replays the first answer to this key for 24 hours.")
            )
        if facts.if_match:
            headers.append(("If-Match", "The ETag that the change is based on."))
        if self.method == "GET":
            headers.append(("If-None-Match", "An ETag: answers 304 where nothing changed."))
        headers.append(("Accept-Language", "`ko` (the default) or `en`, for texts."))
        return found + [
            OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description)
            for name, description in headers
        ]

    def get_response_serializers(self) -> Any:
        """The answers, and each problem with its codes."""
        facts = self.operation_facts
        found: dict[Any, Any] = {
            status: OpenApiResponse(
                response=serializer,
                description=HTTPStatus(status).phrase,
                examples=self._examples(facts) if serializer else [],
            )
            for status, serializer in facts.answers.items()
        }
        if self.method == "GET":
            found[304] = OpenApiResponse(description="Nothing changed since `If-None-Match`.")
        by_status: dict[int, list[type[DomainError]]] = defaultdict(list)
        for error in self._errors(facts):
            by_status[error.status].append(error)
        for status, classes in sorted(by_status.items()):
            found[(status, PROBLEM)] = self._problem(status, classes)
        return found

    def _examples(self, facts: Operation) -> list[OpenApiExample]:
        found = []
        if facts.example_in is not None:
            found.append(OpenApiExample("Request", value=facts.example_in, request_only=True))
        if facts.example_out is not None:
            found.append(OpenApiExample("Answer", value=facts.example_out, response_only=True))
        return found

    def get_examples(self) -> list[OpenApiExample]:
        """The example of the body."""
        return [example for example in self._examples(self.operation_facts) if example.request_only]

    def _errors(self, facts: Operation) -> list[type[DomainError]]:
        found = set(facts.errors) | {errors.ServerError, errors.DatabaseUnavailable}
        found |= {errors.BadRequest, errors.BodyTooLarge, errors.LengthRequired}
        for authenticator in self.view.get_authenticators():
            found |= set(getattr(authenticator, "errors", ()))
        if self._needs_member():
            found.add(errors.NotAuthenticated)
        if facts.body:
            found |= {errors.InvalidInput, errors.MalformedJSON, errors.UnsupportedMediaType}
        if any(query.name == "cursor" for query in facts.query):
            found |= {errors.InvalidCursor, errors.InvalidInput}
        if "{" in self.path:
            found.add(errors.NotFound)
        permissions = {type(permission) for permission in self.view.get_permissions()}
        if self.method != "GET":
            found.add(errors.Throttled)
            if permissions & {MembersOnly, MembersWrite}:
                found |= {errors.Suspended, errors.ConsentRequired}
        elif getattr(self.view, "throttle_scopes", None):
            found.add(errors.Throttled)
        if facts.idempotent:
            found |= {
                errors.InvalidIdempotencyKey,
                errors.IdempotencyKeyReused,
                errors.IdempotencyInProgress,
            }
        if facts.if_match:
            found.add(errors.Stale)
        return sorted(found, key=lambda error: error.code)

    def _problem(self, status: int, classes: list[type[DomainError]]) -> OpenApiResponse:
        codes = [error.code for error in classes]
        return OpenApiResponse(
            response={
                "allOf": [
                    {"$ref": "#/components/schemas/Problem"},
                    {"type": "object", "properties": {"code": {"enum": codes}}},
                ]
            },
            description="\n".join(
                f"- `{error.code}`: {' '.join((error.__doc__ or '').split())}" for error in classes
            ),
            examples=[
                OpenApiExample(
                    error.code,
                    value={
                        "type": f"urn:igloo:problem:{error.code}",
                        "title": HTTPStatus(status).phrase,
                        "status": status,
                        "detail": str(error.text),
                        "code": error.code,
                        "request_id": "019a7c1e-8f3b-7c40-9d55-5d1c0f6e2a11",
                    },
                    response_only=True,
                    status_codes=[str(status)],
                    media_type=PROBLEM,
                )
                for error in classes
            ],
        )


def _query_schema(query: Query) -> dict[str, Any]:
    if query.many:
        return {"type": "array", "items": {"type": "string"}}
    least = {} if query.minimum is None else {"minimum": query.minimum}
    return {"type": query.kind, **least}


PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; `detail` follows Accept-Language.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer, RFC 6901"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
