"""The PostgreSQL that the tests run on: the one of DATABASE_URL, or a throw-away one."""

import atexit
import os
from contextlib import ExitStack

import dj_database_url
from django.conf import settings

from igloo.laptop import postgres


def ensure_database() -> None:
    """See that there is a server, and that settings and child processes know it.

    Called by conftest.py as pytest starts. Under xdist that is first the controller, which starts
    the server and names it in DATABASE_URL; its workers inherit that and start nothing. The server
    lives as long as the process that started it.
    """
    if os.environ.get("DATABASE_URL"):
        return
    stack = ExitStack()
    atexit.register(stack.close)
    url = stack.enter_context(postgres.temporary())
    os.environ["DATABASE_URL"] = url
    # Without xdist the tests run in this process, where pytest-django has read the settings before
    # any conftest.py. In place: Django's connections hold the same dictionary.
    database = settings.DATABASES["default"]
    found = dj_database_url.parse(url)
    options = database.get("OPTIONS", {}) | found["OPTIONS"]
    for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT"):
        database[name] = found[name]
    database["OPTIONS"] = options
