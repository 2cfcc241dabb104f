"""E-mail addresses: whether they are the member's. See docs/adr/0016-mails-to-members.md."""

from django.db import transaction
from django.utils import timezone

from apps.common.sealing import seal, secret_key
from apps.members import tasks
from apps.members.errors import EmailMissing
from apps.members.models import Member
from apps.members.services import links, mails


def ask_for_verification(*, member: Member) -> bool:
    """Send the member's address a link that confirms it; False where it is confirmed already.

    Raises:
        EmailMissing: there is no address.
    """
    if not member.email:
        raise EmailMissing
    if member.email_verified:
        return False
    tasks.mail_verification.enqueue(str(member.pk))
    return True


def confirm_email(*, token: str) -> Member:
    """The address that the link was sent to is the member's; raises LinkInvalid."""
    with transaction.atomic():
        # Locked: an address that changes meanwhile must not be confirmed by the old one's link.
        members = Member.objects.select_for_update(no_key=True)
        member = links.member_to_verify(token, members)
        if not member.email_verified:
            member.email_verified = True
            member.version += 1
            member.save(update_fields=["email_verified", "version"])
    return member


def address_changed(*, member: Member, old: str) -> None:
    """Tell both addresses; call it in the transaction that changed it.

    Args:
        old: the former address if it was confirmed, or empty.
    """
    if old:
        at = timezone.now().isoformat()
        sealed_old = seal(old, [secret_key(mails.OLD_ADDRESS)])
        tasks.mail_address_changed.enqueue(str(member.pk), sealed_old, at)
    if member.email:
        tasks.mail_verification.enqueue(str(member.pk))
