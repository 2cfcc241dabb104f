"""Enqueueing: a row in the caller's transaction, sent when that commits, whatever fails then."""

import datetime as dt
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tasks import task
from django_tasks.base import TaskResultStatus
from django_tasks.exceptions import InvalidTaskError
from django_tasks.signals import task_enqueued
from hypothesis import example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from apps.tasks import backend, services, transports
from apps.tasks.errors import InvalidArguments, TransportError, UnknownTask
from apps.tasks.models import BackgroundTask
from apps.tasks.runner import run_task
from apps.tasks.services import enqueue_many, enqueue_once
from apps.tasks.sweeper import sweep_tasks
from apps.tasks.transports import ecs, zappa
from tests.builders import ApiClient, make_upload, send
from tests.concurrency import at_once
from tests.tasks import samples
from tests.tasks.conftest import Meeting, Outbox, Queues, pass_time, row_of
from tests.tasks.databases import in_thread, wait_for_waiting

# --- The row -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_row_says_all_that_a_worker_needs() -> None:
    before = timezone.now()
    result = samples.echo.using(priority=7).enqueue(1, "둘", three=[None, True, 4.5])
    row = row_of(result)
    assert row.status == result.status == TaskResultStatus.READY
    assert (row.state, row.attempt, row.worker_ids) == ("due", 0, [])
    assert (row.task_path, row.queue_name) == ("tests.tasks.samples.echo", "default")
    assert (row.priority, row.backend_name) == (7, "default")
    assert row.args_kwargs == {
        "args": [1, "둘"],
        "kwargs": {"three": [None, True, 4.5]},
        "request_id": "-",
    }
    assert before <= row.run_after <= timezone.now()
    assert (result.args, result.kwargs) == ([1, "둘"], {"three": [None, True, 4.5]})
    assert samples.echo.get_result(result.id).status == TaskResultStatus.READY


@pytest.mark.django_db
def test_ids_are_in_the_order_of_enqueueing() -> None:
    ids = [samples.echo.enqueue(number).id for number in range(20)]
    assert ids == sorted(ids)


@pytest.mark.django_db
def test_one_for_later_is_not_due_before() -> None:
    at = timezone.now() + dt.timedelta(minutes=1)
    result = samples.echo.using(run_after=at).enqueue()
    row = row_of(result)
    assert (row.run_after, row.state) == (at, "waiting")
    assert not BackgroundTask.objects.due().exists()
    assert run_task(result.id) is None


@pytest.mark.django_db
def test_django_tasks_signal_tells_of_it() -> None:
    told = []

    def listen(sender: Any, task_result: Any, **kwargs: Any) -> None:
        told.append((sender, task_result.id))

    task_enqueued.connect(listen)
    try:
        result = samples.echo.enqueue()
    finally:
        task_enqueued.disconnect(listen)
    assert told == [(backend.TaskBackend, result.id)]


@pytest.mark.usefixtures("committed")
def test_from_async_code() -> None:
    async def enqueue_and_look() -> tuple[str, str]:
        result = await samples.echo.aenqueue(1)
        return result.id, (await samples.echo.aget_result(result.id)).id

    task_id, found = async_to_sync(enqueue_and_look)()
    assert task_id == found == str(BackgroundTask.objects.get().pk)


def test_the_request_that_caused_it(
    alice: ApiClient, django_capture_on_commit_callbacks: Any
) -> None:
    upload = make_upload(alice.member, b"photo")
    send(upload, b"photo")
    answer = alice.post(f"/uploads/{upload.pk}/complete", headers={"X-Request-Id": "phone-42"})
    assert answer.status_code == 202, answer.content
    assert BackgroundTask.objects.get().request_id == "phone-42"


