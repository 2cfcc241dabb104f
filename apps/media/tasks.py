"""Background entry points of media."""

from uuid import UUID

from django_tasks import task

# Services enqueue these tasks, and tasks call services: each imports the other as a module, and
# looks into it only when it is called.
from apps.media import rendition_runs, services
from apps.tasks.periodic import periodic


@task(queue_name="media")
def process_upload(upload_id: str) -> None:
    """See services.process_upload."""
    services.process_upload(upload_id=UUID(upload_id))


@task()
def purge_unattached_uploads() -> int:
    """See services.purge_unattached_uploads."""
    return services.purge_unattached_uploads()


@task()
def delete_files(public: list[str], originals: list[str]) -> None:
    """See services.delete_files."""
    services.delete_files(public=public, originals=originals)


@task(queue_name="heavy")
def recompute_renditions(run_id: str) -> str:
    """See rendition_runs.go_on."""
    return rendition_runs.go_on(run_id=UUID(run_id))


@task()
def delete_old_renditions(upload_id: str, keys: list[str]) -> None:
    """See rendition_runs.delete_old."""
    rendition_runs.delete_old(upload_id=UUID(upload_id), keys=keys)


periodic("purge-unattached-uploads", "17 * * * *", purge_unattached_uploads)
