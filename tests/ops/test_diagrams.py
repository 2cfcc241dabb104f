"""The diagrams of docs/: complete, drawn from the code, and stale as soon as it moves on."""

import re
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.storage import default_storage, storages
from django.core.management import CommandError, call_command
from django.urls import include, path
from pytest_django import Settings

from apps.media import services, tasks
from apps.media.models import Upload
from apps.ops.diagrams import DOCUMENTS, Outdated, document, flow
from apps.ops.diagrams.code import Branch, Effect, Step, find, statuses_set, steps_of

# Where the paths of the story have moved to, for a test that takes this module as the URL conf.
urlpatterns = [path("api/v2/", include("apps.media.urls")), path("", include("apps.posts.urls"))]
STORY_NAMES = sorted(
    {part for step in flow.STORY for part in astuple(step) if isinstance(part, str)}
    | set(flow.TIDYING)
    | {transition.service for arrows in flow.STATES.values() for transition in arrows}
)


@pytest.fixture
def docs(tmp_path: Path, settings: Settings) -> Path:
    """A folder in which the diagrams were just drawn."""
    settings.BASE_DIR = tmp_path
    call_command("diagrams")
    return tmp_path / "docs"


def blocks(name: str) -> list[list[str]]:
    """The lines of each chart of a document."""
    charts = re.findall(r"```mermaid\n(.*?)```", document(name), re.DOTALL)
    return [[line.strip() for line in chart.splitlines()] for chart in charts]


def test_the_committed_diagrams_are_fresh() -> None:
    call_command("diagrams", check=True)


def test_they_say_where_they_come_from(docs: Path) -> None:
    assert {path.name for path in docs.iterdir()} == set(DOCUMENTS)
    for path_ in docs.iterdir():
        assert "Generated from the code by `make generate`" in path_.read_text()


def test_the_same_code_draws_the_same(docs: Path) -> None:
    call_command("diagrams", check=True)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_check_finds_an_edited_and_a_missing_file(docs: Path, name: str) -> None:
    (docs / name).write_text((docs / name).read_text() + "edited\n")
    with pytest.raises(CommandError, match=f"docs/{name} is stale"):
        call_command("diagrams", check=True)
    assert (docs / name).read_text().endswith("edited\n")
    (docs / name).unlink()
    with pytest.raises(CommandError, match=f"docs/{name} is stale"):
        call_command("diagrams", check=True)
    assert not (docs / name).exists()


def test_every_model_of_ours_is_drawn_once() -> None:
    drawn = re.findall(r'^    "(\w+)" \{$', document("erd.md"), re.MULTILINE)
    ours = [
        model.__name__
        for model in apps.get_models()
        if model.__module__.startswith("apps.") and not model._meta.proxy
    ]
    assert sorted(drawn) == sorted([*ours, "DBTaskResult"])


@pytest.mark.parametrize(
    "line",
    [
        '"Member" ||--o{ "Post" : author',
        # By way of a proxy.
        '"DBTaskResult" ||--o{ "TaskAttempt" : task',
        # A draft has none yet; a photo may be the cover of nothing.
        '"Photo" |o--o{ "Post" : cover',
        '"Upload" ||--o| "Photo" : upload',
        '"Upload" |o--o| "Member" : avatar',
        # Unique only among the unspent: a session has many.
        '"DeviceSession" ||--o{ "RefreshToken" : session',
        "varchar(30) username UK",
        "uuid upload_id PK, FK",
        'uuid avatar_id FK, UK "null"',
        'uuid member_id FK "unique with post_id"',
        'varchar(10) status "draft / published"',
        "varchar(20)[] styles",
    ],
)
def test_columns_and_relations(line: str) -> None:
    assert f"    {line}\n" in document("erd.md")


def test_a_changed_model_makes_the_diagram_stale(
    docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Upload._meta.get_field("sha256"), "null", True)
    with pytest.raises(CommandError, match=re.escape("docs/erd.md is stale")):
        call_command("diagrams", check=True)


@pytest.mark.parametrize("name", STORY_NAMES)
def test_a_step_that_no_longer_exists_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(name)
    with pytest.raises(CommandError, match=re.escape(f"{name} no longer exists")):
        call_command("diagrams", check=True)


