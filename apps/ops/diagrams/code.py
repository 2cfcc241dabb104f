"""Reading the code: which endpoint calls which service, and what that does to the outside.

Nothing is run. A function's source is parsed and its calls are followed through the services.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from importlib import import_module
from types import FunctionType
from typing import Any

from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver

# Packages whose work is told of as one step, by its docstring, and not looked into.
_TOLD = ("apps.media.imaging", "apps.media.drivers")
# What is told of a storage. Deleting is not: it is tidying up, and comes at every end.
_STORAGE_CALLS = {
    "exists": "is {file} in {store} storage?",
    "size": "measure {file} in {store} storage",
    "open": "read {file} from {store} storage",
    "save": "save {file} in {store} storage",
}
# Longer lists of columns are left to the code.
_MOST_COLUMNS = 2


class Outdated(Exception):
    """A diagram names something that the code no longer has, or leaves something out."""


@dataclass(frozen=True)
class Effect:
    """What a service does: `where` is `database`, `storage` or `itself`.

    `status` is the one that a row gets by it, if it gets one.
    """

    where: str
    text: str
    service: str
    status: Enum | None = None


@dataclass(frozen=True)
class Branch:
    """What is done only under a condition; `otherwise` is what is done else.

    `ends`: nothing is done after it.
    """

    condition: str
    done: "tuple[Step, ...]"
    otherwise: "tuple[Step, ...]" = ()
    ends: bool = False


Step = Effect | Branch


@dataclass(frozen=True)
class Endpoint:
    """A method of a view and its path, written as the API's documents do."""

    method: str
    path: str
    summary: str
    answer: str
    function: Callable[..., Any]


def find(name: str) -> Any:
    """The object at a dotted path; raises Outdated if there is none."""
    module, _dot, rest = name.rpartition(".")
    steps = [rest]
    while module:
        try:
            found: Any = import_module(module)
            break
        except ModuleNotFoundError as error:
            if not module.startswith(error.name or ""):
                raise
            module, _dot, rest = module.rpartition(".")
            steps.insert(0, rest)
    else:
        raise Outdated(f"{name} no longer exists: correct apps/ops/diagrams/flow.py.")
    for step in steps:
        if not hasattr(found, step):
            raise Outdated(f"{name} no longer exists: correct apps/ops/diagrams/flow.py.")
        found = getattr(found, step)
    return found


def first_line(thing: Any) -> str:
    """The first sentence of a docstring, without a code's marks."""
    text = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    sentence = text.split(". ")[0].rstrip(".")
    return sentence.replace("`", "")


def endpoint(name: str) -> Endpoint:
    """The endpoint of a view's method, `apps.media.views.UploadView.get`; raises Outdated."""
    function = find(name)
    view = find(name.rpartition(".")[0])
    operation = getattr(function, "operation", None)
    if operation is None:
        raise Outdated(f"{name} has no @describe: correct apps/ops/diagrams/flow.py.")
    status, shape = next(iter(operation.answers.items()))
    return Endpoint(
        method=function.__name__.upper(),
        path=path_of(view, get_resolver().url_patterns),
        summary=operation.summary,
        answer=f"{status} {shape.__name__}" if shape else str(status),
        function=function,
    )


def path_of(view: Any, patterns: Sequence[Any]) -> str:
    """The path of a view, `/uploads/{upload_id}`; raises Outdated."""
    for path, callback in _paths(patterns, ""):
        if view in (callback, getattr(callback, "view_class", None)):
            return path
    raise Outdated(f"{view.__module__}.{view.__name__} has no path any more.")


