"""process_upload: from a received file to renditions, whatever happens on the way."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import FileSystemStorage, default_storage, storages
from django.db import connection
from django.utils import timezone

from apps.media import services
from apps.media.errors import FAILURES
from apps.media.models import Upload
from apps.tasks.models import BackgroundTask
from tests.background import due_tasks, run_tasks
from tests.builders import jpeg, make_member, make_upload, send
from tests.media import photos
from tests.media.storage import Place


def received(data: bytes, **changes: Any) -> Upload:
    """An upload whose file is there, and whose task is due."""
    upload = make_upload(make_member(), data, **changes)
    send(upload, data)
    return services.complete_upload(upload=upload)


def process(upload: Upload) -> Upload:
    """Process it; what it became."""
    services.process_upload(upload_id=upload.pk)
    upload.refresh_from_db()
    return upload


def assert_ready(upload: Upload, place: Place, data: bytes) -> None:
    """The row, and exactly its files."""
    upload.refresh_from_db()
    assert (upload.status, upload.failure_code) == ("ready", "")
    assert place.public_keys() == {item["key"] for item in upload.renditions}
    assert place.keys() == {upload.original_key}
    with storages["originals"].open(upload.original_key) as file:
        assert file.read() == data


def test_a_photo_becomes_ready(db, local_place):
    data = photos.jpeg(orientation=6)
    upload = process(received(data))
    assert_ready(upload, local_place, data)
    assert (upload.width, upload.height) == (400, 300)
    assert len(upload.blurhash) > 6
    assert [item["name"] for item in upload.renditions] == ["large", "medium", "small"]
    for item in upload.renditions:
        assert set(item) == {"name", "key", "width", "height", "content_type"}
        assert item["key"].startswith(f"photos/{upload.pk}/{item['name']}-")
        assert item["key"].endswith(".webp")
    assert sum(color["share"] for color in upload.palette) == pytest.approx(1, abs=0.01)
    assert upload.suggested_colors
    assert upload.attached_at is None


def test_what_is_public_tells_nothing_of_the_member(db, local_place):
    """Place, maker, comments and what follows the file stay in the private original."""
    upload = process(received(photos.jpeg_with_everything()))
    for key in local_place.public_keys():
        with default_storage.open(key) as file:
            assert photos.MARK.encode() not in file.read()
    assert upload.status == "ready"


def test_a_refused_photo_fails_with_its_code(db, local_place):
    upload = process(received(b"no photo"))
    assert (upload.status, upload.failure_code) == ("failed", "not_an_image")
    assert upload.renditions == upload.palette == []
    assert local_place.keys() == local_place.public_keys() == set()


def test_the_hash_is_compared_when_one_was_announced(db):
    """Also when storage did not: the same length, another byte after the picture's end."""
    announced, sent = jpeg() + b"a", jpeg() + b"b"
    sha256 = hashlib.sha256(announced).hexdigest()
    assert process(received(announced, sha256=sha256)).status == "ready"
    assert process(received(sent, sha256=sha256)).failure_code == "hash_mismatch"
    assert process(received(sent)).status == "ready"


def test_an_upload_in_any_other_state_is_left_alone(db, local_place):
    """A late or repeated task must not start over, nor fail."""
    waiting = make_upload(make_member())
    send(waiting, jpeg())
    assert process(waiting).status == "waiting"
    assert local_place.keys() == {waiting.incoming_key}
    storages["originals"].delete(waiting.incoming_key)

    ready = process(received(jpeg()))
    before = Upload.objects.filter(pk=ready.pk).values().get()
    process(ready)
    assert Upload.objects.filter(pk=ready.pk).values().get() == before
    assert_ready(ready, local_place, jpeg())

    failed = process(received(b"no photo"))
    assert process(failed).failure_code == "not_an_image"


def test_an_upload_that_is_gone(db):
    services.process_upload(upload_id=uuid4())