def test_a_moved_path_makes_the_flow_stale(docs: Path, settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    with pytest.raises(CommandError, match=re.escape("docs/flow.md is stale")):
        call_command("diagrams", check=True)
    assert "POST /api/v2/uploads/{upload_id}/complete" in document("flow.md")


def test_a_view_without_a_path_is_named(settings: Settings) -> None:
    settings.ROOT_URLCONF = "apps.posts.urls"
    with pytest.raises(CommandError, match="UploadsView has no path any more"):
        call_command("diagrams", check=True)


@pytest.mark.parametrize(
    ("thing", "attribute"),
    [
        # A service that no step names: it is found in the source of the others.
        (services.attach_uploads, "__name__"),
        (Upload.Status.READY, "_value_"),
    ],
)
def test_a_renamed_service_or_status_makes_the_flow_stale(
    docs: Path, monkeypatch: pytest.MonkeyPatch, thing: Any, attribute: str
) -> None:
    monkeypatch.setattr(thing, attribute, "renamed")
    with pytest.raises(CommandError, match=re.escape("docs/flow.md is stale")):
        call_command("diagrams", check=True)
    assert "renamed" in document("flow.md")


def test_states_must_be_complete_and_true(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "apps.media.models.Upload.Status"
    arrows = flow.STATES[name]
    monkeypatch.setitem(flow.STATES, name, arrows[:-1])
    with pytest.raises(Outdated, match=f"No arrow leads to failed of {re.escape(name)}"):
        document("flow.md")
    wrong = replace(arrows[-1], service="apps.media.services.complete_upload")
    monkeypatch.setitem(flow.STATES, name, (*arrows[:-1], wrong))
    with pytest.raises(Outdated, match="complete_upload does not make it 'failed'"):
        document("flow.md")
    unknown = replace(arrows[-1], after="LOST")
    monkeypatch.setitem(flow.STATES, name, (*arrows[:-1], unknown))
    with pytest.raises(Outdated, match=r"Status\.LOST no longer exists"):
        document("flow.md")


def test_a_task_must_call_its_service(monkeypatch: pytest.MonkeyPatch) -> None:
    step = flow.Work("apps.media.tasks.process_upload", "apps.media.services.create_upload")
    monkeypatch.setattr(flow, "STORY", (step,))
    with pytest.raises(Outdated, match=r"process_upload does not call .*create_upload"):
        document("flow.md")


@pytest.mark.parametrize("name", ["nowhere", "apps.media.nowhere.at_all", "apps.media.models.Up"])
def test_a_name_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(Outdated, match=f"{re.escape(name)} no longer exists"):
        find(name)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_charts_are_well_formed(name: str) -> None:
    for kind, *lines in blocks(name):
        assert kind in ("erDiagram", "sequenceDiagram", "stateDiagram-v2")
        if kind == "sequenceDiagram":
            opened = [line for line in lines if re.match("(alt|opt|loop|break) ", line)]
            assert len(opened) == lines.count("end")
            # Mermaid would end the statement, or begin a comment, there.
            assert not [line for line in lines if ";" in line or "#" in line]


# What follows is only read, never called.
def _sends(upload: Upload) -> None:
    kept = storages["originals"]
    with kept.open(upload.incoming_key) as file:
        if file:
            try:
                default_storage.save("key", file)
            except OSError:
                file = None
            else:
                return
        if not file:
            kept.save(upload.original_key, None)
            return
    tasks.process_upload.using(run_after=None).enqueue(str(upload.pk))


def _changes(upload: Upload, photo: Any) -> None:
    if photo is not None:
        upload.status = Upload.Status.READY
    elif not photo:
        Upload.objects.filter(status=Upload.Status.WAITING).update(status=Upload.Status.FAILED)
    Upload.objects.filter(pk=1).update(width=1, height=2, blurhash="")
    Upload.objects.create(size=1)


def test_reads_calls_in_their_order() -> None:
    reads = Effect("storage", "read incoming_key from originals storage", "")
    saves = Effect("storage", "save 'key' in default storage", "")
    queues = Effect("database", "new task process_upload (media)", "")
    keeps = Effect("storage", "save original_key in originals storage", "")
    # What follows an `if` that may return is its other half, outside of the `with`, too.
    ends = Branch("not file", (keeps,), ends=True)
    assert steps_of(_sends) == (reads, Branch("file", (saves,), (ends, queues)))


def test_reads_changes_of_rows() -> None:
    def database(text: str, status: Upload.Status | None = None) -> Step:
        return Effect("database", text, "", status)

    failed = database("Upload becomes failed", Upload.Status.FAILED)
    assert steps_of(_changes) == (
        Branch(
            "photo given",
            (database("Upload becomes ready", Upload.Status.READY),),
            (Branch("not photo", (failed,)),),
        ),
        database("change Upload"),
        database("new Upload, waiting", Upload.Status.WAITING),
    )
    assert statuses_set(steps_of(_changes)) == {
        Upload.Status.READY,
        Upload.Status.FAILED,
        Upload.Status.WAITING,
    }


def test_follows_services_unless_told_not_to() -> None:
    told = [step.service for step in steps_of(services.create_upload) if isinstance(step, Effect)]
    assert set(told) == {"create_upload"}
    posting = find("apps.posts.services.posts.create_post")
    assert "attach_uploads" in str(steps_of(posting))
    assert "attach_uploads" not in str(steps_of(posting, [services.attach_uploads]))
