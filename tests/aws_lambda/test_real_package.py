"""The package that is deployed answers in the local Lambda, in its own version of Python.

The zip is test_package.py's, built once for all workers.
"""

import http.client
import json
import re
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from platform import machine
from typing import Any

import pytest
from django.conf import global_settings
from django.db import connection

# Its wheels are for Linux.
pytest.importorskip("awslambdaric")

from apps.common.models import RateWindow
from apps.members.models import Member
from apps.posts.models import Post
from igloo.laptop.aws_lambda.front import Front
from igloo.laptop.aws_lambda.local import running
from igloo.packaging import PackagingError, environment
from tests.aws_lambda.test_package import RUNTIME
from tests.aws_lambda.test_package import package as production_zip
from tests.builders import CONSENTS_JSON, DEVICE_JSON, PASSWORD, make_member, operator

pytestmark = pytest.mark.usefixtures("committed")
__all__ = ["production_zip"]  # a fixture


class Answer:
    """An HTTP answer, read to its end."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def cookies(self) -> dict[str, str]:
        lines = self.headers.get_all("Set-Cookie", [])
        pairs = [line.partition(";")[0].partition("=") for line in lines]
        return {name: value for name, _, value in pairs}


class Client:
    """Calls an address."""

    def __init__(self, url: str) -> None:
        self.address = urllib.parse.urlsplit(url)

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, None, headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        headers["Content-Type"] = "application/json"
        return self.call("POST", path, json.dumps(body), headers)

    def call(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Answer:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        address = self.address
        call = http.client.HTTPConnection(address.hostname or "", address.port, timeout=40)
        try:
            call.request(method, path, body, names)
            return Answer(call.getresponse())
        finally:
            call.close()


@pytest.fixture(scope="session")
def has_python() -> None:
    """Skips, before the zip is built, where the package can't run on this machine."""
    if (sys.platform, machine()) != ("linux", "x86_64"):
        pytest.skip("the package is for Linux on x86-64")
    try:
        environment.python_for(RUNTIME)
    except PackagingError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def start(
    has_python: None,
    production_zip: Path,
    django_db_setup: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], Front]]:
    """Starts the package behind a kind of API Gateway, once, on the tests' database."""
    database = connection.settings_dict
    host = database["OPTIONS"].get("host") or database["HOST"]
    login = f"{database['USER']}:{database['PASSWORD']}@:{database['PORT'] or 5432}"
    variables = {
        "DATABASE_URL": f"postgresql://{login}/{database['NAME']}?host={host}",
        "LOCAL_STORAGE_DIR": str(tmp_path_factory.mktemp("storage")),
        # As in a deployed stage: the gateway.
        "TRUSTED_PROXIES": "1",
    }
    known: dict[str, Front] = {}
    with ExitStack() as stack:

        def start(api: str) -> Front:
            if api not in known:
                front = running(production_zip, environment=variables, api=api, instances=1)
                known[api] = stack.enter_context(front)
            return known[api]

        yield start


@pytest.fixture(params=["v1", "v2"])
def client(start: Callable[[str], Front], request: pytest.FixtureRequest) -> Client:
    return Client(start(request.param).url)


def test_it_runs_in_its_own_python(start: Callable[[str], Front]) -> None:
    runtime = start("v2").function.settings.runtime
    assert runtime.version == "3.12"
    assert environment._version(runtime.python).startswith("3.12.")


def test_anyone_reads(client: Client) -> None:
    assert client.get("/readyz").json == {"status": "ok"}
    taxonomies = client.get("/api/v1/taxonomies")
    assert taxonomies.status == 200
    assert "아파트" in taxonomies.text
    again = client.get("/api/v1/taxonomies", If_None_Match=taxonomies.headers["ETag"])
    assert (again.status, again.text) == (304, "")


def test_what_is_not_there_is_a_problem(client: Client) -> None:
    answer = client.get("/api/v1/%EC%A7%91?q=%ED%95%9C", Accept_Language="ko")
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["code"] == "not_found"
    assert answer.json["detail"] == "찾을 수 없어요."
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]


def test_a_member_signs_up_logs_in_and_posts_once(client: Client) -> None:
    login = {"username": "minji.home", "password": PASSWORD, "device": DEVICE_JSON}
    more = {"birth_date": "1996-05-04", "consents": CONSENTS_JSON, "display_name": "민지"}
    assert client.post("/api/v1/auth/signup", login | more).status == 201
    token = client.post("/api/v1/auth/login", login).json["access_token"]
    member = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/me", **member).json["display_name"] == "민지"
    assert client.get("/api/v1/me").status == 401

    draft, key = {"title": "볕이 드는 집"}, {"Idempotency-Key": "first-tap"}
    first, again = (client.post("/api/v1/posts", draft, **member, **key) for _ in range(2))
    assert (first.status, again.status) == (201, 201)
    assert first.text == again.text
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Post.objects.get().title == "볕이 드는 집"


def test_a_client_can_not_choose_the_address_it_is_counted_by(client: Client) -> None:
    body = {"username": "nobody", "password": PASSWORD, "device": DEVICE_JSON}
    for number in range(2):
        lie = f"198.51.100.{number}"
        answer = client.post(
            "/api/v1/auth/login", body, X_Forwarded_For=lie, Forwarded=f"for={lie}", X_Real_IP=lie
        )
        assert answer.status == 401
    counted = dict(RateWindow.objects.values_list("key", "hits"))
    assert counted["login_address:127.0.0.1"] == 2
    assert "198.51.100" not in str(counted)


def test_an_operator_logs_in_in_korean(client: Client, settings: Any) -> None:
    # The Lambda has the real hasher.
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    operator(make_member("olga"))
    page = client.get("/admin/login/", Accept_Language="ko")
    assert page.status == 200
    assert "비밀번호:" in page.text
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    form = {"username": "olga", "password": PASSWORD, "csrfmiddlewaretoken": token}

    answer = client.call(
        "POST",
        "/admin/login/?next=/admin/",
        urllib.parse.urlencode(form),
        {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": f"csrftoken={page.cookies['csrftoken']}; other=1",
        },
    )

    assert (answer.status, answer.headers["Location"]) == (302, "/admin/")
    assert set(answer.cookies) == {"csrftoken", "sessionid"}
    cookie = f"sessionid={answer.cookies['sessionid']}"
    assert "olga" in client.get("/admin/", Cookie=cookie, Accept_Language="ko").text
    assert Member.objects.get().last_login is not None
