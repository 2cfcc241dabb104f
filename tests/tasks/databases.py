"""The tests' database, looked at and disturbed from another connection."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from django.db import connection, connections


@contextmanager
def other_connection(database: str = "") -> Iterator[Any]:
    """A cursor of a connection of its own, which commits each statement."""
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    if database:
        parameters["dbname"] = database
    other = psycopg2.connect(**parameters)
    try:
        other.autocommit = True
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()


def end_connection(pid: int) -> None:
    """Cut a connection off, as a server that restarts does; back when it is gone."""
    with other_connection() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def forget_connection() -> None:
    """Take a new one, whatever state a failing test left Django's in."""
    old = connections["default"]
    if old.connection is not None:
        old.connection.close()
    new = old.copy()
    for name, value in vars(new).items():
        if name not in ("_thread_sharing_count", "_thread_sharing_lock"):
            setattr(old, name, value)


def end_other_connections() -> None:
    """Cut off whoever a failing test left behind; this thread's connection stays."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def wait_for_waiting(count: int = 1) -> None:
    """Wait until so many connections to this database wait for a lock of another one."""
    with other_connection() as cursor:
        deadline = time.monotonic() + 10
        while True:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0] >= count:
                return
            assert time.monotonic() < deadline, "nobody waits"
            time.sleep(0.02)


class Away:
    """A database that lets nobody in; each test process has a database of its own."""

    def __init__(self) -> None:
        self._name = connection.ops.quote_name(connection.settings_dict["NAME"])

    def leave(self) -> None:
        """Cut everyone off, and let nobody in."""
        with other_connection("postgres") as cursor:
            cursor.execute(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS false")
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
                [connection.settings_dict["NAME"]],
            )

    def come_back(self) -> None:
        """Let them in again."""
        with other_connection("postgres") as cursor:
            cursor.execute(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS true")


def in_thread(call: Callable[[], Any]) -> threading.Thread:
    """Start it in a thread, whose connection is closed at the end."""

    def run() -> None:
        try:
            call()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread
