"""POST /uploads, POST /uploads/{id}/complete, GET /uploads/{id}: the API's side."""

import datetime as dt
from typing import get_args
from uuid import UUID, uuid4

import pytest
from django.core.files.storage import FileSystemStorage
from django.utils import timezone
from rest_framework.serializers import Serializer

from apps.media.errors import FAILURES
from apps.media.imaging.refusals import RefusalCode
from apps.media.models import Upload
from apps.media.shapes import FailureOut, TicketOut, UploadOut, UploadStatusOut
from tests.background import due_tasks
from tests.builders import jpeg, make_upload, processed_upload, send

SHA256 = "ab" * 32
GOOD = {"content_type": "image/jpeg", "size": 2_483_201}


def assert_shape(shape: type[Serializer], answer: dict) -> None:
    """Nothing but what is documented, of the documented kinds."""
    serializer = shape(data=answer)
    assert serializer.is_valid(), serializer.errors
    assert set(answer) <= set(serializer.fields)


# --- POST /uploads ------------------------------------------------------------------------------


def test_start_an_upload(alice):
    alice.defaults["SERVER_NAME"] = "igloo.example.com"
    before = timezone.now()
    answer = alice.post("/uploads", {**GOOD, "sha256": SHA256.upper()}, format="json")
    assert answer.status_code == 201
    ticket = answer.json()
    assert_shape(TicketOut, ticket)
    assert set(ticket) == {"id", "status", "method", "url", "fields", "expires_at"}
    assert ticket["url"].startswith("http://igloo.example.com/")
    expires_at = dt.datetime.fromisoformat(ticket["expires_at"])
    assert dt.timedelta(minutes=59) < expires_at - before < dt.timedelta(minutes=61)

    upload = Upload.objects.get()
    assert str(upload.pk) == ticket["id"]
    assert upload.owner_id == alice.member.pk
    assert upload.status == "waiting"
    assert (upload.content_type, upload.size, upload.sha256) == ("image/jpeg", 2_483_201, SHA256)


@pytest.mark.parametrize("size", [1, 30 * 1024 * 1024])
@pytest.mark.parametrize(
    "content_type", ["image/jpeg", "image/png", "image/webp", "image/heic", "image/heif"]
)
def test_all_kinds_of_photos_may_be_announced(alice, content_type, size):
    answer = alice.post("/uploads", {"content_type": content_type, "size": size}, format="json")
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {("/content_type", "required"), ("/size", "required")}),
        (GOOD | {"content_type": "image/gif"}, {("/content_type", "invalid_choice")}),
        (GOOD | {"content_type": "IMAGE/JPEG"}, {("/content_type", "invalid_choice")}),
        (GOOD | {"content_type": None}, {("/content_type", "null")}),
        (GOOD | {"content_type": ["image/jpeg"]}, {("/content_type", "invalid_choice")}),
        (GOOD | {"size": 0}, {("/size", "too_small")}),
        (GOOD | {"size": -1}, {("/size", "too_small")}),
        (GOOD | {"size": 30 * 1024 * 1024 + 1}, {("/size", "too_large")}),
        (GOOD | {"size": 10**18}, {("/size", "too_large")}),
        (GOOD | {"size": 10**30}, {("/size", "invalid")}),
        (GOOD | {"size": "9" * 2000}, {("/size", "too_large")}),
        (GOOD | {"size": "many"}, {("/size", "invalid")}),
        (GOOD | {"size": 1.5}, {("/size", "invalid")}),
        (GOOD | {"size": True}, {("/size", "invalid")}),
        (GOOD | {"sha256": SHA256[:-1]}, {("/sha256", "invalid")}),
        (GOOD | {"sha256": SHA256 + "a"}, {("/sha256", "invalid")}),
        (GOOD | {"sha256": "zz" * 32}, {("/sha256", "invalid")}),
        (GOOD | {"sha256": ""}, {("/sha256", "blank")}),
        (GOOD | {"sha256": None}, {("/sha256", "null")}),
        (GOOD | {"sha256": {}}, {("/sha256", "invalid")}),
        ([GOOD], {("", "invalid")}),
    ],
)
def test_bad_input_names_each_place(alice, body, errors):
    answer = alice.post("/uploads", body, format="json")
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["code"] == "invalid_input"
    assert {(error["pointer"], error["code"]) for error in problem["errors"]} == errors
    assert not Upload.objects.exists()


