"""The Lambda on a laptop: a small package runs in it as AWS would run it."""

import base64
import http.client
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import urllib.parse
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

# Its wheels are for Linux.
pytest.importorskip("awslambdaric")

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from apps.tasks.transports import Delivery, zappa
from igloo.config import BASE_DIR
from igloo.lambda_http import read_request
from igloo.laptop.aws_lambda import package as packages
from igloo.laptop.aws_lambda import runtime as runtimes
from igloo.laptop.aws_lambda.bootstrap import landlock_version
from igloo.laptop.aws_lambda.front import EVENT_BYTES, Front
from igloo.laptop.aws_lambda.gateway import GATEWAYS, Request
from igloo.laptop.aws_lambda.instance import PAYLOAD_BYTES, Result
from igloo.laptop.aws_lambda.local import ENVIRONMENT_BYTES, running
from igloo.laptop.places import LaptopError
from tests.laptop.conftest import wait_until

# What it does is the last part of the path, or `do` of another event.
HANDLER = """
    import base64, json, os, sys, time
    number = 0
    def answer(body, **more):
        return {"statusCode": 200, "body": json.dumps(body), **more}
    def handler(event, context):
        global number
        number += 1
        path = event.get("rawPath") or event.get("path") or "/" + event.get("do", "")
        do = path.rpartition("/")[2]
        said = event.get("queryStringParameters") or {}
        if do == "tell":
            return answer(event)
        if do == "who":
            return answer([os.getpid(), number])
        if do == "sleep":
            time.sleep(float(said.get("seconds", 60)))
            return answer([os.getpid(), number])
        if do == "exit":
            os._exit(3)
        if do == "raise":
            raise ValueError("hunter2")
        if do == "grow":
            kept = bytearray(400_000_000)
            time.sleep(20)
        if do == "large":
            return answer("x" * int(said["bytes"]))
        if do == "write":
            try:
                open(said["to"], "w").close()
            except OSError as error:
                return answer(error.strerror)
            return answer("written")
        if do == "note":
            with open(event["to"], "a") as file:
                file.write(event["text"] + chr(10))
            return event["text"]
        if do == "import":
            found = {}
            for name in said["names"].split(","):
                try:
                    found[name] = __import__(name).__file__
                except ImportError:
                    found[name] = None
            return answer(found)
        if do == "interpreter":
            return answer({
                "path": sys.path, "folder": os.getcwd(), "environment": dict(os.environ),
                "isolated": sys.flags.isolated, "left": context.get_remaining_time_in_millis(),
                "arn": context.invoked_function_arn, "id": context.aws_request_id,
                "memory": context.memory_limit_in_mb, "name": context.function_name,
            })
        if do == "return":
            return json.loads(base64.b64decode(event["body"]))
        return "nothing to do"
"""
Start = Callable[..., Front]


