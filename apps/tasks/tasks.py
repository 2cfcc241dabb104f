"""Background work that keeps the tables small."""

from django_tasks import task

from apps.common.pruning import prune_expired_rows
from apps.tasks import services
from apps.tasks.periodic import periodic


@task()
def prune() -> dict[str, int]:
    """Delete rows that are of no more use: tasks, idempotency keys, rate windows; how many."""
    return {"tasks": services.prune_tasks()} | prune_expired_rows()


periodic("prune", "37 18 * * *", prune)
