"""Leaving igloo, and coming back until shortly before seven days are over."""

import datetime as dt
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core import signing
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from apps.common.errors import FieldError
from apps.members import tasks
from apps.members.errors import (
    AccountLeaving,
    LinkInvalid,
    OperatorsStay,
    PasswordWrong,
    SocialTokenInvalid,
)
from apps.members.models import DeviceSession, Leaving, Member, SocialIdentity
from apps.members.services import account_state, identities, passwords, proofs, sessions
from apps.members.services.belongings import registered
from apps.members.services.proofs import Evidence
from apps.members.tokens import TokenInvalid

_DELETION_SALT = "apps.members.leaving.deletion"
_RETURN_SALT = "apps.members.leaving.return"
# Several accounts may have one address. Nobody gets more mails than this at once.
_MOST_MAILS = 5


def require_password(member: Member, password: str) -> None:
    """That whoever asks is the member, and not someone who found their phone.

    Raises PasswordWrong.
    """
    if not check_password(password, member.password):
        raise _password_wrong()


def leave_by_login(*, member: Member, evidence: Evidence) -> Leaving:
    """Leave, with a fresh login at a provider as the proof.

    Raises:
        SocialTokenInvalid: it is somebody else's.
        NonceInvalid, SocialTokenUsed, and what `leave` does.
    """
    proof = evidence.proof
    with transaction.atomic():
        # First: spending refers to the row, and two that upgrade such a lock wait for each other.
        account_state.lock(member)
        own = SocialIdentity.objects.filter(member=member)
        if not own.filter(provider=proof.provider, subject=proof.subject).exists():
            raise SocialTokenInvalid
        proofs.spend(evidence, member=member)
        return leave(member=member)


def _password_wrong() -> PasswordWrong:
    return PasswordWrong(errors=[FieldError("/password", PasswordWrong.code, PasswordWrong.text)])


def leave(*, member: Member) -> Leaving:
    """Hide a member who has proved who they are, and end everything; again is harmless.

    They can come back for `settings.LEAVING_SECONDS`, and are erased within hours after that.

    Raises:
        OperatorsStay: they work in the admin.
        PasswordWrong: the password was changed since it was checked.
        TokenInvalid: an operator has closed the account meanwhile.
    """
    with transaction.atomic():
        locked = account_state.lock(member, password=member.password)
        if locked is None:
            raise _password_wrong()
        if locked.is_staff:
            raise OperatorsStay
        there = Leaving.objects.filter(member=locked).first()
        if there is not None:
            return there
        if not locked.is_active:
            raise TokenInvalid
        now = timezone.now()
        leaving = Leaving.objects.create(
            member=locked,
            left_at=now,
            erase_at=now + dt.timedelta(seconds=settings.LEAVING_SECONDS),
        )
        account_state.close_account(locked)
        sessions.end_other_sessions(member=locked, keep=None, reason=DeviceSession.EndReason.LEFT)
        for belonging in registered():
            if belonging.end is not None:
                belonging.end(locked)
        if locked.email and locked.email_verified:
            tasks.mail_leaving.enqueue(str(leaving.pk))
    return leaving


def come_back(*, leaving: Leaving, **still: Any) -> Member | None:
    """Take leaving back: everything is as before, but every device has to log in again.

    Call it for whoever has proved to be the member. None where it is too late, or where the
    member's row is not `still` so.
    """
    with transaction.atomic():
        member = account_state.lock(leaving.member, **still)
        # Read under the member's lock, which erasing takes as it begins.
        if member is None or not _can_come_back(leaving.pk):
            return None
        account_state.open_account(member)
    return member


def _can_come_back(leaving_id: UUID) -> bool:
    return Leaving.objects.can_be_taken_back().filter(pk=leaving_id).exists()


def refuse_or_restore(*, member: Member, restore: bool) -> Member | None:
    """For a login with the right password to a closed account: the member, if they came back now.

    None where the account is closed for good. Raises AccountLeaving unless `restore`.
    """
    leaving = Leaving.objects.can_be_taken_back().filter(member=member).first()
    if leaving is None:
        return None
    if not restore:
        raise AccountLeaving(extra={"erase_at": leaving.erase_at})
    leaving.member = member
    return come_back(leaving=leaving, password=member.password)


