"""Logging in with a provider, and becoming a member that way."""

import datetime as dt
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from psycopg2.errors import UniqueViolation

from apps.common.errors import FieldError
from apps.members import tasks
from apps.members.errors import AccountLeaving, SocialLoginFailed
from apps.members.models import Member, SocialIdentity
from apps.members.models.member import USERNAME_PATTERN
from apps.members.services import leaving, login_owner, proofs, sessions, signup
from apps.members.services.consents import (
    ConsentChoice,
    consent_required,
    missing_consents,
    record_consents,
)
from apps.members.services.identities import keep_refresh_token, tell_member
from apps.members.services.proofs import Evidence
from apps.members.services.sessions import Device, TokenPair
from apps.members.services.suspensions import follow_login, suspended_until
from apps.members.social.proof import Proof, require_revocable
from apps.members.usernames import UsernameReserved, UsernameTaken, is_reserved, require_free

# Names that are tried before it is taken for a fault: each has 5 random digits or more.
_NAME_TRIES = 20
_LONGEST_NICKNAME = 24


def log_in(
    *,
    evidence: Evidence,
    device: Device,
    consents: Sequence[ConsentChoice] = (),
    birth_date: dt.date | None = None,
    locale: str = Member.Locale.KO,
    restore: bool = False,
) -> tuple[TokenPair, bool]:
    """Log in whoever the evidence proves; whether they are a new member.

    Args:
        locale: the language of a new member's mails.
        restore: come back, if the member is leaving.

    Raises:
        AccountLeaving: they are leaving, and may come back with the `social_ticket`.
        NonceInvalid, SocialTokenUsed: it was used before.
        SocialLoginFailed: the account is not open.
        ConsentRequired, UnderAge: a new member, who may come back with the `social_ticket`.
        InvalidInput: a login of Apple's that would be linked and could not be revoked.
    """
    pair = _log_known_in(evidence, device, restore)
    if pair is not None:
        return pair, False
    # Before there is a ticket: the phone still has the code.
    require_revocable(evidence.proof)
    birth_date = _require_complete(evidence, consents, birth_date)
    signup.require_old_enough(birth_date)
    try:
        return _join(evidence, device, consents, locale), True
    except IntegrityError as error:
        if not _is_violation(error, "social_identity_once"):
            raise
    # Two taps at once: the other one made the member.
    pair = _log_known_in(evidence, device, restore)
    if pair is None:
        raise SocialLoginFailed
    return pair, False


def is_known(proof: Proof) -> bool:
    """Whether somebody logs in with this."""
    return login_owner.identities_of(proof).exists() or login_owner.ways_back(proof).exists()


def _log_known_in(evidence: Evidence, device: Device, restore: bool) -> TokenPair | None:
    proof = evidence.proof
    with transaction.atomic():
        member = login_owner.lock_owner(proof)
        if member is None:
            return None
        # Under the lock, since it may have been unlinked meanwhile.
        identity = login_owner.identities_of(proof).filter(member=member).first()
        if identity is None and not login_owner.ways_back(proof).filter(member=member).exists():
            return None
        if identity is None:
            # Before there is a ticket: the phone still has the code.
            require_revocable(proof)
        if not member.is_active:
            member = _come_back(member, evidence, restore)
        if identity is None:
            identity = _link_again(member, proof)
        proofs.spend(evidence, member=member)
        keep_refresh_token(identity, proof)
        return sessions.open_session(member=member, device=device)


def _link_again(member: Member, proof: Proof) -> SocialIdentity:
    """For a member who has come back by a login that its provider had ended."""
    identity, is_new = SocialIdentity.objects.get_or_create(
        provider=proof.provider, subject=proof.subject, defaults={"member": member}
    )
    if identity.member_id != member.pk:
        # Linked to another account at this very moment.
        raise SocialLoginFailed
    if is_new:
        # It may have been another account's meanwhile.
        follow_login(member, identity)
        tell_member(member, proof.provider, is_linked=True)
    return identity


def _come_back(member: Member, evidence: Evidence, restore: bool) -> Member:
    try:
        back = leaving.refuse_or_restore(member=member, restore=restore)
    except AccountLeaving as error:
        raise AccountLeaving(extra={**error.extra, **_ticket(evidence)}) from error
    if back is None:
        raise SocialLoginFailed
    return back


def _ticket(evidence: Evidence) -> dict[str, Any]:
    """What stands for the evidence in the next call, since a code works once at its provider."""
    return {
        "social_ticket": proofs.make_ticket(evidence),
        "expires_in": max(0, evidence.until - int(time.time())),
    }


def _require_complete(
    evidence: Evidence, consents: Sequence[ConsentChoice], birth_date: dt.date | None
) -> dt.date:
    missing = missing_consents(consents)
    if not missing and birth_date is not None:
        return birth_date
    no_date = FieldError("/birth_date", "required", _("A new member gives a birth date."))
    raise consent_required(
        missing,
        *([] if birth_date is not None else [no_date]),
        **_ticket(evidence),
    )


def _join(
    evidence: Evidence, device: Device, consents: Sequence[ConsentChoice], locale: str
) -> TokenPair:
    proof = evidence.proof
    with transaction.atomic():
        member = _make_member(proof, locale)
        SocialIdentity.objects.create(
            member=member,
            provider=proof.provider,
            subject=proof.subject,
            refresh_token=proof.refresh_token,
            client_id=proof.client_id if proof.refresh_token else "",
        )
        proofs.spend(evidence, member=member)
        pair = sessions.open_session(member=member, device=device, is_signup=True)
        record_consents(session=pair.session, choices=consents)
        if member.email and not member.email_verified:
            tasks.mail_verification.enqueue(str(member.pk))
        return pair


def _make_member(proof: Proof, locale: str) -> Member:
    for username in usernames_for(proof.name):
        try:
            # Also of the name of someone who was erased of late.
            require_free(username)
        except (UsernameReserved, UsernameTaken):
            continue
        member = Member(
            username=username,
            display_name=proof.name or username,
            email=proof.email,
            email_verified=proof.email_verified,
            locale=locale,
            suspended_until=suspended_until(provider=proof.provider, subject=proof.subject),
        )
        member.set_unusable_password()
        try:
            with transaction.atomic():
                member.save(force_insert=True)
        except IntegrityError as error:
            if not _is_violation(error, "members_member_username"):
                raise
        else:
            return member
    raise RuntimeError(f"no username was free in {_NAME_TRIES} tries")


def usernames_for(name: str) -> Iterator[str]:
    """Usernames for a new member: their name where it will do, then with digits.

    A name in 한글 gives `home` with digits. Members can't tell from it who somebody is elsewhere.
    """
    base = re.sub(r"[^a-z0-9_.]+", "_", name.lower()).strip("._") if name.isascii() else ""
    base = base[:_LONGEST_NICKNAME].strip("._")
    if not re.fullmatch(USERNAME_PATTERN, base) or is_reserved(base):
        base = "home"
    else:
        yield base
    for _try in range(_NAME_TRIES):
        yield f"{base}{secrets.randbelow(90_000) + 10_000}"


def _is_violation(error: IntegrityError, constraint: str) -> bool:
    cause = error.__cause__
    return isinstance(cause, UniqueViolation) and (cause.diag.constraint_name or "").startswith(
        constraint
    )
