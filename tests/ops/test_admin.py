"""The operators' side: every list and page opens, finds, shows pictures, and scales."""

import datetime as dt
import html
import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.media.models import RenditionRun, Upload
from apps.members.models import (
    Consent,
    DeviceSession,
    Leaving,
    Member,
    PendingUnlink,
    ProviderNotice,
)
from apps.members.services import erasing, exporting, leaving, relations
from apps.ops.models import CostReport
from apps.posts.models import Comment, Post, PostLike, Style
from tests.builders import (
    PASSWORD,
    ApiClient,
    make_comment,
    make_like,
    make_member,
    make_post,
    operator,
    processed_upload,
    social_ticket,
)

OURS = {"common", "media", "members", "ops", "posts"}
MODELS = [model for model in admin.site._registry if model._meta.app_label in OURS]


def url(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def desk(db: None) -> Client:
    """An operator's browser."""
    client = Client()
    client.force_login(operator(make_member("anoperator")))
    return client


def fill(rows: int) -> None:
    for _ in range(rows):
        author, fan = make_member(), make_member()
        post = make_post(author, photos=2)
        make_comment(fan, post)
        make_like(fan, post.pk)
        relations.follow_member(member=fan, other_id=author.pk)
        relations.mute_member(member=fan, other_id=author.pk)
        relations.block_member(member=make_member(), other_id=author.pk)
        avatar = processed_upload(author)
        Member.objects.filter(pk=author.pk).update(avatar=avatar)
        ApiClient(author).post("/posts", {}, format="json", headers={"Idempotency-Key": "k"})
        ApiClient(author).put(
            "/me/identities/kakao", {"social_ticket": social_ticket()}, format="json"
        )
        for model in (PendingUnlink, ProviderNotice):
            model.objects.create(provider="kakao")
        RenditionRun.objects.create(total=3, done=3, finished_at=timezone.now())
        weeks = dt.timedelta(weeks=CostReport.objects.count())
        CostReport.objects.create(
            week=dt.date(2026, 11, 9) + weeks, outcome="denied", computed_at=timezone.now()
        )
        exporting.request_export(member=author)
        leaving.leave(member=make_member())
        gone = make_member()
        erasing._retain(gone)


def test_every_model_of_ours_that_operators_need_is_there() -> None:
    names = {model.__name__ for model in MODELS}
    assert names == {
        "Block",
        "Color",
        "Comment",
        "Consent",
        "ConsentNotice",
        "CostReport",
        "DeviceSession",
        "Export",
        "Follow",
        "HousingType",
        "IdempotencyKey",
        "Leaving",
        "Member",
        "Mute",
        "PendingUnlink",
        "Post",
        "PostLike",
        "ProviderNotice",
        "Pyeong",
        "RateWindow",
        "RefreshToken",
        "RenditionRun",
        "RetainedRecord",
        "SocialIdentity",
        "Style",
        "Upload",
    }


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_lists_take_as_many_queries_for_many_rows_as_for_few(desk: Client, model: Any) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(url(model, "changelist")).status_code == 200
        return len(captured)

    fill(2)
    few = queries()
    fill(6)
    assert queries() == few


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_row_can_be_opened_and_searched_for(desk: Client, model: Any) -> None:
    fill(1)
    row = model.objects.first()
    page = desk.get(url(model, "change", row.pk))
    assert page.status_code == 200
    for query in ("볕", str(row.pk), "member1", "\x00", "' OR 1=1 --"):
        assert desk.get(url(model, "changelist"), {"q": query}).status_code == 200


@pytest.mark.parametrize(
    ("model", "pictures"),
    [(Post, 1), (Upload, 3), (Member, 1)],
    ids=["posts", "uploads", "members"],
)
def test_lists_show_pictures(desk: Client, model: Any, pictures: int) -> None:
    fill(1)
    page = desk.get(url(model, "changelist")).content.decode()
    assert page.count('<img src="/media/photos/') == pictures


def test_a_post_is_found_by_title_and_author(desk: Client) -> None:
    make_post(make_member("minji"), title="초록 거실")
    make_post(make_member("seojun"), title="파란 주방")
    for query, found, other in (("초록", "초록", "파란"), ("seojun", "파란", "초록")):
        page = desk.get(url(Post, "changelist"), {"q": query}).content.decode()
        assert found in page
        assert other not in page


@pytest.mark.parametrize("who", ["nobody", "a member"])
def test_only_operators_get_in(db: None, who: str) -> None:
    client = Client()
    if who == "a member":
        client.force_login(make_member())
    for model in MODELS:
        response = client.get(url(model, "changelist"))
        assert response.status_code == 302
        assert response["Location"].startswith("/admin/login/")


def form_of(page: Any) -> dict[str, Any]:
    """What a browser sends back of a page, unchanged."""
    fields = {}
    for tag in re.findall(r"<(?:input|textarea|select)[^>]*>", page.content.decode()):
        name = re.search(r'name="([^"]+)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name and 'type="submit"' not in tag and 'type="checkbox"' not in tag:
            fields[name[1]] = html.unescape(value[1]) if value else ""
    initial = page.context["adminform"].form.initial
    return fields | {name: value for name, value in initial.items() if name in fields and value}


def test_an_edit_keeps_the_counters_that_changed_meanwhile(desk: Client) -> None:
    post = make_post(make_member(), photos=2)
    page = url(Post, "change", post.pk)
    form = form_of(desk.get(page)) | {"title": "고친 제목", "photos-1-caption": "고친 설명"}
    make_like(make_member(), post.pk)
    response = desk.post(page, form)
    assert response.status_code == 302, response.context["errors"]
    before, post = post, Post.objects.get(pk=post.pk)
    assert post.title == "고친 제목"
    assert post.like_count == 1
    assert post.version > before.version
    assert post.styles == ["korean"]
    assert [photo.caption for photo in post.photos.order_by("position")] == ["", "고친 설명"]


@pytest.mark.parametrize("way", ["change", "page", "action"])
@pytest.mark.parametrize("model", [Post, Comment])
def test_the_log_says_what_was_done_and_quotes_nobody(desk: Client, model: Any, way: str) -> None:
    """What it quoted would outlive the row, and its author."""
    posts = [make_post(make_member(), title="초록 거실") for _ in range(2)]
    comments = [make_comment(make_member(), post, "초록 거실") for post in posts]
    rows: list[Any] = posts if model is Post else comments
    if way == "change":
        changes = {"title": "초록 거실 2"} if model is Post else {"content": "초록 거실 2"}
        page = url(model, "change", rows[0].pk)
        assert desk.post(page, form_of(desk.get(page)) | changes).status_code == 302
    elif way == "page":
        assert desk.post(url(model, "delete", rows[0].pk), {"post": "yes"}).status_code == 302
    else:
        chosen = [str(row.pk) for row in rows]
        data = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
        assert desk.post(url(model, "changelist"), data).status_code == 302
    entries = list(LogEntry.objects.values_list("object_id", "object_repr", "change_message"))
    assert len(entries) == (2 if way == "action" else 1)
    for object_id, name, message in entries:
        assert name == object_id
        assert "초록" not in message


def test_a_caption_alone_raises_the_version_too(desk: Client) -> None:
    post = make_post(make_member())
    page = url(Post, "change", post.pk)
    assert desk.post(page, form_of(desk.get(page)) | {"photos-0-caption": "x"}).status_code == 302
    assert Post.objects.get(pk=post.pk).version == post.version + 1


@pytest.mark.parametrize("field", ["title", "pyeong", "housing_type"])
def test_a_published_post_can_not_lose_an_essential(desk: Client, field: str) -> None:
    post = make_post(make_member())
    page = url(Post, "change", post.pk)
    response = desk.post(page, form_of(desk.get(page)) | {field: ""})
    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == [field]


@pytest.mark.parametrize("way", ["page", "action"])
def test_posts_deleted_by_an_operator_take_all_that_hung_on_them(desk: Client, way: str) -> None:
    author = make_member()
    posts = [make_post(author, photos=2) for _ in range(2)]
    for post in posts:
        make_comment(make_member(), post)
        make_like(make_member(), post.pk)
    if way == "page":
        for post in posts:
            assert desk.get(url(Post, "delete", post.pk)).status_code == 200
            assert desk.post(url(Post, "delete", post.pk), {"post": "yes"}).status_code == 302
    else:
        data = {"action": "delete_selected", "_selected_action": [str(post.pk) for post in posts]}
        assert desk.post(url(Post, "changelist"), data).status_code == 200
        assert desk.post(url(Post, "changelist"), data | {"post": "yes"}).status_code == 302
    assert not Post.objects.exists()
    assert not Upload.objects.exists()
    author.refresh_from_db()
    assert author.posts_count == 0


@pytest.mark.parametrize("way", ["page", "action"])
def test_comments_deleted_by_an_operator_are_not_counted(desk: Client, way: str) -> None:
    post = make_post(make_member())
    comment = make_comment(make_member(), post)
    make_comment(make_member(), post)
    # A closed account is where there is most to tidy up.
    Member.objects.filter(pk__in=[post.author_id, comment.author_id]).update(is_active=False)
    if way == "page":
        response = desk.post(url(Comment, "delete", comment.pk), {"post": "yes"})
    else:
        data = {"action": "delete_selected", "_selected_action": [str(comment.pk)], "post": "yes"}
        response = desk.post(url(Comment, "changelist"), data)
    assert response.status_code == 302
    post.refresh_from_db()
    assert post.comment_count == Comment.objects.count() == 1


def member_form(page: Any) -> dict[str, Any]:
    """Of a member without rights, whose lists of them a browser leaves out."""
    fields = form_of(page)
    return {name: fields[name] for name in fields if name not in ("groups", "user_permissions")}


def test_closing_and_opening_an_account_is_counted(desk: Client) -> None:
    member, post = make_member(), make_post(make_member())
    make_like(member, post.pk)
    leaving.leave(member=Member.objects.get(pk=member.pk))
    erasing.recount_member(member_id=member.pk)
    page = url(Member, "change", member.pk)
    for changes, is_active, like_count in (({"is_active": "on"}, True, 1), ({}, False, 0)):
        response = desk.post(page, member_form(desk.get(page)) | changes)
        assert response.status_code == 302, response.context["errors"]
        erasing.recount_member(member_id=member.pk)
        assert Member.objects.get(pk=member.pk).is_active is is_active
        assert Post.objects.get(pk=post.pk).like_count == like_count
        assert not Leaving.objects.exists()


def test_an_account_that_is_leaving_is_closed_for_good(desk: Client) -> None:
    member, other, erased = make_member(), make_member(), make_member()
    rows = [leaving.leave(member=Member.objects.get(pk=one.pk)) for one in (member, other, erased)]
    Leaving.objects.filter(member=erased).update(erasing_since=timezone.now())
    chosen = {"action": "close", "_selected_action": [rows[0].pk, rows[2].pk]}
    answer = desk.post(url(Leaving, "changelist"), chosen, follow=True)
    text = answer.content.decode()
    assert "이제 다시 돌아올 수 없어요." in text
    assert "계정을 지우는 중이에요." in text
    closed = Leaving.objects.filter(closed_at__isnull=False)
    assert [row.member_id for row in closed] == [member.pk]
    [entry] = LogEntry.objects.filter(object_id__in=[member.pk, other.pk, erased.pk])
    assert entry.object_id == str(member.pk)


def test_who_may_not_change_members_closes_nobody(db: None) -> None:
    reader = make_member()
    Member.objects.filter(pk=reader.pk).update(is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename="view_leaving"))
    browser = Client()
    browser.force_login(Member.objects.get(pk=reader.pk))
    row = leaving.leave(member=Member.objects.get(pk=make_member().pk))
    chosen = {"action": "close", "_selected_action": [row.pk]}
    browser.post(url(Leaving, "changelist"), chosen)
    assert not Leaving.objects.filter(closed_at__isnull=False).exists()


def test_an_account_that_is_being_erased_stays_closed(desk: Client) -> None:
    member = make_member()
    leaving.leave(member=Member.objects.get(pk=member.pk))
    Leaving.objects.update(erasing_since=timezone.now())
    page = url(Member, "change", member.pk)
    answer = desk.post(page, member_form(desk.get(page)) | {"is_active": "on"}, follow=True)
    assert "계정을 지우는 중이에요." in answer.content.decode()
    assert not Member.objects.get(pk=member.pk).is_active


def test_a_new_password_ends_the_members_sessions_and_keeps_the_counters(desk: Client) -> None:
    member = make_member()
    phone = ApiClient(member)
    page = f"/admin/members/member/{member.pk}/password/"
    assert desk.get(page).status_code == 200
    make_post(member)
    values = {
        "password1": "one that is long",
        "password2": "one that is long",
        "usable_password": "true",
    }
    assert desk.post(page, values).status_code == 302
    assert phone.get("/me").status_code == 401
    member.refresh_from_db()
    assert member.check_password("one that is long")
    assert member.posts_count == 1


@pytest.mark.parametrize("model", [Upload, DeviceSession, Consent, PostLike])
def test_what_is_members_own_act_can_only_be_read(desk: Client, model: Any) -> None:
    fill(1)
    row = model.objects.first()
    assert b'name="_save"' not in desk.get(url(model, "change", row.pk)).content
    assert desk.post(url(model, "change", row.pk), {}).status_code == 403
    assert desk.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403


def test_a_style_that_does_not_exist_can_not_be_given(desk: Client) -> None:
    post = make_post(make_member())
    response = desk.post(url(Post, "change", post.pk), {"styles": ["nonsense"]})
    assert response.status_code == 200
    assert "styles" in response.context["adminform"].form.errors


def test_guessing_an_operators_password_is_throttled(db: None, settings: Any) -> None:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"admin_login": (1, 60)}
    operator(make_member("anoperator"))
    client = Client()
    form = {"username": "anoperator", "password": "guess"}
    client.post("/admin/login/", form)
    response = client.post("/admin/login/", form | {"password": PASSWORD})
    assert response.status_code == 200
    assert "_auth_user_id" not in client.session


def test_a_taxonomy_is_renamed_and_taken_off_but_never_deleted(desk: Client) -> None:
    response = desk.post(
        url(Style, "change", "modern"), {"name_ko": "모던", "name_en": "Modern", "position": 0}
    )
    assert response.status_code == 302
    assert Style.objects.get(pk="modern").is_active is False
    assert desk.post(url(Style, "delete", "modern"), {"post": "yes"}).status_code == 403


def test_an_operator_can_suspend_a_member(desk: Client) -> None:
    member = make_member("troll")
    page = desk.get(url(Member, "change", member.pk))
    form = page.context["adminform"].form
    values = {
        name: value
        for name, value in form.initial.items()
        if isinstance(value, str | int) and value is not False
    }
    values |= {
        "suspended_until_0": "2099-01-01",
        "suspended_until_1": "00:00:00",
        "consents-TOTAL_FORMS": 0,
        "consents-INITIAL_FORMS": 0,
    }
    response = desk.post(url(Member, "change", member.pk), values)
    assert response.status_code == 302, response.context["errors"]
    member.refresh_from_db()
    assert member.suspended_until is not None
    assert member.suspended_until.year in {2098, 2099}
