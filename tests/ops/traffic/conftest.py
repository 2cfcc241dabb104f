"""AWS as far as traffic needs it."""

from collections.abc import Iterator

import pytest

from tests.ops.traffic.aws import Aws, with_percentiles


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """On loopback, with the environment that finds it."""
    with_percentiles(monkeypatch)
    found = Aws()
    found.start()
    for name, value in found.environment.items():
        monkeypatch.setenv(name, value)
    yield found
    found.stop()