@pytest.mark.django_db
@examples(max_examples=50, deadline=None)
@given(
    arguments=st.recursive(
        st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
# Text about a NUL, and a NUL after a backslash.
@example(arguments="\\u0000")
@example(arguments="\\\\u0000")
@example(arguments={"\\u0000": "\\\\\\u0000"})
@example(arguments="\\\0")
@example(arguments={"\\\\\0": 1})
def test_any_arguments_arrive_as_they_are_or_are_refused(arguments: Any) -> None:
    with transaction.atomic():
        if "\0" in _texts(arguments):
            with pytest.raises(InvalidArguments, match="NUL"):
                samples.echo.enqueue(arguments)
            assert not BackgroundTask.objects.exists()
        else:
            result = samples.echo.enqueue(arguments, more=arguments)
            assert row_of(result).args_kwargs["args"] == [arguments]
            assert run_task(result.id) == "successful"
            assert samples.echo.get_result(result.id).return_value == {
                "args": [arguments],
                "kwargs": {"more": arguments},
            }
        transaction.set_rollback(True)


def _texts(value: Any) -> str:
    """All of its characters."""
    if isinstance(value, dict):
        return "".join(_texts(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return "".join(map(_texts, value))
    return value if isinstance(value, str) else ""


# --- The caller's transaction --------------------------------------------------------------------


class Undone(Exception):
    """Undoes a transaction."""


@contextmanager
def rolled_back() -> Iterator[None]:
    """A transaction that fails at its end."""
    with suppress(Undone), transaction.atomic():
        yield
        raise Undone


def one() -> list[str]:
    return [samples.echo.enqueue("one").id]


def once() -> list[str]:
    return [enqueue_once(samples.echo, "key", "once").id]


def many() -> list[str]:
    return enqueue_many(samples.echo, [["first"], ["second"]])


WAYS = pytest.mark.parametrize("way", [one, once, many], ids=lambda way: way.__name__)


@WAYS
@pytest.mark.usefixtures("committed")
def test_nothing_is_left_of_it_when_the_caller_is_rolled_back(
    way: Callable[[], list[str]], outbox: Outbox
) -> None:
    with rolled_back():
        way()
        assert BackgroundTask.objects.exists()
    assert not BackgroundTask.objects.exists()
    assert outbox.calls == 0


@WAYS
@pytest.mark.usefixtures("committed")
def test_nor_when_a_part_of_the_caller_is(way: Callable[[], list[str]], outbox: Outbox) -> None:
    with transaction.atomic():
        stays = samples.echo.enqueue("stays").id
        with rolled_back():
            way()
    assert [str(row.pk) for row in BackgroundTask.objects.all()] == outbox.ids == [stays]


@WAYS
@pytest.mark.usefixtures("committed")
def test_it_is_sent_when_others_can_see_it_and_not_before(
    way: Callable[[], list[str]], outbox: Outbox
) -> None:
    seen: list[int] = []

    def look() -> None:
        seen.append(BackgroundTask.objects.due().count())

    outbox.before = lambda: in_thread(look).join()
    with transaction.atomic():
        ids = way()
        assert not seen
        assert not outbox.sent
    assert seen == [len(ids)]
    assert outbox.ids == ids
    assert {delivery.attempt for delivery in outbox.sent} == {1}


@pytest.mark.usefixtures("committed")
def test_without_a_transaction_it_is_sent_at_once(outbox: Outbox) -> None:
    assert one() == outbox.ids


@pytest.mark.usefixtures("committed")
def test_each_queue_has_its_transport(
    queues: Queues, monkeypatch: pytest.MonkeyPatch, outbox: Outbox
) -> None:
    to_ecs = Outbox()
    monkeypatch.setattr(ecs, "send", to_ecs.send)
    queues("heavy", transport="ecs")
    with transaction.atomic():
        light, heavy = samples.echo.enqueue(), samples.heavy.enqueue()
    assert (outbox.ids, to_ecs.ids) == ([light.id], [heavy.id])


@pytest.mark.usefixtures("committed")
def test_a_worker_that_reads_the_table_is_sent_nothing(queues: Queues, outbox: Outbox) -> None:
    queues(transport="djangoq")
    one()
    many()
    assert outbox.calls == 0


@pytest.mark.usefixtures("committed")
def test_what_is_for_later_is_not_sent_yet(outbox: Outbox) -> None:
    """Nobody could run it. On ECS, a container would start in vain, and take the token with it
    that the attempt needs when it is due."""
    samples.echo.using(run_after=timezone.now() + dt.timedelta(hours=1)).enqueue()
    assert not outbox.sent


@pytest.mark.usefixtures("committed")
def test_what_is_for_a_time_that_has_come_is_sent_at_once(outbox: Outbox) -> None:
    result = samples.echo.using(run_after=timezone.now() - dt.timedelta(seconds=1)).enqueue()
    assert outbox.ids == [result.id]


@pytest.mark.usefixtures("committed")
def test_what_is_for_a_moment_later_is_sent_when_that_has_come(outbox: Outbox) -> None:
    at = timezone.now() + dt.timedelta(seconds=0.8)
    result = samples.echo.using(run_after=at).enqueue()
    assert not outbox.sent
    pass_time(1)
    sweep_tasks()
    assert outbox.ids == [result.id]


@WAYS
@pytest.mark.usefixtures("committed")
def test_what_is_for_later_is_left_to_the_sweeper_however_it_was_enqueued(
    way: Callable[[], list[str]], outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = samples.echo.using(run_after=timezone.now() + dt.timedelta(seconds=30))
    monkeypatch.setattr(samples, "echo", later)
    ids = way()
    sweep_tasks()
    assert not outbox.sent
    pass_time(31)
    assert sweep_tasks().sent == len(ids)
    assert sorted(outbox.ids) == sorted(ids)


@pytest.mark.parametrize("seconds", [-0.5, 0.5, -30, 30])
@WAYS
@pytest.mark.usefixtures("committed")
def test_a_clock_that_differs_from_the_databases_delays_nothing(
    way: Callable[[], list[str]], seconds: float, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + dt.timedelta(seconds=seconds))
    ids = way()
    assert outbox.ids == ids
    assert BackgroundTask.objects.due().count() == len(ids)


@pytest.mark.usefixtures("committed")
def test_inline_runs_it_when_the_caller_has_committed(queues: Queues) -> None:
    queues(transport="inline")
    with transaction.atomic():
        result = samples.echo.enqueue(1)
        assert row_of(result).status == TaskResultStatus.READY
    assert samples.echo.get_result(result.id).return_value == {"args": [1], "kwargs": {}}


# --- A transport that fails ----------------------------------------------------------------------


@pytest.mark.parametrize("in_transaction", [True, False])
@WAYS
@pytest.mark.usefixtures("committed")
def test_a_transport_that_raises_fails_nobody(
    way: Callable[[], list[str]],
    in_transaction: bool,
    outbox: Outbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    outbox.error = RuntimeError("no way out")
    if in_transaction:
        with transaction.atomic():
            ids = way()
    else:
        ids = way()
    assert {str(row.pk) for row in BackgroundTask.objects.due()} == set(ids)
    assert f"transport zappa did not take {len(ids)} tasks" in caplog.text
    assert "no way out" in caplog.text


@pytest.mark.usefixtures("committed")
def test_a_transport_that_is_not_there_fails_nobody(
    queues: Queues, caplog: pytest.LogCaptureFixture
) -> None:
    queues(transport="pigeon")
    one()
    assert BackgroundTask.objects.due().count() == 1
    assert "transport pigeon did not take" in caplog.text


@contextmanager
def server(behaviour: str) -> Iterator[tuple[str, list[int]]]:
    """A server that hangs or drops: its address, and a list that grows by each connection."""
    taken: list[int] = []
    kept: list[socket.socket] = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        host, port = listener.getsockname()
        listener.listen(0 if behaviour == "lets nobody in" else 50)
        if behaviour == "is gone":
            listener.close()
        if behaviour == "lets nobody in":
            for _ in range(4):  # until the kernel takes no more
                caller = socket.socket()
                caller.setblocking(False)
                caller.connect_ex((host, port))
                kept.append(caller)

        def serve() -> None:
            while True:
                try:
                    accepted, _ = listener.accept()
                except OSError:
                    return
                taken.append(1)
                if behaviour == "drops":
                    accepted.close()
                else:
                    kept.append(accepted)

        if behaviour in ("never answers", "drops"):
            threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"{host}:{port}", taken
        finally:
            if behaviour != "is gone":
                listener.shutdown(socket.SHUT_RDWR)
            for each in kept:
                each.close()


BEHAVIOURS = pytest.mark.parametrize(
    "behaviour", ["never answers", "lets nobody in", "drops", "is gone"]
)


@BEHAVIOURS
@pytest.mark.parametrize(("transport", "variable"), [(zappa, "LAMBDA"), (ecs, "ECS")])
@pytest.mark.usefixtures("committed", "credentials")
def test_an_aws_that_hangs_or_drops_is_given_up_soon(
    behaviour: str,
    transport: Any,
    variable: str,
    queues: Queues,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With botocore's own 60 s and its four more tries this would not end before the test does."""
    assert (transport._CONNECT_SECONDS, transport._READ_SECONDS) == (2, 5)
    monkeypatch.setattr(transport, "_CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(transport, "_READ_SECONDS", 0.2)
    queues(transport=transport.__name__.rpartition(".")[2])
    settings.TASK_LAMBDA_FUNCTION = "igloo"
    settings.ECS = settings.ECS | {"cluster": "igloo", "task_definition": "igloo"}
    with server(behaviour) as (address, taken):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{variable}", f"http://{address}")
        with transaction.atomic():
            result = samples.echo.enqueue()
        if behaviour in ("never answers", "drops"):
            assert len(taken) == 1
    assert row_of(result).state == "due"
    assert "did not take 1 tasks" in caplog.text


@pytest.mark.usefixtures("committed", "credentials")
def test_a_fan_out_to_an_aws_that_hangs_ends_with_the_first_calls(
    queues: Queues, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten at the same time, and not five hundred one after the other."""
    monkeypatch.setattr(zappa, "_READ_SECONDS", 0.2)
    queues(transport="zappa")
    settings.TASK_LAMBDA_FUNCTION = "igloo"
    with server("never answers") as (address, taken):
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", f"http://{address}")
        enqueue_many(samples.echo, ([number] for number in range(300)))
        assert len(taken) <= 40
    assert BackgroundTask.objects.due().count() == 300


@pytest.mark.usefixtures("committed")
def test_a_request_that_enqueues_several_waits_for_a_transport_that_hangs_once(
    outbox: Outbox,
) -> None:
    """A dozen times 7 s is longer than API Gateway waits for an answer."""
    outbox.error = TimeoutError("hung")
    with transaction.atomic():
        for _ in range(12):
            samples.echo.enqueue()
    assert BackgroundTask.objects.due().count() == 12
    assert outbox.calls == 1


@pytest.mark.parametrize("error", [TimeoutError("hung"), TransportError("refused")])
@pytest.mark.usefixtures("committed")
def test_a_transport_that_did_not_answer_is_left_in_peace_for_a_while(
    error: Exception, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that said no did answer. What was not sent is sent by the sweeper."""
    outbox.error = error
    first = samples.echo.enqueue().id
    outbox.error = None
    second = samples.echo.enqueue().id
    hung = isinstance(error, TimeoutError)
    assert outbox.ids == ([] if hung else [second])
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + 11)
    monkeypatch.setattr(transports, "time", clock)
    third = samples.echo.enqueue().id
    assert outbox.ids[-1] == third
    pass_time(61)
    sweep_tasks()
    assert set(outbox.ids) == {first, second, third}


# --- Once for a key ------------------------------------------------------------------------------


@pytest.mark.usefixtures("committed")
def test_once_for_its_key_however_often() -> None:
    first = enqueue_once(samples.echo, "6월", "first")
    second = enqueue_once(samples.echo, "6월", "second")
    assert (first.id, second.args) == (second.id, ["first"])
    assert BackgroundTask.objects.count() == 1


@pytest.mark.usefixtures("committed")
def test_it_is_sent_once(outbox: Outbox) -> None:
    ids = [enqueue_once(samples.echo, "key").id for _ in range(3)]
    with transaction.atomic():
        enqueue_once(samples.echo, "key")
    assert outbox.ids == ids[:1]


@pytest.mark.django_db
def test_another_key_or_another_task_is_another_row() -> None:
    ids = {
        enqueue_once(samples.echo, "key").id,
        enqueue_once(samples.echo, "another key").id,
        enqueue_once(samples.say, "key", "hello").id,
    }
    assert len(ids) == BackgroundTask.objects.count() == 3


@pytest.mark.parametrize("end", ["successful", "dead", "cancelled"])
@pytest.mark.django_db
def test_it_stays_once_when_it_is_over(end: str) -> None:
    definition = samples.fail_for_good if end == "dead" else samples.echo
    result = enqueue_once(definition, "key")
    if end == "cancelled":
        services.cancel_tasks(task_ids=[result.id], by="olga")
    else:
        assert run_task(result.id) == end
    again = enqueue_once(definition, "key")
    assert (again.id, again.is_finished) == (result.id, True)
    assert run_task(result.id) is None


@pytest.mark.usefixtures("committed")
def test_rivals_at_once(outbox: Outbox) -> None:
    def call() -> str:
        return str(enqueue_once(samples.echo, "key").id)

    ids = at_once(*[call] * 8)
    assert len(set(ids)) == 1
    assert [str(row.pk) for row in BackgroundTask.objects.all()] == ids[:1] == outbox.ids


@pytest.mark.parametrize("rival_commits", [True, False])
@pytest.mark.usefixtures("committed")
def test_a_rival_that_is_not_done_yet_is_waited_for(rival_commits: bool, outbox: Outbox) -> None:
    inserted, may_end = Meeting(), Meeting()

    def rival() -> None:
        with transaction.atomic():
            enqueue_once(samples.echo, "key", "rival")
            inserted.say()
            may_end.wait()
            transaction.set_rollback(not rival_commits)

    def second() -> None:
        results.append(enqueue_once(samples.echo, "key", "second"))

    results: list[Any] = []
    first = in_thread(rival)
    inserted.wait()
    other = in_thread(second)
    wait_for_waiting()
    assert not results
    may_end.say()
    first.join()
    other.join()
    [row] = BackgroundTask.objects.all()
    [result] = results
    assert row.args_kwargs["args"] == result.args == ["rival" if rival_commits else "second"]
    assert outbox.ids == [str(row.pk)]


@pytest.mark.usefixtures("committed")
def test_twice_in_a_transaction_that_is_rolled_back_and_tried_again(outbox: Outbox) -> None:
    with rolled_back():
        once()
        once()
    with transaction.atomic():
        ids = once() + once()
    assert outbox.ids == ids[:1]
    assert BackgroundTask.objects.count() == 1


@pytest.mark.django_db
def test_a_task_may_have_a_parameter_of_any_name() -> None:
    result = enqueue_once(samples.keyed, "slot", key="value")
    assert run_task(result.id) == "successful"
    assert samples.keyed.get_result(result.id).return_value == "value"


# --- Many ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("committed")
def test_ten_thousand_in_one_call(outbox: Outbox) -> None:
    with CaptureQueriesContext(connection) as queries:
        ids = enqueue_many(samples.echo, ([number, "가"] for number in range(10_000)))
    assert len(queries) <= 20
    assert len(set(ids)) == BackgroundTask.objects.due().count() == 10_000
    assert ids == outbox.ids
    assert outbox.calls == 1
    for number in (0, 999, 1000, 9_999):
        assert row_of(ids[number]).args_kwargs["args"] == [number, "가"]


@pytest.mark.parametrize("last", [[object()], ["\0"], ["x" * 256_001]], ids=["object", "NUL", "x"])
@pytest.mark.usefixtures("committed")
def test_all_of_them_or_none(last: list[Any], outbox: Outbox) -> None:
    with transaction.atomic():
        stays = samples.echo.enqueue("stays").id
        with pytest.raises(InvalidArguments):
            enqueue_many(samples.echo, [*[[number] for number in range(1500)], last])
    assert [str(row.pk) for row in BackgroundTask.objects.all()] == outbox.ids == [stays]


@pytest.mark.usefixtures("committed")
def test_all_of_them_or_none_when_the_database_stops_half_way(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second statement hits the id that the first one wrote."""
    ids = iter([*[uuid4() for _ in range(1000)], *[uuid4()] * 2])
    monkeypatch.setattr(backend, "uuid7", lambda: next(ids))
    with pytest.raises(Exception, match="duplicate key"):
        enqueue_many(samples.echo, ([number] for number in range(1002)))
    assert not BackgroundTask.objects.exists()
    assert outbox.calls == 0


@pytest.mark.usefixtures("committed")
def test_none_at_all(outbox: Outbox) -> None:
    assert enqueue_many(samples.echo, []) == []
    assert outbox.calls == 0


# --- What is refused -----------------------------------------------------------------------------


def circular() -> list[Any]:
    ring: list[Any] = []
    ring.append([ring])
    return ring


def deep() -> list[Any]:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    return nested


REFUSED: dict[str, tuple[Any, str]] = {
    "object": (object(), "Unsupported type"),
    "set": ({1, 2}, "Unsupported type"),
    "uuid": (uuid4(), "Unsupported type"),
    "time": (dt.datetime(2026, 11, 1, tzinfo=dt.UTC), "Unsupported type"),
    "bytes": (b"\xff", "Unsupported value"),
    "key of two": ({(1, 2): 3}, "unhashable"),
    "NaN": (float("nan"), "Out of range float"),
    "infinity": ([float("inf")], "Out of range float"),
    "long number": (10**5000, "digits"),
    "circular": (circular(), "recursion"),
    "deep": (deep(), "recursion"),
    "surrogate": ("\ud800", "surrogates not allowed"),
    "surrogate in a key": ({"\udfff": 1}, "surrogates not allowed"),
    "NUL": ("a\0b", "hold a NUL"),
    "NUL in a key": ({"\0": 1}, "hold a NUL"),
    "NUL after a backslash": ("\\\0", "hold a NUL"),
    "long": ("x" * 256_000, "take 256028 characters of JSON, and 256000 are the most"),
    "long in another script": ("가" * 256_000, "take 256028 characters"),
}


@pytest.mark.parametrize("by", ["args", "kwargs", "once", "many"])
@pytest.mark.parametrize(("value", "said"), REFUSED.values(), ids=REFUSED)
@pytest.mark.django_db
def test_what_can_not_be_kept_is_refused_and_nothing_is_written(
    value: Any, said: str, by: str
) -> None:
    calls: dict[str, Callable[[], Any]] = {
        "args": lambda: samples.echo.enqueue(value),
        "kwargs": lambda: samples.echo.enqueue(name=value),
        "once": lambda: enqueue_once(samples.echo, "key", value),
        "many": lambda: enqueue_many(samples.echo, [[1], [value]]),
    }
    if by == "kwargs":
        said = said.replace("256028", "256036")
    with transaction.atomic(), pytest.raises(InvalidArguments, match=said) as raised:
        calls[by]()
    assert "tests.tasks.samples.echo" in str(raised.value)
    assert len(str(raised.value)) < 500
    # The caller's transaction goes on.
    assert not BackgroundTask.objects.exists()
    samples.echo.enqueue("good")
    assert BackgroundTask.objects.count() == 1


@pytest.mark.parametrize("letter", ["x", "가", "😀"])
@pytest.mark.django_db
def test_exactly_as_much_as_is_allowed(letter: str) -> None:
    room = 256_000 - len(json.dumps({"args": [""], "kwargs": {}}))
    result = samples.echo.enqueue(letter * room)
    assert row_of(result).args_kwargs["args"] == [letter * room]
    with pytest.raises(InvalidArguments, match="take 256001 characters"):
        samples.echo.enqueue(letter * (room + 1))


@pytest.mark.parametrize(
    ("definition", "path"),
    [
        (samples.under_another_name, "tests.tasks.samples.plain"),
        (samples.of_a_lambda, "tests.tasks.samples.<lambda>"),
        (samples.of_a_class, "tests.tasks.samples.Holder.inner"),
        (samples.impostor, "tests.tasks.samples.echo"),
        (samples.stray, "tests.tasks.nowhere._stray"),
    ],
    ids=["renamed", "lambda", "in a class", "impostor", "in no module"],
)
@pytest.mark.django_db
def test_a_task_that_a_worker_would_not_find_is_refused(definition: Any, path: str) -> None:
    for call in (
        definition.enqueue,
        lambda: enqueue_once(definition, "key"),
        lambda: enqueue_many(definition, [[]]),
    ):
        with transaction.atomic(), pytest.raises(UnknownTask, match="could import") as raised:
            call()
        assert path in str(raised.value)
    assert not BackgroundTask.objects.exists()
    assert issubclass(UnknownTask, InvalidTaskError)
    assert issubclass(InvalidArguments, InvalidTaskError)


def test_a_nested_function_is_no_task() -> None:
    def nested() -> None:
        """Inside."""

    with pytest.raises(InvalidTaskError, match="module level"):
        task()(nested)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"queue_name": "nowhere"}, "Queue 'nowhere' is not valid"),
        ({"priority": 101}, "priority must be"),
        ({"run_after": dt.datetime(2026, 11, 1)}, "aware"),  # noqa: DTZ001
    ],
)
def test_a_bad_queue_priority_or_time_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidTaskError, match=said):
        samples.echo.using(**changes)


@pytest.mark.django_db
def test_enqueueing_costs_one_statement(django_assert_num_queries: Any) -> None:
    samples.echo.enqueue()
    with django_assert_num_queries(1):
        samples.echo.enqueue(1)
