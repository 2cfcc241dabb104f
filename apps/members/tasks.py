"""Background entry points of members."""

import datetime as dt
from uuid import UUID

from django_tasks import task

# Services enqueue these tasks, and tasks call services: each imports the other as a module, and
# looks into it only when it is called.
from apps.members.services import mails, sessions
from apps.members.services.sealed import unseal
from apps.tasks.periodic import periodic


@task()
def delete_expired_sessions() -> int:
    """See sessions.delete_expired_sessions."""
    return sessions.delete_expired_sessions()


@task(queue_name="push")
def mail_verification(member_id: str) -> bool:
    """See mails.send_verification."""
    return mails.send_verification(member_id=UUID(member_id))


@task(queue_name="push")
def mail_reset(member_ids: list[str]) -> int:
    """See mails.send_reset."""
    return mails.send_reset(member_ids=[UUID(member_id) for member_id in member_ids])


@task(queue_name="push")
def mail_password_changed(member_id: str, at: str) -> bool:
    """See mails.send_password_changed; `at` is in ISO 8601."""
    return mails.send_password_changed(member_id=UUID(member_id), at=dt.datetime.fromisoformat(at))


@task(queue_name="push")
def mail_address_changed(member_id: str, sealed_old: str, at: str) -> bool:
    """See mails.send_address_changed; `at` is in ISO 8601."""
    return mails.send_address_changed(
        member_id=UUID(member_id), old=unseal(sealed_old), at=dt.datetime.fromisoformat(at)
    )


@task(queue_name="push")
def mail_new_device(session_id: str) -> bool:
    """See mails.send_new_device."""
    return mails.send_new_device(session_id=UUID(session_id))


periodic("delete-expired-sessions", "7 18 * * *", delete_expired_sessions)
