"""Background entry points of members."""

from uuid import UUID

from django_tasks import task

# Services enqueue these tasks, and tasks call services: each imports the other as a module, and
# looks into it only when it is called.
from apps.members.services import identities, proofs, sessions
from apps.tasks.periodic import periodic


@task()
def delete_expired_sessions() -> int:
    """See sessions.delete_expired_sessions."""
    return sessions.delete_expired_sessions()


@task()
def prune_social_logins() -> int:
    """See proofs.prune."""
    return proofs.prune()


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
periodic("prune-social-logins", "27 * * * *", prune_social_logins)
periodic("retry-unlinks", "57 * * * *", retry_unlinks)
