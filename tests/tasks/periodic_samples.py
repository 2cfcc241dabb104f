"""Tasks that tests declare as periodic work. A worker finds them here."""

from typing import Any

from django_tasks import task


@task()
def note() -> None:
    """Do nothing."""


@task()
def other_note() -> None:
    """Do nothing either."""


@task(takes_context=True)
def note_with_context(context: Any) -> None:
    """Be told about itself."""


@task()
def needs_an_id(upload_id: str) -> None:
    """Not to be called without one."""


def _without_a_decorator() -> None:
    """A worker that looks for the task finds this function."""


lost = task()(_without_a_decorator)
