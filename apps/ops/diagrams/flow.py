"""How a photo becomes part of a published post, as Mermaid charts.

What is written here is only the order of the story: names of views, tasks and states. Paths,
methods, answers, services, queues, statuses and words come from what the names stand for.
"""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import groupby

from apps.ops.diagrams.code import (
    Branch,
    Effect,
    Endpoint,
    Outdated,
    Step,
    endpoint,
    find,
    first_line,
    is_task,
    path_of,
    statuses_set,
    steps_of,
    task_text,
)

# Told elsewhere: what becomes of files that are no longer wanted.
TIDYING = ("apps.media.services.delete_files", "apps.media.services.delete_uploads")


@dataclass(frozen=True)
class Call:
    """The phone calls an endpoint: a view's method. `again`: until its docstring is met."""

    view: str
    again: bool = False


@dataclass(frozen=True)
class Send:
    """The phone sends a file straight to storage, as a ticket says; `here` takes it on a laptop."""

    ticket: str
    driver: str
    here: str


@dataclass(frozen=True)
class Work:
    """A worker runs a task, which calls a service."""

    task: str
    service: str


@dataclass(frozen=True)
class Transition:
    """`service` takes a row from one status to another; the first is None for a new row."""

    before: str | None
    after: str
    service: str


STORY: tuple[Call | Send | Work, ...] = (
    Call("apps.media.views.UploadsView.post"),
    Send(
        ticket="apps.media.drivers.Ticket",
        driver="apps.media.drivers.s3.issue_ticket",
        here="apps.media.local_storage.receive_file",
    ),
    Call("apps.media.views.UploadCompleteView.post"),
    Work("apps.media.tasks.process_upload", "apps.media.services.process_upload"),
    Call("apps.media.views.UploadView.get", again=True),
    Call("apps.posts.views.PostsView.post"),
    Call("apps.posts.views.PostView.patch"),
)
STATES: dict[str, tuple[Transition, ...]] = {
    "apps.media.models.Upload.Status": (
        Transition(None, "WAITING", "apps.media.services.create_upload"),
        Transition("WAITING", "PROCESSING", "apps.media.services.complete_upload"),
        Transition("PROCESSING", "READY", "apps.media.services.process_upload"),
        Transition("PROCESSING", "FAILED", "apps.media.services.process_upload"),
    ),
    "apps.posts.models.Post.Status": (
        Transition(None, "DRAFT", "apps.posts.services.posts.create_post"),
        Transition("DRAFT", "PUBLISHED", "apps.posts.services.posts.create_post"),
        Transition("DRAFT", "PUBLISHED", "apps.posts.services.posts.update_post"),
    ),
}
_HERE = "apps/ops/diagrams/flow.py"
_ACTORS = {"database": "DB", "storage": "Storage"}
_HEADER = """\
# From a photo to a published post

A phone sends photos straight to storage; the API gives out the permission to do so and keeps track.
A worker makes of each photo what the app shows. Then a post takes the photos that are ready.

## Step by step

Solid arrows are calls, dashed ones are answers and what is fetched. The name with `()` is the
service that does it, a task's queue stands in brackets behind it. Tidying up is left out.
"""
_PARTICIPANTS = (
    "actor Phone",
    "participant API",
    "participant DB as Database",
    "participant Storage",
    "participant Worker",
)
# Characters in a line of a label, and of a note, whose box is narrower than its text.
_LABEL, _NOTE = 44, 36


def flow_document() -> str:
    """The text of docs/flow.md; raises Outdated where the code has moved on."""
    lines = [*_PARTICIPANTS]
    rows = ["| | what | code |", "| --- | --- | --- |"]
    for number, step in enumerate(STORY, 1):
        drawn, row = _draw(step, number)
        lines += drawn
        rows.append(row)
    parts = [
        _HEADER,
        _mermaid("sequenceDiagram", lines),
        "\n".join(rows) + "\n",
    ]
    for name, transitions in STATES.items():
        status = find(name)
        model = status.__qualname__.partition(".")[0]
        parts += [
            f"## The states of {_article(model)}\n",
            f"{first_line(status)}. Each arrow names the service that does it.\n",
            _mermaid("stateDiagram-v2", list(_states(name, transitions))),
        ]
    return "\n".join(parts)


def _draw(step: Call | Send | Work, number: int) -> tuple[list[str], str]:
    """The lines of one step of the story, and its row in the table below."""
    match step:
        case Call():
            return _draw_call(endpoint(step.view), step, number)
        case Send():
            return _draw_send(step, number)
        case Work():
            return _draw_work(step, number)


def _draw_call(called: Endpoint, step: Call, number: int) -> tuple[list[str], str]:
    steps = steps_of(called.function, [find(name) for name in TIDYING])
    lines = [
        f"Phone->>API: {called.method} {called.path}",
        *_effects(steps, "API"),
        f"API-->>Phone: {called.answer}",
    ]
    said = first_line(called.function)
    if step.again:
        lines = [f"loop {_label(said)}", *(f"    {line}" for line in lines), "end"]
    row = _row(number, f"{called.summary}. {said}.", step.view, _services(steps))
    return [f"Note over Phone,API: {number}. {called.summary}", *lines], row


