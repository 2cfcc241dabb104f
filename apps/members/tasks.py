"""Background entry points of members."""

from uuid import UUID

from django_tasks import task

# Services enqueue these tasks, and tasks call services: each imports the other as a module.
from apps.members.services import consent_notices, sessions
from apps.tasks.periodic import periodic


@task()
def delete_expired_sessions() -> int:
    """See sessions.delete_expired_sessions."""
    return sessions.delete_expired_sessions()


@task()
def send_consent_notice(notice_id: str) -> None:
    """See consent_notices.send_notice."""
    consent_notices.send_notice(notice_id=UUID(notice_id))


@task()
def send_consent_notices() -> dict[str, int]:
    """See consent_notices.send_notices."""
    return consent_notices.send_notices()


periodic("delete-expired-sessions", "7 18 * * *", delete_expired_sessions)
# 09:23 in Korea, by day.
periodic("send-consent-notices", "23 0 * * *", send_consent_notices)
