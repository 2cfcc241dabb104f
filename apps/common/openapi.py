"""What each endpoint says of itself for the OpenAPI document.

`@describe(...)` only attaches facts to a view's method; `schema.py`, which is read when the
document is written and never while serving, makes OpenAPI of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ParamSpec, TypeVar

from rest_framework import serializers

from apps.common.errors import DomainError

F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
SerializerClass = type[serializers.BaseSerializer[Any]]


@dataclass(frozen=True)
class Query:
    """A query parameter: `kind` is an OpenAPI type; `many` takes values separated by commas."""

    name: str
    description: str
    kind: str = "string"
    minimum: int | None = None
    required: bool = False
    many: bool = False
    choices: Sequence[str] = ()


@dataclass(frozen=True)
class Operation:
    """The facts of one method of one path."""

    summary: str
    tag: str
    body: SerializerClass | None = None
    answers: Mapping[int, SerializerClass | None] = field(default_factory=dict)
    errors: Sequence[type[DomainError]] = ()
    query: Sequence[Query] = ()
    # Of parameters of the path, those that are no ids.
    path: Sequence[Query] = ()
    idempotent: bool = False
    if_match: bool = False
    example_in: Any = None
    example_out: Any = None


PAGING = (
    Query("limit", "How many items, 20 by default, 50 at most.", kind="integer", minimum=1),
    Query("cursor", "`next_cursor` of the page before."),
)


def _attaching(make: Callable[P, Operation]) -> Callable[P, Callable[[F], F]]:
    def describing(*args: P.args, **kwargs: P.kwargs) -> Callable[[F], F]:
        def attach(method: F) -> F:
            method.operation = make(*args, **kwargs)  # type: ignore[attr-defined]
            return method

        return attach

    return describing


# Attaches an Operation, whose fields it takes, to a view's method.
describe = _attaching(Operation)


@cache
def page_schema(item: SerializerClass) -> SerializerClass:
    """The documented shape of a list of `item`."""
    return type(
        item.__name__.removesuffix("Out") + "PageOut",
        (serializers.Serializer,),
        {
            "__doc__": "One page of a list.",
            "items": item(many=True),
            "next_cursor": serializers.CharField(allow_null=True),
        },
    )
