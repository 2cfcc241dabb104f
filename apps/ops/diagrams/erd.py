"""What the database holds, as Mermaid entity-relationship diagrams of the models."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.db import connection, models
from django.utils import translation

# Tables of others that ours work with.
_OTHERS = {"django_tasks_db": "The task row"}
# Longer lists of choices are left to the code.
_MOST_CHOICES = 6
_INTRODUCTION = """\
# What the database holds

Boxes are tables. `PK` is the primary key, `FK` refers to another table, `UK` is unique. `null`
marks a column that may be empty. The ends of a line say how many: `||` one, `|o` one or none,
`o{` any number, `o|` one at most.
"""

Model = type[models.Model]
AnyField = models.Field[Any, Any]


def erd_document() -> str:
    """The text of docs/erd.md: one overview, then the columns of each app's tables."""
    groups = drawn_models()
    everything = [model for members in groups.values() for model in members]
    parts = [
        _INTRODUCTION,
        "## Overview\n",
        "Without the tables that stand alone.\n",
        _mermaid(sorted(_relations(everything, everything))),
    ]
    for config, members in groups.items():
        # The relations first: a table that stands alone is then drawn aside.
        lines = sorted(_relations(members, everything))
        lines += [line for model in members for line in _entity(model)]
        with translation.override("en"):
            title = _OTHERS.get(config.name) or str(config.verbose_name)
        parts += [f"## {title}\n", f"{_summary(config)}\n", _mermaid(lines)]
    return "\n".join(parts)


def drawn_models() -> dict[AppConfig, list[Model]]:
    """The models to draw, by app, in the order of INSTALLED_APPS and of their definition."""
    configs = [config for config in apps.get_app_configs() if config.name.startswith("apps.")]
    configs += [config for config in apps.get_app_configs() if config.name in _OTHERS]
    groups = {
        config: [model for model in config.get_models() if not model._meta.proxy]
        for config in configs
    }
    return {config: members for config, members in groups.items() if members}


def _summary(config: AppConfig) -> str:
    """The first line that the app says of itself."""
    if config.name in _OTHERS:
        return f"Of the package {config.name}."
    return (type(config).__doc__ or "").strip().split("\n")[0]


def _mermaid(lines: Sequence[str]) -> str:
    body = "\n".join(f"    {line}" for line in lines)
    return f"```mermaid\nerDiagram\n{body}\n```\n"


def _entity(model: Model) -> Iterator[str]:
    # In quotes: Style is a word of Mermaid's own.
    yield f'"{model.__name__}" {{'
    # The key first, wherever a base class puts it.
    for field in sorted(model._meta.concrete_fields, key=lambda field: not field.primary_key):
        yield f"    {' '.join(_column(model, field))}"
    yield "}"


def _column(model: Model, field: AnyField) -> Iterator[str]:
    """Type, name, keys and comment of one column."""
    yield _type(field)
    yield str(field.column)
    keys = [
        key
        for key, held in (
            ("PK", field.primary_key),
            ("FK", field.is_relation),
            ("UK", _is_unique(model, field) and not field.primary_key),
        )
        if held
    ]
    if keys:
        yield ", ".join(keys)
    notes = ["null"] if field.null else []
    choices = [str(value) for value, _label in field.flatchoices]
    if 0 < len(choices) <= _MOST_CHOICES:
        notes.append(" / ".join(choices))
    notes += [f"unique with {', '.join(others)}" for others in _unique_with(model, field)]
    if notes:
        yield f'"{"; ".join(notes)}"'


def _type(field: AnyField) -> str:
    """The column's type in PostgreSQL, in characters that Mermaid takes; asks no server."""
    name = field.db_type(connection) or "none"
    name = name.replace("timestamp with time zone", "timestamptz").replace("integer", "int")
    return re.sub(r"[^\w\[\]()-]+", "_", name)


def _unconditional(model: Model) -> Iterator[tuple[str, ...]]:
    """Columns that are unique together, in every row."""
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and constraint.condition is None:
            yield tuple(constraint.fields)
    yield from (tuple(fields) for fields in model._meta.unique_together)


def _is_unique(model: Model, field: AnyField) -> bool:
    return bool(field.unique) or (field.name,) in _unconditional(model)


def _unique_with(model: Model, field: AnyField) -> Iterator[list[str]]:
    for names in _unconditional(model):
        if field.name in names and len(names) > 1:
            yield [
                str(model._meta.get_field(name).column)  # type: ignore[union-attr]
                for name in names
                if name != field.name
            ]


def _relations(of: Sequence[Model], among: Sequence[Model]) -> Iterator[str]:
    """Lines of the relations that the tables `of` hold to those `among`."""
    for model in of:
        for field in (*model._meta.concrete_fields, *model._meta.local_many_to_many):
            if field.related_model is None:
                continue
            # A proxy is another view of the same table.
            target = field.related_model._meta.concrete_model or field.related_model
            if target not in among:
                continue
            if field.many_to_many:
                ends = "}o--o{"
            else:
                one = "|o" if field.null else "||"
                ends = one + ("--o|" if _is_unique(model, field) else "--o{")
            yield f'"{target.__name__}" {ends} "{model.__name__}" : {field.name}'
