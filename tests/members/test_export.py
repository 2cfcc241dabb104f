"""POST /me/export, the zip that comes of it, and its end."""

import datetime as dt
import io
import json
import re
import shutil
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from apps.media.models import Upload
from apps.members.models import Export, Member
from apps.members.services import exporting, leaving
from apps.members.services.belongings import Belonging, register, registered
from apps.members.tokens import TokenInvalid
from apps.posts.models import Post
from apps.tasks.models import BackgroundTask
from tests.background import run_tasks
from tests.builders import (
    ApiClient,
    make_comment,
    make_member,
    make_post,
    processed_upload,
    suspended,
)
from tests.common.test_problems import assert_problem
from tests.concurrency import at_once
from tests.media.storage import Place
from tests.members.planted import MARK, photo, plant
from tests.members.test_account_pages import in_chromium

EVIL = "<script>document.title='x'</script><b>&\"'"


def ready(client: ApiClient) -> dict[str, Any]:
    """What the API says of an export that was asked for and made."""
    asked = client.post("/me/export")
    assert asked.status_code == 202, asked.content
    assert asked.json()["status"] == "processing"
    run_tasks()
    return client.get(f"/me/export/{asked.json()['id']}").json()


def fetch(export: dict[str, Any], settings: Settings) -> bytes:
    """What a browser gets of the link."""
    answer = Client().get(export["url"].removeprefix(settings.PUBLIC_BASE_URL))
    if answer.status_code == 302:
        file = requests.get(answer["Location"], timeout=20)
        assert file.status_code == 200, file.text
        assert file.headers["Content-Disposition"] == 'attachment; filename="igloo-export.zip"'
        return file.content
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == 'attachment; filename="igloo-export.zip"'
    return b"".join(answer.streaming_content)


