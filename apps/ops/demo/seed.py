"""Demo data, put in through the services, photos through the real upload pipeline."""

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone

from apps.media import services as media
from apps.members.models import Consent, Member
from apps.members.services import profile, relations, signup
from apps.members.services.consents import ConsentChoice
from apps.members.services.sessions import Device
from apps.ops.demo.homes import DemoHome, demo_homes
from apps.ops.demo.people import MEMBERS, DemoMember
from apps.ops.demo.rooms import paint_room
from apps.posts.models import Post
from apps.posts.services import comments, likes, posts
from apps.posts.services.posts import PhotoInput
from apps.tasks.runner import run_due_tasks

# Known to everyone who reads this: `manage.py demo` runs on a laptop alone.
PASSWORD = "igloo-demo"  # noqa: S105
OPERATOR = "operator"
_DEVICE = Device(name="demo phone", platform="ios", app_version="1.0.0")
_BIRTH_DATE = dt.date(1995, 1, 1)
_PAINTERS = 2


@dataclass(frozen=True)
class Progress:
    """How far the seeding is, in homes."""

    done: int
    total: int


def seed(report: Callable[[Progress], None]) -> bool:
    """Add what is missing of the demo data; False where nothing was.

    It can be stopped and run again: each home is looked for by its owner and title.
    """
    _make_operator()
    owners = {person.username: _find_or_sign_up(person) for person in MEMBERS}
    homes = demo_homes()
    there = set(
        Post.objects.filter(author__in=owners.values()).values_list("author__username", "title")
    )
    missing = [home for home in homes if (home.owner, home.title) not in there]
    if not missing:
        return False
    # Painted side by side with processing; spawned, since a fork would share the connection.
    with ProcessPoolExecutor(_PAINTERS, mp_context=get_context("spawn")) as painters:
        _give_avatars(owners, painters)
        paintings = [
            [painters.submit(home.paint, photo) for photo in home.photos] for home in missing
        ]
        for done, (home, painted) in enumerate(zip(missing, paintings, strict=True), start=1):
            _add_home(home, homes.index(home), owners, painted)
            report(Progress(done, len(missing)))
    return True


def _make_operator() -> None:
    if not Member.objects.filter(username=OPERATOR).exists():
        Member.objects.create_superuser(OPERATOR, PASSWORD, display_name="운영자")


def _find_or_sign_up(person: DemoMember) -> Member:
    found = Member.objects.filter(username=person.username).first()
    if found:
        return found
    consents = [
        ConsentChoice(kind.value, settings.CONSENT_VERSIONS[kind], True)
        for kind in Consent.REQUIRED
    ]
    member = signup.sign_up(
        username=person.username,
        password=PASSWORD,
        display_name=person.display_name,
        birth_date=_BIRTH_DATE,
        consents=consents,
        device=_DEVICE,
    ).member
    changes = {"bio": person.bio, "kind": person.kind}
    return profile.update_profile(member=member, changes=changes, expected=None)


def _give_avatars(owners: dict[str, Member], painters: ProcessPoolExecutor) -> None:
    pictures = []
    for number, member in enumerate(owners.values()):
        if member.avatar_id is None:
            arguments = _avatar_arguments(number)
            pictures.append((member, painters.submit(paint_room, **arguments)))
    uploads = [(member, _upload(member, picture.result())) for member, picture in pictures]
    _process_uploads()
    for member, upload_id in uploads:
        changes = {"avatar_upload_id": upload_id}
        profile.update_profile(member=member, changes=changes, expected=None)


def _avatar_arguments(number: int) -> dict[str, Any]:
    colors = ("beige", "green", "navy", "orange", "purple", "yellow")
    styles = ("minimal", "scandinavian", "korean", "modern", "romantic", "provence")
    return {
        "room": "living",
        "style": styles[number % len(styles)],
        "colors": (colors[number % len(colors)],),
        "housing_type": "apartment",
        "seed": 1000 + number,
        "size": (480, 480),
    }


def _add_home(
    home: DemoHome, number: int, owners: dict[str, Member], painted: list[Future[bytes]]
) -> None:
    owner = owners[home.owner]
    photos = [
        PhotoInput(
            upload_id=_upload(owner, picture.result()),
            caption=photo.caption,
            products=[dict(product) for product in photo.products],
        )
        for photo, picture in zip(home.photos, painted, strict=True)
    ]
    _process_uploads()
    post = posts.create_post(
        author=owner,
        title=home.title,
        content=home.content,
        pyeong_id=home.pyeong,
        housing_type_id=home.housing_type,
        styles=list(home.styles),
        colors=list(home.colors),
        photos=photos,
        publish=not home.draft,
    )
    if home.draft:
        return
    # As if they had come in over the last weeks.
    published_at = timezone.now() - dt.timedelta(hours=9 * number, minutes=7 * number % 60)
    Post.objects.filter(pk=post.pk).update(published_at=published_at)
    for username, text in home.comments:
        comments.create_comment(author=owners[username], post_id=post.pk, content=text)
    # Whoever was the first to say something of a home wants to see the next one.
    for username, _text in home.comments[:1]:
        relations.follow_member(member=owners[username], other_id=owner.pk)
    for username in home.likes:
        likes.like_post(member=owners[username], post_id=post.pk)


def _upload(owner: Member, photo: bytes) -> UUID:
    """Send a photo, as a phone would."""
    upload, _ticket = media.create_upload(
        owner_id=owner.pk, content_type="image/jpeg", size=len(photo)
    )
    storages["originals"].save(upload.incoming_key, ContentFile(photo))
    media.complete_upload(upload=upload)
    return upload.pk


def _process_uploads() -> None:
    """Run the tasks that the uploads left, as the worker would. Left to it, they would fill its
    log just when `make run` says where everything is."""
    run_due_tasks(queues=["media"])


def logins() -> Iterator[tuple[str, str, str]]:
    """Username, password and what it is, of the logins worth naming."""
    first = MEMBERS[0]
    yield first.username, PASSWORD, f"a member, {first.display_name}"
    yield OPERATOR, PASSWORD, "an operator, for /admin/"
