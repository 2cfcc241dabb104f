"""Background work, for operators."""

from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from apps.common.admin import ReadOnly
from apps.tasks import services
from apps.tasks.models import STATES, BackgroundTask, TaskAttempt, WorkerPulse

# Shown below as what they mean here, or not used.
_others: list[type[Model]] = [DBTaskResult, *apps.get_app_config("django_q").get_models()]
for model in _others:
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class StateFilter(admin.SimpleListFilter):
    """By state; a task that is due is told from one that waits for its time."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The states, in the order of a task's life."""
        return [(name, name) for name in STATES]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[BackgroundTask]
    ) -> QuerySet[BackgroundTask]:
        """The tasks in the state that was chosen."""
        tasks = BackgroundTask.objects
        chosen = {
            "waiting": tasks.filter(status=TaskResultStatus.READY, run_after__gt=timezone.now()),
            "due": tasks.due(),
            "running": tasks.filter(status=TaskResultStatus.RUNNING, run_after__gt=timezone.now()),
            "abandoned": tasks.abandoned(),
            "successful": tasks.filter(status=TaskResultStatus.SUCCESSFUL),
            "dead": tasks.dead(),
            "cancelled": tasks.cancelled(),
        }.get(self.value() or "")
        return queryset if chosen is None else queryset & chosen


class AttemptInline(admin.TabularInline):
    """Each attempt that failed, with its error."""

    model = TaskAttempt
    fields = readonly_fields = (
        "number",
        "started_at",
        "ended_at",
        "worker",
        "retried",
        "error",
        "text",
    )
    extra = 0
    can_delete = False
    verbose_name_plural = "attempts that failed"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not here."""
        return False

    @admin.display(description="traceback")
    def text(self, attempt: TaskAttempt) -> SafeString:
        """The traceback, as it was printed."""
        return format_html("<pre>{}</pre>", attempt.traceback)


@admin.register(BackgroundTask)
class BackgroundTaskAdmin(ReadOnly):
    """What runs in the background, what waits, and what went wrong."""

    list_display = ["name", "state", "queue_name", "age", "attempts_begun", "error", "id"]
    list_filter = [StateFilter, "queue_name", "enqueued_at"]
    search_fields = ["=id", "task_path", "exception_class_path", "args_kwargs__request_id"]
    search_help_text = "task id, function, error, request id"
    ordering = ["-enqueued_at"]
    inlines = [AttemptInline]
    actions = ["run_again", "cancel"]
    fields = [
        "task_path",
        "state",
        "queue_name",
        "priority",
        "arguments",
        "request",
        "enqueued_at",
        "run_after",
        "started_at",
        "finished_at",
        "workers",
        "return_value",
        "last_error",
    ]

    @admin.display(description="task", ordering="task_path")
    def name(self, task: BackgroundTask) -> str:
        """The function's name, with its app's."""
        return task.task_path.removeprefix("apps.").replace(".tasks.", ".")

    @admin.display(ordering="status")
    def state(self, task: BackgroundTask) -> str:
        """See models.BackgroundTask.state."""
        return task.state

    @admin.display(ordering="enqueued_at")
    def age(self, task: BackgroundTask) -> str:
        """Since it was enqueued."""
        return timesince(task.enqueued_at)

    @admin.display(description="attempts")
    def attempts_begun(self, task: BackgroundTask) -> int:
        """Those that began, the running one included."""
        return task.attempt

    @admin.display(ordering="exception_class_path")
    def error(self, task: BackgroundTask) -> str:
        """The class of the last error."""
        return task.exception_class_path.rpartition(".")[2]

    @admin.display
    def arguments(self, task: BackgroundTask) -> str:
        """As they are given to the function."""
        return f"{task.args_kwargs['args']} {task.args_kwargs['kwargs']}"

    @admin.display(description="caused by request")
    def request(self, task: BackgroundTask) -> str:
        """The id that the log of that request carries too."""
        return task.request_id

    @admin.display(description="workers")
    def workers(self, task: BackgroundTask) -> str:
        """One per attempt: host, process, attempt."""
        return ", ".join(task.worker_ids) or "-"

    @admin.display(description="last error")
    def last_error(self, task: BackgroundTask) -> SafeString | str:
        """The traceback of the last attempt."""
        return format_html("<pre>{}</pre>", task.traceback) if task.traceback else "-"

    @admin.action(description="Run again, with all attempts", permissions=["run"])
    def run_again(self, request: HttpRequest, queryset: QuerySet[BackgroundTask]) -> None:
        """Dead, cancelled and successful ones; the others are left alone."""
        chosen = list(queryset.values_list("pk", flat=True))
        taken = services.rerun_tasks(task_ids=chosen)
        self._tell(request, taken, len(chosen), "will run again", "wait or run already")

    @admin.action(description="Cancel", permissions=["run"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[BackgroundTask]) -> None:
        """Those that wait or run; the others are over."""
        chosen = list(queryset.values_list("pk", flat=True))
        taken = services.cancel_tasks(task_ids=chosen, by=request.user.get_username())
        self._tell(request, taken, len(chosen), "cancelled", "are over already")

    def has_run_permission(self, request: HttpRequest) -> bool:
        """For the actions: who may change tasks, though no form does."""
        return request.user.has_perm("tasks.change_backgroundtask")

    def _tell(self, request: HttpRequest, taken: int, chosen: int, done: str, left: str) -> None:
        text = f"{taken} {done}." + (f" {chosen - taken} {left}." if taken < chosen else "")
        self.message_user(request, text, messages.SUCCESS if taken else messages.WARNING)


class ScheduleAdmin(ReadOnly):
    """Periodic work, as Django-Q fires it. It is declared in the apps' tasks.py."""

    list_display = ["name", "cron", "next_run"]
    ordering = ["next_run"]


# Without models (see tables.py) nothing fires by them, and there is nothing to look at.
if apps.get_app_config("django_q").models_module is not None:
    admin.site.register(apps.get_model("django_q", "Schedule"), ScheduleAdmin)


@admin.register(WorkerPulse)
class WorkerPulseAdmin(ReadOnly):
    """The workers, and when each last took something."""

    list_display = ["name", "beat_at"]
    ordering = ["-beat_at"]
