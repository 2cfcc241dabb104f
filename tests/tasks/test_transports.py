"""What the transports send, to the real thing or its stand-in, and what comes of it there."""

import json
import os
import pydoc
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
import redis
from django.core.management import call_command
from django.db import connection, transaction
from django_q.conf import Conf
from django_q.signing import SignedPackage
from pytest_django import Settings

from apps.media.models import Upload
from apps.media.rendition_runs import start_run
from apps.tasks import services, transports
from apps.tasks.models import BackgroundTask
from apps.tasks.runner import run_task
from apps.tasks.services import enqueue_many
from apps.tasks.sweeper import sweep_tasks
from apps.tasks.transports import Delivery, ecs, zappa
from apps.tasks.worker.brokers import RedisBroker, SqsBroker
from tests.builders import make_member, processed_upload
from tests.contract.places import database_url
from tests.moto_server import MotoServer
from tests.processes import free_port
from tests.tasks import samples
from tests.tasks.conftest import Queues, pass_time, row_of
from tests.tasks.test_enqueue import server

SECRET = "a member's secret"


# --- Lambda --------------------------------------------------------------------------------------


class FakeLambda(ThreadingHTTPServer):
    """Lambda's Invoke API on loopback; runs nothing."""

    # A fan-out connects many times at once.
    request_queue_size = 128

    def __init__(self) -> None:
        self.invocations: list[dict[str, Any]] = []
        # The answers to come; then 202.
        self.answers: list[int] = []
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Invocation)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that drops its connections is none."""

    def take(self, invocation: dict[str, Any]) -> int:
        """Note an invocation; the status to answer with."""
        with self._lock:
            self.invocations.append(invocation)
            return self.answers.pop(0) if self.answers else 202


class _Invocation(BaseHTTPRequestHandler):
    server: FakeLambda
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer as Lambda does: nothing for an event that is taken, JSON for an error."""
        status = self.server.take(
            {
                "path": self.path,
                "type": self.headers["X-Amz-Invocation-Type"],
                "signed": self.headers["Authorization"],
                "payload": json.loads(self.rfile.read(int(self.headers["Content-Length"]))),
            }
        )
        body = b"" if status == 202 else b'{"Type": "Service", "message": "no"}'
        self.send_response(status)
        if status == 429:
            self.send_header("X-Amzn-Errortype", "TooManyRequestsException")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def aws_lambda(
    committed: None,
    credentials: None,
    queues: Queues,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[FakeLambda]:
    """All queues are on Lambda, in a function called igloo-production."""
    with FakeLambda() as fake:
        thread = threading.Thread(target=fake.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", fake.url)
        settings.TASK_LAMBDA_FUNCTION = "igloo-production"
        queues(transport="zappa")
        yield fake
        fake.shutdown()
        thread.join()


def handle(event: dict[str, Any]) -> Any:
    """What Zappa's handler does with an event that has a command."""
    from zappa.handler import LambdaHandler

    function = LambdaHandler.import_module_and_get_function(event["command"])
    return LambdaHandler.run_function(function, event, None)


def test_each_task_is_an_asynchronous_invocation_that_tells_its_id_alone(
    aws_lambda: FakeLambda,
) -> None:
    with transaction.atomic():
        result = samples.echo.enqueue(SECRET)
        assert not aws_lambda.invocations
    [invocation] = aws_lambda.invocations
    assert invocation["path"] == "/2015-03-31/functions/igloo-production/invocations"
    assert invocation["type"] == "Event"
    assert "Credential=igloo-tests/" in invocation["signed"]
    assert result.id in json.dumps(invocation["payload"])
    assert SECRET not in json.dumps(invocation["payload"])


@pytest.mark.parametrize(
    ("definition", "state"), [(samples.echo, "successful"), (samples.fail, "waiting")]
)
def test_zappas_handler_runs_what_was_sent(
    definition: Any, state: str, aws_lambda: FakeLambda
) -> None:
    result = definition.enqueue("x")
    [invocation] = aws_lambda.invocations
    handle(invocation["payload"])
    assert row_of(result).state == state
    # Lambda may bring an event twice.
    assert handle(invocation["payload"]) is None
    assert row_of(result).attempt == 1


def test_zappa_itself_would_send_the_same_event(aws_lambda: FakeLambda) -> None:
    from zappa.asynchronous import LambdaAsyncResponse

    client = boto3.client("lambda", endpoint_url=aws_lambda.url)
    session = type("Session", (), {"client": lambda self, name: client})()
    LambdaAsyncResponse(lambda_function_name="igloo-production", boto_session=session).send(
        "apps.tasks.runner.run_task", ["an-id"], {}
    )
    [theirs] = aws_lambda.invocations
    zappa.send([Delivery("an-id", 1)])
    assert aws_lambda.invocations[1]["payload"] == theirs["payload"] == zappa.event_of("an-id")


@pytest.mark.parametrize("status", [429, 500, 503, 403, 200])
def test_what_lambda_does_not_accept_is_sent_again_by_the_sweeper_and_by_nobody_else(
    status: int, aws_lambda: FakeLambda, caplog: pytest.LogCaptureFixture
) -> None:
    aws_lambda.answers = [status]
    result = samples.echo.enqueue()
    assert len(aws_lambda.invocations) == 1
    assert "transport zappa did not take 1 tasks" in caplog.text
    assert row_of(result).state == "due"
    pass_time(61)
    assert sweep_tasks().sent == 1
    first, second = (invocation["payload"] for invocation in aws_lambda.invocations)
    assert first == second


def test_a_fan_out_is_invoked_once_each(aws_lambda: FakeLambda) -> None:
    ids = enqueue_many(samples.echo, [[number] for number in range(60)])
    sent = [invocation["payload"]["args"] for invocation in aws_lambda.invocations]
    assert sorted(sent) == sorted([task_id] for task_id in ids)


def test_one_that_lambda_refuses_does_not_hold_back_the_others(aws_lambda: FakeLambda) -> None:
    """They would wait for a minute."""
    aws_lambda.answers = [429]
    enqueue_many(samples.echo, [[number] for number in range(100)])
    assert len(aws_lambda.invocations) == 100


def test_a_large_fan_out_is_begun_at_once_and_ended_by_the_sweeper(
    aws_lambda: FakeLambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert zappa._MOST == 500
    monkeypatch.setattr(zappa, "_MOST", 20)
    ids = enqueue_many(samples.echo, [[number] for number in range(50)])
    sent = {invocation["payload"]["args"][0] for invocation in aws_lambda.invocations}
    assert len(aws_lambda.invocations) == 20
    assert sent == set(ids[:20])
    for task_id in sent:
        run_task(task_id)
    monkeypatch.setattr(zappa, "_MOST", 500)
    pass_time(61)
    assert sweep_tasks().sent == 30
    sent = {invocation["payload"]["args"][0] for invocation in aws_lambda.invocations}
    assert sent == set(ids)


# --- ECS -----------------------------------------------------------------------------------------


@dataclass
class Cluster:
    """A cluster, and a client to look at it."""

    client: Any
    name: str

    def containers(self) -> list[dict[str, Any]]:
        """Those that ECS runs."""
        arns = self.client.list_tasks(cluster=self.name)["taskArns"]
        found: list[dict[str, Any]] = []
        if arns:
            found = self.client.describe_tasks(cluster=self.name, tasks=arns)["tasks"]
        return found


@pytest.fixture
def cluster(aws: MotoServer, settings: Settings, queues: Queues, committed: None) -> Cluster:
    """A cluster of its own, with a definition, and the queue `heavy` on it."""
    region = settings.AWS_REGION
    ec2 = boto3.client("ec2", region_name=region)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="igloo", Description="igloo", VpcId=vpc)["GroupId"]
    client = boto3.client("ecs", region_name=region)
    # moto keeps the containers of a cluster that was deleted.
    name = f"igloo-{uuid4()}"
    client.create_cluster(clusterName=name)
    client.register_task_definition(
        family="igloo-task",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "app", "image": "igloo", "cpu": 256, "memory": 512}],
    )
    settings.ECS = {
        "cluster": name,
        "task_definition": "igloo-task",
        "container": "app",
        "subnets": [subnet],
        "security_groups": [group],
        "public_ip": "DISABLED",
    }
    queues("heavy", transport="ecs", resend_after=600, max_attempts=3)
    return Cluster(client, name)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What run_task of ECS was called with; it is called none the less."""
    noted: list[dict[str, Any]] = []
    real = ecs._client

    def client() -> Any:
        made = real()
        made.meta.events.register(
            "provide-client-params.ecs.RunTask", lambda params, **kwargs: noted.append(params)
        )
        return made

    monkeypatch.setattr(ecs, "_client", client)
    return noted


def test_a_task_is_a_container_of_its_own(cluster: Cluster, calls: list[dict[str, Any]]) -> None:
    with transaction.atomic():
        result = samples.heavy.enqueue(SECRET)
        assert not calls
    [container] = cluster.containers()
    [override] = container["overrides"]["containerOverrides"]
    assert override == {"name": "app", "command": ["python", "manage.py", "run_task", result.id]}
    assert container["launchType"] == "FARGATE"
    assert "task-definition/igloo-task:" in container["taskDefinitionArn"]
    [call] = calls
    assert SECRET not in json.dumps(call)
    assert result.id in call["clientToken"]
    assert len(call["clientToken"]) <= 64
    network = call["networkConfiguration"]["awsvpcConfiguration"]
    assert network["assignPublicIp"] == "DISABLED"
    assert network["subnets"][0].startswith("subnet-")
    assert network["securityGroups"][0].startswith("sg-")


def test_the_command_in_the_container_runs_it(cluster: Cluster) -> None:
    result = samples.heavy.enqueue()
    [container] = cluster.containers()
    command = container["overrides"]["containerOverrides"][0]["command"]
    assert command[:2] == ["python", "manage.py"]
    call_command(*command[2:])
    assert row_of(result).state == "successful"


def test_a_container_makes_all_renditions_again(cluster: Cluster, settings: Settings) -> None:
    """The command that ECS was given, run for real: a process with a container's variables."""
    photo = processed_upload(make_member())
    Upload.objects.update(renditions=[], blurhash="")
    run = start_run()
    [container] = cluster.containers()
    _, *command = container["overrides"]["containerOverrides"][0]["command"]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=settings.BASE_DIR,
        env=os.environ
        | {
            "DATABASE_URL": database_url(connection.settings_dict["NAME"]),
            "LOCAL_STORAGE_DIR": str(settings.LOCAL_STORAGE_DIR),
            "ECS_CLUSTER": cluster.name,
            "ECS_SUBNETS": ",".join(settings.ECS["subnets"]),
            "ECS_TASK_DEFINITION": settings.ECS["task_definition"],
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    run.refresh_from_db()
    assert (run.done, run.failed) == (1, 0)
    assert run.finished_at is not None
    photo.refresh_from_db()
    assert [item["name"] for item in photo.renditions] == ["large", "medium", "small"]
    [row] = BackgroundTask.objects.filter(task_path="apps.media.tasks.recompute_renditions")
    assert row.state == "successful"


def test_a_token_is_the_same_for_an_attempt_and_another_for_the_next(
    cluster: Cluster, calls: list[dict[str, Any]]
) -> None:
    result = samples.heavy.enqueue()
    pass_time(601)
    assert sweep_tasks().sent == 1
    assert len({call["clientToken"] for call in calls}) == 1
    BackgroundTask.objects.update(task_path="tests.tasks.samples.fail")
    assert run_task(result.id) == "retried"
    pass_time(100)
    assert sweep_tasks().sent == 1
    assert len({call["clientToken"] for call in calls}) == 2


def test_a_task_that_is_run_again_has_tokens_of_its_own(
    cluster: Cluster, calls: list[dict[str, Any]], queues: Queues
) -> None:
    """ECS knows a token for a day, and starts nothing for one that it has seen."""
    queues(transport="ecs")
    result = samples.fail.enqueue()

    def live() -> None:
        """Until it is dead; each attempt runs in the container that was asked for last."""
        while run_task(result.id) == "retried":
            pass_time(1000)
            assert sweep_tasks().sent == 1

    live()
    tokens = [call["clientToken"] for call in calls]
    assert len(tokens) == len(set(tokens)) == 5
    calls.clear()
    services.rerun_tasks(task_ids=[result.id])
    live()
    again = {call["clientToken"] for call in calls}
    assert len(again) == 5
    assert not again & set(tokens)


def test_a_cluster_that_is_not_there_fails_nobody(
    cluster: Cluster, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ECS = settings.ECS | {"cluster": "another"}
    result = samples.heavy.enqueue()
    assert "transport ecs did not take 1 tasks" in caplog.text
    assert row_of(result).state == "due"
    assert not cluster.containers()


def test_a_region_without_room_is_an_error_of_the_transport(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    """moto always has room; ECS says so in an answer of 200."""

    class Full:
        def run_task(self, **kwargs: Any) -> dict[str, Any]:
            return {"tasks": [], "failures": [{"reason": "RESOURCE:MEMORY"}]}

    monkeypatch.setattr(ecs, "_client", Full)
    assert transports.send("ecs", [Delivery("an-id", 1)]) is False
    assert "ECS did not start task an-id: RESOURCE:MEMORY" in caplog.text


# --- Redis ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server on loopback."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    port = free_port()
    folder: Path = tmp_path_factory.mktemp("redis")
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 20
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    assert time.monotonic() < deadline, "Redis did not start"
                    time.sleep(0.05)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()


def use_broker(
    name: str, settings: Settings, queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What TASK_BROKER=… in the environment does."""
    settings.TASK_BROKER = name
    queues(transport="djangoq")
    path = f"apps.tasks.worker.brokers.{name.title()}Broker"
    monkeypatch.setattr(Conf, "BROKER_CLASS", path)


@pytest.fixture
def at_redis(
    committed: None,
    redis_url: str,
    settings: Settings,
    queues: Queues,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[redis.Redis]:
    """The cluster gets its work from an empty Redis: a client."""
    use_broker("redis", settings, queues, monkeypatch)
    monkeypatch.setattr(Conf, "REDIS", redis_url)
    with redis.from_url(redis_url) as client:
        client.flushall()
        yield client


def packages(messages: Any) -> list[dict[str, Any]]:
    """What a worker finds in messages, without the signs of life."""
    unpacked = [SignedPackage.loads(text) for _, text in messages or []]
    return [package for package in unpacked if package["func"].endswith(".run")]


def work_off(package: dict[str, Any]) -> None:
    """What a worker does with it."""
    function: Callable[..., None] = pydoc.locate(package["func"])  # type: ignore[assignment]
    function(*package["args"], **package["kwargs"])


def test_redis_is_told_the_id_alone_when_the_caller_commits(at_redis: redis.Redis) -> None:
    with transaction.atomic():
        result = samples.echo.enqueue(SECRET * 1000)
        assert at_redis.keys() == []
    [key] = at_redis.keys()
    [message] = at_redis.lrange(key, 0, -1)
    package = SignedPackage.loads(message)
    assert package["args"] == (result.id,)
    assert SECRET not in repr(package)
    assert len(message) < 1000


def test_a_worker_at_redis_gets_it_and_runs_it(at_redis: redis.Redis) -> None:
    first, second = samples.echo.enqueue(1), samples.echo.enqueue(2)
    broker = RedisBroker()
    for result in (first, second):
        [package] = packages(broker.dequeue())
        assert package["args"] == (result.id,)
        work_off(package)
        assert row_of(result).state == "successful"
    assert broker.queue_size() == 0
    broker.connection.close()


def test_a_message_that_redis_forgot_is_sent_again(at_redis: redis.Redis) -> None:
    result = samples.echo.enqueue()
    at_redis.flushall()
    pass_time(61)
    assert sweep_tasks().sent == 1
    broker = RedisBroker()
    [package] = packages(broker.dequeue())
    assert package["args"] == (result.id,)
    broker.connection.close()


@pytest.mark.parametrize("behaviour", ["never answers", "lets nobody in", "drops", "is gone"])
@pytest.mark.usefixtures("committed")
def test_a_redis_that_hangs_or_drops_is_given_up_soon(
    behaviour: str,
    settings: Settings,
    queues: Queues,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    use_broker("redis", settings, queues, monkeypatch)
    limits = {}
    real = redis.from_url

    def hurried(url: str, **options: Any) -> Any:
        limits.update(options)
        return real(url, **options | {"socket_connect_timeout": 0.2, "socket_timeout": 0.2})

    monkeypatch.setattr(redis, "from_url", hurried)
    with server(behaviour) as (address, taken):
        monkeypatch.setattr(Conf, "REDIS", f"redis://{address}/0")
        with transaction.atomic():
            result = samples.echo.enqueue()
        if behaviour == "never answers":
            assert len(taken) == 1
    assert (limits["socket_connect_timeout"], limits["socket_timeout"]) == (2, 5)
    assert row_of(result).state == "due"
    assert "transport djangoq did not take 1 tasks" in caplog.text


@pytest.mark.usefixtures("committed")
def test_a_worker_waits_for_a_redis_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """And shows that it lives, which is another question."""
    with server("is gone") as (address, _):
        monkeypatch.setattr(Conf, "REDIS", f"redis://{address}/0")
        messages = RedisBroker().dequeue()
    assert not packages(messages)
    assert [SignedPackage.loads(text)["func"].rpartition(".")[2] for _, text in messages] == [
        "beat"
    ]


# --- SQS -----------------------------------------------------------------------------------------


@pytest.fixture
def at_sqs(
    committed: None,
    aws: MotoServer,
    settings: Settings,
    queues: Queues,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Any]:
    """The cluster gets its work from SQS: a client."""
    use_broker("sqs", settings, queues, monkeypatch)
    monkeypatch.setattr(Conf, "BULK", Conf.BULK)  # Django-Q lowers it to what SQS allows
    client = boto3.client("sqs", region_name=settings.AWS_REGION)

    def delete_queues() -> None:
        for url in client.list_queues().get("QueueUrls", []):
            client.delete_queue(QueueUrl=url)

    # The stand-ins of one process share them: a stack of another test may have left its own.
    delete_queues()
    yield client
    delete_queues()


def test_sqs_is_told_the_id_alone_when_the_caller_commits(at_sqs: Any) -> None:
    with transaction.atomic():
        result = samples.echo.enqueue(SECRET * 1000)
        assert "QueueUrls" not in at_sqs.list_queues()
    [url] = at_sqs.list_queues()["QueueUrls"]
    assert url.endswith("/igloo")
    [message] = at_sqs.receive_message(QueueUrl=url)["Messages"]
    package = SignedPackage.loads(message["Body"])
    assert package["args"] == (result.id,)
    assert SECRET not in repr(package)


def test_a_worker_at_sqs_gets_it_runs_it_and_acknowledges_it(at_sqs: Any) -> None:
    result = samples.echo.enqueue()
    broker = SqsBroker()
    messages = broker.dequeue()
    [package] = packages(messages)
    assert package["args"] == (result.id,)
    work_off(package)
    assert row_of(result).state == "successful"
    for receipt, _ in messages or []:
        if receipt:
            broker.acknowledge(receipt)
    [url] = at_sqs.list_queues()["QueueUrls"]
    left = at_sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert left["ApproximateNumberOfMessages"] == "0"
    assert left["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_an_empty_sqs_is_not_asked_again_and_again(at_sqs: Any, settings: Settings) -> None:
    """Each request is paid for: without a wait, a worker that has nothing to do makes hundreds a
    second. Longer than the sign of life is awaited would look like a frozen worker."""
    samples.echo.enqueue()
    broker = SqsBroker()
    asked: list[dict[str, Any]] = []
    broker.sqs.meta.client.meta.events.register(
        "provide-client-params.sqs.ReceiveMessage", lambda params, **kwargs: asked.append(params)
    )
    broker.dequeue()
    [question] = asked
    assert 1 <= question.get("WaitTimeSeconds", 0) < settings.TASK_FROZEN_SECONDS


def test_an_sqs_that_hangs_is_given_up_soon(at_sqs: Any) -> None:
    """With botocore's own limits, 60 s and four more tries, a request would hang with it."""
    config = SqsBroker().sqs.meta.client.meta.config
    assert config.connect_timeout <= 2
    assert config.read_timeout <= 10
    retries = config.retries or {}
    tries = retries.get("total_max_attempts") or retries.get("max_attempts", 4) + 1
    assert tries <= 2
