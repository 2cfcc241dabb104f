"""Background entry points of members."""

from django_tasks import task

from apps.members.services import sessions
from apps.tasks.periodic import periodic


@task()
def delete_expired_sessions() -> int:
    """See sessions.delete_expired_sessions."""
    return sessions.delete_expired_sessions()


periodic("delete-expired-sessions", "7 18 * * *", delete_expired_sessions)
