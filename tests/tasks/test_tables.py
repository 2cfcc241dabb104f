"""Django-Q on Lambda: tables without models."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection

from tests.contract.places import database_url, execute

NAME = f"tables_{os.getpid()}"


@pytest.fixture
def empty_database(db: None) -> Iterator[str]:
    """The URL of a database without tables."""
    execute(f"CREATE DATABASE {NAME}")
    yield database_url(NAME)
    execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def test_a_function_migrates_the_tables_that_a_container_needs(empty_database: str) -> None:
    program = """
from django.core.management import call_command
from django.db import connection
import django
django.setup()
call_command("migrate", interactive=False, verbosity=0)
print(*sorted(connection.introspection.table_names()))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=settings.BASE_DIR,
        env=os.environ
        | {
            "AWS_LAMBDA_FUNCTION_NAME": "igloo-production",
            "DATABASE_URL": empty_database,
            "DJANGO_SETTINGS_MODULE": "igloo.settings",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    tables = done.stdout.split()
    assert "django_q_schedule" in tables
    assert tables == sorted(connection.introspection.table_names())