def test_only_members_who_are_not_suspended_start_an_upload(anonymous, sue):
    refused = anonymous.post("/uploads", GOOD, format="json")
    assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated")
    refused = sue.post("/uploads", GOOD, format="json")
    assert (refused.status_code, refused.json()["code"]) == (403, "suspended")
    assert not Upload.objects.exists()
    assert due_tasks() == []


def test_an_idempotency_key_replays_the_ticket(alice, bob):
    first = alice.post("/uploads", GOOD, headers={"Idempotency-Key": "k1"}, format="json")
    again = alice.post("/uploads", GOOD, headers={"Idempotency-Key": "k1"}, format="json")
    assert again.status_code == first.status_code == 201
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Upload.objects.count() == 1

    changed = alice.post(
        "/uploads", GOOD | {"size": 7}, headers={"Idempotency-Key": "k1"}, format="json"
    )
    assert (changed.status_code, changed.json()["code"]) == (409, "idempotency_key_reused")
    bobs = bob.post("/uploads", GOOD, headers={"Idempotency-Key": "k1"}, format="json")
    assert bobs.json()["id"] != first.json()["id"]


# --- GET /uploads/{id} --------------------------------------------------------------------------


def test_an_upload_that_is_waited_for(alice):
    upload = make_upload(alice.member)
    answer = alice.get(f"/uploads/{upload.pk}")
    assert answer.status_code == 200
    assert answer.json() == {"id": str(upload.pk), "status": "waiting"}
    assert_shape(UploadOut, answer.json())


def test_an_upload_that_is_processed(alice):
    upload = make_upload(alice.member)
    send(upload, jpeg())
    answer = alice.post(f"/uploads/{upload.pk}/complete")
    assert answer.status_code == 202
    assert answer.json() == {"id": str(upload.pk), "status": "processing"}
    assert_shape(UploadStatusOut, answer.json())
    assert alice.get(f"/uploads/{upload.pk}").json() == answer.json()


def test_an_upload_that_is_ready(alice):
    alice.defaults["SERVER_NAME"] = "igloo.example.com"
    upload = processed_upload(alice.member, jpeg(size=(2000, 1000)))
    answer = alice.get(f"/uploads/{upload.pk}").json()
    assert_shape(UploadOut, answer)
    assert set(answer) == {
        *("id", "status", "width", "height", "blurhash"),
        *("renditions", "palette", "suggested_colors"),
    }
    assert (answer["status"], answer["width"], answer["height"]) == ("ready", 2000, 1000)
    assert [(item["name"], item["width"], item["height"]) for item in answer["renditions"]] == [
        ("large", 1600, 800),
        ("medium", 800, 400),
        ("small", 320, 160),
    ]
    for item in answer["renditions"]:
        assert set(item) == {"name", "url", "width", "height", "content_type"}
        folder = f"http://igloo.example.com/media/photos/{upload.pk}"
        assert item["url"].startswith(f"{folder}/{item['name']}-")
    assert sum(color["share"] for color in answer["palette"]) == pytest.approx(1, abs=0.01)
    assert answer["suggested_colors"]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_an_upload_that_failed(alice, language):
    upload = processed_upload(alice.member, b"no photo")
    answer = alice.get(f"/uploads/{upload.pk}", headers={"Accept-Language": language})
    assert answer.headers["Content-Language"] == language
    failed = answer.json()
    assert_shape(UploadOut, failed)
    assert set(failed) == {"id", "status", "failure"}
    assert failed["status"] == "failed"
    assert failed["failure"]["code"] == "not_an_image"
    assert failed["failure"]["detail"]


