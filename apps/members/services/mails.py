"""What members are told by mail. Each is called from a task, and looks up what holds by then.

All but the one that confirms an address go to confirmed addresses alone: another may be a
stranger's, by a slip of the finger.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from itertools import groupby
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from apps.common.errors import Throttled
from apps.common.mail import Mail, send_mail
from apps.common.sealing import secret_key, unseal
from apps.common.throttles import count_call, forgive_call
from apps.members import tasks
from apps.members.models import DeviceSession, Leaving, Member, Provider, SocialIdentity
from apps.members.services import leaving, links

# What a former address is sealed for: it rests in a task's row, which is kept after the member.
OLD_ADDRESS = "apps.members.sealed"


def send_verification(*, member_id: UUID) -> bool:
    """A link that confirms the address; False where there is nothing to confirm, or enough mails
    went to the address."""
    member = Member.objects.filter(pk=member_id, is_active=True, email_verified=False).first()
    if member is None or not member.email:
        return False

    def write() -> Mail:
        return Mail(
            subject=_("Confirm your e-mail address"),
            paragraphs=[
                _(
                    "Is this the address of @{username} on igloo? Then open the link. "
                    "The link works for 2 days."
                ).format(username=member.username),
                _("If you are not on igloo, do nothing: someone mistyped their address."),
            ],
            link=links.verify_link(member),
            link_text=_("Confirm the address"),
        )

    scopes = ("mail_to", "mail_to_stranger")
    return _send_some("verify", write, to=member.email, language=member.locale, scopes=scopes)


def send_reset(*, member_ids: Sequence[UUID]) -> int:
    """Links to choose a new password; one mail to each address, with a link for each account. Who
    is leaving gets a mail of its own, by a task.

    Returns:
        How many mails with such links.
    """
    members = Member.objects.filter(
        pk__in=member_ids, is_active=True, email_verified=True
    ).order_by("email", "username")
    sent = 0
    for address, group in groupby(members, key=lambda member: member.email):
        accounts = list(group)
        language = accounts[0].locale
        sent += _send_some("reset", _reset_of(accounts), to=address, language=language)
    # At the end: what fails above is tried again from the start.
    leavings = Leaving.objects.can_be_taken_back().filter(member__in=member_ids)
    for leaving_id in leavings.values_list("pk", flat=True):
        tasks.mail_way_back.enqueue(str(leaving_id))
    return sent


def send_deletion_link(*, member_id: UUID) -> bool:
    """A link that opens `/account/delete` for this account; False where there is nobody to tell."""
    member = Member.objects.filter(pk=member_id, is_active=True, email_verified=True).first()
    if member is None or not member.email:
        return False
    token = leaving.deletion_token(member)

    def write() -> Mail:
        return Mail(
            subject=_("Delete your igloo account"),
            paragraphs=[
                _("Someone asked to delete the account {username} with this address.").format(
                    username=member.username
                ),
                _("If it was you, open the link within 30 minutes and confirm."),
                _("If it was not you, ignore this mail: nothing is deleted."),
            ],
            link=f"{settings.PUBLIC_BASE_URL}/account/delete?token={token}",
            link_text=_("Delete my account"),
        )

    send_mail(write, to=member.email, language=member.locale)
    return True


def send_leaving(*, leaving_id: UUID) -> bool:
    """To who left: until when they can come back; False where there is nobody to tell."""
    row = _leaving_to_mail(leaving_id)
    if row is None:
        return False

    def write() -> Mail:
        return Mail(
            subject=_("Your igloo account will be deleted"),
            paragraphs=[
                _("You have left igloo. Nobody sees your profile, posts and comments any more."),
                _(
                    "You can come back until {time} (Korean time): open the link, or log in in the "
                    "app."
                ).format(time=in_korea(row.erase_at)),
                _("After that everything is deleted for good."),
            ],
            link=_way_back(row),
            link_text=_("Keep my account"),
        )

    send_mail(write, to=row.member.email, language=row.member.locale)
    return True


def send_way_back(*, leaving_id: UUID) -> bool:
    """To somebody who is leaving and does not know the password: how to come back. False where
    there is no way back any more, or enough mails went to the address."""
    row = _leaving_to_mail(leaving_id)
    if row is None:
        return False
    member = row.member

    def write() -> Mail:
        return Mail(
            subject=_("The way back to your igloo account"),
            paragraphs=[
                _(
                    "A new password was asked for, but @{username} has left igloo. At {time} "
                    "(Korean time) everything is deleted for good."
                ).format(username=member.username, time=in_korea(row.erase_at)),
                _(
                    "To keep the account, open the link. Then choose a new password with “Forgot "
                    "password” in the app."
                ),
                _("If you want it deleted, do nothing."),
            ],
            link=_way_back(row),
            link_text=_("Keep my account"),
        )

    return _send_some("way back", write, to=member.email, language=member.locale)


def _leaving_to_mail(leaving_id: UUID) -> Leaving | None:
    rows = Leaving.objects.can_be_taken_back().filter(member__email_verified=True)
    return rows.exclude(member__email="").select_related("member").filter(pk=leaving_id).first()


def _way_back(row: Leaving) -> str:
    return f"{settings.PUBLIC_BASE_URL}/account/restore?token={leaving.return_token(row)}"


def _reset_of(accounts: Sequence[Member]) -> Callable[[], Mail]:
    def write() -> Mail:
        text = _("New password for @{username}")
        first, *more = [
            (text.format(username=member.username), links.reset_link(member)) for member in accounts
        ]
        return Mail(
            subject=_("Choose a new password"),
            paragraphs=[
                _(
                    "A new password was asked for on igloo. A link works once, for 30 minutes, "
                    "and logs all devices out."
                ),
                _("If it was not you, do nothing: your password stays as it is."),
            ],
            link=first[1],
            link_text=first[0],
            more_links=more,
        )

    return write


def send_password_changed(*, member_id: UUID, at: dt.datetime, everywhere: bool) -> bool:
    """That the password was changed, and which other logins there are, since a thief may have
    linked one; False where there is nobody to tell.

    Args:
        everywhere: the device that it was changed on was logged out too.
    """
    member = Member.objects.filter(pk=member_id, email_verified=True).first()
    if member is None:
        return False
    linked = SocialIdentity.objects.filter(member=member).order_by("pk")
    providers = [Provider(name) for name in linked.values_list("provider", flat=True)]

    def write() -> Mail:
        if everywhere:
            what = _(
                "The password of @{username} on igloo was changed at {time} (Korean time), "
                "and all devices were logged out."
            )
        else:
            what = _(
                "The password of @{username} on igloo was changed at {time} (Korean time), "
                "and other devices were logged out."
            )
        paragraphs = [
            what.format(username=member.username, time=in_korea(at)),
            _(
                "If it was not you, choose a new one with “Forgot password” in the app at "
                "once, and write to us."
            ),
        ]
        if providers:
            text = _(
                "The account can still be logged in to with: {providers}. If one of these is not "
                "yours, unlink it in the app."
            )
            names = ", ".join(str(provider.label) for provider in providers)
            paragraphs.append(text.format(providers=names))
        return Mail(subject=_("Your password was changed"), paragraphs=paragraphs)

    send_mail(write, to=member.email, language=member.locale)
    return True


def send_identity_changed(
    *, member_id: UUID, provider: str, is_linked: bool, at: dt.datetime
) -> bool:
    """That a login at a provider was linked or unlinked; False where there is nobody to tell."""
    member = Member.objects.filter(pk=member_id, email_verified=True).first()
    if member is None:
        return False

    def write() -> Mail:
        facts = {
            "username": member.username,
            "provider": Provider(provider).label,
            "time": in_korea(at),
        }
        if is_linked:
            subject = _("{provider} was linked to your account")
            paragraphs = [
                _(
                    "Since {time} (Korean time) @{username} on igloo can be logged in to with "
                    "{provider} too."
                ),
                _(
                    "If it was not you, unlink it in the app at once, change your password, which "
                    "logs other devices out, and write to us. A new password alone does not end "
                    "this login."
                ),
            ]
        else:
            subject = _("{provider} was unlinked from your account")
            paragraphs = [
                _(
                    "Since {time} (Korean time) @{username} on igloo cannot be logged in to with "
                    "{provider} any more."
                ),
                _(
                    "If it was not you, choose a new password with “Forgot password” in the app "
                    "at once, and write to us."
                ),
            ]
        return Mail(
            subject=subject.format(**facts),
            paragraphs=[paragraph.format(**facts) for paragraph in paragraphs],
        )

    send_mail(write, to=member.email, language=member.locale)
    return True


def send_address_changed(*, member_id: UUID, sealed_old: str, at: dt.datetime) -> bool:
    """To the former address, that it is another one now; False where the member is gone.

    Args:
        sealed_old: the address, sealed for OLD_ADDRESS.
    """
    member = Member.objects.filter(pk=member_id).first()
    if member is None:
        return False

    def write() -> Mail:
        return Mail(
            subject=_("Your e-mail address was changed"),
            paragraphs=[
                _(
                    "@{username} on igloo does not use this address any more; it was changed at "
                    "{time} (Korean time)."
                ).format(username=member.username, time=in_korea(at)),
                _(
                    "If it was not you, change your password in the app at once, which logs other "
                    "devices out, then the address, and write to us."
                ),
            ],
        )

    old = unseal(sealed_old, [secret_key(OLD_ADDRESS)])
    send_mail(write, to=old, language=member.locale)
    return True


def send_new_device(*, session_id: UUID) -> bool:
    """That a device was logged in on; False where there is nobody to tell.

    One that is logged out by now as well: a thief would be quick.
    """
    session = DeviceSession.objects.select_related("member").filter(pk=session_id).first()
    if session is None or not session.member.email_verified:
        return False
    member = session.member

    def write() -> Mail:
        facts = [
            _("Device: {name} ({platform})").format(
                name=session.name, platform=session.get_platform_display()
            ),
            _("Time: {time} (Korean time)").format(time=in_korea(session.created_at)),
        ]
        if session.place:
            facts.append(_("Place: about {place}").format(place=session.place))
        return Mail(
            subject=_("A new device logged in"),
            paragraphs=[
                _(
                    "@{username} on igloo was logged in to on a device or in a place that is new."
                ).format(username=member.username),
                "\n".join(facts),
                _(
                    "If it was not you, log the device out in the app's list of devices, and "
                    "change your password, which logs out all the others too."
                ),
            ],
        )

    send_mail(write, to=member.email, language=member.locale)
    return True


def in_korea(at: dt.datetime) -> str:
    """A time as a mail names it: by TIME_ZONE, whatever the server's clock is."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


def _send_some(
    kind: str,
    write: Callable[[], Mail],
    *,
    to: str,
    language: str,
    scopes: Sequence[str] = ("mail_to",),
) -> bool:
    """Send a mail that anyone can make us send; False past a limit of its address.

    The window of `mail_to` is shorter than a link lives: whoever asks for too many has one that
    works.
    """
    # Of windows, the table is to hold no addresses of mails.
    digest = salted_hmac("apps.members.mails", to.lower(), algorithm="sha256").hexdigest()
    caller = f"{kind}:{digest}"
    counted: list[str] = []
    try:
        for scope in scopes:
            counted.append(scope)
            count_call(scope, caller)
        send_mail(write, to=to, language=language)
    except BaseException as error:
        # It is tried again, and must not be refused then for what did not arrive.
        for scope in counted:
            forgive_call(scope, caller)
        if isinstance(error, Throttled):
            return False
        raise
    return True
