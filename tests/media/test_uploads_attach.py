"""attach_uploads: a ready photo of one's own goes to one place."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from apps.media import errors, services
from apps.media.models import Upload
from apps.posts.models import Post
from tests.builders import jpeg, make_member, make_upload, processed_upload, send
from tests.media.conftest import Phone


def test_ready_uploads_are_taken_in_the_order_wanted(db):
    alice = make_member()
    first, second = processed_upload(alice), processed_upload(alice)
    taken = services.attach_uploads(owner_id=alice.pk, uploads={"/0": second.pk, "/1": first.pk})
    assert taken == [second, first]
    for upload in taken:
        upload.refresh_from_db()
        assert upload.attached_at is not None


def test_nothing_is_taken_when_nothing_is_asked_for(db):
    assert services.attach_uploads(owner_id=make_member().pk, uploads={}) == []


def test_each_refusal_names_the_first_bad_one_and_takes_none(db):
    alice, bob = make_member("alice"), make_member("bob")
    good, other_good = processed_upload(alice), processed_upload(alice)
    waiting, processing = make_upload(alice), make_upload(alice)
    send(processing, jpeg())
    services.complete_upload(upload=processing)
    failed = processed_upload(alice, b"no photo")
    used = processed_upload(alice)
    services.attach_uploads(owner_id=alice.pk, uploads={"/avatar": used.pk})
    for bad, refusal in (
        (processed_upload(bob), errors.UploadNotFound),
        (waiting, errors.UploadNotReady),
        (processing, errors.UploadNotReady),
        (failed, errors.UploadFailed),
        (used, errors.UploadInUse),
        (good, errors.UploadInUse),
    ):
        wanted = {"/photos/0": good.pk, "/photos/1": bad.pk, "/photos/2": other_good.pk}
        with pytest.raises(refusal) as raised:
            services.attach_uploads(owner_id=alice.pk, uploads=wanted)
        (error,) = raised.value.errors
        assert (error.pointer, error.code) == ("/photos/1", refusal.code)
        assert not Upload.objects.filter(
            pk__in=[good.pk, other_good.pk], attached_at__isnull=False
        ).exists()


def test_a_photo_is_attached_once_though_many_try_at_once(committed):
    alice = make_member()
    upload = processed_upload(alice)
    start = Barrier(4)

    def attach(_number: int) -> str:
        try:
            start.wait()
            with transaction.atomic():
                services.attach_uploads(owner_id=alice.pk, uploads={"/0": upload.pk})
        except errors.UploadInUse as error:
            return error.code
        finally:
            connection.close()
        return "attached"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(attach, range(4)))
    assert outcomes == ["attached", *["upload_in_use"] * 3]


def test_members_that_name_the_same_photos_in_other_orders_do_not_block_each_other(committed):
    alice = make_member()
    one, two = processed_upload(alice).pk, processed_upload(alice).pk
    start = Barrier(2)

    def attach(wanted: dict) -> str:
        try:
            start.wait()
            with transaction.atomic():
                services.attach_uploads(owner_id=alice.pk, uploads=wanted)
        except errors.UploadInUse as error:
            return error.code
        finally:
            connection.close()
        return "attached"

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(attach, [{"/0": one, "/1": two}, {"/0": two, "/1": one}]))
    assert sorted(outcomes) == ["attached", "upload_in_use"]


def test_two_posts_of_the_same_photo_sent_at_once(phone: Phone):
    """Exactly one is made; the other is told which photo, and leaves nothing."""
    upload = processed_upload(phone.member)
    body = {
        "title": "볕이 드는 13평",
        "content": "거실이 완성됐어요.",
        "pyeong": "8-15",
        "housing_type": "apartment",
        "styles": ["korean"],
        "colors": ["beige"],
        "photos": [{"upload_id": str(upload.pk), "caption": "", "products": []}],
        "status": "published",
    }
    start = Barrier(2)

    def post(_number: int) -> tuple[int, str | None]:
        start.wait()
        answer = phone.call("POST", "/posts", json=body)
        return answer.status_code, answer.json().get("code")

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(post, range(2)), key=str)
    assert outcomes == [(201, None), (409, "upload_in_use")]
    assert Post.objects.count() == 1


def test_what_another_took_and_gave_back_can_be_taken(committed):
    """Whoever waits for a lock decides by what is true once it is free."""
    alice = make_member()
    upload = processed_upload(alice)
    wanted = {"/0": upload.pk}

    def attach() -> int:
        try:
            with transaction.atomic():
                return len(services.attach_uploads(owner_id=alice.pk, uploads=wanted))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            services.attach_uploads(owner_id=alice.pk, uploads=wanted)
            waiting = pool.submit(attach)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.2)
            transaction.set_rollback(True)
        assert waiting.result(timeout=5) == 1
