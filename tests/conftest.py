"""What every test shares: a database, folders of its own, clients of each role."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.test import TransactionTestCase
from django.urls import clear_script_prefix
from pytest_django import DjangoDbBlocker, Settings

from tests.builders import ApiClient, make_member, operator, suspended
from tests.database import ensure_database
from tests.media.storage import later as later
from tests.media.storage import local_place as local_place
from tests.media.storage import place as place
from tests.media.storage import s3 as s3
from tests.media.storage import s3_server as s3_server


def pytest_configure(config: pytest.Config) -> None:
    """The database must be known before Django connects."""
    ensure_database()


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """One more than processors: a third of the tests' time is waiting for other processes."""
    return (yield) + 1


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    """PBKDF2 would make every test that signs a member up slow."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _own_storage(settings: Settings, tmp_path: Path) -> None:
    """Files of one test are seen by no other."""
    settings.LOCAL_STORAGE_DIR = tmp_path / "storage"
    stores = {name: dict(options) for name, options in settings.STORAGES.items()}
    for name, folder in (("default", "public"), ("originals", "originals")):
        options = stores[name]["OPTIONS"] | {"location": settings.LOCAL_STORAGE_DIR / folder}
        stores[name] = stores[name] | {"OPTIONS": options}
    settings.STORAGES = stores


@pytest.fixture(autouse=True)
def _no_script_prefix() -> Iterator[None]:
    """A request below a stage leaves its prefix on the thread, where the test client finds it."""
    yield
    clear_script_prefix()


@pytest.fixture(scope="session")
def _flush_keeps_seeds(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """After a test that commits, empty the tables but those that migrations filled.

    Django's own flush would take the taxonomies away from every test that comes later.
    """

    def empty(case: TransactionTestCase) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(others)}")

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        quoted = [
            connection.ops.quote_name(name) for name in connection.introspection.table_names(cursor)
        ]
        cursor.execute(
            " UNION ALL ".join(f"SELECT '{n}' WHERE NOT EXISTS (TABLE {n})" for n in quoted)
        )
        others = [name for (name,) in cursor.fetchall()]
    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
    yield
    patch.undo()


@pytest.fixture
def committed(_flush_keeps_seeds: None, transactional_db: None) -> None:
    """A database whose transactions commit, so that other threads see them."""


@pytest.fixture
def anonymous(db: None) -> ApiClient:
    """Nobody."""
    return ApiClient()


@pytest.fixture
def alice(db: None) -> ApiClient:
    """The owner of what a test is about."""
    return ApiClient(make_member("alice"))


@pytest.fixture
def bob(db: None) -> ApiClient:
    """A member who is not the owner."""
    return ApiClient(make_member("bob"))


@pytest.fixture
def sue(db: None) -> ApiClient:
    """A suspended member."""
    return ApiClient(suspended(make_member("sue")))


@pytest.fixture
def olga(db: None) -> ApiClient:
    """An operator."""
    return ApiClient(operator(make_member("olga")))
