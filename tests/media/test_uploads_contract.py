"""What a phone can rely on, the same with either driver: it knows `url` and `fields`, and HTTP.

For S3 the form is judged by `FormGate`, our reading of Amazon's documents, since moto judges
nothing: see tests/media/s3.py.
"""

import base64
import datetime as dt
import hashlib
import io

import pytest
import requests
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone
from PIL import Image

from apps.media.models import Upload
from apps.media.services import delete_uploads
from apps.tasks.models import BackgroundTask
from tests.background import due_tasks, run_tasks
from tests.builders import jpeg
from tests.media import photos
from tests.media.conftest import Ticket


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("image/jpeg", photos.jpeg()),
        ("image/png", photos.png()),
        ("image/webp", photos.webp()),
        ("image/heic", photos.heic("phone")),
        ("image/heif", photos.heic("phone")),
    ],
    ids=["jpeg", "png", "webp", "heic", "heif"],
)
def test_a_photo_becomes_renditions_that_anyone_can_load(place, phone, content_type, data):
    ticket = phone.upload(data, content_type, sha256=hashlib.sha256(data).hexdigest())

    upload = phone.look(ticket)
    assert upload["status"] == "ready", upload
    assert [item["name"] for item in upload["renditions"]] == ["large", "medium", "small"]
    for item in upload["renditions"]:
        answer = requests.get(item["url"], timeout=20)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == item["content_type"] == "image/webp"
        assert Image.open(io.BytesIO(answer.content)).size == (item["width"], item["height"])
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Content-Encoding" not in answer.headers
    # The original is kept, moved to where no ticket reaches.
    assert place.keys() == {f"originals/{ticket['id']}"}
    assert len(place.public_keys()) == 3
    assert all(key.startswith(f"photos/{ticket['id']}/") for key in place.public_keys())


def test_a_ticket_is_all_a_phone_needs(place, phone, photo):
    """The fields are text, the file goes to `url` alone, no token of ours with it."""
    ticket = phone.announce(photo)
    assert ticket["status"] == "waiting"
    assert ticket["method"] == "POST"
    assert ticket["url"].startswith("http://127.0.0.1:" if place.server else phone.address)
    assert all(isinstance(value, str) for value in ticket["fields"].values())
    assert ticket["fields"]["key"] == f"incoming/{ticket['id']}"
    assert phone.token not in str(ticket)
    assert phone.send(ticket, photo).status_code == 204
    assert phone.look(ticket)["status"] == "waiting"
    assert place.keys() == {f"incoming/{ticket['id']}"}


