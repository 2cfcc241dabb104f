"""A member who leaves a mark in everything that can be written, and a search for what is left."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.core.files.storage import storages
from django.db import connection, models
from PIL import Image

from apps.common.models import IdempotencyKey
from apps.members.models import Consent, DeviceSession, Member, SocialIdentity
from apps.members.services import exporting
from apps.posts.models import Comment, Post
from apps.tasks.models import BackgroundTask, TaskAttempt
from apps.tasks.tasks import prune
from tests.builders import (
    CONSENTS_JSON,
    PASSWORD,
    ApiClient,
    make_comment,
    make_like,
    make_member,
    make_post,
    make_upload,
    operator,
    processed_upload,
    send,
)

MARK = "planted"
EMAIL = f"{MARK}@example.com"


@dataclass
class Planted:
    """Who was planted, and beside whom."""

    member: Member
    client: ApiClient
    friend: Member
    friends_post: Post
    upload_ids: list[UUID]
    idempotency_ids: list[UUID]
    session_key: str


def photo() -> bytes:
    """A JPEG whose metadata says the mark."""
    file = io.BytesIO()
    image = Image.new("RGB", (64, 48), "#d8c7a9")
    exif = image.getexif()
    exif[0x010E] = exif[0x013B] = f"{MARK} photo"
    image.save(file, "JPEG", exif=exif, comment=f"{MARK} comment".encode())
    return file.getvalue()


def plant() -> Planted:
    """A member with everything, by the API wherever it can be written by it."""
    friend = make_member("friend")
    friends_post = make_post(friend)
    device = {"name": f"{MARK} phone", "platform": "ios", "app_version": f"{MARK} 1"}
    body = {
        "username": f"{MARK}.name",
        "password": PASSWORD,
        "birth_date": "1996-05-04",
        "consents": CONSENTS_JSON,
        "device": device,
        "email": EMAIL,
    }
    first = set(IdempotencyKey.objects.values_list("pk", flat=True))
    client = ApiClient()
    answer = client.post(
        "/auth/signup", body, format="json", headers={"Idempotency-Key": f"{MARK} key"}
    )
    assert answer.status_code == 201, answer.content
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access_token']}")
    member = Member.objects.get(pk=answer.json()["member"]["id"])
    Member.objects.filter(pk=member.pk).update(email_verified=True)
    # Signing up took any version once.
    Consent.objects.create(member=member, kind="marketing", version=f"{MARK}-1", granted=True)
    # Google is told of no end, so no row waits until it knows; test_social_identities.py has those.
    SocialIdentity.objects.create(
        member=member,
        provider="google",
        subject=f"{MARK}-subject",
        refresh_token=f"{MARK} token",
        client_id=f"{MARK} client",
    )
    # A CDN would have said it.
    DeviceSession.objects.filter(member=member).update(place=f"{MARK} city")

    data = photo()
    avatar, draft_photo = processed_upload(member, data), processed_upload(member, data)
    shown, unattached = processed_upload(member, data), processed_upload(member, data)
    failed, waiting = processed_upload(member, f"{MARK}".encode()), make_upload(member, data)
    send(waiting, data)
    profile = {
        "display_name": f"{MARK} display",
        "bio": f"{MARK} bio",
        "avatar_upload_id": str(avatar.pk),
    }
    assert client.patch("/me", profile, format="json").status_code == 200
    product = {
        "x": 0.5,
        "y": 0.5,
        "name": f"{MARK} sofa",
        "brand": f"{MARK} brand",
        "url": f"https://{MARK}.example.com",
        "price": 1000,
    }
    for status, upload in (("draft", draft_photo), ("published", shown)):
        post = {
            "title": f"{MARK} title",
            "content": f"{MARK} content",
            "pyeong": "8-15",
            "housing_type": "apartment",
            "styles": ["modern"],
            "colors": ["red"],
            "photos": [
                {"upload_id": str(upload.pk), "caption": f"{MARK} caption", "products": [product]}
            ],
            "status": status,
        }
        key = {"Idempotency-Key": f"{MARK} {status}"}
        answer = client.post("/posts", post, format="json", headers=key)
        assert answer.status_code == 201, answer.content
    published = Post.objects.get(author=member, status="published")
    for post_id in (published.pk, friends_post.pk):
        path, said = f"/posts/{post_id}/comments", {"content": f"{MARK} comment"}
        assert client.post(path, said, format="json").status_code == 201
        assert client.put(f"/posts/{post_id}/like").status_code == 204
        make_comment(friend, Post.objects.get(pk=post_id))
        make_like(friend, post_id)
    client.post(
        "/auth/login",
        {"username": member.username, "password": PASSWORD, "device": device},
        format="json",
    )
    answer = client.post("/me/export", headers={"Idempotency-Key": f"{MARK} export"})
    assert exporting.make_export(export_id=UUID(answer.json()["id"])) == "ready"
    uploads = [avatar, draft_photo, shown, unattached, failed, waiting]
    ids = set(IdempotencyKey.objects.values_list("pk", flat=True)) - first
    return Planted(
        member=Member.objects.get(pk=member.pk),
        client=client,
        friend=friend,
        friends_post=friends_post,
        upload_ids=[upload.pk for upload in uploads],
        idempotency_ids=list(ids),
        session_key=_by_operators(Member.objects.get(pk=member.pk), published, friends_post),
    )


def _by_operators(member: Member, post: Post, friends_post: Post) -> str:
    """What the admin and the tasks write down of a member; the key of a login to the admin."""
    olga = operator(make_member("olga"))
    comment = Comment.objects.filter(author=member).first()
    by_olga = [(olga, row) for row in (member, post, comment)]
    # Who was an operator once, and worked on what is another's.
    for actor, row in [*by_olga, (member, friends_post)]:
        LogEntry.objects.create(
            user=actor,
            content_type=ContentType.objects.get_for_model(type(row)),
            object_id=str(row.pk),
            object_repr=str(row),
            action_flag=CHANGE,
            change_message=f"{MARK} change",
        )
    task = BackgroundTask.objects.get(pk=prune.enqueue().id)
    BackgroundTask.objects.filter(pk=task.pk).update(
        status="FAILED",
        args_kwargs={"args": [str(member.pk)], "kwargs": {}},
        traceback=f"DETAIL: Failing row contains ({member.pk}, {MARK})",
    )
    TaskAttempt.objects.create(
        task=task, number=1, worker="w", error="E", traceback=f"{EMAIL}", retried=False
    )
    session = SessionStore()
    session["_auth_user_id"] = str(member.pk)
    session.create()
    return str(session.session_key)


# --- Searching ----------------------------------------------------------------------------------


def columns() -> Iterator[tuple[str, str, str]]:
    """Every column of every table: its table, name and type."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " JOIN information_schema.tables USING (table_schema, table_name)"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
        yield from cursor.fetchall()


