"""`make run` as a person meets it: real processes, a real PostgreSQL, a small project."""

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.laptop.conftest import Run, wait_until

Start = Callable[..., Run]


def all_gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() for process in processes)


def test_it_starts_refuses_a_second_one_stops_and_keeps_its_data(start: Start) -> None:
    run = start()
    run.wait_for("igloo is up")
    run.wait_for("  alice / password")
    assert f"http://127.0.0.1:{run.port}/demo/login" in run.text()
    assert "demo data made" in run.text()
    family = run.family()
    assert len(family) > 4  # the launcher, the web server, the worker, PostgreSQL and its helpers

    second = start()
    assert second.ends() == 1
    assert f"already running from this checkout: process {run.process.pid}" in second.text()
    assert f"http://127.0.0.1:{run.port}" in second.text()
    assert not all_gone(family)

    run.process.send_signal(signal.SIGTERM)
    assert run.ends() == 0
    assert "everything is stopped" in run.text()
    assert all_gone(family)

    again = start()
    again.wait_for("igloo is up")
    assert "demo data is there" in again.text()


def test_ctrl_c_in_the_terminal_ends_it_with_status_0(start: Start) -> None:
    run = start()
    run.wait_for("igloo is up")
    family = run.family()

    os.killpg(run.process.pid, signal.SIGINT)

    assert run.ends() == 0
    assert "Traceback" not in run.text()
    assert all_gone(family)


def test_a_stop_in_the_middle_of_the_start_leaves_nothing(start: Start) -> None:
    run = start()
    run.wait_for("manage.py migrate")
    family = run.family()

    run.process.send_signal(signal.SIGTERM)

    assert run.ends() == 0
    assert "Traceback" not in run.text()
    assert all_gone(family)


def test_a_port_in_use_is_refused_before_anything_starts(start: Start, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        run = start(port=port)
        assert run.ends() == 1
    assert f"Port {port} of 127.0.0.1 is in use" in run.text()
    assert f"PORT={port + 1} make run" in run.text()
    assert not list(folder.rglob("PG_VERSION"))


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("runserver", "The web process stopped by itself (signal SIGKILL)"),
        ("igloo.laptop.providers", "The logins process stopped by itself (signal SIGKILL)"),
        ("port=5432", "PostgreSQL stopped by itself (signal SIGKILL)"),
    ],
)
def test_a_child_that_dies_ends_the_rest(start: Start, word: str, sentence: str) -> None:
    run = start()
    run.wait_for("igloo is up")
    family = run.family()

    run.child(word).kill()

    assert run.ends() == 1
    assert sentence in run.text()
    wait_until(lambda: all_gone(family))


def test_a_worker_that_dies_is_started_anew_and_the_rest_goes_on(start: Start) -> None:
    run = start()
    run.wait_for("igloo is up")
    web = run.child("runserver")
    for number, pause in enumerate((1, 2), start=1):
        killed = run.child("task_worker")
        killed.kill()
        run.wait_for(f"starting anew in {pause} s")
        wait_until(lambda killed=killed: run.children("task_worker") not in ([], [killed]))
        assert run.text().count("starting anew") == number
    assert run.child("runserver") == web
    family = run.family()

    run.process.send_signal(signal.SIGTERM)

    assert run.ends() == 0
    wait_until(lambda: all_gone(family))


def test_after_a_kill_nothing_is_left_and_the_next_start_has_the_data(start: Start) -> None:
    run = start()
    run.wait_for("igloo is up")
    family = run.family()

    run.process.kill()
    run.ends()

    again = start()  # at once: it waits for what is still ending
    again.wait_for("igloo is up")
    assert "demo data is there" in again.text()
    assert all_gone(family)


def test_a_folder_that_cannot_be_used_is_named(start: Start, folder: Path) -> None:
    (folder / "file").write_text("in the way")
    run = start(home=folder / "file")
    assert run.ends() == 1
    assert f"{folder / 'file'}" in run.text()
    assert "IGLOO_HOME=" in run.text()
    assert "Traceback" not in run.text()
