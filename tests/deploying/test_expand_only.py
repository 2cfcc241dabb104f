"""Which migrations a deploy lets through while the code before them runs."""

from typing import Any

import pytest
from django.db import models
from django.db.migrations import operations as ops
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation

from igloo.deploying import expand_only

NOTE = models.CharField(max_length=10)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is contracting about operations that the last migration of posts would have."""
    loader = MigrationLoader(None)
    key = loader.graph.leaf_nodes("posts")[0]
    monkeypatch.setattr(expand_only, "MigrationLoader", lambda _: loader)

    def look(*operations: Operation) -> list[str]:
        loader.graph.nodes[key].operations = list(operations)
        return expand_only.contracting(set(loader.graph.nodes) - {key})

    return look


@pytest.mark.parametrize(
    "operation",
    [
        ops.RemoveField("post", "title"),
        ops.DeleteModel("Post"),
        ops.RenameField("post", "title", "name"),
        ops.RenameModel("Post", "Home"),
        ops.AlterModelTable("post", "homes"),
        ops.AddField("post", "note", NOTE),
        ops.AddConstraint(
            "post", models.CheckConstraint(condition=models.Q(title__gt=""), name="titled")
        ),
        ops.AlterField("post", "title", models.CharField(max_length=1)),
        ops.AlterField("post", "title", models.IntegerField()),
        ops.AlterField("post", "published_at", models.DateTimeField()),
        ops.RunSQL("DROP TABLE posts_post"),
        ops.SeparateDatabaseAndState(database_operations=[ops.DeleteModel("Post")]),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_what_takes_away_is_named(found: Any, operation: Operation) -> None:
    [text] = found(operation)
    assert text.startswith("posts.")


@pytest.mark.parametrize(
    "operation",
    [
        ops.CreateModel("Note", [("id", models.BigAutoField(primary_key=True))]),
        ops.AddField("post", "note", models.CharField(max_length=10, null=True)),
        ops.AddField("post", "note", models.CharField(max_length=10, db_default="")),
        ops.AlterField("post", "title", models.CharField(max_length=500)),
        ops.RunSQL("CREATE INDEX …", hints={expand_only.MARK: True}),
        ops.RunPython(ops.RunPython.noop),
        ops.SeparateDatabaseAndState(state_operations=[ops.DeleteModel("Post")]),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_what_adds_is_let_through(found: Any, operation: Operation) -> None:
    assert found(operation) == []


def test_a_table_of_this_deploy_may_change(found: Any) -> None:
    made = ops.CreateModel("Note", [("id", models.BigAutoField(primary_key=True))])
    assert found(made, ops.AddField("note", "text", NOTE)) == []
    assert len(found(made, ops.AddField("post", "text", NOTE))) == 1


def test_the_plan_is_read_as_django_prints_it() -> None:
    output = "[X]  posts.0001_initial\n[ ]  posts.0002_taxonomies ... (posts.0001_initial)\n(none)"
    applied, others = expand_only.read_plan(output)
    assert applied == {("posts", "0001_initial")}
    assert others == {("posts", "0002_taxonomies")}
