"""Data for tests, made through the services as the app would make it."""

import datetime as dt
import hashlib
import io
import itertools
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone
from PIL import Image
from rest_framework.test import APIClient

from apps.media import services as media
from apps.media.models import Upload
from apps.members.models import Member, SocialIdentity
from apps.members.services import identities, proofs, sessions, signup
from apps.members.services.consents import ConsentChoice
from apps.members.services.proofs import Evidence
from apps.members.services.sessions import Device, TokenPair
from apps.members.social.proof import Proof
from apps.posts.models import Comment, Post
from apps.posts.services import comments, likes, posts
from apps.posts.services.posts import PhotoInput

PASSWORD = "correct horse battery"
# In the network of the test client.
DEVICE = Device(name="test phone", platform="ios", app_version="1.0.0", network="127.0.0.0/24")
DEVICE_JSON = {"name": "test phone", "platform": "ios", "app_version": "1.0.0"}
CONSENTS = [
    ConsentChoice("terms", "2026-11-01", True),
    ConsentChoice("privacy", "2026-11-01", True),
]
CONSENTS_JSON = [
    {"kind": "terms", "version": "2026-11-01", "granted": True},
    {"kind": "privacy", "version": "2026-11-01", "granted": True},
]
_numbers = itertools.count(1)


class ApiClient(APIClient):
    """Calls the API as a member, or as nobody; paths are given without /api/v1."""

    def __init__(self, member: Member | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.raise_request_exception = False
        self.member = member
        if member is not None:
            self.use(sessions.open_session(member=member, device=DEVICE))

    def use(self, pair: TokenPair) -> None:
        """Send this access token from now on."""
        self.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.access_token}")

    def generic(self, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        """Any call: a path that starts with `/` is one of the API's."""
        if not path.startswith(
            ("/account/", "/api/", "/media/", "http", "/local-storage", "/admin", "/readyz")
        ):
            path = f"/api/v1{path}"
        return super().generic(method, path, *args, **kwargs)


def sign_up(username: str, **changes: Any) -> TokenPair:
    """A new member's tokens."""
    fields: dict[str, Any] = {
        "username": username,
        "password": PASSWORD,
        "birth_date": dt.date(1996, 5, 4),
        "consents": CONSENTS,
        "device": DEVICE,
    }
    return signup.sign_up(**(fields | changes))


def social_ticket() -> str:
    """The ticket of somebody new, whom Kakao has confirmed."""
    subject = str(3_000_000_000 + next(_numbers))
    proof = Proof(provider="kakao", subject=subject, expires_at=0)
    credential = hashlib.sha256(subject.encode()).hexdigest()
    return proofs.make_ticket(Evidence(proof, credential, nonce=""))


def make_identity(member: Member) -> SocialIdentity:
    """The member's login at Kakao, linked now where there was none."""
    if not identities.is_linked(member=member, provider="kakao"):
        evidence = proofs.read_ticket(provider="kakao", ticket=social_ticket())
        identities.link_identity(member=member, evidence=evidence)
    return SocialIdentity.objects.get(member=member, provider="kakao")


def make_member(username: str = "", **changes: Any) -> Member:
    """A new member."""
    return sign_up(username or f"member{next(_numbers)}", **changes).member


def confirmed(member: Member, email: str = "") -> Member:
    """The same member, with an address that is known to be theirs."""
    member.email = email or f"{member.username}@example.com"
    member.email_verified = True
    member.save(update_fields=["email", "email_verified"])
    return member


def suspended(member: Member) -> Member:
    """The same member, suspended for a day."""
    member.suspended_until = timezone.now() + dt.timedelta(days=1)
    member.save(update_fields=["suspended_until"])
    return member


def operator(member: Member) -> Member:
    """The same member, who may do everything in the admin."""
    member.is_staff = member.is_superuser = True
    member.save(update_fields=["is_staff", "is_superuser"])
    return member


def jpeg(color: str = "#d8c7a9", size: tuple[int, int] = (64, 48)) -> bytes:
    """A plain photo."""
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "JPEG")
    return file.getvalue()


def make_upload(owner: Member, data: bytes | None = None, **changes: Any) -> Upload:
    """An upload whose file has not been sent."""
    fields = {"content_type": "image/jpeg", "size": len(data or jpeg())} | changes
    upload, _ticket = media.create_upload(owner_id=owner.pk, **fields)
    return upload


def send(upload: Upload, data: bytes) -> None:
    """Put the file where a ticket would."""
    storages["originals"].save(upload.incoming_key, ContentFile(data))


def processed_upload(owner: Member, data: bytes | None = None, **changes: Any) -> Upload:
    """An upload that was sent and processed, ready or failed."""
    data = jpeg() if data is None else data
    upload = make_upload(owner, data, **changes)
    send(upload, data)
    media.complete_upload(upload=upload)
    media.process_upload(upload_id=upload.pk)
    upload.refresh_from_db()
    return upload


def make_post(author: Member, *, photos: int = 1, publish: bool = True, **changes: Any) -> Post:
    """A post with ready photos."""
    fields: dict[str, Any] = {
        "title": "볕이 드는 13평",
        "content": "거실이 완성됐어요.",
        "pyeong_id": "8-15",
        "housing_type_id": "apartment",
        "styles": ["korean"],
        "colors": ["beige"],
    }
    return posts.create_post(
        author=author,
        photos=[PhotoInput(upload_id=processed_upload(author).pk) for _ in range(photos)],
        publish=publish,
        **(fields | changes),
    )


def make_comment(author: Member, post: Post, content: str = "예뻐요!") -> Comment:
    """A comment."""
    return comments.create_comment(author=author, post_id=post.pk, content=content)


def make_like(member: Member, post_id: UUID) -> None:
    """A like."""
    likes.like_post(member=member, post_id=post_id)
