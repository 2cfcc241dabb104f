"""The embedded PostgreSQL: real servers in folders with spaces and Korean letters."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import psycopg2
import pytest

from igloo.laptop import database_url, places, postgres
from tests.laptop.conftest import wait_until


def query(url: str, text: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def server_in(folder: Path) -> Iterator[postgres.Server]:
    server = postgres.Server(folder, postgres.SETTINGS, throw_away=False)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def test_the_url_is_the_same_each_time_and_known_as_embedded() -> None:
    assert database_url.default_url() == database_url.default_url()
    assert database_url.is_embedded(database_url.default_url())
    assert not database_url.is_embedded("postgresql://igloo:secret@db.example.com:5432/igloo")
    assert not database_url.is_embedded("postgresql:///igloo?host=/var/run/postgresql")


def test_a_path_too_long_for_a_socket_gets_a_short_one() -> None:
    data = Path("/home/가나다" * 20)
    socket_folder = places.socket_folder(data)
    assert len(os.fsencode(socket_folder / ".s.PGSQL.5432")) <= places.SOCKET_PATH_BYTES
    assert socket_folder == places.socket_folder(data)
    assert socket_folder != places.socket_folder(data / "other")


def test_temporary_is_fast_and_leaves_nothing() -> None:
    with postgres.temporary() as url:
        assert database_url.is_embedded(url)
        assert query(url, "SHOW fsync") == [("off",)]
        assert query(url, "SHOW server_encoding") == [("UTF8",)]
        assert query(url, "SELECT lower('É')") == [("é",)]
        ((folder,),) = query(url, "SHOW data_directory")
        assert isinstance(folder, str)
        assert Path(folder).exists()
    assert not Path(folder).parent.exists()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(url)


def test_data_survives_a_stop_and_a_start(folder: Path) -> None:
    with server_in(folder) as server:
        assert query(server.url("postgres"), "SHOW fsync") == [("on",)]
        server.ensure_database()
        server.ensure_database()
        query(server.url(), "CREATE TABLE kept AS SELECT 1 AS value")
    with server_in(folder) as server:
        assert query(server.url(), "SELECT value FROM kept") == [(1,)]


def test_data_survives_a_kill_of_the_server(folder: Path) -> None:
    with server_in(folder) as server:
        query(server.url("postgres"), "CREATE TABLE kept AS SELECT 1 AS value")
        assert server.process
        server.process.kill()
        server.process.wait()
        with server_in(folder) as again:  # at once: the old one's helpers may still be ending
            assert query(again.url("postgres"), "SELECT value FROM kept") == [(1,)]


def test_a_pid_file_that_names_another_program_is_no_obstacle(folder: Path) -> None:
    with server_in(folder) as server:
        pid_file = server.data / "postmaster.pid"
        text = pid_file.read_text()
    # As after a power cut: the file is there, and its pid is another program's by now.
    with subprocess.Popen(["sleep", "60"]) as other:
        pid_file.write_text("\n".join([str(other.pid), *text.splitlines()[1:]]) + "\n")
        (server.socket_folder / ".s.PGSQL.5432.lock").write_text(f"{other.pid}\n")
        try:
            with server_in(folder) as server:
                assert query(server.url("postgres"), "SELECT 1") == [(1,)]
            assert other.poll() is None
        finally:
            other.kill()


def test_an_interrupted_first_start_is_begun_again(folder: Path) -> None:
    unfinished = folder / "data.new"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18")
    with server_in(folder) as server:
        assert query(server.url("postgres"), "SELECT 1") == [(1,)]
    assert not unfinished.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_the_server_ends_when_its_starter_is_killed(folder: Path) -> None:
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from igloo.laptop import postgres\n"
        "server = postgres.Server(Path(sys.argv[1]), postgres.SETTINGS, throw_away=False)\n"
        "server.start()\n"
        "print(server.process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], cwd=places.CHECKOUT, stdout=subprocess.PIPE
    ) as starter:
        assert starter.stdout
        server = psutil.Process(int(starter.stdout.readline()))
        starter.kill()
    wait_until(lambda: not server.is_running())
    assert not (folder / "data" / "postmaster.pid").exists()  # it ended in good order


def test_a_folder_that_the_server_cannot_enter_is_named(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root's server runs as another account")
    folder.chmod(0o700)
    with pytest.raises(places.LaptopError, match="who can't enter") as refused:
        postgres.Server(folder / "데이터", postgres.SETTINGS, throw_away=False).start()
    assert str(folder) in str(refused.value)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_one_process_at_a_time_holds_the_data(folder: Path) -> None:
    with places.only_one(folder) as run_file:
        run_file.write({"pid": 1234, "address": "http://127.0.0.1:8000"})
        with (
            pytest.raises(places.LaptopError, match=r"process 1234, at http://127\.0\.0\.1:8000"),
            places.only_one(folder),
        ):
            pass
    with places.only_one(folder):
        pass


def python_for(account: pwd.struct_passwd) -> str | None:
    """A Python of this version that the account can run; root's own often lies in /root."""
    check = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info[1]}"):
        with suppress(OSError):
            command = [python, "-c", check]
            if subprocess.run(command, user=account.pw_uid, cwd="/").returncode == 0:
                return python
    return None


def test_an_ordinary_user_has_a_server_too(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("this is an ordinary user: all the other tests are this test")
    nobody = pwd.getpwnam("nobody")
    python = python_for(nobody)
    packages = Path(psycopg2.__file__).parents[1]
    if python is None or not all(path.stat().st_mode & 1 for path in (packages, *packages.parents)):
        pytest.skip("an ordinary user can't reach the Python or the packages of these tests")
    home = folder / "집"
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    # A copy: this checkout may lie where nobody can read.
    shutil.copytree(places.CHECKOUT / "igloo" / "laptop", folder / "igloo" / "laptop")
    program = (
        "import os\n"
        "from igloo.laptop import places, postgres\n"
        "with places.only_one(places.folder()):\n"
        "    with postgres.running() as server:\n"
        "        server.ensure_database()\n"
        "        print(os.geteuid(), server.folder)\n"
        "    postgres.delete_data()\n"
    )
    result = subprocess.run(
        [python, "-c", program],
        cwd=folder,
        env={"HOME": str(home), "PYTHONPATH": f"{folder}:{packages}", "PYTHONUTF8": "1"},
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        capture_output=True,
        encoding="utf-8",
    )
    assert result.returncode == 0, result.stderr
    uid, _, data = result.stdout.strip().partition(" ")
    assert int(uid) == nobody.pw_uid
    assert Path(data).is_relative_to(home / ".local" / "share" / "igloo")
    assert not Path(data).exists()
