"""Erasing: nothing of a member is left, in any column and in any file, but what is kept by law."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.utils import timezone

from apps.common.models import IdempotencyKey
from apps.media.models import Upload
from apps.members import tasks
from apps.members.models import Leaving, Member, RetainedRecord
from apps.members.models.leaving import hash_username
from apps.members.services import (
    belongings,
    erasing,
    leaving,
    sessions,
)
from apps.posts.models import Comment, Post
from apps.tasks.models import BackgroundTask
from tests.background import due_tasks, run_tasks
from tests.builders import (
    DEVICE,
    PASSWORD,
    make_member,
    make_post,
)
from tests.concurrency import at_once
from tests.media.storage import Place
from tests.members.planted import (
    MARK,
    Planted,
    columns_with,
    plant,
    stored_files,
    text_columns,
    words_of,
)
from tests.members.test_leaving import assert_counters_right

SEVEN_DAYS = dt.timedelta(days=7)
WEEK = SEVEN_DAYS + dt.timedelta(seconds=1)
# Columns that can hold words, but none of a member's: of fixed sets, made by us, or hashes.
NOT_WRITTEN_BY_MEMBERS = {
    "common_idempotencykey.answer",  # encrypted: the rows are looked for
    "common_idempotencykey.key_hash",
    "common_idempotencykey.request_hash",
    "media_upload.blurhash",
    "media_upload.content_type",
    "media_upload.failure_code",
    "media_upload.palette",
    "media_upload.renditions",
    "media_upload.sha256",
    "media_upload.status",
    "media_upload.suggested_colors",
    "members_consent.device_platform",
    "members_consent.kind",
    "members_consentnotice.channel",
    "members_consentnotice.reason",
    "members_devicesession.end_reason",
    "members_devicesession.networks",  # keyed hashes
    "members_devicesession.platform",
    "members_export.status",
    "members_leaving.identity_hash",
    "members_member.kind",
    "members_member.locale",
    "members_member.password",
    "members_member.privacy_agreed",  # dates of our texts
    "members_member.terms_agreed",
    # What a provider has yet to be told, of whom it calls so: gone when it knows.
    "members_pendingunlink.client_id",
    "members_pendingunlink.provider",
    "members_pendingunlink.refresh_token",
    "members_pendingunlink.subject",
    # The row names nobody any more.
    "members_providernotice.digest",
    "members_providernotice.event",
    "members_providernotice.provider",
    "members_refreshtoken.token_hash",
    "members_retainedrecord.basis",
    "members_retainedrecord.data",
    "members_retainedrecord.identity_hash",
    "members_retainedrecord.kind",
    "members_retainedrecord.source_id",
    "members_retainedrecord.username_hash",
    "members_socialidentity.provider",
    "members_socialnonce.digest",
    "members_spentcredential.digest",
    "ops_costreport.figures",
    "ops_costreport.outcome",
    "ops_costreport.text",
    "ops_costreport.told",
    "posts_post.colors",
    "posts_post.status",
    "posts_post.styles",
    "tasks_taskattempt.error",
    "tasks_taskattempt.worker",
    "tasks_workerpulse.name",
} | {
    f"posts_{term}.{column}"
    for term in ("color", "housingtype", "pyeong", "style")
    for column in ("slug", "name_ko", "name_en")
}


def what_is_left_of(planted: Planted) -> set[str]:
    """The columns that still say the mark, or the member's id.

    But for whose data an operator worked on, which is what the law has kept: nothing else of it.
    """
    found = columns_with(*words_of(planted))
    column = "members_retainedrecord.data"
    others = RetainedRecord.objects.exclude(kind="operator")
    if column in found and not others.filter(data__icontains=str(planted.member.pk)).exists():
        assert column not in columns_with(MARK)
        found.remove(column)
    return found


def erase_after_a_week(member: Member, later: Any) -> None:
    leaving.leave(member=Member.objects.get(pk=member.pk))
    run_tasks()
    later(WEEK)
    run_periodic()


def run_periodic() -> None:
    """What an hour brings."""
    tasks.erase_due_members.enqueue()
    run_tasks()
    tasks.finish_erasing.enqueue()
    run_tasks()


def erase(leaving_id: UUID) -> str:
    """Both steps; what the first one answered."""
    answer = erasing.erase_member(leaving_id=leaving_id)
    erasing.finish_erasing()
    return answer


# --- The proof ----------------------------------------------------------------------------------


def test_every_column_that_members_write_is_planted(committed: None) -> None:
    """A new column belongs into `plant`, or above with the reason why not."""
    planted = plant()
    found = columns_with(MARK)
    assert text_columns() - found == NOT_WRITTEN_BY_MEMBERS
    # The search sees ids as well, and what is in files.
    assert "members_consent.member_id" in columns_with(str(planted.member.pk))
    assert MARK.encode() in b"".join(stored_files().values())


def test_nothing_is_left(
    committed: None,
    place: Place,
    later: Any,
) -> None:
    planted = plant()
    erase_after_a_week(planted.member, later)

    assert not Member.objects.filter(pk=planted.member.pk).exists()
    assert what_is_left_of(planted) == set()
    for name, data in stored_files().items():
        assert MARK.encode() not in data
        assert not any(str(upload_id) in name for upload_id in planted.upload_ids)
    assert not Upload.objects.filter(pk__in=planted.upload_ids).exists()
    # What is encrypted or packed, and can't be searched.
    assert planted.idempotency_ids
    assert not IdempotencyKey.objects.filter(pk__in=planted.idempotency_ids).exists()
    assert not Session.objects.filter(session_key=planted.session_key).exists()
    # Only what it says that it holds.
    kept = RetainedRecord.objects.order_by("pk")
    assert {row.kind for row in kept} == {"username", "login", "operator"}
    keys = {"login": {"platform", "logged_in_at", "last_used_at"}, "username": set()}
    keys["operator"] = {"operator", "at", "action", "model", "object_id"}
    for row in kept:
        assert set(row.data) == keys[row.kind]
        assert bytes(row.username_hash) == hash_username(planted.member.username)

    # What is others' is as it was.
    friends = Post.objects.get(pk=planted.friends_post.pk)
    assert (friends.like_count, friends.comment_count) == (1, 1)
    assert Comment.objects.get().author_id == planted.friend.pk
    assert_counters_right()
    assert len(stored_files()) == 4
    assert LogEntry.objects.count() == 0
    # Everything that was due went well.
    assert due_tasks() == []
    assert not BackgroundTask.objects.dead().exists()


def test_every_foreign_key_to_a_member_is_someones() -> None:
    """A new table with a member's data is named by the `Belonging` that erases it."""
    found = {
        f"{relation.related_model._meta.app_label}.{relation.related_model.__name__}"
        f".{relation.field.name}"
        for relation in Member._meta.get_fields(include_hidden=True)
        if relation.auto_created and not relation.many_to_many and relation.is_relation
    }
    kept = [key for belonging in belongings.registered() for key in belonging.keeps]
    assert len(kept) == len(set(kept))
    assert set(kept) == found


