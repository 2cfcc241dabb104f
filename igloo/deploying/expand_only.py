"""Migrations that the code which is still running survives: they only add.

While a deploy goes on, and after one that went back, the version before works on the migrated
tables. So a migration may add what that code does not know, and take nothing away from it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelManagers,
    AlterModelOptions,
    CreateModel,
    RemoveConstraint,
    RemoveIndex,
    RenameIndex,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
)
from django.db.migrations.operations.base import Operation
from django.db.models import NOT_PROVIDED, Field

Key = tuple[str, str]
_HARMLESS = (
    AddIndex, AlterModelManagers, AlterModelOptions, CreateModel, RemoveConstraint, RemoveIndex,
    RenameIndex, RunPython,
)  # fmt: skip
# What `RunSQL(…, hints=…)` says of SQL that only adds.
MARK = "expands"
_LINE = re.compile(r"^\[([X ])\]\s+(\w+)\.(\w+)")


def read_plan(output: str) -> tuple[set[Key], set[Key]]:
    """What `showmigrations --plan` printed: the migrations that are applied, and the others."""
    found: dict[str, set[Key]] = {"X": set(), " ": set()}
    for line in output.splitlines():
        if match := _LINE.match(line):
            found[match[1]].add((match[2], match[3]))
    return found["X"], found[" "]


def contracting(applied: set[Key]) -> list[str]:
    """What in this checkout's migrations, without the applied ones, takes something away.

    Libraries' own migrations are not looked at.

    Returns:
        One text for each operation: `posts.0009_drop.RemoveField: Remove field title from post`.
    """
    loader = MigrationLoader(None)
    unapplied = [key for key in _ours(loader) if key not in applied]
    made: set[Key] = set()
    found = []
    for key in unapplied:
        state = loader.project_state(key, at_end=False)
        for operation in _flat(loader.graph.nodes[key].operations):
            if isinstance(operation, CreateModel):
                made.add((key[0], operation.name_lower))
            if not _only_adds(operation, key[0], state, made):
                kind = type(operation).__name__
                found.append(f"{key[0]}.{key[1]}.{kind}: {operation.describe()}")
    return found


def shows_all(output: str) -> bool:
    """Whether what `showmigrations --plan` printed has come to its end, where code of this
    checkout printed it."""
    applied, others = read_plan(output)
    return applied | others >= set(_ours(MigrationLoader(None)))


def _ours(loader: MigrationLoader) -> list[Key]:
    """The project's own migrations, in their order."""
    labels = {config.label for config in apps.get_app_configs() if config.name.startswith("apps.")}
    order: dict[Key, None] = {}
    for leaf in loader.graph.leaf_nodes():
        order |= dict.fromkeys(loader.graph.forwards_plan(leaf))
    return [key for key in order if key[0] in labels]


def _flat(operations: Iterable[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if isinstance(operation, SeparateDatabaseAndState):
            yield from _flat(operation.database_operations)
        else:
            yield operation


def _only_adds(operation: Any, app: str, state: Any, made: set[Key]) -> bool:
    model = getattr(operation, "model_name_lower", None) or getattr(operation, "name_lower", "")
    # Of a table that this very deploy makes, the code that runs knows nothing.
    if isinstance(operation, _HARMLESS) or (app, model) in made:
        return True
    match operation:
        case RunSQL():
            return bool(operation.hints.get(MARK))
        case AddField():
            return operation.field.many_to_many or _is_optional(operation.field)
        case AlterField():
            known = state.models.get((app, model))
            before = known.fields.get(operation.name) if known else None
            return before is not None and _takes_as_much(before, operation.field)
        case AddConstraint():
            # The code that runs may still write what it forbids.
            return False
    return False


def _is_optional(field: Field[Any, Any]) -> bool:
    """Whether a row can be written by code that does not know of the column."""
    return field.null or field.db_default is not NOT_PROVIDED


def _takes_as_much(before: Field[Any, Any], after: Field[Any, Any]) -> bool:
    same = before.get_internal_type() == after.get_internal_type()
    shorter = after.max_length is not None and (before.max_length or 0) > after.max_length
    narrower = (before.null and not after.null) or (after.unique and not before.unique)
    return same and not shorter and not narrower