class Answer:
    """An HTTP answer, read to its end."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(front: Front, path: str, method: str = "GET", body: Any = None, **headers: str) -> Answer:
    address = urllib.parse.urlsplit(front.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    try:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, names)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def returning(front: Front, result: Any) -> Answer:
    """The answer where this is what the handler returns."""
    # A type that both kinds hand on in Base64.
    return call(front, "/return", "POST", json.dumps(result), content_type="application/x-result")


def lambda_client(front: Front) -> Any:
    return boto3.client(
        "lambda",
        region_name="ap-northeast-2",
        endpoint_url=front.url,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is a package."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "entry.py").write_text(textwrap.dedent(HANDLER), encoding="utf-8")
    (folder / "broken.py").write_text("import no_such_module\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def start(tiny: Path) -> Iterator[Start]:
    """Starts the package; what was started with the same options is used again."""
    with ExitStack() as stack:
        known: dict[str, Front] = {}

        def start(**options: Any) -> Front:
            key = repr(sorted(options.items()))
            if key not in known:
                options = {"handler": "entry.handler", "name": "tiny", **options}
                known[key] = stack.enter_context(running(tiny, **options))
            return known[key]

        yield start


@pytest.fixture
def front(start: Start) -> Front:
    return start()


BOTH = pytest.mark.parametrize("api", ["v1", "v2"])


# --- Events -------------------------------------------------------------------------------------
def test_an_event_of_an_http_api(front: Front) -> None:
    answer = call(
        front,
        "/%EC%A7%91/tell?q=%ED%95%9C+x&q=2&empty=",
        "POST",
        '{"title": "볕"}'.encode(),
        Cookie="a=1; b=2",
        Content_Type="application/json",
        X_Forwarded_For="198.51.100.1",
        X_Forwarded_Proto="gopher",
    )
    event = answer.json
    assert (event["version"], event["rawPath"]) == ("2.0", "/집/tell")
    assert event["rawQueryString"] == "q=%ED%95%9C+x&q=2&empty="
    assert event["queryStringParameters"] == {"q": "한 x,2", "empty": ""}
    assert (event["body"], event["isBase64Encoded"]) == ('{"title": "볕"}', False)
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]
    # As the gateway does, which adds to the one and replaces the other.
    assert event["headers"]["x-forwarded-for"] == "198.51.100.1, 127.0.0.1"
    assert event["headers"]["x-forwarded-proto"] == "http"
    http_part = event["requestContext"]["http"]
    assert http_part["method"] == "POST"
    assert http_part["sourceIp"] == "127.0.0.1"
    assert event["requestContext"]["domainName"] == "127.0.0.1"


def test_an_event_of_a_rest_api(start: Start) -> None:
    front = start(api="v1")
    answer = call(front, "/%EC%A7%91/tell?q=%ED%95%9C+x&q=2", "POST", "볕".encode(), Cookie="a=1")
    event = answer.json
    assert (event["httpMethod"], event["path"]) == ("POST", "/%EC%A7%91/tell")
    assert event["multiValueQueryStringParameters"] == {"q": ["한 x", "2"]}
    assert base64.b64decode(event["body"]).decode() == "볕"
    assert event["isBase64Encoded"] is True
    assert event["multiValueHeaders"]["Cookie"] == ["a=1"]
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("path", "query", "headers", "body"),
    [
        ("/", "", [], b""),
        ("/%EC%A7%91/a%25b%2Fc", "q=%ED%95%9C%26+x&q=2", [("Host", "localhost:8001")], b""),
        ("/x", "", [("Cookie", "a=1; b=2"), ("Cookie", "c=3")], b""),
        ("/x", "", [("Content-Type", "application/json")], '{"제목": 1}'.encode()),
        ("/x", "", [("Content-Type", "application/json")], b"\xff\x00"),
        ("/x", "", [("Content-Type", "image/jpeg")], bytes(range(256))),
        ("/x", "", [("X-Forwarded-For", "198.51.100.1"), ("X-Name", "한글")], b""),
    ],
)
def test_the_handler_reads_both_kinds_as_the_same_request(
    path: str, query: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    request = Request("POST", path, query, headers, body, "203.0.113.7", 8001)
    read = [read_request(GATEWAYS[api].event(request)) for api in ("v1", "v2")]
    for one in read:
        data = one.pop("body")
        assert (base64.b64decode(data) if one.pop("isBase64Encoded") else data.encode()) == body
        one["headers"].pop("x-amzn-trace-id")
        one["rawPath"] = urllib.parse.unquote_to_bytes(one["rawPath"])
        one["rawQueryString"] = urllib.parse.parse_qsl(one["rawQueryString"])
    assert read[0] == read[1]
    assert read[0]["headers"]["x-forwarded-for"] == "203.0.113.7"


def test_a_body_in_chunks_comes_whole(front: Front) -> None:
    event = call(front, "/tell", "POST", iter([b"ab", b"c" * 70_000]), Content_Type="text/x").json
    assert event["body"] == "ab" + "c" * 70_000
    assert "transfer-encoding" not in event["headers"]
    assert event["headers"]["content-length"] == "70002"


# --- Answers ------------------------------------------------------------------------------------
@BOTH
def test_an_answer_with_cookies(start: Start, api: str) -> None:
    cookies = ["a=1; Path=/", "b=2; Path=/"]
    result: dict[str, Any] = {"statusCode": 201, "body": "볕"}
    if api == "v2":
        result |= {"cookies": cookies, "headers": {"x-number": 7}}
    else:
        lists = {"set-cookie": cookies, "x-number": [7]}
        result |= {"multiValueHeaders": lists, "headers": {"x-number": "8", "x-flag": True}}
    answer = returning(start(api=api), result)
    assert (answer.status, answer.body.decode()) == (201, "볕")
    assert answer.headers.get_all("set-cookie") == cookies
    assert answer.headers.get_all("x-number") == ["7"]
    assert answer.headers.get("x-flag") == ("true" if api == "v1" else None)


@BOTH
def test_a_binary_answer(start: Start, api: str) -> None:
    data = bytes(range(256))
    result = {"statusCode": 200, "body": base64.b64encode(data).decode(), "isBase64Encoded": True}
    assert returning(start(api=api), result).body == data


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body(front: Front, status: int) -> None:
    answer = returning(front, {"statusCode": status, "headers": {"etag": '"x"'}})
    assert (answer.status, answer.body) == (status, b"")
    assert answer.headers["etag"] == '"x"'


def test_head_gets_the_head_alone(front: Front) -> None:
    answer = call(front, "/tell", "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 100


BAD = [
    {"statusCode": "x"},
    {"statusCode": 42},
    {"statusCode": 200, "headers": ["a"]},
    {"statusCode": 200, "headers": {"a": None}},
    {"statusCode": 200, "headers": {"a": "b\r\nset-cookie: c=1"}},
    {"statusCode": 200, "headers": {"a b": "c"}},
    {"statusCode": 200, "body": {"a": 1}},
    {"statusCode": 200, "body": "a", "isBase64Encoded": True},
]


@BOTH
@pytest.mark.parametrize("result", BAD)
def test_an_answer_that_is_none(start: Start, api: str, result: Any) -> None:
    answer = returning(start(api=api), result)
    assert answer.status == (500 if api == "v2" else 502)
    assert answer.json["message"].lower() == "internal server error"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("result", [None, [1], {"message": "x"}, 7])
def test_version_2_makes_an_answer_of_anything_and_version_1_does_not(
    start: Start, result: Any
) -> None:
    answer = returning(start(), result)
    assert (answer.status, answer.json) == (200, result)
    assert returning(start(api="v1"), result).status == 502


# --- The interpreter ----------------------------------------------------------------------------
def test_a_clean_interpreter_with_the_environment_of_lambda(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED", "hunter2")
    monkeypatch.setenv("PYTHONPATH", "/planted")
    front = start(environment={"LOG_LEVEL": "INFO"}, memory_mb=300, http_seconds=20)
    told = call(front, "/interpreter").json
    environment = told["environment"]
    task_root = environment["LAMBDA_TASK_ROOT"]
    assert told["isolated"] == 1
    assert told["folder"] == told["path"][0] == task_root
    assert told["path"][-1] == environment["LAMBDA_RUNTIME_DIR"]
    assert not [path for path in told["path"] if "site-packages" in path or "/planted" in path]
    assert "PLANTED" not in environment
    assert "PYTHONPATH" not in environment
    assert environment["LOG_LEVEL"] == "INFO"
    assert environment["STAGE"] == "local"
    assert environment["_HANDLER"] == "entry.handler"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == told["name"] == "tiny"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == told["memory"] == "300"
    assert environment["AWS_REGION"] == "ap-northeast-2"
    assert environment["AWS_ENDPOINT_URL_LAMBDA"] == front.url
    assert told["arn"].endswith(":function:tiny")
    assert 10_000 < told["left"] <= 20_000
    assert len(told["id"]) == 36


def test_of_this_environment_it_has_what_lambda_has(front: Front) -> None:
    found = call(front, "/import?names=boto3,botocore,django,rest_framework,psutil,igloo").json
    assert found["boto3"]
    assert found["botocore"]
    assert [found[name] for name in ("django", "rest_framework", "psutil", "igloo")] == [None] * 4


@pytest.mark.skipif(not landlock_version(), reason="this kernel has no Landlock")
def test_nothing_but_tmp_can_be_written(front: Front) -> None:
    task_root = Path(call(front, "/interpreter").json["environment"]["LAMBDA_TASK_ROOT"])
    # The last is a folder of ours, like any that a program might find.
    for place in (task_root / "x", task_root / "entry.py", task_root.parent / "x"):
        assert call(front, f"/write?to={place}").json == "Permission denied"
        assert place.name == "entry.py" or not place.exists()
    for name in ("/tmp/igloo-test-of-write", "/dev/null"):  # noqa: S108
        assert call(front, f"/write?to={name}").json == "written"
    Path("/tmp/igloo-test-of-write").unlink()  # noqa: S108


# --- Instances ----------------------------------------------------------------------------------
def test_an_idle_instance_is_used_again(front: Front) -> None:
    (pid, number), (again, next_number) = (call(front, "/who").json for _ in range(2))
    assert (again, next_number) == (pid, number + 1)


def at_once(front: Front, paths: list[str]) -> list[Answer]:
    answers: dict[int, Answer] = {}

    def ask(place: int, path: str) -> None:
        answers[place] = call(front, path)

    threads = [threading.Thread(target=ask, args=pair) for pair in enumerate(paths)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [answers[place] for place in range(len(paths))]


def test_busy_instances_are_joined_by_others_up_to_the_most(start: Start) -> None:
    answers = at_once(start(instances=2), ["/sleep?seconds=0.5"] * 5)
    assert [answer.status for answer in answers] == [200] * 5
    pids = [answer.json[0] for answer in answers]
    # Each handled one at a time, and the fifth waited.
    assert len(set(pids)) == 2
    assert max(answer.json[1] for answer in answers) >= 3


@BOTH
def test_a_handler_that_raises_is_an_error_of_the_gateway(
    start: Start, api: str, capfd: pytest.CaptureFixture[str]
) -> None:
    front = start(api=api)
    pid = call(front, "/who").json[0]
    answer = call(front, "/raise")
    assert answer.status == (500 if api == "v2" else 502)
    assert b"hunter2" not in answer.body
    assert call(front, "/who").json[0] == pid
    wait_until(lambda: "ValueError: hunter2" in capfd.readouterr().out, 10)


@BOTH
def test_an_instance_that_takes_too_long_is_killed(start: Start, api: str) -> None:
    front = start(api=api, instances=1, http_seconds=1.5)
    pid = call(front, "/who").json[0]
    answer = call(front, "/sleep")
    # The HTTP API's words, the REST API's.
    texts = {"v2": (503, "Service Unavailable"), "v1": (504, "Endpoint request timed out")}
    assert (answer.status, answer.json["message"]) == texts[api]
    assert not psutil.pid_exists(pid)
    assert call(front, "/who").json[1] == 1


def test_an_instance_with_too_much_memory_is_killed(
    start: Start, capfd: pytest.CaptureFixture[str]
) -> None:
    front = start(memory_mb=200)
    pid = call(front, "/who").json[0]
    assert call(front, "/grow").status == 500
    assert not psutil.pid_exists(pid)
    output = capfd.readouterr().out
    assert "MB of memory, and has 200" in output
    assert "Max Memory Used" in output
    assert call(front, "/who").status == 200


def test_an_instance_that_ends_is_replaced(start: Start) -> None:
    front = start(instances=1)
    assert call(front, "/exit").status == 500
    # It may also end between two events.
    os.kill(call(front, "/who").json[0], signal.SIGKILL)
    time.sleep(0.2)
    assert call(front, "/who").json[1] == 1


def test_a_package_that_does_not_start(start: Start, capfd: pytest.CaptureFixture[str]) -> None:
    front = start(handler="broken.handler")
    for _ in range(2):
        assert call(front, "/who").status == 500
    assert "No module named 'no_such_module'" in capfd.readouterr().out
    result = lambda_client(front).invoke(FunctionName="tiny")
    assert result["FunctionError"] == "Unhandled"
    assert json.load(result["Payload"])["errorType"] == "Runtime.ImportModuleError"


# --- Limits -------------------------------------------------------------------------------------
@BOTH
def test_requests_over_6_mb_are_refused(start: Start, api: str) -> None:
    front = start(api=api)
    assert call(front, "/who", "POST", b"x" * 4_000_000, Content_Type="text/plain").status == 200
    for size in (PAYLOAD_BYTES + 1, 11 * 1024 * 1024):
        answer = call(front, "/who", "POST", b"x" * size, Content_Type="text/plain")
        assert answer.status == 413
        assert answer.json == {"message": "Request Entity Too Large"}
    # In Base64 it is a third more.
    answer = call(front, "/who", "POST", b"x" * 5_000_000, Content_Type="image/jpeg")
    assert answer.status == 413


def test_a_result_over_6_mb_is_an_error(start: Start) -> None:
    front = start(instances=1)
    assert len(call(front, f"/large?bytes={PAYLOAD_BYTES - 1000}").body) == PAYLOAD_BYTES - 998
    assert call(front, f"/large?bytes={PAYLOAD_BYTES + 1}").status == 500
    assert call(front, "/who").status == 200


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"A": "x" * ENVIRONMENT_BYTES}, f"{ENVIRONMENT_BYTES + 1} bytes"),
        ({"AWS_LAMBDA_FUNCTION_NAME": "x"}, "AWS_LAMBDA_FUNCTION_NAME"),
        ({"_HANDLER": "x"}, "_HANDLER"),
        ({"A B": "x"}, "A B"),
    ],
)
def test_variables_that_lambda_refuses(tiny: Path, variables: dict[str, str], words: str) -> None:
    with pytest.raises(LaptopError, match=words), running(tiny, environment=variables):
        pass


# --- Invocations --------------------------------------------------------------------------------
def test_invocations_by_boto3(front: Front) -> None:
    client = lambda_client(front)
    for name in (
        "tiny",
        "tiny:$LATEST",
        "arn:aws:lambda:ap-northeast-2:123456789012:function:tiny",
    ):
        result = client.invoke(FunctionName=name, Payload=b'{"do": "x"}')
        assert (result["StatusCode"], json.load(result["Payload"])) == (200, "nothing to do")
        assert "FunctionError" not in result
    result = client.invoke(FunctionName="tiny", Payload=b'{"do": "raise"}')
    assert result["FunctionError"] == "Unhandled"
    error = json.load(result["Payload"])
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "hunter2")
    assert client.invoke(FunctionName="tiny", InvocationType="DryRun")["StatusCode"] == 204


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"FunctionName": "tin"}, "ResourceNotFoundException"),
        ({"FunctionName": "tiny", "Payload": b"{"}, "InvalidRequestContentException"),
        (
            {
                "FunctionName": "tiny",
                "Payload": b"x" * EVENT_BYTES + b"x",
                "InvocationType": "Event",
            },
            "RequestTooLargeException",
        ),
        (
            {"FunctionName": "tiny", "Payload": b"x" * PAYLOAD_BYTES + b"x"},
            "RequestTooLargeException",
        ),
        ({"FunctionName": "tiny", "InvocationType": "Later"}, "InvalidParameterValueException"),
    ],
)
def test_refused_invocations(front: Front, options: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as raised:
        lambda_client(front).invoke(**options)
    assert raised.value.response["Error"]["Code"] == code


def test_asynchronous_events_are_handled_later(
    start: Start, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    front = start(instances=1)
    notes = tmp_path / "notes"
    client = lambda_client(front)

    def later(**event: Any) -> None:
        data = json.dumps(event).encode()
        result = client.invoke(FunctionName="tiny", InvocationType="Event", Payload=data)
        assert (result["StatusCode"], result["Payload"].read()) == (202, b"")

    later(do="raise")
    for number in range(5):
        later(do="note", to=str(notes), text=f"event {number}")
    wait_until(lambda: notes.exists() and len(notes.read_text().splitlines()) == 5, 20)
    assert notes.read_text().splitlines() == [f"event {number}" for number in range(5)]
    assert "an asynchronous event failed" in capfd.readouterr().out


def test_igloo_s_transport_reaches_it(
    tiny: Path, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes"
    text = f"""
        import json
        def handler(event, context):
            with open({str(notes)!r}, "a") as file:
                file.write(json.dumps(event) + chr(10))
    """
    package = tmp_path / "package"
    package.mkdir()
    (package / "entry.py").write_text(textwrap.dedent(text), encoding="utf-8")
    with running(package, handler="entry.handler", name="igloo-production") as front:
        settings.TASK_LAMBDA_FUNCTION = "igloo-production"
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", front.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
        zappa.send([Delivery("01939f7e-0000-7000-8000-000000000001", 1)])
        wait_until(notes.exists, 20)
        wait_until(lambda: notes.read_text().endswith("\n"), 20)
    event = zappa.event_of("01939f7e-0000-7000-8000-000000000001")
    assert json.loads(notes.read_text()) == event


# --- Packages -----------------------------------------------------------------------------------
def make_zip(path: Path, files: dict[str, tuple[bytes, int]]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, (data, mode) in files.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system = 3 if mode else 0
            info.external_attr = mode << 16 or 0x20
            file.writestr(info, data)
    return path


def test_a_zip_is_unpacked_as_lambda_does_it(tmp_path: Path) -> None:
    files = {
        "a/b.py": (b"1", 0o644),
        "bin/run": (b"2", 0o755),
        "../../out.py": (b"3", 0o644),
        "/absolute.py": (b"4", 0o644),
        "from_windows.py": (b"5", 0),
    }
    folder = tmp_path / "task"
    packages.unpack(make_zip(tmp_path / "p.zip", files), folder)
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == {"a/b.py", "bin/run", "out.py", "absolute.py", "from_windows.py"}
    assert not (tmp_path.parent / "out.py").exists()
    # A .pyc would know the time, and be stale or not as on Lambda.
    assert (folder / "a/b.py").stat().st_mtime == 315532800
    assert not [path for path in [folder, *folder.rglob("*")] if path.stat().st_mode & 0o222]
    assert (folder / "bin/run").stat().st_mode & 0o111
    packages.remove(folder)
    assert not folder.exists()


def test_packages_that_lambda_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = make_zip(tmp_path / "closed.zip", {"secret.py": (b"", 0o600)})
    with pytest.raises(LaptopError, match=r"secret\.py of the package is closed to others"):
        packages.unpack(closed, tmp_path / "a")
    (tmp_path / "text.zip").write_text("no zip")
    for name in ("text.zip", "missing.zip"):
        with pytest.raises(LaptopError, match="neither a zip nor a folder"):
            packages.unpack(tmp_path / name, tmp_path / "b")
    monkeypatch.setattr(packages, "UNPACKED_BYTES", 99)
    large = make_zip(tmp_path / "large.zip", {"x": (b"x" * 100, 0o644)})
    with pytest.raises(LaptopError, match="unpacks to 100 bytes"):
        packages.unpack(large, tmp_path / "c")


def test_a_zip_runs(tiny: Path, tmp_path: Path) -> None:
    path = make_zip(tmp_path / "p.zip", {"entry.py": ((tiny / "entry.py").read_bytes(), 0o644)})
    with running(path, handler="entry.handler") as front:
        pid, number = call(front, "/who").json
        assert number == 1
    # And nothing of it is left.
    assert not psutil.pid_exists(pid)
    with pytest.raises(ConnectionRefusedError):
        call(front, "/who")


# --- The runtime --------------------------------------------------------------------------------
def test_a_package_that_names_no_runtime_has_this_interpreter(tmp_path: Path) -> None:
    found = runtimes.of_package(tmp_path, tmp_path / "runtime")
    assert found.python == sys.executable
    assert (found.modules / "boto3").is_symlink()


@pytest.mark.parametrize(
    ("info", "words"),
    [
        ('{"runtime": "python2.7"}', r"'python2\.7'; known are python3\.12"),
        ("[]", "does not say the runtime"),
        ("{", "does not say the runtime"),
    ],
)
def test_a_runtime_that_can_not_be_had(tmp_path: Path, info: str, words: str) -> None:
    (tmp_path / "package_info.json").write_text(info)
    with pytest.raises(LaptopError, match=words):
        runtimes.of_package(tmp_path, tmp_path / "runtime")


def test_the_runtime_is_installed_as_it_is_pinned() -> None:
    pins = runtimes._pins((BASE_DIR / "requirements-dev.txt").read_text(encoding="utf-8"))
    lines = pins.splitlines()
    names = {line.partition("==")[0] for line in lines if not line.startswith(" ")}
    assert names == runtimes.DISTRIBUTIONS
    assert all("--hash=sha256:" in line for line in lines if line.startswith(" "))
    with pytest.raises(LaptopError, match="does not pin boto3, jmespath"):
        runtimes._pins(pins.replace("boto3==", "boto4==").replace("jmespath==", "jsonpath=="))


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "No database is up for this checkout: start `make run`"),
        ({"DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}, "The PostgreSQL of DATABASE_URL"),
        ({"PORT": "http"}, "PORT=http is not a port"),
        ({"API": "v3"}, "API=v3 is none"),
    ],
)
def test_make_lambda_says_first_what_is_missing(
    tmp_path: Path, variables: dict[str, str], words: str
) -> None:
    kept = {name: os.environ[name] for name in os.environ if name not in ("DATABASE_URL", "PORT")}
    done = subprocess.run(
        [sys.executable, "-m", "igloo.laptop.aws_lambda.checkout"],
        cwd=BASE_DIR,
        env=kept | {"IGLOO_HOME": str(tmp_path), "STAGE": "production"} | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    [line] = done.stdout.splitlines()
    assert words in line


# --- The command --------------------------------------------------------------------------------
class Command:
    """One `python -m igloo.laptop.aws_lambda`."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.output = folder / f"output-{time.monotonic_ns()}"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "igloo.laptop.aws_lambda", "--port", "0", *arguments],
                cwd=BASE_DIR,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def text(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def url(self) -> str:
        wait_until(lambda: " is at http" in self.text() or self.process.poll() is not None)
        return self.text().partition(" is at ")[2].partition(",")[0]

    def family(self) -> list[psutil.Process]:
        process = psutil.Process(self.process.pid)
        return [process, *process.children(recursive=True)]


@pytest.fixture
def command(tiny: Path, tmp_path: Path) -> Iterator[Callable[..., Command]]:
    commands: list[Command] = []

    def start(*arguments: str) -> Command:
        options = ["--handler", "entry.handler", *arguments]
        if "--package" not in arguments:
            options += ["--package", str(tiny)]
        commands.append(Command(tmp_path, *options))
        return commands[-1]

    yield start
    for each in commands:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


class Address:
    """What `call` needs of a front in another process."""

    def __init__(self, url: str) -> None:
        self.url = url


def run_one(command: Command) -> tuple[list[psutil.Process], Path]:
    front: Any = Address(command.url())
    told = call(front, "/interpreter").json
    return command.family(), Path(told["environment"]["LAMBDA_TASK_ROOT"]).parent


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly(command: Callable[..., Command], number: signal.Signals) -> None:
    run = command("--env", "LOG_LEVEL=INFO", "--api", "v1", "--memory", "300")
    family, folder = run_one(run)
    assert len(family) == 2
    run.process.send_signal(number)
    assert run.process.wait(20) == 0
    assert "everything is stopped" in run.text()
    assert "Traceback" not in run.text()
    assert not [process for process in family if process.is_running()]
    assert not folder.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel has to do it")
def test_after_a_kill_no_instance_is_left(command: Callable[..., Command]) -> None:
    run = command()
    family, folder = run_one(run)
    run.process.kill()
    run.process.wait()
    wait_until(lambda: not any(process.is_running() for process in family), 10)
    packages.remove(folder)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--package", "/nowhere.zip"], "neither a zip nor a folder"),
        (["--port", "{taken}"], "is in use by another program"),
        (["--env", "AWS_REGION=x"], "AWS_REGION"),
        (["--env", "NAME"], "NAME is not NAME=VALUE"),
        (["--port", "1"], ""),
    ],
)
def test_what_is_wrong_is_said(
    command: Callable[..., Command], front: Front, arguments: list[str], words: str
) -> None:
    arguments = [word.format(taken=front.server_address[1]) for word in arguments]
    if arguments == ["--port", "1"] and os.geteuid() == 0:
        pytest.skip("root may have any port")
    run = command(*arguments)
    assert run.process.wait(20) in (1, 2)
    assert words in run.text()
    assert "Traceback" not in run.text()


def test_errors_of_the_platform_are_json() -> None:
    result = Result.of_error("Sandbox.Timedout", "too long")
    assert json.loads(result.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "too long",
    }
