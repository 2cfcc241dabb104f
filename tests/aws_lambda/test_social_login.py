"""The package verifies a provider's token with its own libraries, in the runtime's Python."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from igloo.laptop.providers.demo import flat, settings_of
from igloo.laptop.providers.server import ProviderServer
from igloo.laptop.providers.world import PEOPLE, World
from tests.aws_lambda.test_package import START, package, run, stage, unpacked
from tests.builders import DEVICE_JSON
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


@pytest.mark.usefixtures("committed")
def test_it_logs_in_with_a_provider(unpacked: Path, stage: Mapping[str, str]) -> None:
    world = World({})
    server = ProviderServer(world)
    world.values = flat(settings_of(server.url, "http://localhost:8000"))
    server.start()
    try:
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
    finally:
        server.stop()
    first, again, forged = json.loads(output)
    assert first["member"]["username"] == "jun_park", first
    assert again["code"] == "social_token_used"
    assert forged["code"] == "social_token_invalid"