def test_a_run_that_died_before_it_cleaned_up(db, local_place):
    """The row says ready, the phone's file still lies where it came: the next run takes it away."""
    upload = process(received(jpeg()))
    send(upload, jpeg())
    process(upload)
    assert_ready(upload, local_place, jpeg())


# --- Storage that fails -------------------------------------------------------------------------


def _break(monkeypatch: pytest.MonkeyPatch, method: str, key: str) -> None:
    """One operation of one file fails, once or until undone."""
    works = getattr(FileSystemStorage, method)

    def fails(storage: FileSystemStorage, name: str, *args: Any, **kwargs: Any) -> Any:
        if key in name:
            raise OSError(f"storage is away: {name}")
        return works(storage, name, *args, **kwargs)

    monkeypatch.setattr(FileSystemStorage, method, fails)


@pytest.mark.parametrize(
    ("method", "key"),
    [
        ("size", "incoming/"),
        ("_open", "incoming/"),
        ("_save", "/large-"),
        ("_save", "/small-"),
        ("_save", "originals/"),
    ],
)
def test_storage_that_is_away_leaves_the_upload_to_be_tried_again(
    committed, local_place, monkeypatch, method, key
):
    upload = received(jpeg())
    with monkeypatch.context() as patch:
        _break(patch, method, key)
        with pytest.raises(OSError, match="storage is away"):
            services.process_upload(upload_id=upload.pk)
    upload.refresh_from_db()
    assert upload.status == "processing"
    assert upload.renditions == []
    assert {upload.incoming_key} <= local_place.keys()

    process(upload)
    assert_ready(upload, local_place, jpeg())


def test_storage_that_is_away_at_the_very_end(committed, local_place, monkeypatch):
    """The photo is ready by then; trying again only cleans up."""
    upload = received(jpeg())
    with monkeypatch.context() as patch:
        _break(patch, "delete", "incoming/")
        with pytest.raises(OSError, match="storage is away"):
            services.process_upload(upload_id=upload.pk)
    upload.refresh_from_db()
    assert upload.status == "ready"
    process(upload)
    assert_ready(upload, local_place, jpeg())


def test_the_file_is_gone(db):
    upload = received(jpeg())
    storages["originals"].delete(upload.incoming_key)
    with pytest.raises(FileNotFoundError):
        services.process_upload(upload_id=upload.pk)
    upload.refresh_from_db()
    assert upload.status == "processing"


def test_storage_that_was_away_is_asked_again_by_the_task(committed, local_place, monkeypatch):
    upload = received(jpeg())
    with monkeypatch.context() as patch:
        _break(patch, "_open", "incoming/")
        run_tasks()
    task = BackgroundTask.objects.get(task_path__endswith="process_upload")
    assert (task.status, task.attempts.get().error) == ("READY", "builtins.OSError")
    upload.refresh_from_db()
    assert upload.status == "processing"

    BackgroundTask.objects.update(run_after=timezone.now())  # its pause is over
    run_tasks()
    assert_ready(upload, local_place, jpeg())


def test_a_phone_that_calls_complete_again_gets_another_task(committed, local_place):
    """After two minutes, for a row whose own task is dead."""
    upload = received(jpeg())
    BackgroundTask.objects.update(status="FAILED")

    services.complete_upload(upload=upload)
    assert due_tasks() == []
    Upload.objects.update(processing_since=timezone.now() - services._RESEND_AFTER)
    services.complete_upload(upload=upload)
    assert due_tasks() == ["process_upload"]
    run_tasks()
    assert_ready(upload, local_place, jpeg())


# --- More than one at once ----------------------------------------------------------------------


