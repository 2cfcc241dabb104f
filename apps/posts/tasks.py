"""Background entry points of posts."""

from django_tasks import task

from apps.posts.services import counters
from apps.tasks.periodic import periodic


@task()
def recount_counters() -> dict[str, int]:
    """See counters.recount_counters."""
    return counters.recount_counters()


# 04:47 in Seoul, when few are awake.
periodic("recount-counters", "47 19 * * *", recount_counters)
