"""Logging in, refreshing and ending sessions."""

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password, verify_password
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.http import urlsafe_base64_encode

from apps.common.throttles import count_call, forgive_call
from apps.members import tasks
from apps.members.errors import LoginFailed, RefreshTokenInvalid
from apps.members.models import DeviceSession, Member, RefreshToken
from apps.members.services import leaving, places
from apps.members.tokens import issue_access_token

# Spent tokens are kept this long to recognise one that is used again; older ones are unknown,
# which refuses them too.
_KEEP_SPENT = dt.timedelta(days=30)
# Tokens of a session that is over and tokens of none get the same answers. It is kept this long
# for operators alone, who look up why a member was logged out.
_KEEP_ENDED = dt.timedelta(days=30)
# Sessions of one transaction. A phone refreshes a few times a day, so each may have some hundred
# spent tokens.
_DELETE_BATCH = 500
_BEFORE_ALL = UUID(int=0)


@dataclass(frozen=True)
class Device:
    """What the app says of the phone."""

    name: str
    platform: str
    app_version: str
    # Of the address that it called from, and about where that is; empty where nobody knows.
    network: str = ""
    place: str = ""


@dataclass(frozen=True)
class TokenPair:
    """What a login or a refresh gives."""

    member: Member
    session: DeviceSession
    access_token: str
    refresh_token: str


def log_in(*, username: str, password: str, device: Device, restore: bool = False) -> TokenPair:
    """Open a session on a device.

    Args:
        restore: come back, if the member is leaving.

    Raises:
        LoginFailed, Throttled: see find_by_password.
        AccountLeaving: the password is right, and the member is leaving.
    """
    found, is_outdated = find_by_password(
        username=username, password=password, network=device.network
    )
    with transaction.atomic():
        if not found.is_active:
            # Of two taps at once the other one may have brought them back.
            leaving.refuse_or_restore(member=found, restore=restore)
        member = lock_if_password_is(found)
        if member is None:
            raise LoginFailed
        if is_outdated:
            # The hash was made with an older, weaker setting.
            member.set_password(password)
            member.save(update_fields=["password"])
        return open_session(member=member, device=device)


def find_by_password(*, username: str, password: str, network: str) -> tuple[Member, bool]:
    """Whose name and password these are, also of a closed account; whether the hash is outdated.

    Args:
        network: where it was asked from. See docs/adr/0015-guessing-passwords.md.

    Raises:
        LoginFailed: after the same time whether or not there is such a name.
        Throttled: many have failed of late where the member was never seen, and so is this one.
    """
    username = username.lower()
    seen_here = DeviceSession.objects.trusted().filter(
        member=OuterRef("pk"), networks__contains=[places.network_key(username, network)]
    )
    member = Member.objects.filter(username=username).annotate(seen_here=Exists(seen_here)).first()
    if member is not None and member.seen_here:
        return _check_password(member, password)
    # Counted before it is known to be a failure, so that none of many at once gets past.
    count_call("login_stranger", username)
    found = _check_password(member, password)
    forgive_call("login_stranger", username)
    return found


def _check_password(member: Member | None, password: str) -> tuple[Member, bool]:
    """The member, and whether the hash is outdated; raises LoginFailed."""
    if member is None:
        # As long as checking a real one, so that the time tells nobody which names exist.
        make_password(password)
        raise LoginFailed
    is_correct, is_outdated = verify_password(password, member.password)
    if not is_correct:
        raise LoginFailed
    return member, is_outdated


def lock_if_password_is(member: Member) -> Member | None:
    """The member's row, locked, if its password is still the one that was checked.

    Checking takes long, so it is done without the lock; meanwhile the password may have changed.
    """
    return (
        Member.objects.select_for_update(no_key=True)
        .filter(pk=member.pk, password=member.password, is_active=True)
        .first()
    )


def open_session(*, member: Member, device: Device, is_signup: bool = False) -> TokenPair:
    """Start a device session for a member who has proved who they are.

    A member is told by mail of a device or a place where they were not seen before.
    """
    now = timezone.now()
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        is_news = member.email_verified and not is_signup and not _was_seen(member, device)
        session = DeviceSession.objects.create(
            member=member,
            name=device.name,
            platform=device.platform,
            app_version=device.app_version,
            networks=places.with_network([], places.network_key(member.username, device.network)),
            place=device.place,
            last_used_at=now,
            expires_at=now + dt.timedelta(seconds=settings.REFRESH_TOKEN_SECONDS),
        )
        RefreshToken.objects.create(session=session, token_hash=_hash(token))
        if is_news:
            tasks.mail_new_device.enqueue(str(session.pk))
    return _pair(session, token)


def _was_seen(member: Member, device: Device) -> bool:
    """Whether the member was logged in on this device, and in this network."""
    sessions = DeviceSession.objects.trusted().filter(member=member)
    key = places.network_key(member.username, device.network)
    return sessions.filter(platform=device.platform, name=device.name).exists() and (
        not key or sessions.filter(networks__contains=[key]).exists()
    )