REFUSED = {
    "longer": ((400, "size_mismatch"), (400, "EntityTooLarge")),
    "shorter": ((400, "size_mismatch"), (400, "EntityTooSmall")),
    "empty": ((400, "size_mismatch"), (400, "EntityTooSmall")),
    "no file": ((400, "size_mismatch"), (400, "InvalidArgument")),
    "another file": ((400, "hash_mismatch"), (400, "BadDigest")),
    "another type": ((400, "type_mismatch"), (403, "AccessDenied")),
    "no type": ((400, "type_mismatch"), (403, "AccessDenied")),
    "another key": ((403, "ticket_invalid"), (403, "AccessDenied")),
    "no policy": ((403, "ticket_invalid"), (403, "AccessDenied")),
    "another policy": ((403, "ticket_invalid"), (403, "SignatureDoesNotMatch")),
    "another signature": ((403, "ticket_invalid"), (403, "SignatureDoesNotMatch")),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_form_that_breaks_its_ticket_stores_nothing(place, phone, photo, what):
    """Same length, same ticket, but one thing is not as announced."""
    ticket = phone.announce(photo, sha256=hashlib.sha256(photo).hexdigest())
    policy = ticket["fields"]["policy"]
    if place.driver == "s3":
        widened = base64.b64decode(policy).replace(b"content-length-range", b"x-ignore-me")
        other_policy = base64.b64encode(widened).decode()
        other_signature = {"x-amz-signature": "0" * 64}
    else:
        body, _, signature = policy.rpartition(":")
        other_policy = f"{body[:-1]}{'A' if body[-1] != 'A' else 'B'}:{signature}"
        other_signature = {"policy": f"{body}:{signature[::-1]}"}
    data, changed = {
        "longer": (photo + b"x", {}),
        "shorter": (photo[:-1], {}),
        "empty": (b"", {}),
        "no file": (None, {}),
        "another file": (photo[:-1] + b"x", {}),
        "another type": (photo, {"Content-Type": "text/html"}),
        "no type": (photo, {"Content-Type": None}),
        "another key": (photo, {"key": "incoming/019a7c1e-8f3b-7c40-9d55-5d1c0f6e2a11"}),
        "no policy": (photo, {"policy": None}),
        "another policy": (photo, {"policy": other_policy}),
        "another signature": (photo, other_signature),
    }[what]
    if data is None and place.driver == "s3":
        # A form without a file must still be multipart.
        answer = requests.post(
            ticket["url"],
            files={name: (None, value) for name, value in ticket["fields"].items()},
            timeout=20,
        )
    else:
        answer = phone.send(ticket, data, **changed)

    assert place.refusal(answer) == REFUSED[what][place.driver == "s3"]
    assert place.keys() == set()
    refused = phone.complete(ticket)
    assert (refused.status_code, refused.json()["code"]) == (409, "upload_not_received")
    assert phone.look(ticket)["status"] == "waiting"
    # The ticket still works for the right file.
    assert phone.send(ticket, photo).status_code == 204


def test_a_ticket_can_not_be_turned_to_another_upload(place, phone, stranger, photo):
    """Each form is signed for one key: the fields of two tickets don't mix."""
    mine, theirs = phone.announce(photo), stranger.announce(photo)
    answer = phone.send(mine, photo, key=theirs["fields"]["key"])
    assert answer.status_code == 403
    assert place.keys() == set()


def test_an_expired_ticket_stores_nothing(place, phone, photo, settings, later):
    settings.UPLOAD_TICKET_SECONDS = 5
    ticket = phone.announce(photo)
    later(dt.timedelta(seconds=7))
    answer = phone.send(ticket, photo)
    assert place.refusal(answer) == (
        (403, "AccessDenied") if place.server else (403, "ticket_expired")
    )
    assert place.keys() == set()


def test_a_ticket_sent_twice_before_complete(place, phone, photo):
    """S3 knows no "used" and takes the last one; a laptop refuses the second."""
    ticket = phone.announce(photo)
    other = photo[:-2] + b"xx"
    assert phone.send(ticket, photo).status_code == 204
    again = phone.send(ticket, other)
    if place.driver == "s3":
        assert again.status_code == 204
    else:
        assert place.refusal(again) == (409, "ticket_used")


def test_a_ticket_sent_again_changes_no_processed_photo(place, phone):
    """Whatever storage says to the second form."""
    first, second = jpeg("#d8c7a9"), jpeg("#102030")
    size = max(len(first), len(second))
    first, second = first.ljust(size, b"\0"), second.ljust(size, b"\0")
    ticket = phone.upload(first)
    before = phone.look(ticket)
    public = place.public_keys()

    again = phone.send(ticket, second)
    assert again.status_code == (204 if place.server else 409)
    assert phone.complete(ticket).json()["status"] == "ready"
    run_tasks()

    assert phone.look(ticket) == before
    assert place.public_keys() == public
    stored = Upload.objects.get(pk=ticket["id"])
    assert _original(stored) == first


def test_a_ticket_sent_again_while_processing(place, phone, photo):
    """On S3 the later form wins, if it meets the ticket; on a laptop it is refused."""
    ticket = phone.announce(photo)
    phone.send(ticket, photo)
    phone.complete(ticket)
    again = phone.send(ticket, photo)
    assert again.status_code == (204 if place.server else 409)
    run_tasks()
    assert phone.look(ticket)["status"] == "ready"
    assert place.keys() == {f"originals/{ticket['id']}"}


def test_a_strangers_upload_does_not_exist(place, phone, stranger, photo):
    ticket = phone.announce(photo)
    phone.send(ticket, photo)
    for answer in (stranger.complete(ticket), stranger.call("GET", f"/uploads/{ticket['id']}")):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert phone.look(ticket)["status"] == "waiting"
    assert due_tasks() == []


def test_complete_before_the_file_arrived(place, phone, photo):
    ticket = phone.announce(photo)
    answer = phone.complete(ticket)
    assert (answer.status_code, answer.json()["code"]) == (409, "upload_not_received")
    assert phone.look(ticket)["status"] == "waiting"
    assert due_tasks() == []
    phone.send(ticket, photo)
    assert phone.complete(ticket).status_code == 202


def test_complete_twice_starts_one_task(place, phone, photo):
    ticket = phone.announce(photo)
    phone.send(ticket, photo)
    answers = [phone.complete(ticket), phone.complete(ticket)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert [answer.json() for answer in answers] == [
        {"id": ticket["id"], "status": "processing"}
    ] * 2
    assert due_tasks() == ["process_upload"]
    run_tasks()
    after = phone.complete(ticket)
    assert (after.status_code, after.json()["status"]) == (202, "ready")
    assert due_tasks() == []


def test_complete_after_the_ticket_ended(place, phone, photo, settings, later):
    """A file that came in time is taken; one that did not come will not come any more."""
    settings.UPLOAD_TICKET_SECONDS = 5
    sent, missing = phone.announce(photo), phone.announce(photo)
    phone.send(sent, photo)
    later(dt.timedelta(seconds=7))
    assert phone.complete(sent).status_code == 202
    answer = phone.complete(missing)
    assert (answer.status_code, answer.json()["code"]) == (409, "upload_expired")
    assert due_tasks() == ["process_upload"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"this is no photo at all", "not_an_image"),
        (photos.png(), "type_mismatch"),
        (b"GIF89a" + bytes(60), "unsupported_type"),
        (photos.jpeg()[:-300], "truncated"),
    ],
    ids=["text", "png", "gif", "cut"],
)
def test_a_refused_photo_says_why_and_leaves_no_file(place, phone, data, code):
    ticket = phone.upload(data)
    upload = phone.look(ticket)
    assert upload["status"] == "failed"
    assert upload["failure"]["code"] == code
    assert upload["failure"]["detail"]
    assert "renditions" not in upload
    assert place.keys() == place.public_keys() == set()
    assert phone.complete(ticket).json()["status"] == "failed"


