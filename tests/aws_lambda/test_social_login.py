"""Providers' tokens and codes are verified by the package itself, in the runtime's Python."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from igloo.laptop.providers.demo import flat, settings_of
from igloo.laptop.providers.server import ProviderServer
from igloo.laptop.providers.world import PEOPLE, World
from tests.aws_lambda.test_package import START, package, run, stage, unpacked
from tests.builders import DEVICE_JSON
from tests.members.deletion import PROVIDERS, member_of
from tests.members.social import NEW_MEMBER

__all__ = ["package", "stage", "unpacked"]  # fixtures
PROGRAM = """
def post(path, body):
    from wsgiref.util import setup_testing_defaults
    sent = json.dumps(body).encode()
    environ = {"PATH_INFO": path, "REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/json",
               "CONTENT_LENGTH": str(len(sent)), "wsgi.input": io.BytesIO(sent),
               "HTTP_HOST": "api.example.com"}
    setup_testing_defaults(environ)
    return json.loads(b"".join(application(environ, lambda line, headers: None)))

print(json.dumps([post(path, body) for path, body in json.loads(os.environ["CALLS"])]))
"""
# As a browser: it keeps cookies, and fills in the form.
BROWSER = """
from http.cookies import SimpleCookie
from http.client import HTTPConnection
from urllib.parse import urlsplit
from wsgiref.util import setup_testing_defaults
cookies = SimpleCookie()

def call(address, form=None):
    path, _, query = address.removeprefix(os.environ["PUBLIC_BASE_URL"]).partition("?")
    environ = {"PATH_INFO": path, "QUERY_STRING": query, "HTTP_HOST": "api.example.com",
               "REQUEST_METHOD": "GET" if form is None else "POST",
               "HTTP_ACCEPT_LANGUAGE": "en",
               "HTTP_COOKIE": "; ".join(f"{m.key}={m.coded_value}" for m in cookies.values())}
    if form is not None:
        environ |= {"CONTENT_TYPE": "application/x-www-form-urlencoded",
                    "CONTENT_LENGTH": str(len(form)), "wsgi.input": io.BytesIO(form.encode())}
    setup_testing_defaults(environ)
    found = {}
    def start(line, headers):
        for name, value in headers:
            cookies.load(value) if name == "Set-Cookie" else found.update({name: value})
    return b"".join(application(environ, start)).decode(), found

def choose(address):
    parts = urlsplit(address)
    provider = HTTPConnection(parts.netloc)
    provider.request("GET", f"{parts.path}?{parts.query}&person=0")
    return provider.getresponse().headers["Location"]

said = []
for provider in ("kakao", "apple", "google", "facebook", "naver"):
    page, _ = call("/account/delete")
    token = re.search('csrfmiddlewaretoken" value="(.*?)"', page)[1]
    _, found = call(f"/account/delete/{provider}", f"csrfmiddlewaretoken={token}")
    if not said:  # "a tenth of a cold start", which beginning needs nothing of
        said.append("jwt" in sys.modules or "cryptography" in sys.modules)
    page, _ = call(choose(found["Location"]))
    said.append(re.search("<h1>(.*?)</h1>", page)[1])
print(json.dumps(said))
"""


@pytest.fixture
def world() -> Iterator[World]:
    """The providers, which know the package as their app."""
    found = World({})
    server = ProviderServer(found)
    found.values = flat(settings_of(server.url, "http://localhost:8000"))
    server.start()
    yield found
    server.stop()


@pytest.mark.usefixtures("committed")
def test_it_logs_in_with_a_provider(unpacked: Path, stage: Mapping[str, str], world: World) -> None:
    google = world.id_token(world.login("google", PEOPLE[1]))
    forged = world.id_token(world.login("google", PEOPLE[2]))[:-8] + "AAAAAAAA"
    body = {"id_token": google, "device": DEVICE_JSON, **NEW_MEMBER}
    calls = [
        ["/api/v1/auth/social/google", body],
        ["/api/v1/auth/social/google", body],
        ["/api/v1/auth/social/google", body | {"id_token": forged}],
    ]
    variables = dict(stage) | world.values | {"STAGE": "local"}
    output = run(START + PROGRAM, unpacked, **variables, CALLS=json.dumps(calls))
    first, again, forged = json.loads(output)
    assert first["member"]["username"] == "jun_park", first
    assert again["code"] == "social_token_used"
    assert forged["code"] == "social_token_invalid"


@pytest.mark.usefixtures("committed")
def test_its_page_takes_a_login_at_each_provider(
    unpacked: Path, stage: Mapping[str, str], world: World
) -> None:
    for provider in PROVIDERS:
        member_of(provider, username=f"of_{provider}")
    variables = dict(stage) | world.values | {"STAGE": "local"}
    was_slow, *said = json.loads(run(START + BROWSER, unpacked, **variables))
    assert said == [f"Delete the account of_{provider}?" for provider in PROVIDERS]
    assert not was_slow