def opened(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


# --- The file -----------------------------------------------------------------------------------


def test_everything_that_a_member_gave_is_in_it(
    committed: None,
    place: Place,
    settings: Settings,
) -> None:
    planted = plant()
    Export.objects.all().delete()
    export = ready(planted.client)
    assert export["status"] == "ready"
    data = fetch(export, settings)
    assert export["size"] == len(data)
    files = opened(data)

    read = {
        Path(name).stem: json.loads(content)
        for name, content in files.items()
        if name.startswith("data/")
    }
    assert {name for name in read if read[name]} == {
        "comments", "consents", "devices", "likes", "logins", "posts", "profile", "uploads",
    }  # fmt: skip
    [profile] = read["profile"]
    assert (profile["username"], profile["email"]) == (f"{MARK}.name", f"{MARK}@example.com")
    assert profile["bio"] == f"{MARK} bio"
    assert {row["kind"] for row in read["consents"]} == {"terms", "privacy", "marketing"}
    assert {row["name"] for row in read["devices"]} == {f"{MARK} phone"}
    assert {post["status"] for post in read["posts"]} == {"draft", "published"}
    for post in read["posts"]:
        [shown] = post["photos"]
        assert shown["caption"] == f"{MARK} caption"
        assert shown["products"][0]["brand"] == f"{MARK} brand"
        # The original, as it was sent.
        assert files[shown["file"]] == photo()
    assert [row["content"] for row in read["comments"]] == [f"{MARK} comment"] * 2
    assert {row["post_title"] for row in read["likes"]} == {f"{MARK} title", "볕이 드는 13평"}
    assert files[profile["file"]] == files[read["uploads"][0]["file"]] == photo()
    assert len([name for name in files if name.startswith("photos/")]) == 4
    # Every picture of the page is there, and nothing of others.
    page = files["index.html"].decode()
    assert set(re.findall(r'src="([^"]*)"', page)) < set(files)
    assert not any("예뻐요!".encode() in content for content in files.values())


def test_every_topic_that_is_erased_says_what_it_exports() -> None:
    """A new one gives an `export`, or stands here with the reason why not."""
    nothing_to_give = {"operator", "exports"}
    without = {belonging.name for belonging in registered() if belonging.export is None}
    assert without == nothing_to_give
    for belonging in registered():
        assert belonging.export is None or belonging.title


@pytest.mark.parametrize("locale", ["ko", "en"])
def test_the_page_is_safe_and_speaks_the_members_language(
    committed: None,
    local_place: Place,
    tmp_path: Path,
    locale: str,
) -> None:
    alice = make_member("alice", display_name=EVIL[:30])
    Member.objects.filter(pk=alice.pk).update(locale=locale, bio=EVIL)
    post = make_post(alice, title=EVIL[:50], content=EVIL)
    post.photos.update(
        caption=EVIL, products=[{"x": 0, "y": 0, "name": EVIL, "url": "javascript:1"}]
    )
    make_comment(alice, post, EVIL)
    fresh = Member.objects.get(pk=alice.pk)
    exporting.write_zip(fresh, tmp_path / "a.zip", tmp_path / "index.html")
    page = opened((tmp_path / "a.zip").read_bytes())["index.html"].decode()
    assert "<script" not in page
    assert "<b>" not in page
    assert "javascript:" not in "".join(re.findall(r'(?:href|src)="[^"]*"', page))
    assert page.count("&lt;script&gt;") >= 4
    assert ("내 igloo 데이터" in page) == (locale == "ko")
    assert ("Your igloo data" in page) == (locale == "en")


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs Debian's Chromium")
def test_the_page_opens_without_a_network(
    committed: None,
    local_place: Place,
    tmp_path: Path,
) -> None:
    alice = make_member("alice")
    make_post(alice, photos=2)
    exporting.write_zip(alice, tmp_path / "a.zip", tmp_path / "page.html")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extractall(tmp_path / "unzipped")
    widths: list[int] = []

    def look(page: Any) -> None:
        for image in page.locator("img").all():
            image.scroll_into_view_if_needed()
            image.evaluate("image => image.decode()")
            widths.append(image.evaluate("image => image.naturalWidth"))

    said = in_chromium(f"file://{tmp_path}/unzipped/index.html", "ko-KR", look)
    assert widths == [64, 64]
    assert all(line.startswith(("file://", "data:")) for line in said), said


def test_little_of_it_is_in_memory(
    committed: None,
    local_place: Place,
    tmp_path: Path,
) -> None:
    """30 posts with 8 photos of 1 MB each, 240 MB: a file at a time passes through."""
    alice = make_member("alice")
    first = make_post(alice, photos=1)
    upload = Upload.objects.get(photo__post=first)
    megabyte = ContentFile(b"\xff" * 1_000_000)
    for number in range(30):
        post = Post.objects.create(author=alice, title=f"post {number}")
        for position in range(8):
            copy = Upload.objects.get(pk=upload.pk)
            copy.pk = None
            copy.id = exporting.Export().pk
            copy.save(force_insert=True)
            storages["originals"].save(copy.original_key, megabyte)
            post.photos.create(upload=copy, position=position)
    tracemalloc.start()
    try:
        exporting.write_zip(alice, tmp_path / "a.zip", tmp_path / "page.html")
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tmp_path / "a.zip").stat().st_size > 240_000_000
    assert peak < 12_000_000


def test_a_file_that_went_meanwhile_is_left_out(
    committed: None,
    local_place: Place,
    settings: Settings,
) -> None:
    alice = ApiClient(make_member("alice"))
    upload, kept = processed_upload(alice.member), processed_upload(alice.member)
    storages["originals"].delete(upload.original_key)
    files = opened(fetch(ready(alice), settings))
    assert [name for name in files if name.startswith("photos/")] == [f"photos/{kept.pk}.jpg"]


# --- Asking -------------------------------------------------------------------------------------


def test_one_at_a_time(committed: None, local_place: Place) -> None:
    alice = ApiClient(make_member("alice"))
    answers = at_once(*[lambda: alice.post("/me/export")] * 3)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert BackgroundTask.objects.filter(task_path__endswith="make_export").count() == 1
    run_tasks()
    assert alice.post("/me/export").json()["id"] != answers[0].json()["id"]
    with pytest.raises(IntegrityError, match="export_one_at_a_time"), transaction.atomic():
        Export.objects.create(member=alice.member)


@pytest.mark.django_db
def test_who_left_and_came_back_asks_for_another(committed: None, local_place: Place) -> None:
    """Its task found nobody to make one for."""
    alice = ApiClient(make_member("alice"))
    first = alice.post("/me/export").json()["id"]
    row = leaving.leave(member=Member.objects.get())
    run_tasks()
    leaving.come_back(leaving=row)
    alice = ApiClient(Member.objects.get())
    assert alice.get(f"/me/export/{first}").json()["status"] == "failed"
    second = alice.post("/me/export").json()["id"]
    assert second != first
    run_tasks()
    assert alice.get(f"/me/export/{second}").json()["status"] == "ready"


