"""Uploads that nobody took are deleted after a day; their files follow by a task."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.media import errors, services, tasks
from apps.media.models import Upload
from apps.tasks.models import BackgroundTask
from tests.background import due_tasks, run_tasks
from tests.builders import jpeg, make_member, make_upload, processed_upload, send

DAY = dt.timedelta(days=1)


def aged(upload: Upload, age: dt.timedelta = DAY + dt.timedelta(seconds=1)) -> Upload:
    """The same upload, older."""
    Upload.objects.filter(pk=upload.pk).update(created_at=timezone.now() - age)
    return upload


def left() -> set[UUID]:
    """The uploads that are still there."""
    return set(Upload.objects.values_list("pk", flat=True))


def test_old_unattached_uploads_go_with_their_files(committed, local_place):
    alice = make_member()
    waiting, arrived = make_upload(alice), make_upload(alice)
    send(arrived, jpeg())
    processing = make_upload(alice)
    send(processing, jpeg())
    services.complete_upload(upload=processing)
    failed = processed_upload(alice, b"no photo")
    ready = processed_upload(alice)
    for upload in (waiting, arrived, processing, failed, ready):
        aged(upload)
    BackgroundTask.objects.all().delete()

    assert services.purge_unattached_uploads() == 5
    assert left() == set()
    # The files go with a task, after the rows are surely gone.
    assert due_tasks() == ["delete_files"]
    assert len(local_place.public_keys()) == 3
    run_tasks()
    assert local_place.keys() == local_place.public_keys() == set()


def test_attached_and_young_uploads_stay(committed, local_place):
    alice = make_member()
    attached, young = processed_upload(alice), processed_upload(alice)
    with transaction.atomic():
        services.attach_uploads(owner_id=alice.pk, uploads={"/avatar_upload_id": attached.pk})
    aged(attached, 30 * DAY)
    files = local_place.keys() | local_place.public_keys()
    assert services.purge_unattached_uploads() == 0
    run_tasks()
    assert left() == {attached.pk, young.pk}
    assert local_place.keys() | local_place.public_keys() == files


def test_the_day_is_over_when_it_is_over(db, monkeypatch):
    upload = make_upload(make_member())
    now = timezone.now()
    Upload.objects.update(created_at=now - DAY)
    monkeypatch.setattr(timezone, "now", lambda: now)
    assert services.purge_unattached_uploads() == 0
    monkeypatch.setattr(timezone, "now", lambda: now + dt.timedelta(microseconds=1))
    assert services.purge_unattached_uploads() == 1
    assert upload.pk not in left()


def test_there_is_nothing_to_purge(db):
    assert services.purge_unattached_uploads() == 0
    assert due_tasks() == []


@pytest.mark.parametrize("count", [3, 4, 5])
def test_more_than_one_batch(db, monkeypatch, count):
    monkeypatch.setattr(services, "_PURGE_BATCH", 2)
    alice = make_member()
    for _ in range(count):
        aged(make_upload(alice))
    young = make_upload(alice)
    assert services.purge_unattached_uploads() == count
    assert left() == {young.pk}
    sent = BackgroundTask.objects.filter(task_path__endswith="delete_files")
    originals = [key for task in sent for key in task.args_kwargs["kwargs"]["originals"]]
    assert len(originals) == len(set(originals)) == 2 * count


def test_a_batch_costs_the_same_whatever_its_size(db, django_assert_num_queries):
    alice = make_member()
    for count in (1, 10):
        for _ in range(count):
            aged(processed_upload(alice))
        # A savepoint and its end, the uploads (once to lock, once for Django's collector), photos
        # and avatars that may point to them, their deletion, the task.
        with django_assert_num_queries(8):
            assert services.purge_unattached_uploads() == count


def test_the_task_purges_a_day_later(committed, local_place, later):
    alice = make_member()
    forgotten = make_upload(alice)
    send(forgotten, jpeg())
    tasks.purge_unattached_uploads.enqueue()
    run_tasks()
    assert left() == {forgotten.pk}
    later(dt.timedelta(days=1, seconds=1))
    tasks.purge_unattached_uploads.enqueue()
    run_tasks()
    assert left() == set()
    assert local_place.keys() == set()


# --- At once ------------------------------------------------------------------------------------


def test_an_upload_that_is_being_attached_survives(committed, local_place):
    """The purge skips what another transaction holds; the next purge finds it attached."""
    alice = make_member()
    upload, other = aged(processed_upload(alice)), aged(processed_upload(alice))

    def purge() -> int:
        try:
            return services.purge_unattached_uploads()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        services.attach_uploads(owner_id=alice.pk, uploads={"/0": upload.pk})
        assert pool.submit(purge).result(timeout=5) == 1
    assert services.purge_unattached_uploads() == 0
    assert left() == {upload.pk}
    assert other.pk not in left()
    run_tasks()
    assert len(local_place.public_keys()) == 3


def test_an_upload_that_is_just_purged_is_refused_cleanly(committed):
    """Whoever wants it waits for the purge, then is told that there is no such upload."""
    alice = make_member()
    upload = aged(processed_upload(alice))

    def attach() -> str:
        try:
            with transaction.atomic():
                services.attach_uploads(owner_id=alice.pk, uploads={"/0": upload.pk})
        except errors.UploadNotFound as error:
            return error.code
        finally:
            connection.close()
        return "attached"

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert services.purge_unattached_uploads() == 1
            waiting = pool.submit(attach)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.2)
        assert waiting.result(timeout=5) == "upload_not_found"


def test_purges_and_posts_at_once_leave_nothing_half_done(committed, local_place):
    """Whichever wins each upload: it is attached with all its files, or it is gone with them."""
    alice = make_member()
    uploads = [aged(processed_upload(alice)) for _ in range(6)]
    start = Barrier(4)

    def purge(_number: int) -> set[UUID]:
        try:
            start.wait()
            services.purge_unattached_uploads()
        finally:
            connection.close()
        return set()

    def attach(number: int) -> set[UUID]:
        taken = set()
        try:
            start.wait()
            for upload in uploads[number::2]:
                try:
                    with transaction.atomic():
                        services.attach_uploads(owner_id=alice.pk, uploads={"/0": upload.pk})
                    taken.add(upload.pk)
                except errors.UploadNotFound:
                    pass
        finally:
            connection.close()
        return taken

    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(purge, n) for n in range(2)] + [pool.submit(attach, n) for n in (0, 1)]
        attached = set().union(*(run.result(timeout=10) for run in runs))
    services.purge_unattached_uploads()
    run_tasks()
    assert left() == attached
    public = {
        item["key"]
        for renditions in Upload.objects.values_list("renditions", flat=True)
        for item in renditions
    }
    assert local_place.public_keys() == public
    assert local_place.keys() == {f"originals/{pk}" for pk in attached}


def test_delete_files_runs_twice(db):
    services.delete_files(public=["photos/a/large.webp"], originals=["originals/a"])
    services.delete_files(public=[], originals=[])
