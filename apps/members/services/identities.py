"""A member's logins at providers: linking, unlinking, and telling a provider of the end."""

import datetime as dt
import logging
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet
from django.utils import timezone
from psycopg2.errors import UniqueViolation

from apps.common import sealing
from apps.members import social, tasks
from apps.members.errors import IdentityTaken, LastLoginMethod, ProviderLinked
from apps.members.models import Member, PendingUnlink, Provider, SocialIdentity
from apps.members.models.identity import SocialIdentityQuerySet
from apps.members.services import proofs
from apps.members.services.proofs import Evidence
from apps.members.services.suspensions import follow_login, keep_suspension
from apps.members.social.proof import Proof, require_revocable
from apps.members.tokens import TokenInvalid
from apps.tasks.services import enqueue_once

logger = logging.getLogger(__name__)

# Older ones have been tried by their task until it gave up.
_TASK_GIVES_UP = dt.timedelta(hours=3)
# A provider that is away is back before that: it is not configured any more, or refuses us.
_IS_WRONG = dt.timedelta(days=7)
# What a provider calls somebody who was erased is not kept for longer, told or not.
_LONGEST = dt.timedelta(days=30)


def link_identity(*, member: Member, evidence: Evidence) -> None:
    """Let the member log in with this too, and tell them by mail; nothing where they do already.

    A suspension that is kept of the login is the member's from then on, where it is the longer one.

    Raises:
        IdentityTaken, ProviderLinked
        InvalidInput: a login of Apple's that could not be revoked.
        NonceInvalid, SocialTokenUsed: the evidence was used before.
        TokenInvalid: the account has been closed meanwhile.
    """
    proof = evidence.proof
    try:
        with transaction.atomic():
            locked = _lock(member)
            identity = SocialIdentity.objects.filter(
                provider=proof.provider, subject=proof.subject
            ).first()
            if identity is not None and identity.member_id != member.pk:
                raise IdentityTaken
            is_new = identity is None
            if identity is None:
                if _identities(member).filter(provider=proof.provider).exists():
                    raise ProviderLinked
                require_revocable(proof)
                identity = SocialIdentity.objects.create(
                    member=member, provider=proof.provider, subject=proof.subject
                )
            proofs.spend(evidence, member=member)
            keep_refresh_token(identity, proof)
            _confirm_address(locked, proof)
            if is_new:
                follow_login(locked, identity)
                tell_member(locked, proof.provider, is_linked=True)
    except IntegrityError as error:
        # Somebody else's, made at this very moment: a member's own are made under the lock.
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        raise IdentityTaken from error


def _confirm_address(locked: Member, proof: Proof) -> None:
    """The member's own address is theirs where the provider has signed that this one is."""
    is_same = proof.email_verified and proof.email.lower() == locked.email.lower()
    if is_same and not locked.email_verified:
        locked.email_verified = True
        locked.version += 1
        locked.save(update_fields=["email_verified", "version"])


def keep_refresh_token(identity: SocialIdentity, proof: Proof) -> None:
    """Keep the newest of Apple's refresh tokens, where there is one."""
    if proof.refresh_token:
        identity.refresh_token, identity.client_id = proof.refresh_token, proof.client_id
        identity.save(update_fields=["refresh_token", "client_id"])


def is_linked(*, member: Member, provider: str) -> bool:
    """Whether the member logs in with the provider."""
    return _identities(member).filter(provider=provider).exists()


def unlink_identity(*, member: Member, provider: str) -> None:
    """Take a provider's login away, and have the provider told; nothing where there is none.

    Raises:
        LastLoginMethod: the member could not log in any more.
    """
    with transaction.atomic():
        # The lock of two that each take one of the last two away.
        locked = _lock(member)
        identity = _identities(member).filter(provider=provider).first()
        if identity is None:
            return
        if not has_way_in(locked, without=provider):
            raise LastLoginMethod
        _end([identity])
        tell_member(locked, provider, is_linked=False)


def forget_identities(*, member: Member) -> None:
    """Take all of a member's logins at providers away, and have the providers told: for leaving."""
    with transaction.atomic():
        Member.objects.select_for_update(no_key=True).filter(pk=member.pk).first()
        _end(list(_identities(member)))


