"""Renditions of all photos made again."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage, storages
from django.core.management import CommandError, call_command

from apps.media import rendition_runs
from apps.media.imaging import renditions as imaging
from apps.media.models import RenditionRun, Upload
from tests.background import due_tasks, run_tasks
from tests.builders import jpeg, make_member, make_upload, processed_upload
from tests.tasks.conftest import pass_time

pytestmark = pytest.mark.django_db


@pytest.fixture
def photos() -> list[Upload]:
    """Three that are ready, oldest first; one that was never sent is left alone."""
    owner = make_member()
    ready = [processed_upload(owner, jpeg(size=(400, 300))) for _ in range(3)]
    make_upload(owner)
    return ready


@pytest.fixture
def smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code makes other renditions now."""
    edges = (("large", 200), ("medium", 100), ("small", 50))
    monkeypatch.setattr(imaging, "LONG_EDGES", edges)


def run() -> RenditionRun:
    """A whole run, as its task does it."""
    begun = rendition_runs.start_run()
    run_tasks()
    begun.refresh_from_db()
    return begun


def widths(upload: Upload) -> list[int]:
    upload.refresh_from_db()
    return [item["width"] for item in upload.renditions]


def test_all_photos_get_what_the_code_makes_now(photos: list[Upload], smaller: None) -> None:
    before = photos[0].renditions
    done = run()
    assert (done.total, done.done, done.failed) == (3, 3, 0)
    assert done.finished_at is not None
    for upload in photos:
        assert widths(upload) == [200, 100, 50]
        assert all(default_storage.exists(item["key"]) for item in upload.renditions)
    # A phone may still show a card that names these.
    assert all(default_storage.exists(item["key"]) for item in before)


def test_what_nobody_shows_any_more_goes_after_a_day(photos: list[Upload], smaller: None) -> None:
    before = [item["key"] for upload in photos for item in upload.renditions]
    run()
    assert due_tasks() == []
    pass_time(rendition_runs.KEEP_OLD.total_seconds() + 1)
    run_tasks()
    assert not any(default_storage.exists(key) for key in before)
    for upload in photos:
        upload.refresh_from_db()
        assert all(default_storage.exists(item["key"]) for item in upload.renditions)


def test_what_a_later_run_made_again_stays(photos: list[Upload]) -> None:
    """The same code makes the same files: the first run's deletion must not take them."""
    run()
    pass_time(rendition_runs.KEEP_OLD.total_seconds() + 1)
    run_tasks()
    for upload in photos:
        upload.refresh_from_db()
        assert all(default_storage.exists(item["key"]) for item in upload.renditions)


def test_an_attempt_that_ended_goes_on_where_it_was(
    photos: list[Upload], smaller: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    real = rendition_runs._make_again

    def cut_off(upload: Upload) -> bool:
        seen.append(upload.pk)
        if len(seen) == 2:
            raise OSError("storage is away")
        return real(upload)

    monkeypatch.setattr(rendition_runs, "_make_again", cut_off)
    begun = rendition_runs.start_run()
    with pytest.raises(OSError, match="storage is away"):
        rendition_runs.go_on(run_id=begun.pk)
    begun.refresh_from_db()
    assert (begun.done, begun.finished_at) == (1, None)
    assert rendition_runs.go_on(run_id=begun.pk) == "3 of 3"
    first, second, third = (upload.pk for upload in photos)
    assert seen == [first, second, second, third]


def test_a_photo_that_kills_its_container_is_given_up(
    photos: list[Upload], smaller: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """The process is gone: nothing of Python's is run."""

    real = rendition_runs._make_again

    def deadly(upload: Upload) -> bool:
        if upload.pk == photos[1].pk:
            raise Killed
        return real(upload)

    monkeypatch.setattr(rendition_runs, "_make_again", deadly)
    begun = rendition_runs.start_run()
    for _ in range(2):
        with pytest.raises(Killed):
            rendition_runs.go_on(run_id=begun.pk)
    assert rendition_runs.go_on(run_id=begun.pk) == "3 of 3"
    begun.refresh_from_db()
    assert (begun.done, begun.failed) == (2, 1)
    assert widths(photos[1]) == [400, 400, 320]
    assert widths(photos[2]) == [200, 100, 50]


def test_a_photo_without_an_original_or_that_is_refused_keeps_what_it_has(
    photos: list[Upload], smaller: None
) -> None:
    originals = storages["originals"]
    originals.delete(photos[0].original_key)
    with originals.open(photos[1].original_key, "wb") as file:
        file.write(b"no photo any more")
    done = run()
    assert (done.done, done.failed) == (1, 2)
    assert widths(photos[0]) == widths(photos[1]) == [400, 400, 320]


def test_a_photo_that_arrives_meanwhile_is_not_waited_for(
    photos: list[Upload], later: Callable[[dt.timedelta], None]
) -> None:
    begun = rendition_runs.start_run()
    later(dt.timedelta(minutes=1))
    processed_upload(make_member())
    assert rendition_runs.go_on(run_id=begun.pk) == "3 of 3"


def test_one_run_at_a_time(photos: list[Upload]) -> None:
    call_command("recompute_renditions")
    with pytest.raises(CommandError, match="A run is not over"):
        call_command("recompute_renditions")
    assert RenditionRun.objects.count() == 1
    run_tasks()
    call_command("recompute_renditions")


def test_its_progress_is_told(photos: list[Upload], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="no run yet"):
        call_command("recompute_renditions", "--progress")
    call_command("recompute_renditions")
    call_command("recompute_renditions", "--progress")
    run_tasks()
    call_command("recompute_renditions", "--progress")
    assert capsys.readouterr().out.splitlines() == [
        "a run over 3 photos was enqueued",
        "0 of 3 photos, 0 of them failed; not over",
        "3 of 3 photos, 0 of them failed; finished",
    ]