def _paths(patterns: Sequence[Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _paths(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            # `<uuid:post_id>` becomes `{post_id}`.
            yield "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path), pattern.callback


def is_task(thing: Any) -> bool:
    """Whether it is a background task."""
    return hasattr(thing, "enqueue") and hasattr(thing, "func")


def task_text(task: Any) -> str:
    """A task's name and queue."""
    return f"{task.name} ({task.queue_name})"


def steps_of(function: Callable[..., Any], skip: Collection[Any] = ()) -> tuple[Step, ...]:
    """What a function does to the outside, in order; `skip`: functions that are not followed."""
    return _Reader(function, skip).read()


def statuses_set(steps: Sequence[Step]) -> set[Enum]:
    """The statuses that rows get anywhere in these steps."""
    found: set[Enum] = set()
    for step in steps:
        if isinstance(step, Branch):
            found |= statuses_set((*step.done, *step.otherwise))
        elif step.status is not None:
            found.add(step.status)
    return found


@cache
def _definition(function: Callable[..., Any]) -> ast.FunctionDef:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)  # noqa: S101 - a function's source is a def
    return definition


class _Reader:
    """Reads one function; a service that it calls is read by a reader of its own."""

    def __init__(
        self, function: Callable[..., Any], skip: Collection[Any], parents: tuple[Any, ...] = ()
    ) -> None:
        self.function = inspect.unwrap(function)
        self.skip = skip
        self.parents = (*parents, self.function)
        # The service that a newcomer would look for: not its private helper.
        named = [
            item.__name__
            for item in self.parents
            if ".services" in item.__module__ and not item.__name__.startswith("_")
        ]
        self.service = named[-1] if named else ""
        # Storages that the function gives a name of its own.
        self.local_stores: dict[str, str] = {}

    def read(self) -> tuple[Step, ...]:
        """What the function does, in order."""
        return self._block(_definition(self.function).body)

    def _block(self, body: Sequence[ast.stmt]) -> tuple[Step, ...]:
        """Statements in order. What follows an `if` that may return is its other half."""
        steps: list[Step] = []
        for position, statement in enumerate(body):
            rest = body[position + 1 :]
            match statement:
                case ast.If():
                    steps += self._inside(statement.test)
                    branch = self._branch(statement)
                    open_end = branch and not branch.otherwise and not branch.ends
                    if branch and open_end and _returns(statement.body):
                        return (*steps, replace(branch, otherwise=self._block(rest)))
                    steps += [branch] if branch else []
                case ast.With():
                    # A return within it skips what follows it, too.
                    for item in statement.items:
                        steps += self._inside(item)
                    return (*steps, *self._block([*statement.body, *rest]))
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if self._store(value):
                    self.local_stores[name] = str(self._store(value))
                case _:
                    steps += self._inside(statement)
        return tuple(steps)

    def _branch(self, statement: ast.If) -> Branch | None:
        """The branch of an `if`; None where nothing of interest is done in it."""
        condition = self._words(statement.test)
        done, otherwise = self._block(statement.body), self._block(statement.orelse)
        ends = isinstance(statement.body[-1], ast.Return)
        if not done and otherwise:
            condition, done, otherwise, ends = f"not {condition}", otherwise, (), False
        if not done:
            return None
        match done:
            case [Branch(condition=inner, otherwise=()) as only] if not otherwise:
                return replace(only, condition=f"{condition} and {inner}")
        return Branch(condition, done, otherwise, ends)

    def _words(self, test: ast.expr) -> str:
        """A condition in words: `photos is not None` is "photos given"."""
        match test:
            case ast.Compare(left=left, ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
                return f"no {self._words(left)}"
            case ast.Compare(left=left, ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
                return f"{self._words(left)} given"
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
                return f"{self._words(left)} is {self._words(right)}"
            case ast.Compare(left=left, ops=[ast.NotEq()], comparators=[right]):
                return f"{self._words(left)} is not {self._words(right)}"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return f"not {self._words(operand)}"
            case ast.BoolOp(op=operator, values=values):
                word = " and " if isinstance(operator, ast.And) else " or "
                return word.join(self._words(value) for value in values)
            case ast.Attribute() if isinstance(member := self._resolve(test), Enum):
                return str(member.value)
            case ast.Name(id=name):
                return name.replace("_", " ")
        return ast.unparse(test)

    def _inside(self, node: ast.AST) -> tuple[Step, ...]:
        """A statement or an expression, its parts first, as Python would come by them."""
        steps: list[Step] = []
        for _name, part in ast.iter_fields(node):
            if isinstance(part, list) and part and isinstance(part[0], ast.stmt):
                steps += self._block(part)
            else:
                for child in part if isinstance(part, list) else [part]:
                    if isinstance(child, ast.AST):
                        steps += self._inside(child)
        match node:
            case ast.Call():
                steps += self._call(node)
            case ast.Assign(targets=[ast.Attribute(attr="status")], value=value):
                steps += self._status(value)
        return tuple(steps)

    def _call(self, call: ast.Call) -> Iterator[Step]:
        called = self._resolve(call.func)
        if isinstance(called, FunctionType):
            yield from self._function(inspect.unwrap(called))
        elif isinstance(call.func, ast.Attribute):
            verb, receiver = call.func.attr, call.func.value
            task = self._resolve(receiver)
            store = self._store(receiver)
            if is_task(task) and verb == "enqueue":
                yield self._effect("database", f"new task {task_text(task)}")
            elif store and verb in _STORAGE_CALLS and call.args:
                # The last name: `upload.incoming_key` is `incoming_key`.
                file = ast.unparse(call.args[0]).rpartition(".")[2]
                text = _STORAGE_CALLS[verb].format(file=file, store=store)
                yield self._effect("storage", text)
            else:
                yield from self._query(call, verb, receiver)

    def _function(self, called: FunctionType) -> Iterator[Step]:
        if called in self.skip or called in self.parents:
            return
        if called.__module__.startswith(_TOLD):
            yield self._effect("itself", f"{called.__name__}(): {first_line(called)}")
        elif ".services" in called.__module__:
            yield from _Reader(called, self.skip, self.parents).read()

    def _query(self, call: ast.Call, verb: str, receiver: ast.expr) -> Iterator[Step]:
        """A write through a model's manager."""
        model = self._model(receiver)
        if model is None:
            return
        given = {item.arg: item.value for item in call.keywords if item.arg}
        columns = list(given)
        if verb == "bulk_update" and isinstance(names := call.args[1], ast.List):
            columns = [str(ast.literal_eval(name)) for name in names.elts]
        if verb == "visible_to":
            yield self._effect("database", f"read {model.__name__}")
        elif verb in ("create", "bulk_create"):
            default = None if "status" in given else _default_status(model)
            what = f"new {model.__name__}" + (f", {default.value}" if default else "")
            yield self._effect("database", what, default)
        elif verb == "bulk_update" or (verb == "update" and "status" not in given):
            few = f"set {', '.join(columns)} of" if len(columns) <= _MOST_COLUMNS else "change"
            what = f"{few} {model.__name__}"
            yield self._effect("database", what)
        if "status" in given and verb in ("create", "update"):
            yield from self._status(given["status"])

    def _status(self, value: ast.expr) -> Iterator[Step]:
        member = self._resolve(value)
        if isinstance(member, Enum):
            owner = type(member).__qualname__.partition(".")[0]
            yield self._effect("database", f"{owner} becomes {member.value}", member)

    def _effect(self, where: str, text: str, status: Enum | None = None) -> Effect:
        return Effect(where, text, self.service, status)

    def _resolve(self, node: ast.expr) -> Any:
        """The object that a name of the module stands for; None for what is known at run time."""
        match node:
            case ast.Name(id=name):
                return self.function.__globals__.get(name)
            case ast.Attribute(value=value, attr=attr):
                owner = self._resolve(value)
                return None if owner is None else getattr(owner, attr, None)
            case ast.Call(func=ast.Attribute(value=value, attr="using")):
                return self._resolve(value)
        return None

    def _store(self, node: ast.expr) -> str | None:
        match node:
            case ast.Name(id="default_storage"):
                return "default"
            case ast.Name(id=name):
                return self.local_stores.get(name)
            case ast.Subscript(value=ast.Name(id="storages"), slice=ast.Constant(value=str(name))):
                return name
        return None

    def _model(self, node: ast.expr) -> type[models.Model] | None:
        """The model at the start of `Model.objects.filter(…)`."""
        while isinstance(node, (ast.Call, ast.Attribute)):
            node = node.func if isinstance(node, ast.Call) else node.value
        found = self._resolve(node)
        return found if isinstance(found, type) and issubclass(found, models.Model) else None


def _default_status(model: type[models.Model]) -> Enum | None:
    for field in model._meta.concrete_fields:
        if field.name == "status" and isinstance(field.default, Enum):
            return field.default
    return None


def _returns(body: Sequence[ast.stmt]) -> bool:
    return any(isinstance(node, ast.Return) for item in body for node in ast.walk(item))