def _draw_send(step: Send, number: int) -> tuple[list[str], str]:
    ticket, driver, here = find(step.ticket), find(step.driver), find(step.here)
    path = path_of(here, find(f"{here.__module__}.urlpatterns"))
    names = " and ".join(field.name for field in fields(ticket))
    lines = [
        f"Note over Phone,Storage: {number}. Send the file",
        f"Phone->>Storage: POST, by the ticket's {names}",
        f"Note over Storage: on AWS S3, on a laptop<br/>{path}",
    ]
    what = f"{first_line(ticket)}. On AWS: {_lower(first_line(driver))}. On a laptop `{path}`"
    return lines, _row(number, f"{what}: {_lower(first_line(here))}.", step.driver, [step.here])


def _draw_work(step: Work, number: int) -> tuple[list[str], str]:
    task = find(step.task)
    if not is_task(task):
        raise Outdated(f"{step.task} is not a task: correct {_HERE}.")
    steps = steps_of(task.func, [find(name) for name in TIDYING])
    services = _services(steps)
    service = find(step.service)
    if service.__name__ not in services:
        raise Outdated(f"{step.task} does not call {step.service}: correct {_HERE}.")
    said = first_line(service)
    lines = [
        f"Note over Storage,Worker: {number}. {_label(said, _NOTE)}",
        f"DB-->>Worker: task {task_text(task)}",
        *_effects(steps, "Worker"),
    ]
    return lines, _row(number, f"{said}.", step.task, services)


def _row(number: int, what: str, code: str, calls: Sequence[str]) -> str:
    called = ", ".join(f"`{name}`" for name in calls)
    return f"| {number} | {what} | `{code}`{' → ' if called else ''}{called} |"


def _services(steps: Sequence[Step]) -> list[str]:
    """The services that these steps are in, in order, each once."""
    found: dict[str, None] = {}
    for step in steps:
        if isinstance(step, Branch):
            found |= dict.fromkeys(_services((*step.done, *step.otherwise)))
        elif step.service:
            found[step.service] = None
    return list(found)


def _effects(steps: Sequence[Step], actor: str) -> Iterator[str]:
    """Arrows from the actor. What one service does at one place in a row is one arrow."""
    for key, group in groupby(steps, key=_place):
        if key is None:
            for branch in group:
                if isinstance(branch, Branch):
                    yield from _branch(branch, actor)
            continue
        where, service = key
        texts = dict.fromkeys(step.text for step in group if isinstance(step, Effect))
        if where in _ACTORS:
            title = [f"{service}()"] if service else []
            yield f"{actor}->>{_ACTORS[where]}: " + "<br/>".join([*title, *map(_label, texts)])
        else:
            # An arrow from a line to itself would be drawn across its own text.
            yield from (f"Note over {actor}: {_label(text, _NOTE)}" for text in texts)


def _place(step: Step) -> tuple[str, str] | None:
    return (step.where, step.service) if isinstance(step, Effect) else None


def _branch(branch: Branch, actor: str) -> Iterator[str]:
    kind = "alt" if branch.otherwise else "break" if branch.ends else "opt"
    yield f"{kind} {_label(f'if {branch.condition}')}"
    yield from (f"    {line}" for line in _effects(branch.done, actor))
    if branch.otherwise:
        yield "else otherwise"
        yield from (f"    {line}" for line in _effects(branch.otherwise, actor))
    yield "end"


def _label(text: str, width: int = _LABEL) -> str:
    """A text in a chart: short lines, and nothing that Mermaid reads as its own."""
    lines = textwrap.wrap(text.replace(";", ",").replace("#", ""), width)
    return "<br/>".join(lines)


def _states(name: str, transitions: Sequence[Transition]) -> Iterator[str]:
    """Arrows between statuses, each proved by the source of its service."""
    status = find(name)
    arrows: dict[tuple[str, str], list[str]] = {}
    for step in transitions:
        before = "[*]" if step.before is None else find(f"{name}.{step.before}").value
        after = find(f"{name}.{step.after}")
        service = find(step.service)
        if after not in statuses_set(steps_of(service)):
            raise Outdated(
                f"{step.service} does not make it {after.value!r}: correct STATES in {_HERE}."
            )
        arrows.setdefault((before, after.value), []).append(service.__name__)
    forgotten = {member.value for member in status} - {after for _before, after in arrows}
    if forgotten:
        states = ", ".join(sorted(forgotten))
        raise Outdated(f"No arrow leads to {states} of {name}: complete STATES in {_HERE}.")
    yield "direction LR"
    for (before, after), services in arrows.items():
        yield f"{before} --> {after}: {', '.join(services)}"


def _mermaid(kind: str, lines: Sequence[str]) -> str:
    body = "\n".join(f"    {line}" for line in lines)
    return f"```mermaid\n{kind}\n{body}\n```\n"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _article(word: str) -> str:
    return f"{'an' if word[0] in 'AEIOU' else 'a'} {word}"