def at_once(upload: Upload, workers: int = 2) -> list[str]:
    """Process it in threads; what each ended with."""

    def run(_number: int) -> str:
        try:
            services.process_upload(upload_id=upload.pk)
        except OSError as error:
            return type(error).__name__
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, range(workers)))


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes workers wait for each other before they decode what they have fetched."""
    decode = services.process_photo

    def wait_for(workers: int) -> None:
        start = Barrier(workers, timeout=10)

        def waiting(*args: Any, **kwargs: Any) -> Any:
            start.wait()
            return decode(*args, **kwargs)

        monkeypatch.setattr(services, "process_photo", waiting)

    return wait_for


def test_workers_that_process_one_upload_at_once(committed, local_place, together):
    upload = received(jpeg())
    together(3)
    assert at_once(upload, 3) == ["done"] * 3
    assert_ready(upload, local_place, jpeg())


def test_a_worker_that_comes_when_another_has_just_ended(committed, local_place, monkeypatch):
    """It finds the row in processing, but the file gone: no error, since nothing is left to do."""
    upload = received(jpeg())
    size = FileSystemStorage.size
    runs = []

    def slow_size(storage: FileSystemStorage, name: str) -> int:
        runs.append(name)
        if len(runs) == 1:
            services.process_upload(upload_id=upload.pk)
        return size(storage, name)

    monkeypatch.setattr(FileSystemStorage, "size", slow_size)
    services.process_upload(upload_id=upload.pk)
    assert len(runs) == 2
    assert_ready(upload, local_place, jpeg())


def test_workers_that_fetched_different_files(committed, local_place, monkeypatch):
    """A phone sent its ticket again in between: renditions and original are of one file."""
    first, second = jpeg("#d8c7a9"), jpeg("#102030")
    size = max(len(first), len(second))
    first, second = first.ljust(size, b"\0"), second.ljust(size, b"\0")
    upload = received(first)
    decode = services.process_photo
    depth = []

    def overtaken(path: Path, **kwargs: Any) -> Any:
        depth.append(path)
        if len(depth) == 1:
            send(upload, second)
            services.process_upload(upload_id=upload.pk)
        return decode(path, **kwargs)

    monkeypatch.setattr(services, "process_photo", overtaken)
    services.process_upload(upload_id=upload.pk)
    assert len(depth) == 2
    assert_ready(upload, local_place, second)
    assert upload.suggested_colors != ["beige"]


def test_a_worker_that_refuses_after_another_accepted(committed, local_place, monkeypatch):
    upload = received(jpeg())
    decode = services.process_photo
    depth = []

    def overtaken(path: Path, **kwargs: Any) -> Any:
        depth.append(path)
        if len(depth) == 1:
            services.process_upload(upload_id=upload.pk)
            raise services.PhotoRefused("damaged")
        return decode(path, **kwargs)

    monkeypatch.setattr(services, "process_photo", overtaken)
    services.process_upload(upload_id=upload.pk)
    assert_ready(upload, local_place, jpeg())


def test_a_worker_that_accepts_after_another_refused(committed, local_place, monkeypatch):
    """What was told to the phone stays: nothing public is left of a failed upload."""
    upload = received(jpeg())
    decode = services.process_photo
    depth = []

    def overtaken(path: Path, **kwargs: Any) -> Any:
        depth.append(path)
        if len(depth) == 1:
            services.process_upload(upload_id=upload.pk)
            return decode(path, **kwargs)
        raise services.PhotoRefused("damaged")

    monkeypatch.setattr(services, "process_photo", overtaken)
    services.process_upload(upload_id=upload.pk)
    upload.refresh_from_db()
    assert (upload.status, upload.failure_code) == ("failed", "damaged")
    assert local_place.keys() == local_place.public_keys() == set()


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("files_first", [True, False])
def test_an_upload_deleted_while_it_is_processed_leaves_no_file(
    committed, local_place, monkeypatch, good, files_first
):
    """Whether the task that deletes its files runs before or after."""
    upload = received(jpeg())
    decode = services.process_photo

    def meanwhile(path: Path, **kwargs: Any) -> Any:
        services.delete_uploads(upload_ids=[upload.pk])
        if files_first:
            BackgroundTask.objects.filter(task_path__endswith="process_upload").delete()
            run_tasks()
        if not good:
            raise services.PhotoRefused("damaged")
        return decode(path, **kwargs)

    monkeypatch.setattr(services, "process_photo", meanwhile)
    services.process_upload(upload_id=upload.pk)
    monkeypatch.undo()
    run_tasks()
    assert not Upload.objects.exists()
    assert local_place.keys() == local_place.public_keys() == set()


def test_deleting_waits_for_a_photo_that_is_just_being_finished(
    committed, local_place, monkeypatch
):
    """Both hold the row's lock: the files are all there when the task to delete them is written."""
    upload = received(jpeg())
    save = FileSystemStorage._save
    deleting = []

    def delete() -> int:
        try:
            return services.delete_uploads(upload_ids=[upload.pk])
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:

        def saving(storage: FileSystemStorage, name: str, content: Any) -> str:
            if name.startswith("originals/"):
                deleting.append(pool.submit(delete))
                with pytest.raises(TimeoutError):
                    deleting[0].result(timeout=0.2)
            return save(storage, name, content)

        monkeypatch.setattr(FileSystemStorage, "_save", saving)
        services.process_upload(upload_id=upload.pk)
        assert deleting[0].result(timeout=5) == 1
    run_tasks()
    assert not Upload.objects.exists()
    assert local_place.keys() == local_place.public_keys() == set()


