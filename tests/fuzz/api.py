"""The API as schemathesis sees it, and calls of it that reach what is there.

The schema comes from the code, so that a new route is covered without a word here. What a path or
a body may name comes from the table of tests/test_roles.py, which has a row for every route.
"""

import copy
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.parameters import ParameterLocation
from schemathesis.schemas import BaseSchema

from apps.ops.management.commands.openapi import generate
from apps.posts.models import Post
from tests.builders import ApiClient, make_comment, make_like, make_member, make_post
from tests.test_roles import TABLE, World

PREFIX = "/api/v1"


@cache
def strict_document() -> dict[str, Any]:
    """The document, of which an answer may hold what its schema names and nothing else."""
    document = generate()
    for name, schema in document["components"]["schemas"].items():
        # More than is asked for may be sent: it is passed over.
        if schema.get("type") == "object" and name != "Problem" and not name.endswith("In"):
            schema["additionalProperties"] = False
    return document


@cache
def api() -> BaseSchema:
    """The schema, bound to the application in this process: there is no socket in between."""
    # A copy, since schemathesis may write into what it is given.
    schema = schemathesis.openapi.from_dict(copy.deepcopy(strict_document()))
    schema.app = WSGIHandler()
    # Who calls is what a test says, not a token that was made up.
    schema.config.generation.update(with_security_parameters=False)
    return schema


def operations() -> list[tuple[str, str]]:
    """Method and path of each operation."""
    return [
        (method.upper(), path)
        for path, methods in strict_document()["paths"].items()
        for method in methods
    ]


def parameters(method: str, path: str) -> list[dict[str, Any]]:
    """What an operation takes besides its body."""
    found: list[dict[str, Any]] = strict_document()["paths"][path][method.lower()]["parameters"]
    return found


def can_be_wrong(method: str, path: str) -> bool:
    """Whether there is anything in a call that the schema could refuse."""
    return "requestBody" in strict_document()["paths"][path][method.lower()] or any(
        parameter.get("required") or parameter["schema"] != {"type": "string"}
        for parameter in parameters(method, path)
    )


class Known:
    """What is there to be named in the calls of one operation; all of it is the owner's."""

    def __init__(self, world: World, method: str, path: str) -> None:
        self.paths: list[dict[str, str]] = []
        self.bodies: list[dict[str, Any]] = []
        # What the table's call has in its query, without which there is no list.
        query: dict[str, str] = {}
        template = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/?]+)", path))
        for row_method, route, called, body, _statuses in TABLE:
            if (row_method, PREFIX + route) == (method, path):
                found = template.match(PREFIX + world.fill(called))
                assert found, f"{called} is no {path}"
                self.paths.append(found.groupdict())
                query |= dict(parse_qsl(urlsplit(called).query))
                if body:
                    self.bodies.append(world.fill(body))
        self.upload = str(world.values["upload"]())
        self.cursors: list[str] = []
        if any(parameter["name"] == "cursor" for parameter in parameters(method, path)):
            self._fill_lists(world)
            client = ApiClient(world.owner)
            for named in self.paths:
                page = client.get(path.format(**named), query | {"limit": "1"}).json()
                self.cursors += [page["next_cursor"]] if page["next_cursor"] else []

    def _fill_lists(self, world: World) -> None:
        """Two of everything that lists show, so that each has a second page."""
        for publish in (True, True, False, False):
            make_post(world.owner, publish=publish)
        other = make_member()
        for post in Post.objects.filter(status=Post.Status.PUBLISHED):
            for member in (world.owner, other):
                make_comment(member, post)
                make_like(member, post.pk)


@contextmanager
def undone() -> Iterator[None]:
    """What is called within leaves nothing in the database."""
    # At the sight of a transaction around it a request would close the connection.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


@st.composite
def allowed(draw: st.DrawFn, method: str, path: str, known: Known) -> Case:
    """A call that the schema allows, more often than not of what is there."""
    case: Case = draw(api()[path][method].as_strategy(generation_mode=GenerationMode.POSITIVE))
    if known.paths[0] and draw(st.integers(0, 4)):
        case.path_parameters.update(draw(st.sampled_from(known.paths)))
    if isinstance(case.body, dict):
        if known.bodies and draw(st.integers(0, 4)):
            # A call that works, with a little of it made up.
            made_up = draw(st.lists(st.sampled_from(sorted(case.body) or [""]), max_size=2))
            case.body = copy.deepcopy(draw(st.sampled_from(known.bodies))) | {
                name: case.body[name] for name in made_up if name
            }
        _name_upload(draw, case.body, known.upload)
    if known.cursors and draw(st.booleans()):
        case.query["cursor"] = draw(st.sampled_from(known.cursors))
    if "If-Match" in case.headers and draw(st.booleans()):
        case.headers["If-Match"] = draw(st.sampled_from(['"1-x"', "*", 'W/"1-x", "2-y"']))
    return case


@st.composite
def refused(draw: st.DrawFn, method: str, path: str, known: Known) -> Case:
    """A call that the schema does not allow, of what is there."""
    case: Case = draw(api()[path][method].as_strategy(generation_mode=GenerationMode.NEGATIVE))
    if not case.meta.is_negative_at(ParameterLocation.PATH):
        case.path_parameters.update(draw(st.sampled_from(known.paths)))
    return case


def at_the_limits(method: str, path: str, known: Known) -> list[Case]:
    """Calls just within and just beyond each limit of the schema, and by other methods."""
    operation = api()[path][method]
    cases = list(
        api().iter_coverage_cases(
            operation,
            generation_modes=list(GenerationMode),
            generation_config=api().config.generation_for(operation=operation, phase="coverage"),
        )
    )
    for case in cases:
        if not case.meta.is_negative_at(ParameterLocation.PATH):
            case.path_parameters.update(known.paths[0])
    return cases


def _name_upload(draw: st.DrawFn, value: Any, upload: str) -> None:
    """Let uploads that a body names be one that is there."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name.endswith("upload_id") and inner and draw(st.booleans()):
                value[name] = upload
            _name_upload(draw, inner, upload)
    elif isinstance(value, list):
        for inner in value:
            _name_upload(draw, inner, upload)