def columns_with(*words: str) -> set[str]:
    """Which columns, as `table.column`, hold one of the words anywhere, whatever their type."""
    found = set()
    with connection.cursor() as cursor:
        for table, column, kind in columns():
            quoted = f'"{table}"."{column}"'
            text = f"encode({quoted}, 'escape')" if kind == "bytea" else f"{quoted}::text"
            for word in words:
                cursor.execute(
                    f'SELECT EXISTS (SELECT FROM "{table}" WHERE {text} ILIKE %s)',  # noqa: S608
                    [f"%{word}%"],
                )
                if cursor.fetchone()[0]:
                    found.add(f"{table}.{column}")
    return found


def words_of(planted: Planted) -> list[str]:
    """What may be nowhere once the member is erased."""
    return [MARK, str(planted.member.pk), planted.member.pk.hex]


def stored_files() -> dict[str, bytes]:
    """Every file of both storages, by storage and name."""
    found = {}
    for place in ("default", "originals"):
        for name in _names(storages[place], ""):
            with storages[place].open(name) as file:
                found[f"{place}:{name}"] = file.read()
    return found


def _names(storage: Any, folder: str) -> Iterator[str]:
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in files:
        yield f"{folder}{name}"
    for name in folders:
        yield from _names(storage, f"{folder}{name}/")


def text_columns() -> set[str]:
    """The columns of our own models that can hold words."""
    kinds = (models.CharField, models.TextField, models.JSONField, models.BinaryField)
    return {
        f"{model._meta.db_table}.{field.column}"
        for config in apps.get_app_configs()
        if config.name.startswith("apps.")
        for model in config.get_models()
        if not model._meta.proxy
        for field in model._meta.concrete_fields
        if isinstance(field, kinds) or field.get_internal_type() == "ArrayField"
    }