def has_way_in(member: Member, *, without: str) -> bool:
    """Whether a member, whose row is locked, can log in without this provider."""
    if member.has_usable_password():
        return True
    return _identities(member).exclude(provider=without).exists()


def tell_provider(*, pending_id: UUID) -> None:
    """Tell a provider that somebody is gone, if that is still so and still to be done.

    Raises:
        ProviderUnavailable, ProviderNotConfigured: to be tried again.
    """
    pending = PendingUnlink.objects.filter(pk=pending_id).first()
    if pending is None:
        return
    came_back = SocialIdentity.objects.filter(provider=pending.provider, subject=pending.subject)
    # Who linked it again meanwhile would be thrown out.
    if not came_back.exists():
        social.end_link(
            pending.provider,
            subject=pending.subject,
            refresh_token=pending.refresh_token,
            client_id=pending.client_id,
        )
    pending.delete()


def retry_unlinks() -> int:
    """Try again what tasks have given up, once an hour until it is done; how many there are.

    After 7 days operators are told by an error in the log; after 30 days it is given up.
    """
    now = timezone.now()
    _give_up(PendingUnlink.objects.filter(created_at__lt=now - _LONGEST))
    for provider, count in _counted(PendingUnlink.objects.filter(created_at__lt=now - _IS_WRONG)):
        logger.error("%s could not be told for 7 days that %s members are gone", provider, count)
    ids = list(
        PendingUnlink.objects.filter(created_at__lt=now - _TASK_GIVES_UP)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    for pending_id in ids:
        enqueue_once(tasks.tell_provider, f"{pending_id}:{now:%Y%m%d%H}", str(pending_id))
    return len(ids)


def _give_up(rows: QuerySet[PendingUnlink]) -> None:
    with transaction.atomic():
        for provider, count in _counted(rows):
            logger.error("%s is never told that %s members are gone: given up", provider, count)
        rows.delete()


def _counted(rows: QuerySet[PendingUnlink]) -> list[tuple[str, int]]:
    counts = rows.order_by("provider").values_list("provider").annotate(number=Count("pk"))
    return [(str(provider), number) for provider, number in counts]


def reseal_tokens() -> int:
    """Encrypt all kept tokens anew with the first of SOCIAL_TOKEN_KEYS; how many there are."""
    total = 0
    for model in (SocialIdentity, PendingUnlink):
        for row_id in model._default_manager.exclude(refresh_token="").values_list("pk", flat=True):
            with transaction.atomic():
                row = model._default_manager.select_for_update().filter(pk=row_id).first()
                if row is not None and row.refresh_token:
                    row.refresh_token = sealing.reseal(
                        row.refresh_token, settings.SOCIAL_TOKEN_KEYS
                    )
                    row.save(update_fields=["refresh_token"])
                    total += 1
    return total


def _lock(member: Member) -> Member:
    locked = (
        Member.objects.select_for_update(no_key=True).filter(pk=member.pk, is_active=True).first()
    )
    if locked is None:
        raise TokenInvalid
    return locked


def tell_member(member: Member, provider: str, *, is_linked: bool) -> None:
    """Tell a confirmed address of a login that was linked or unlinked, in the caller's transaction.

    Whoever holds the member's phone could do it, and a login stays when the password changes.
    """
    if member.email_verified:
        at = timezone.now().isoformat()
        tasks.mail_identity_changed.enqueue(str(member.pk), provider, is_linked, at)


def _identities(member: Member) -> SocialIdentityQuerySet:
    return SocialIdentity.objects.filter(member=member)


def have_told(somebody: SocialIdentity | Proof) -> None:
    """Have a provider told that somebody is gone, where it has to be: a row and its task."""
    is_apples = somebody.provider == Provider.APPLE and somebody.refresh_token
    if is_apples or somebody.provider == Provider.KAKAO:
        pending = PendingUnlink.objects.create(
            provider=somebody.provider,
            subject=somebody.subject,
            refresh_token=somebody.refresh_token,
            client_id=somebody.client_id,
        )
        # By its id: a task's arguments are kept for a week after it is done.
        tasks.tell_provider.enqueue(str(pending.pk))


def _end(identities: list[SocialIdentity]) -> None:
    """Delete them, and have their providers told, in the caller's transaction."""
    for identity in identities:
        have_told(identity)
        keep_suspension(member=identity.member, identity=identity)
        identity.delete()