def test_what_keeps_a_foreign_key_erases_it(committed: None, later: Any) -> None:
    """Not the deletion of the member, which would do it in one long transaction."""
    planted = plant()
    leaving.leave(member=planted.member)
    for belonging in reversed(belongings.registered()):
        if belonging.erase is not None:
            belonging.erase(planted.member)
        for key in belonging.keeps:
            if belonging.name != "profile":
                label, _, column = key.rpartition(".")
                model: Any = next(
                    relation.related_model
                    for relation in Member._meta.get_fields(include_hidden=True)
                    if relation.auto_created
                    and f"{relation.related_model._meta.app_label}."
                    f"{relation.related_model.__name__}"
                    == label
                )
                assert not model.objects.filter(**{column: planted.member}).exists(), key


# --- When ---------------------------------------------------------------------------------------


def test_nobody_is_erased_before_their_time(committed: None, later: Any) -> None:
    alice = make_member("alice")
    row = leaving.leave(member=alice)
    assert erasing.erase_due_members() == 0
    assert erasing.erase_member(leaving_id=row.pk) == "not due"
    later(dt.timedelta(days=6, hours=19, minutes=59))
    assert erasing.erase_due_members() == 0
    assert erasing.erase_member(leaving_id=row.pk) == "not due"
    assert Leaving.objects.get().erasing_since is None


def test_within_seven_days_whenever_somebody_left(committed: None, later: Any) -> None:
    """Though the first run came just too early, and two failed."""
    leaving.leave(member=make_member("alice"))
    later(dt.timedelta(seconds=settings.LEAVING_SECONDS - 1))
    run_periodic()
    assert Member.objects.exists()
    # The runs of two hours are missed; the third is the second step's, a quarter of an hour later.
    later(dt.timedelta(seconds=settings.LEAVING_SECONDS, hours=3, minutes=15))
    run_periodic()
    assert not Member.objects.exists()
    assert dt.timedelta(seconds=settings.LEAVING_SECONDS, hours=3, minutes=15) < SEVEN_DAYS


def test_who_came_back_is_not_erased(committed: None, later: Any) -> None:
    alice = make_member("alice")
    row = leaving.leave(member=alice)
    sessions.log_in(username="alice", password=PASSWORD, device=DEVICE, restore=True)
    later(WEEK)
    assert erasing.erase_due_members() == 0
    assert erasing.erase_member(leaving_id=row.pk) == "not due"
    assert Member.objects.get(pk=alice.pk).is_active


def test_an_open_account_is_never_erased(committed: None, later: Any) -> None:
    """Whoever wrote the column by hand, and left the row that says that the member leaves."""
    alice = make_member("alice")
    row = leaving.leave(member=alice)
    Member.objects.update(is_active=True)
    later(WEEK)
    assert erasing.erase_member(leaving_id=row.pk) == "not due"


def test_who_comes_back_as_erasing_begins(committed: None, later: Any) -> None:
    """Either wins, and it is never half of each."""
    for number in range(4):
        member = make_member(f"alice{number}")
        make_post(member)
        row = leaving.leave(member=member)
        later(dt.timedelta())
        Leaving.objects.filter(pk=row.pk).update(
            erase_at=timezone.now() + dt.timedelta(milliseconds=20 * number)
        )
        fresh = Leaving.objects.select_related("member").get(pk=row.pk)
        came_back, _ = at_once(
            lambda fresh=fresh: leaving.come_back(leaving=fresh),
            lambda row=row: erase(row.pk),
        )
        if came_back is None:
            erase(row.pk)
        there = Member.objects.filter(pk=member.pk).first()
        assert (there is None) == (came_back is None)
        assert there is None or (there.is_active and there.posts.count() == 1)


def test_each_hour_whoever_is_left_gets_one_task(committed: None, later: Any) -> None:
    for _ in range(2):
        leaving.leave(member=make_member())
    later(WEEK)
    BackgroundTask.objects.all().delete()
    for _ in range(3):
        assert erasing.erase_due_members() == 2
    assert due_tasks() == ["erase_member"] * 2
    later(WEEK + dt.timedelta(hours=1))
    erasing.erase_due_members()
    assert due_tasks() == ["erase_member"] * 4
    run_tasks()
    # They have nothing left, and wait for the other step.
    assert erasing.erase_due_members() == 0
    assert Member.objects.count() == 2
    assert erasing.finish_erasing() == 2
    assert erasing.finish_erasing() == 0
    assert not Member.objects.exists()
