"""Each test of this folder is run at each place igloo runs at, and has to get the same answers.

`IGLOO_URL=https://…` runs them at that address alone, `IGLOO_IMAGE=…` in that image; see
`make contract`.
"""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from tests.aws_lambda.test_package import package as production_zip
from tests.contract.client import Client
from tests.contract.places import LOCAL, Place, Places, why_no_lambda

__all__ = ["production_zip"]  # a fixture
_URL = os.environ.get("IGLOO_URL", "")
_IMAGE = os.environ.get("IGLOO_IMAGE", "")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process starts the places, and compares them."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("contract"))


@pytest.fixture(scope="session")
def places(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Places]:
    """The places on this machine."""
    folder = tmp_path_factory.mktemp("places")
    with django_db_blocker.unblock():
        found = Places(folder, lambda: request.getfixturevalue("production_zip"))
        yield found
        found.close()


@pytest.fixture(scope="session")
def answers() -> dict[str, tuple[str, Any]]:
    """By test: the first place that it ran at, and what that answered."""
    return {}


@pytest.fixture(params=["IGLOO_URL"] if _URL else ["image"] if _IMAGE else LOCAL)
def place(request: pytest.FixtureRequest) -> Place:
    """Where the test runs."""
    if _URL:
        return Place("IGLOO_URL", _URL)
    if request.param.startswith("lambda") and (why := why_no_lambda()):
        pytest.skip(why)
    found: Place = request.getfixturevalue("places")[request.param]
    return found


@pytest.fixture
def client(
    place: Place, answers: dict[str, tuple[str, Any]], request: pytest.FixtureRequest
) -> Iterator[Client]:
    """Calls the place as an app does; at the end, what it answered is what the others answer."""
    found = Client(place.url, run=uuid.uuid4().hex[:8])
    yield found
    test = request.node.name.replace(request.node.callspec.params["place"], "")
    first, wanted = answers.setdefault(test, (place.name, found.record))
    assert len(found.record) == len(wanted), f"{place.name} was not asked what {first} was asked"
    for here, there in zip(found.record, wanted, strict=True):
        assert here == there, f"{first} answers otherwise"