@pytest.mark.parametrize("code", sorted({*get_args(RefusalCode), "size_mismatch", "hash_mismatch"}))
def test_each_refusal_of_processing_has_a_text_and_is_documented(alice, code):
    """A code without a text would be a 500 for whoever asks."""
    upload = make_upload(alice.member)
    Upload.objects.filter(pk=upload.pk).update(status="failed", failure_code=code)
    answer = alice.get(f"/uploads/{upload.pk}")
    assert answer.status_code == 200
    assert_shape(FailureOut, answer.json()["failure"])
    assert code in FAILURES


def test_another_members_upload_does_not_exist(alice, bob, anonymous):
    upload = make_upload(alice.member)
    send(upload, jpeg())
    for path in (f"/uploads/{upload.pk}", f"/uploads/{uuid4()}"):
        refused = bob.get(path)
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
        refused = bob.post(f"{path}/complete")
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
        assert anonymous.get(path).status_code == 401
        assert anonymous.post(f"{path}/complete").status_code == 401
    upload.refresh_from_db()
    assert upload.status == "waiting"
    assert due_tasks() == []


def test_a_suspended_member_looks_but_completes_nothing(sue):
    upload = make_upload(sue.member)
    send(upload, jpeg())
    assert sue.get(f"/uploads/{upload.pk}").json()["status"] == "waiting"
    refused = sue.post(f"/uploads/{upload.pk}/complete")
    assert (refused.status_code, refused.json()["code"]) == (403, "suspended")
    assert due_tasks() == []


def test_an_id_that_is_none(alice):
    assert alice.get("/uploads/not-a-uuid").status_code == 404
    assert alice.post("/uploads/not-a-uuid/complete").status_code == 404
    assert alice.get("/uploads").status_code == 405


# --- POST /uploads/{id}/complete ----------------------------------------------------------------


def test_a_lost_task_is_sent_again_after_two_minutes(alice):
    upload = make_upload(alice.member)
    send(upload, jpeg())
    alice.post(f"/uploads/{upload.pk}/complete")
    assert due_tasks() == ["process_upload"]

    _was_completed(upload.pk, dt.timedelta(seconds=115))
    assert alice.post(f"/uploads/{upload.pk}/complete").status_code == 202
    assert due_tasks() == ["process_upload"]

    _was_completed(upload.pk, dt.timedelta(seconds=125))
    assert alice.post(f"/uploads/{upload.pk}/complete").json()["status"] == "processing"
    assert due_tasks() == ["process_upload"] * 2
    # The two minutes start anew.
    alice.post(f"/uploads/{upload.pk}/complete")
    assert due_tasks() == ["process_upload"] * 2


def test_an_upload_that_is_done_is_not_processed_again(alice):
    ready = processed_upload(alice.member)
    failed = processed_upload(alice.member, b"no photo")
    tasks = due_tasks()
    for upload in (ready, failed):
        _was_completed(upload.pk, dt.timedelta(hours=1))
        answer = alice.post(f"/uploads/{upload.pk}/complete")
        assert (answer.status_code, answer.json()["status"]) == (202, upload.status)
    assert due_tasks() == tasks


def test_an_upload_that_is_deleted_while_it_is_completed(alice, monkeypatch):
    """Between looking it up and locking it, the purge may take it away."""
    upload = make_upload(alice.member)
    send(upload, jpeg())

    def exists(storage: FileSystemStorage, name: str) -> bool:
        Upload.objects.filter(pk=upload.pk).delete()
        return True

    monkeypatch.setattr(FileSystemStorage, "exists", exists)
    refused = alice.post(f"/uploads/{upload.pk}/complete")
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")


def _was_completed(upload_id: UUID, ago: dt.timedelta) -> None:
    Upload.objects.filter(pk=upload_id).update(processing_since=timezone.now() - ago)
