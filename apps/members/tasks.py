"""Background entry points of members."""

import datetime as dt
from uuid import UUID

from django_tasks import task

# Services enqueue these tasks, and tasks call services: each imports the other as a module, and
# looks into it only when it is called.
from apps.members.services import (
    consent_notices,
    erasing,
    exporting,
    identities,
    mails,
    proofs,
    provider_notices,
    sessions,
)
from apps.tasks.periodic import periodic


@task()
def delete_expired_sessions() -> int:
    """See sessions.delete_expired_sessions."""
    return sessions.delete_expired_sessions()


@task(queue_name="mail")
def send_consent_notice(*notice_ids: str) -> None:
    """See consent_notices.send_notice."""
    consent_notices.send_notice(notice_ids=[UUID(notice_id) for notice_id in notice_ids])


@task()
def send_consent_notices() -> dict[str, int]:
    """See consent_notices.send_notices."""
    return consent_notices.send_notices()


@task(queue_name="mail")
def mail_verification(member_id: str) -> bool:
    """See mails.send_verification."""
    return mails.send_verification(member_id=UUID(member_id))


@task(queue_name="mail")
def mail_reset(member_ids: list[str]) -> int:
    """See mails.send_reset."""
    return mails.send_reset(member_ids=[UUID(member_id) for member_id in member_ids])


@task(queue_name="mail")
def mail_way_back(leaving_id: str) -> bool:
    """See mails.send_way_back."""
    return mails.send_way_back(leaving_id=UUID(leaving_id))


@task(queue_name="mail")
def mail_password_changed(member_id: str, at: str, everywhere: bool = False) -> bool:
    """See mails.send_password_changed; `at` is in ISO 8601."""
    return mails.send_password_changed(
        member_id=UUID(member_id), at=dt.datetime.fromisoformat(at), everywhere=everywhere
    )


@task(queue_name="mail")
def mail_identity_changed(member_id: str, provider: str, is_linked: bool, at: str) -> bool:
    """See mails.send_identity_changed; `at` is in ISO 8601."""
    return mails.send_identity_changed(
        member_id=UUID(member_id),
        provider=provider,
        is_linked=is_linked,
        at=dt.datetime.fromisoformat(at),
    )


@task(queue_name="mail")
def mail_address_changed(member_id: str, sealed_old: str, at: str) -> bool:
    """See mails.send_address_changed; `at` is in ISO 8601."""
    return mails.send_address_changed(
        member_id=UUID(member_id), sealed_old=sealed_old, at=dt.datetime.fromisoformat(at)
    )


@task(queue_name="mail")
def mail_new_device(session_id: str) -> bool:
    """See mails.send_new_device."""
    return mails.send_new_device(session_id=UUID(session_id))


@task()
def recount_member(member_id: str) -> None:
    """See erasing.recount_member."""
    erasing.recount_member(member_id=UUID(member_id))


@task(queue_name="mail")
def mail_leaving(leaving_id: str) -> bool:
    """See mails.send_leaving."""
    return mails.send_leaving(leaving_id=UUID(leaving_id))


@task()
def mail_deletion_links(member_ids: list[str]) -> None:
    """One task for each mail, so that one that fails sends no other twice."""
    for member_id in member_ids:
        mail_deletion_link.enqueue(member_id)


@task(queue_name="mail")
def mail_deletion_link(member_id: str) -> bool:
    """See mails.send_deletion_link."""
    return mails.send_deletion_link(member_id=UUID(member_id))


@task()
def erase_due_members() -> int:
    """See erasing.erase_due_members."""
    return erasing.erase_due_members()


# Not `heavy`: a container for each member. One that takes longer than the queue's 300 s is cut off,
# and goes on.
@task()
def erase_member(leaving_id: str) -> str:
    """See erasing.erase_member."""
    return erasing.erase_member(leaving_id=UUID(leaving_id))


@task()
def finish_erasing() -> int:
    """See erasing.finish_erasing."""
    return erasing.finish_erasing()


@task()
def delete_retained_records() -> int:
    """See erasing.delete_retained_records."""
    return erasing.delete_retained_records()


@task(queue_name="heavy")
def make_export(export_id: str) -> str:
    """See exporting.make_export."""
    return exporting.make_export(export_id=UUID(export_id))


@task(queue_name="mail")
def mail_export(export_id: str) -> None:
    """See exporting.mail_export."""
    exporting.mail_export(export_id=UUID(export_id))


@task()
def delete_old_exports() -> int:
    """See exporting.delete_old_exports."""
    return exporting.delete_old_exports()


@task()
def prune_social_logins() -> int:
    """See proofs.prune and provider_notices.prune_notices; how many rows there were."""
    return proofs.prune() + provider_notices.prune_notices()


# As for pushes: a provider that is away is away for a while.
@task(queue_name="push")
def tell_provider(pending_id: str) -> None:
    """See identities.tell_provider."""
    identities.tell_provider(pending_id=UUID(pending_id))


@task()
def retry_unlinks() -> int:
    """See identities.retry_unlinks."""
    return identities.retry_unlinks()


periodic("delete-expired-sessions", "7 18 * * *", delete_expired_sessions)
# 09:23 in Korea, by day.
periodic("send-consent-notices", "23 0 * * *", send_consent_notices)
periodic("erase-due-members", "27 * * * *", erase_due_members)
# When the tasks of the one before are done.
periodic("finish-erasing", "42 * * * *", finish_erasing)
periodic("delete-retained-records", "57 18 * * *", delete_retained_records)
periodic("delete-old-exports", "47 * * * *", delete_old_exports)
periodic("prune-social-logins", "27 * * * *", prune_social_logins)
periodic("retry-unlinks", "57 * * * *", retry_unlinks)
