"""The stand-ins for the providers, on loopback, and igloo set up to take them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from igloo.config import Config
from igloo.laptop.providers.demo import flat, settings_of
from igloo.laptop.providers.server import ProviderServer
from igloo.laptop.providers.world import World
from igloo.social import social_settings
from tests.builders import sign_up
from tests.members.scene import Scene


@pytest.fixture(scope="session")
def provider_server() -> Iterator[ProviderServer]:
    """One server for all tests: its keys take seconds to make."""
    world = World({})
    server = ProviderServer(world)
    world.values = flat(settings_of(server.url, "http://localhost:8000"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def providers(provider_server: ProviderServer, settings: Settings, tmp_path: Path) -> World:
    """What the providers know; igloo is their app."""
    world = provider_server.world
    for forgotten in (world.codes, world.access_tokens, world.refresh_tokens, world.calls):
        forgotten.clear()
    world.ended.clear()
    world.down.clear()
    config = Config("local", tmp_path)
    config.values = dict(world.values)
    settings.SOCIAL = social_settings(config)
    return world


@pytest.fixture
def scene(committed: None, live_server: LiveServer) -> Scene:
    """Alice, on a real server."""
    pair = sign_up("alice", email="alice@example.com")
    return Scene(live_server.url, pair.access_token, pair.refresh_token, pair.member)