# --- Links of mails, and of the web page --------------------------------------------------------


def _state(member: Member) -> str:
    """Changes with the password and the address, and with leaving and coming back: a link counts
    once, and none that lies in a former mailbox."""
    state = f"{member.pk}\n{member.password}\n{member.email}\n{member.is_active}"
    state += f"\n{member.reopened_at}"
    return salted_hmac(_DELETION_SALT, state, algorithm="sha256").hexdigest()[:32]


def deletion_token(member: Member, *, identity: SocialIdentity | None = None) -> str:
    """Proof, for `settings.DELETION_LINK_SECONDS`, of who may delete this account.

    Args:
        identity: the login that proved it, without which the token is none.
    """
    by = [str(identity.pk)] if identity is not None else []
    return signing.dumps([str(member.pk), _state(member), *by], salt=_DELETION_SALT)


def member_of_deletion(token: str) -> Member:
    """Whose account a deletion token deletes; raises LinkInvalid."""
    try:
        member_id, state, *identities = signing.loads(
            token, salt=_DELETION_SALT, max_age=settings.DELETION_LINK_SECONDS
        )
    except signing.BadSignature as error:
        raise LinkInvalid from error
    member = Member.objects.filter(pk=member_id, is_active=True).first()
    if member is None or _state(member) != state:
        raise LinkInvalid
    own = SocialIdentity.objects.filter(member=member)
    if own.filter(pk__in=identities).count() != len(identities):
        raise LinkInvalid
    return member


def leave_by_token(*, token: str) -> Leaving:
    """Leave, with a deletion token as the proof; raises LinkInvalid and what `leave` does."""
    member = member_of_deletion(token)
    with transaction.atomic():
        account_state.lock(member)
        # Its login may have been unlinked meanwhile, under the same lock.
        return leave(member=member_of_deletion(token))


def return_token(leaving: Leaving) -> str:
    """Proof, until the member is erased, of who may take leaving back."""
    return signing.dumps(str(leaving.pk), salt=_RETURN_SALT)


def leaving_of_return(token: str) -> Leaving:
    """What a link that takes leaving back takes back; raises LinkInvalid."""
    try:
        leaving_id = signing.loads(token, salt=_RETURN_SALT, max_age=settings.LEAVING_SECONDS)
    except signing.BadSignature as error:
        raise LinkInvalid from error
    rows = Leaving.objects.can_be_taken_back().select_related("member")
    leaving = rows.filter(pk=leaving_id).first()
    if leaving is None:
        raise LinkInvalid
    return leaving


def has_no_way_in(leaving: Leaving) -> bool:
    """Whether coming back takes a new password, or a login that its provider has ended."""
    return not identities.has_way_in(leaving.member, without="")


def come_back_by_token(*, token: str, new_password: str = "") -> Member:
    """Take leaving back by a link of a mail or of the web page.

    Args:
        new_password: becomes theirs where there is no way in, and is not heeded elsewhere. Whoever
            came back without one could never log in, and would join anew.

    Raises:
        LinkInvalid: it is none of ours, or it is too late.
        InvalidInput: there is no way in, and Django's validators refuse the password.
    """
    with transaction.atomic():
        member = come_back(leaving=leaving_of_return(token))
        if member is None:
            raise LinkInvalid
        # Under the lock, since a notice may have ended the last login meanwhile.
        if not identities.has_way_in(member, without=""):
            passwords.require_good_password(new_password, member, "/new_password")
            passwords.reset_password(member=member, new_password=new_password)
    return member


def ask_for_deletion(*, email: str) -> None:
    """Have a link mailed to each account with this verified address.

    Whether there is one shows in nothing: a task is enqueued either way.
    """
    found = Member.objects.filter(
        email__iexact=email, email_verified=True, is_active=True
    ).values_list("pk", flat=True)
    tasks.mail_deletion_links.enqueue([str(pk) for pk in found[:_MOST_MAILS]])