def refresh(*, refresh_token: str, network: str = "") -> TokenPair:
    """Spend a refresh token for a new pair.

    A phone that lost the answer gets the very same refresh token again within 30 s. A spent
    token that comes later, or whose successor is spent as well, is in two hands: the session
    ends.

    Args:
        network: where the phone is now.

    Raises:
        RefreshTokenInvalid
    """
    now = timezone.now()
    of_token = Q(tokens__token_hash=_hash(refresh_token))
    with transaction.atomic():
        # The session's row is the lock of its whole chain.
        session = (
            DeviceSession.objects.select_for_update(of=("self",))
            .select_related("member")
            .filter(of_token, member__is_active=True)
            .first()
        )
        if session is None or session.ended_at or session.expires_at <= now:
            raise RefreshTokenInvalid
        # Read under the lock: another refresh may have spent it just before.
        token = session.tokens.filter(token_hash=_hash(refresh_token)).first()
        if token is None:
            raise RefreshTokenInvalid
        token.session = session
        successor = _successor(refresh_token)
        if token.spent_at is None:
            _spend(token, successor, now, network)
            return _pair(session, successor)
        if _is_retry(token, successor, now):
            return _pair(session, successor)
        _end(session, DeviceSession.EndReason.REUSE, now)
    # Raised outside of the transaction, which must keep the end of the session.
    raise RefreshTokenInvalid


def _spend(token: RefreshToken, successor: str, now: dt.datetime, network: str) -> None:
    token.spent_at = now
    token.save(update_fields=["spent_at"])
    RefreshToken.objects.create(session=token.session, token_hash=_hash(successor))
    session = token.session
    session.tokens.filter(spent_at__lt=now - _KEEP_SPENT).delete()
    session.last_used_at = now
    session.expires_at = now + dt.timedelta(seconds=settings.REFRESH_TOKEN_SECONDS)
    key = places.network_key(session.member.username, network)
    session.networks = places.with_network(session.networks, key)
    session.save(update_fields=["last_used_at", "expires_at", "networks"])


def _is_retry(token: RefreshToken, successor: str, now: dt.datetime) -> bool:
    grace = dt.timedelta(seconds=settings.REFRESH_GRACE_SECONDS)
    return (
        token.spent_at is not None
        and now - token.spent_at <= grace
        and token.session.tokens.filter(token_hash=_hash(successor), spent_at__isnull=True).exists()
    )


def end_session(*, session: DeviceSession, reason: str) -> None:
    """End one device's session; its tokens stop working at once."""
    _end(session, reason, timezone.now())


def _end(session: DeviceSession, reason: str, now: dt.datetime) -> None:
    DeviceSession.objects.filter(pk=session.pk, ended_at__isnull=True).update(
        ended_at=now, end_reason=reason
    )


def end_other_sessions(*, member: Member, keep: UUID | None, reason: str) -> int:
    """End all sessions but one, or all; how many there were."""
    others = DeviceSession.objects.filter(member=member, ended_at__isnull=True)
    if keep is not None:
        others = others.exclude(pk=keep)
    return others.update(ended_at=timezone.now(), end_reason=reason)


def delete_expired_sessions() -> int:
    """Delete the sessions that ended, or were last usable, 30 days ago, with their refresh tokens.

    Expired logins of the admin go at once. Each batch commits by itself.

    Returns:
        How many device sessions there were.
    """
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    before = timezone.now() - _KEEP_ENDED
    over = Q(ended_at__lt=before) | Q(expires_at__lt=before)
    total = 0
    after = _BEFORE_ALL
    while True:
        with transaction.atomic():
            # By key, each batch where the last one stopped: the table is read once. An index on
            # expires_at would make every refresh dearer.
            session_ids = list(
                DeviceSession.objects.select_for_update(skip_locked=True)
                .filter(over, pk__gt=after)
                .order_by("pk")
                .values_list("pk", flat=True)[:_DELETE_BATCH]
            )
            DeviceSession.objects.filter(pk__in=session_ids).delete()
        total += len(session_ids)
        if len(session_ids) < _DELETE_BATCH:
            return total
        after = session_ids[-1]


def _pair(session: DeviceSession, refresh_token: str) -> TokenPair:
    return TokenPair(
        member=session.member,
        session=session,
        access_token=issue_access_token(member_id=session.member_id, session_id=session.pk),
        refresh_token=refresh_token,
    )


def _successor(refresh_token: str) -> str:
    """The next token of a chain: the same for each retry, and unknown without the SECRET_KEY."""
    digest = salted_hmac("apps.members.sessions", refresh_token, algorithm="sha256").digest()
    return urlsafe_base64_encode(digest)


def _hash(token: str) -> bytes:
    # Tokens are 256 random bits, so a plain hash can't be guessed back.
    return hashlib.sha256(token.encode()).digest()


def is_known(refresh_token: str) -> bool:
    """Whether it was given out here, spent or not."""
    return RefreshToken.objects.filter(token_hash=_hash(refresh_token)).exists()


def fingerprint(token: str) -> str:
    """What stands for a token where it must not be kept."""
    return _hash(token).hex()
