"""The package that is deployed runs in the local Lambda, in its own version of Python.

What it answers is in tests/contract. The zip is test_package.py's, built once for all workers.
"""

from pathlib import Path

import pytest

# Its wheels are for Linux.
pytest.importorskip("awslambdaric")

from igloo.laptop.aws_lambda.local import running
from igloo.packaging import environment
from tests.aws_lambda.test_package import package as production_zip
from tests.contract.places import why_no_lambda

__all__ = ["production_zip"]  # a fixture


@pytest.fixture(scope="session")
def has_python() -> None:
    """Skips, before the zip is built, where the package can't run on this machine."""
    if why := why_no_lambda():
        pytest.skip(why)


def test_it_runs_in_its_own_python(has_python: None, production_zip: Path) -> None:
    with running(production_zip) as front:
        runtime = front.function.settings.runtime
        assert runtime.version == "3.12"
        assert environment.version_of(runtime.python).startswith("3.12.")
