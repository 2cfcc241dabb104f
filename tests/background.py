"""The worker, for tests of what comes before and after it."""

from apps.tasks.models import BackgroundTask
from apps.tasks.runner import run_due_tasks


def run_tasks() -> None:
    """Run every task that is due, as a worker does."""
    run_due_tasks()


def due_tasks() -> list[str]:
    """The names of the tasks that wait to be run now."""
    return sorted(task.task_path.rpartition(".")[2] for task in BackgroundTask.objects.due())