# --- Hostile files ------------------------------------------------------------------------------

HOSTILE = {
    "text": ("image/jpeg", b"<?php system($_GET['c']); ?>", "not_an_image"),
    "one byte": ("image/png", b"\x89", "not_an_image"),
    "zeros": ("image/webp", bytes(5000), "not_an_image"),
    "page": ("image/jpeg", b"<html><script>alert(1)</script></html>", "not_an_image"),
    "svg": ("image/png", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "unsupported_type"),
    "gif": ("image/jpeg", photos.save(photos.corners(), "GIF"), "unsupported_type"),
    "tiff": ("image/jpeg", photos.save(photos.corners(), "TIFF"), "unsupported_type"),
    "bmp": ("image/jpeg", photos.save(photos.corners(), "BMP"), "unsupported_type"),
    "lying type": ("image/webp", photos.png(), "type_mismatch"),
    "huge": ("image/png", photos.raw_png(60_000, 60_000, b""), "too_many_pixels"),
    "zip bomb": (
        "image/png",
        photos.raw_png(400, 300, photos.inflates_to(1 << 28)),
        None,
    ),
    "pixel": ("image/png", photos.raw_png(1, 1, photos.flat_idat(1, 1)), "too_small"),
    "ribbon": ("image/png", photos.raw_png(2000, 20, photos.flat_idat(2000, 20)), "too_narrow"),
    "cut": ("image/jpeg", photos.jpeg(photos.noise())[:20_000], "truncated"),
    "cut heic": ("image/heic", photos.heic("phone")[:5000], None),
    "broken": ("image/png", photos.raw_png(400, 300, b"not deflated"), None),
}


def test_hostile_files_fail_each_for_its_reason_and_the_worker_lives(committed, local_place):
    """All in one worker, a good one last. None names no single right code here: any will do."""
    uploads = {
        name: received(data, content_type=content_type)
        for name, (content_type, data, _code) in HOSTILE.items()
    }
    good = received(jpeg())
    run_tasks()

    for name, upload in uploads.items():
        upload.refresh_from_db()
        code = HOSTILE[name][2]
        if code is None and upload.status == "ready":
            continue
        assert upload.status == "failed", name
        assert upload.failure_code in FAILURES, name
        assert code in (None, upload.failure_code), (name, upload.failure_code)
    good.refresh_from_db()
    assert good.status == "ready"
    ran = BackgroundTask.objects.filter(task_path__endswith="process_upload")
    assert set(ran.values_list("status", flat=True)) == {"SUCCESSFUL"}
    kept = local_place.keys()
    assert {key.partition("/")[0] for key in kept} == {"originals"}