def test_a_task_that_runs_again_writes_no_second_file(place, phone, photo):
    """The same names, overwritten: a worker died after it wrote, and before it said so."""
    ticket = phone.announce(photo)
    phone.send(ticket, photo)
    phone.complete(ticket)
    run_tasks()
    ready = phone.look(ticket)
    keys, public = place.keys(), place.public_keys()

    Upload.objects.filter(pk=ticket["id"]).update(status="processing")
    _put(ticket, photo)
    phone.complete(ticket)  # Too early for a second task.
    BackgroundTask.objects.update(status="READY", run_after=timezone.now())
    run_tasks()

    assert phone.look(ticket) == ready
    assert place.keys() == keys
    assert place.public_keys() == public


def test_deleting_an_upload_deletes_its_files(place, phone, photo):
    ready, waiting = phone.upload(photo), phone.announce(photo)
    phone.send(waiting, photo)
    assert delete_uploads(upload_ids=[ready["id"], waiting["id"]]) == 2
    assert place.keys()
    run_tasks()
    assert place.keys() == place.public_keys() == set()


def _original(upload: Upload) -> bytes:
    with storages["originals"].open(upload.original_key) as file:
        return bytes(file.read())


def _put(ticket: Ticket, data: bytes) -> None:
    storages["originals"].save(ticket["fields"]["key"], ContentFile(data))
