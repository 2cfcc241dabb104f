"""A task's row under any order of claims, ends, deaths, sweeps, zombies and operators.

Hypothesis makes up the order; a model of a few lines says what has to come of it, and the rows of a
real PostgreSQL are compared with it after each step.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from apps.tasks.errors import PermanentError
from apps.tasks.models import BackgroundTask, TaskAttempt, lease_end
from apps.tasks.runner import record, run_task
from apps.tasks.services import cancel_tasks, rerun_tasks
from apps.tasks.sweeper import Swept, sweep_tasks
from tests.tasks import samples
from tests.tasks.conftest import Queues, pass_time

MAX_ATTEMPTS = 3


@dataclass
class Model:
    """What a row has to be."""

    task_id: str
    status: str = "READY"
    # READY: due. RUNNING: its lease is over.
    reached: bool = True
    # The names of all attempts; the last one is the owner while it runs.
    workers: list[str] = field(default_factory=list)
    # How many of them were in an earlier life.
    before: int = 0
    # Of all its lives: number, and whether another attempt followed.
    failures: list[tuple[int, bool]] = field(default_factory=list)
    permanent: bool = False
    cancelled: bool = False

    def fail(self, permanent: bool = False) -> str:
        """An attempt failed; what is said of it."""
        retried = not permanent and len(self.workers) - self.before < MAX_ATTEMPTS
        self.failures.append((len(self.workers), retried))
        self.status, self.reached = "READY" if retried else "FAILED", False
        self.permanent = permanent
        return "retried" if retried else "dead"


@dataclass(frozen=True)
class Attempt:
    """A worker at a task, which may have lost it long ago."""

    model: Model
    row: BackgroundTask
    worker: str

    @property
    def owns(self) -> bool:
        """Whether the task is still its own."""
        model = self.model
        return model.status == "RUNNING" and model.workers[-1] == self.worker


def content(task_id: str) -> tuple[Any, ...]:
    """The row and its failures, to the letter."""
    attempts = TaskAttempt.objects.filter(task=task_id).order_by("id").values_list()
    return BackgroundTask.objects.filter(pk=task_id).values_list().get(), tuple(attempts)


class TaskLife(RuleBasedStateMachine):
    """Several tasks at once, in a transaction that is undone."""

    tasks = Bundle("tasks")
    attempts = Bundle("attempts")

    def __init__(self) -> None:
        super().__init__()
        self.models: list[Model] = []
        self.names = 0
        self.undone = transaction.atomic()
        self.undone.__enter__()

    def teardown(self) -> None:
        """Undo all of it."""
        transaction.set_rollback(True)
        self.undone.__exit__(None, None, None)

    # --- Workers ---------------------------------------------------------------------------------

    @precondition(lambda self: len(self.models) < 3)
    @rule(target=tasks)
    def enqueue(self) -> Model:
        model = Model(str(samples.echo.enqueue(len(self.models)).id))
        self.models.append(model)
        return model

    @rule(target=attempts, model=tasks)
    def claim(self, model: Model) -> Any:
        self.names += 1
        worker = f"worker {self.names}"
        before = content(model.task_id)
        row = BackgroundTask.objects.all().claim(model.task_id, worker, {"default": 60})
        if model.status != "READY" or not model.reached:
            assert row is None
            assert content(model.task_id) == before
            return multiple()
        assert row is not None
        model.status, model.reached = "RUNNING", False
        model.workers.append(worker)
        return Attempt(model, row, worker)

    @rule(attempt=attempts)
    def finish(self, attempt: Attempt) -> None:
        before = content(attempt.model.task_id)
        outcome = record(attempt.row, attempt.worker, None)
        if attempt.owns:
            assert outcome == "successful"
            attempt.model.status = "SUCCESSFUL"
        else:
            assert outcome == "superseded"
            assert content(attempt.model.task_id) == before

    @rule(attempt=attempts, permanent=st.booleans())
    def fail(self, attempt: Attempt, permanent: bool) -> None:
        before = content(attempt.model.task_id)
        error = PermanentError("never") if permanent else ValueError("not now")
        outcome = record(attempt.row, None, error)
        if attempt.owns:
            assert outcome == attempt.model.fail(permanent)
        else:
            assert outcome == "superseded"
            assert content(attempt.model.task_id) == before

    @rule(attempt=attempts)
    def renew(self, attempt: Attempt) -> None:
        before = content(attempt.model.task_id)
        renewed = BackgroundTask.objects.owned(attempt.row).update(run_after=lease_end(60))
        assert renewed == attempt.owns
        if renewed:
            attempt.model.reached = False
        else:
            assert content(attempt.model.task_id) == before

    @rule(model=tasks)
    def run(self, model: Model) -> None:
        outcome = run_task(model.task_id)
        if model.status == "READY" and model.reached:
            assert outcome == "successful"
            model.workers.append("")
            model.status = "SUCCESSFUL"
        else:
            assert outcome is None

    # --- Time ------------------------------------------------------------------------------------

    @rule(model=tasks)
    def wait(self, model: Model) -> None:
        """For the backoff to be over, or the lease."""
        pass_time(100, model.task_id)
        model.reached = True

    @rule()
    def sweep(self) -> None:
        outcomes = [
            model.fail() for model in self.models if model.status == "RUNNING" and model.reached
        ]
        freed, dead = outcomes.count("retried"), outcomes.count("dead")
        assert sweep_tasks() == Swept(freed=freed, dead=dead, sent=0)

    # --- Operators -------------------------------------------------------------------------------

    @rule(model=tasks)
    def cancel(self, model: Model) -> None:
        live = model.status in ("READY", "RUNNING")
        assert cancel_tasks(task_ids=[model.task_id], by="olga") == live
        if live:
            model.status, model.cancelled = "FAILED", True

    @rule(model=tasks)
    def rerun(self, model: Model) -> None:
        over = model.status in ("FAILED", "SUCCESSFUL")
        assert rerun_tasks(task_ids=[model.task_id]) == over
        if over:
            model.status, model.reached, model.before = "READY", True, len(model.workers)
            model.permanent = model.cancelled = False

    # --- What holds all the time -----------------------------------------------------------------

    @invariant()
    def rows_are_as_the_model_says(self) -> None:
        rows = {str(row.pk): row for row in BackgroundTask.objects.all()}
        assert set(rows) == {model.task_id for model in self.models}  # none is lost
        for model in self.models:
            row = rows[model.task_id]
            assert row.status == model.status
            assert len(row.worker_ids) == len(set(row.worker_ids)) == len(model.workers)
            tries = row.attempt - row.attempts_before
            assert (row.attempts_before, tries <= MAX_ATTEMPTS) == (model.before, True)
            assert (row.finished_at is not None) == (row.status in ("FAILED", "SUCCESSFUL"))
            if model.status == "RUNNING":
                assert row.worker_ids[-1] == model.workers[-1]
                assert row.state == ("abandoned" if model.reached else "running")
            elif model.status == "READY":
                assert row.state == ("due" if model.reached else "waiting")
            elif model.status == "FAILED":
                assert row.state == ("cancelled" if model.cancelled else "dead")
                assert model.cancelled or model.permanent or tries == MAX_ATTEMPTS
            else:
                assert row.return_value is not None
                assert (row.exception_class_path, row.traceback) == ("", "")

    @invariant()
    def each_failure_is_kept(self) -> None:
        found: dict[str, list[tuple[int, bool]]] = {}
        for task_id, number, retried in TaskAttempt.objects.order_by("id").values_list(
            "task_id", "number", "retried"
        ):
            found.setdefault(str(task_id), []).append((number, retried))
        assert found == {model.task_id: model.failures for model in self.models if model.failures}


@pytest.mark.django_db
def test_any_order_of_things(queues: Queues) -> None:
    queues(transport="djangoq", max_attempts=MAX_ATTEMPTS, backoff=10, backoff_cap=50, lease=60)
    run_state_machine_as_test(
        TaskLife,
        settings=examples(max_examples=50, stateful_step_count=30, deadline=None),
    )
