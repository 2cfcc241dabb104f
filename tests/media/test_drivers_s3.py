"""What our tickets ask of S3, and how its storages keep files.

moto enforces nothing of a POST form (see tests/media/s3.py), so the policy is read here word by
word, and what a storage that enforces nothing lets through is shown to fail at processing.
"""

import base64
import datetime as dt
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
import requests
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages

from apps.media import services
from apps.media.drivers import issue_ticket
from apps.media.drivers import s3 as driver
from tests.background import run_tasks
from tests.builders import jpeg, make_member, make_upload, processed_upload, send
from tests.media.s3 import (
    ACCESS_KEY,
    MEDIA_BUCKET,
    ORIGINALS_BUCKET,
    REGION,
    FormGate,
    decoded_policy,
)

SHA256 = hashlib.sha256(jpeg()).hexdigest()


# --- The ticket ---------------------------------------------------------------------------------


@pytest.mark.parametrize("sha256", ["", SHA256])
def test_the_policy_holds_each_condition_and_no_more(s3, db, sha256):
    """Content length to the byte, type, key and hash; each field of the form is named."""
    upload = make_upload(make_member(), size=2_483_201, sha256=sha256)
    ticket = issue_ticket(upload)
    policy = decoded_policy(ticket.fields)

    signed = {
        "key": f"incoming/{upload.pk}",
        "Content-Type": "image/jpeg",
        "success_action_status": "204",
    }
    if sha256:
        digest = base64.b64encode(bytes.fromhex(sha256)).decode()
        signed |= {"x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-sha256": digest}
    of_aws = {
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": ticket.fields["x-amz-credential"],
        "x-amz-date": ticket.fields["x-amz-date"],
    }
    expected = [
        ["content-length-range", 2_483_201, 2_483_201],
        {"bucket": ORIGINALS_BUCKET},
        *({name: value} for name, value in (signed | of_aws).items()),
    ]
    in_order = {"key": lambda item: json.dumps(item)}
    assert sorted(policy["conditions"], **in_order) == sorted(expected, **in_order)
    assert set(policy) == {"expiration", "conditions"}
    assert ticket.fields == signed | of_aws | {
        "policy": ticket.fields["policy"],
        "x-amz-signature": ticket.fields["x-amz-signature"],
    }
    key_id, _, region, service, end = ticket.fields["x-amz-credential"].split("/")
    assert (key_id, region, service, end) == (ACCESS_KEY, REGION, "s3", "aws4_request")
    # The policy ends with the ticket, a second of rounding apart.
    expiration = dt.datetime.fromisoformat(policy["expiration"])
    assert abs(expiration - upload.expires_at) < dt.timedelta(seconds=2)


def test_a_ticket_of_another_key_or_size_is_signed_differently(s3, db):
    member = make_member()
    tickets = [issue_ticket(make_upload(member, size=size)) for size in (1, 1, 2)]
    assert len({ticket.fields["x-amz-signature"] for ticket in tickets}) == 3


def test_temporary_credentials_send_their_token(s3, db, monkeypatch):
    """Lambda and ECS sign with a role's, which S3 takes with the session's token alone."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a-session")
    driver._client.cache_clear()
    try:
        ticket = issue_ticket(make_upload(make_member()))
    finally:
        driver._client.cache_clear()
    assert ticket.fields["x-amz-security-token"] == "a-session"
    assert {"x-amz-security-token": "a-session"} in decoded_policy(ticket.fields)["conditions"]


def test_on_aws_the_form_goes_to_the_buckets_own_host_in_its_region(db, settings, monkeypatch):
    """The global host name answers a new bucket's form with a redirect, which no form follows."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    settings.UPLOAD_DRIVER = "apps.media.drivers.s3"
    settings.ORIGINALS_BUCKET = "igloo-originals"
    settings.S3_ENDPOINT_URL = ""
    upload = make_upload(make_member())
    assert issue_ticket(upload).url == f"https://igloo-originals.s3.{REGION}.amazonaws.com/"


def test_tickets_share_one_client(s3, db, monkeypatch):
    """Making one takes a tenth of a second; signing with it, under a millisecond."""
    made = []
    session = boto3.session.Session

    def counted() -> boto3.session.Session:
        made.append(1)
        return session()

    monkeypatch.setattr(boto3.session, "Session", counted)
    driver._client.cache_clear()
    upload = make_upload(make_member())
    first = issue_ticket(upload)
    with ThreadPoolExecutor(4) as pool:
        others = list(pool.map(lambda _: issue_ticket(upload), range(8)))
    assert len(made) == 1
    assert {ticket.fields["key"] for ticket in others} == {first.fields["key"]}


# --- A storage that enforces nothing ------------------------------------------------------------


@pytest.fixture
def lax_s3(s3, monkeypatch):
    """moto as it is: it stores what a form brings, whatever its policy says."""
    monkeypatch.setattr(FormGate, "enforcing", False)
    return s3