def test_who_left_in_the_same_moment_gets_none(committed: None, local_place: Place) -> None:
    alice = make_member("alice")
    leaving.leave(member=Member.objects.get())
    with pytest.raises(TokenInvalid):
        exporting.request_export(member=alice)
    assert not Export.objects.exists()


def test_a_retry_gets_the_first_answer(alice: ApiClient) -> None:
    first, again = (alice.post("/me/export", headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json() == again.json()
    assert again["Idempotency-Replayed"] == "true"


@pytest.mark.django_db
def test_it_is_nobody_elses(alice: ApiClient, bob: ApiClient, anonymous: ApiClient) -> None:
    export_id = alice.post("/me/export").json()["id"]
    assert_problem(bob.get(f"/me/export/{export_id}"), 404, "not_found")
    assert_problem(anonymous.get(f"/me/export/{export_id}"), 401, "not_authenticated")
    assert alice.get(f"/me/export/{export_id}").json() == {"id": export_id, "status": "processing"}


@pytest.mark.django_db
def test_a_suspended_member_gets_theirs() -> None:
    assert ApiClient(suspended(make_member())).post("/me/export").status_code == 202


@pytest.mark.django_db
def test_asking_is_counted(alice: ApiClient, settings: Settings) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"export": (2, 3600)}
    statuses = [alice.post("/me/export").status_code for _ in range(3)]
    assert statuses == [202, 202, 429]


def test_one_that_failed_for_good_makes_room(
    committed: None,
    local_place: Place,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
) -> None:
    alice = ApiClient(make_member("alice"))
    first = alice.post("/me/export").json()["id"]

    def fail(*_args: Any) -> None:
        raise OSError("no room")

    with monkeypatch.context() as broken:
        broken.setattr(exporting, "write_zip", fail)
        run_tasks()
        # It is tried again later.
        assert alice.get(f"/me/export/{first}").json()["status"] == "processing"
        for _ in range(3):
            BackgroundTask.objects.update(run_after=timezone.now() - dt.timedelta(minutes=1))
            run_tasks()
    assert alice.get(f"/me/export/{first}").json() == {"id": first, "status": "failed"}
    assert ready(alice)["status"] == "ready"
    assert alice.get(f"/me/export/{first}").json()["status"] == "failed"


# --- Cut off, gone ------------------------------------------------------------------------------


def test_run_twice_it_is_made_once(committed: None, local_place: Place) -> None:
    alice = ApiClient(make_member("alice"))
    export_id = exporting.request_export(member=alice.member).pk
    assert sorted(at_once(*[lambda: exporting.make_export(export_id=export_id)] * 2)) != []
    assert Export.objects.get().status == "ready"
    assert exporting.make_export(export_id=export_id) == "gone"
    assert local_place.keys() == {f"exports/{export_id}.zip"}


def test_a_member_who_is_erased_meanwhile_leaves_no_file(
    committed: None,
    local_place: Place,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice = make_member("alice")
    export_id = exporting.request_export(member=alice).pk
    write = exporting.write_zip

    def slowly(*args: Any) -> None:
        write(*args)
        exporting.erase_exports(alice)

    monkeypatch.setattr(exporting, "write_zip", slowly)
    assert exporting.make_export(export_id=export_id) == "gone"
    assert local_place.keys() == set()


def test_another_topic_adds_its_own(
    committed: None,
    local_place: Place,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from apps.members.services import belongings

    monkeypatch.setattr(belongings, "_registered", dict(belongings._registered))
    register(
        Belonging(
            name="follows",
            title="Follows",
            export=lambda member: iter([{"username": "bob", "nested": {"deep": [1, True, None]}}]),
        )
    )
    files = opened(fetch(ready(ApiClient(make_member("alice"))), settings))
    assert json.loads(files["data/follows.json"])[0]["username"] == "bob"
    assert json.loads(files["data/likes.json"]) == []
    assert "<h2>Follows</h2>" in files["index.html"].decode()