@pytest.mark.parametrize(
    ("announced", "sent", "code"),
    [
        ({}, jpeg() + b"x", "size_mismatch"),
        ({}, jpeg()[:-1], "size_mismatch"),
        ({}, b"", "size_mismatch"),
        ({"sha256": SHA256}, jpeg()[:-1] + b"x", "hash_mismatch"),
        ({"content_type": "image/png"}, jpeg(), "type_mismatch"),
    ],
    ids=["longer", "shorter", "empty", "another file", "another type"],
)
def test_what_storage_let_through_fails_at_processing(lax_s3, phone, announced, sent, code):
    """AWS refuses the first four at the form; were it not so, we do before any decoder runs."""
    body = {"content_type": "image/jpeg", "size": len(jpeg())} | announced
    ticket = phone.call("POST", "/uploads", json=body).json()
    assert phone.send(ticket, sent).status_code == 204
    assert phone.complete(ticket).status_code == 202
    run_tasks()
    upload = phone.look(ticket)
    assert (upload["status"], upload["failure"]["code"]) == ("failed", code)
    assert lax_s3.keys(ORIGINALS_BUCKET) == lax_s3.keys(MEDIA_BUCKET) == set()


def test_a_type_of_the_form_means_nothing(lax_s3, phone, photo):
    """Only the file itself says what it is: no page can be served as a photo of ours."""
    ticket = phone.announce(photo)
    assert phone.send(ticket, photo, **{"Content-Type": "text/html"}).status_code == 204
    phone.complete(ticket)
    run_tasks()
    upload = phone.look(ticket)
    assert upload["status"] == "ready"
    for item in upload["renditions"]:
        answer = requests.get(item["url"], timeout=20)
        assert answer.headers["Content-Type"] == "image/webp"


def test_an_over_long_object_is_not_fetched(lax_s3, db, monkeypatch):
    """A size of 5 GB, which a POST may have, must not come to a worker with 512 MB of disk."""
    upload = make_upload(make_member())
    send(upload, jpeg() * 50)
    services.complete_upload(upload=upload)

    def fetched(*args: object) -> None:
        raise AssertionError("the object was fetched")

    monkeypatch.setattr(type(storages["originals"]), "_open", fetched)
    services.process_upload(upload_id=upload.pk)
    upload.refresh_from_db()
    assert (upload.status, upload.failure_code) == ("failed", "size_mismatch")


# --- The storages -------------------------------------------------------------------------------


def test_renditions_on_s3_say_what_they_are_and_that_they_never_change(s3, db):
    upload = processed_upload(make_member())
    assert upload.status == "ready"
    assert s3.keys(MEDIA_BUCKET) == {item["key"] for item in upload.renditions}
    for item in upload.renditions:
        head = s3.client.head_object(Bucket=MEDIA_BUCKET, Key=item["key"])
        assert head["ContentType"] == "image/webp"
        assert head["CacheControl"] == "public, max-age=31536000, immutable"
        assert "ContentEncoding" not in head


def test_an_original_on_s3_is_for_nobody(s3, db):
    upload = processed_upload(make_member())
    waiting = make_upload(upload.owner)
    send(waiting, jpeg())
    for key in (upload.original_key, waiting.incoming_key):
        assert key in s3.keys(ORIGINALS_BUCKET)
        answer = requests.get(f"{s3.url}/{ORIGINALS_BUCKET}/{key}", timeout=20)
        assert answer.status_code == 403
        # Not under the public bucket either.
        answer = requests.get(f"{s3.url}/{MEDIA_BUCKET}/{key}", timeout=20)
        assert answer.status_code == 404


@pytest.mark.parametrize("store", ["default", "originals"])
def test_saving_a_key_again_replaces_it(s3, store):
    """A task that runs twice writes the same names: a second name would be a file for ever."""
    storage = storages[store]
    assert storage.save("photos/x/large-0.webp", ContentFile(b"one")) == "photos/x/large-0.webp"
    assert storage.save("photos/x/large-0.webp", ContentFile(b"two")) == "photos/x/large-0.webp"
    with storage.open("photos/x/large-0.webp") as file:
        assert file.read() == b"two"
    assert len(s3.keys(MEDIA_BUCKET) | s3.keys(ORIGINALS_BUCKET)) == 1


@pytest.mark.parametrize("store", ["default", "originals"])
def test_no_acl_is_sent(s3, store, monkeypatch):
    """A bucket made since April 2023 has ACLs off and answers 400 to any."""
    storage = storages[store]
    sent = []
    storage.s3_connection.meta.events.register(
        "provide-client-params.s3.PutObject", lambda params, **_: sent.append(params)
    )
    storage.save("photos/a", ContentFile(b"a"))
    (params,) = sent
    assert not [name for name in params if name.startswith(("ACL", "Grant"))]


def test_what_is_missing_is_an_os_error(s3, db):
    """So that process_upload can treat both drivers' storages alike."""
    storage = storages["originals"]
    assert not storage.exists("incoming/nothing")
    for ask in (storage.open, storage.size):
        with pytest.raises(OSError):
            ask("incoming/nothing")
    storage.delete("incoming/nothing")


def test_storages_follow_the_settings(s3):
    """Each test has its own; none is kept from the test before."""
    assert default_storage.settings.AWS_S3_BUCKET_NAME == MEDIA_BUCKET
    assert storages["originals"].settings.AWS_S3_BUCKET_NAME == ORIGINALS_BUCKET


def test_a_file_that_storage_lost_is_tried_again(s3, db):
    upload = make_upload(make_member())
    send(upload, jpeg())
    services.complete_upload(upload=upload)
    storages["originals"].delete(upload.incoming_key)
    with pytest.raises(OSError):
        services.process_upload(upload_id=upload.pk)
    upload.refresh_from_db()
    assert upload.status == "processing"
