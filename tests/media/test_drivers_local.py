"""What a laptop has in place of S3: the form it takes, the renditions it serves.

The refusals that both drivers share are in test_uploads_contract.py.
"""

import io
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Thread
from typing import Any

import pytest
from django.core import signing
from django.core.files.storage import FileSystemStorage, storages
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer
from django.http import HttpRequest, UnreadablePostError
from django.test import Client, RequestFactory
from django.test.testcases import QuietWSGIRequestHandler
from django.utils import timezone

from apps.media import local_storage
from apps.media.drivers import issue_ticket, local
from apps.media.models import Upload
from apps.media.services import delete_files
from tests.builders import ApiClient, jpeg, make_member, make_upload, processed_upload, send

MEGABYTE = 1024 * 1024


def form(upload: Upload, data: bytes | None = None, **changed: Any) -> dict[str, Any]:
    """The fields of a ticket, and the file."""
    fields = issue_ticket(upload).fields | changed
    return fields if data is None else fields | {"file": io.BytesIO(data)}


def assert_problem(answer: Any, status: int, code: str) -> None:
    """An RFC 9457 problem."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["status"] == status
    assert answer.json()["detail"]


def stored() -> list[Path]:
    """What lies in the private store."""
    folder = Path(storages["originals"].location)
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def upload(db: None) -> Upload:
    """One that waits for its file."""
    return make_upload(make_member())


@pytest.fixture
def temporary(settings, tmp_path: Path) -> Path:
    """Where Django keeps large files while a request lasts."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = str(folder)
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 100
    return folder


# --- The form -----------------------------------------------------------------------------------


def test_a_file_is_stored_and_nothing_is_left_behind(client: Client, upload, temporary):
    answer = client.post(local.PATH, form(upload, jpeg()))
    assert (answer.status_code, answer.content) == (204, b"")
    with storages["originals"].open(upload.incoming_key) as file:
        assert file.read() == jpeg()
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head", "options"])
def test_only_post(client: Client, db, method):
    answer = getattr(client, method)(local.PATH)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
    if method != "head":
        assert_problem(answer, 405, "method_not_allowed")


def test_no_csrf_token_is_asked_for(upload):
    """The signed ticket is the permission."""
    answer = Client(enforce_csrf_checks=True).post(local.PATH, form(upload, jpeg()))
    assert answer.status_code == 204


def test_a_form_without_a_file(client: Client, upload):
    assert_problem(client.post(local.PATH, form(upload)), 400, "size_mismatch")
    as_text = form(upload, file=jpeg().decode("latin-1"))
    assert_problem(client.post(local.PATH, as_text), 400, "size_mismatch")
    other_name = form(upload) | {"photo": io.BytesIO(jpeg())}
    assert_problem(client.post(local.PATH, other_name), 400, "size_mismatch")
    assert stored() == []


FORGED = {
    "empty": "",
    "colon": ":",
    "colons": "::",
    "no signature": "e30:1a2b3c:",
    "nul": "\x00",
    "not ascii": "🏠",
    "long": "x" * 5000,
    "another salt": signing.dumps({"key": "incoming/x"}, salt="another salt"),
    "another key": signing.dumps(
        {"key": "incoming/x"}, key="other", salt="apps.media.drivers.local"
    ),
}


@pytest.mark.parametrize("policy", FORGED)
def test_a_policy_that_we_did_not_sign(client: Client, upload, policy):
    answer = client.post(local.PATH, form(upload, jpeg(), policy=FORGED[policy]))
    assert_problem(answer, 403, "ticket_invalid")
    assert stored() == []


def test_no_ticket_at_all(client: Client, db):
    assert_problem(client.post(local.PATH), 403, "ticket_invalid")
    assert_problem(client.post(local.PATH, {"file": io.BytesIO(b"x")}), 403, "ticket_invalid")
    answer = client.post(local.PATH, b"{}", content_type="application/json")
    assert_problem(answer, 403, "ticket_invalid")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=", b"--x\r\n"),
        ("multipart/form-data; boundary=" + "x" * 300, b"--x\r\n"),
        ("multipart/form-data; boundary=\xe9", b"--x\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\n!!!\r\n--x--\r\n",
        ),
    ],
)
def test_broken_multipart(client: Client, db, content_type, body):
    answer = client.generic("POST", local.PATH, body, content_type=content_type)
    assert answer.status_code in (400, 403)
    assert_problem(answer, answer.status_code, answer.json()["code"])
    assert answer.json()["code"] in ("bad_request", "ticket_invalid")


def test_multipart_that_stops_in_the_file(client: Client, upload, temporary):
    """The phone lost its network: what came is not kept."""
    request = RequestFactory().post(local.PATH, form(upload, jpeg()))
    body = request.body[:-200]
    answer = client.generic("POST", local.PATH, body, content_type=request.META["CONTENT_TYPE"])
    assert_problem(answer, 400, "size_mismatch")
    assert stored() == list(temporary.iterdir()) == []


def test_a_connection_that_breaks(upload, rf: RequestFactory, monkeypatch):
    request = rf.post(local.PATH)

    def broken(_request: HttpRequest) -> None:
        raise UnreadablePostError("connection reset")

    monkeypatch.setattr(type(request), "POST", property(broken))
    answer = local_storage.receive_file(request)
    assert answer.status_code == 400


def test_too_many_fields(client: Client, upload):
    answer = client.post(local.PATH, form(upload, jpeg()) | {f"f{i}": "x" for i in range(2000)})
    assert_problem(answer, 400, "bad_request")


def test_a_field_as_large_as_a_file(client: Client, upload):
    answer = client.post(local.PATH, form(upload, jpeg(), extra="x" * (2 * MEGABYTE)))
    assert_problem(answer, 413, "body_too_large")
    urlencoded = client.generic(
        "POST", local.PATH, b"x" * (2 * MEGABYTE), "application/x-www-form-urlencoded"
    )
    assert_problem(urlencoded, 413, "body_too_large")


class Untouchable(io.RawIOBase):
    """A body that must not be read."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError("the body was read")


@pytest.mark.parametrize("length", [30 * MEGABYTE + 64 * 1024 + 1, 10**15])
def test_a_body_that_is_too_large_is_refused_before_it_is_read(client: Client, db, length):
    answer = client.generic(
        "POST",
        local.PATH,
        CONTENT_TYPE="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(length),
        **{"wsgi.input": Untouchable()},
    )
    assert_problem(answer, 413, "body_too_large")


@pytest.mark.parametrize("length", ["many", "1.5", "-1", "0x10", ""])
def test_a_content_length_that_is_no_number(client: Client, db, length):
    """Servers differ in what they let through."""
    answer = client.generic(
        "POST",
        local.PATH,
        b"--x--\r\n",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=length,
    )
    assert answer.status_code in (400, 403)
    assert_problem(answer, answer.status_code, answer.json()["code"])


@pytest.mark.parametrize(
    ("changed", "data"),
    [
        ({}, jpeg() + b"x" * 5000),
        ({}, jpeg()[:-1]),
        ({"Content-Type": "image/png"}, jpeg()),
        ({"key": "incoming/other"}, jpeg()),
        ({"policy": "no"}, jpeg()),
    ],
)
def test_a_refused_file_leaves_no_temporary_file(client: Client, upload, temporary, changed, data):
    answer = client.post(local.PATH, form(upload, data, **changed))
    assert answer.status_code in (400, 403)
    assert list(temporary.iterdir()) == stored() == []


def test_a_deleted_upload_takes_no_file(client: Client, upload):
    body = form(upload, jpeg())
    Upload.objects.all().delete()
    assert_problem(client.post(local.PATH, body), 409, "ticket_used")
    assert stored() == []


def test_phones_that_send_one_ticket_at_once(phone, photo, monkeypatch):
    """One is taken, the other is told so; the file is whole."""
    ticket = phone.announce(photo)
    exists = FileSystemStorage.exists
    both_asked = Barrier(2)

    def asked_together(storage: FileSystemStorage, name: str) -> bool:
        found = exists(storage, name)
        with suppress(BrokenBarrierError):
            both_asked.wait(timeout=0.3)
        return found

    monkeypatch.setattr(FileSystemStorage, "exists", asked_together)

    def deliver(number: int) -> int:
        return phone.send(ticket, photo[:-1] + bytes([number])).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(deliver, range(2))) == [204, 409]
    (path,) = stored()
    assert path.stat().st_size == len(photo)
    assert path.read_bytes()[:-1] == photo[:-1]


class LongForm(io.RawIOBase):
    """A multipart body with `size` bytes of file, made as it is read."""

    def __init__(self, fields: dict[str, str], size: int) -> None:
        head = "".join(
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        head += '--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
        self.parts = [io.BytesIO(f"{head}\r\n".encode()), size, io.BytesIO(b"\r\n--x--\r\n")]
        self.length = len(head) + 2 + size + 9

    def read(self, size: int = -1) -> bytes:
        assert 0 < size <= MEGABYTE, "the body is read in pieces"
        while self.parts:
            part = self.parts[0]
            if isinstance(part, int):
                self.parts[0] = part - min(part, size)
                if part:
                    return b"\xff" * min(part, size)
            elif piece := part.read(size):
                return piece
            self.parts.pop(0)
        return b""


def test_30_megabytes_are_never_in_memory_at_once(client: Client, db, settings):
    """Not while they come, not while they are hashed, not while they are stored."""
    settings.FILE_UPLOAD_TEMP_DIR = None
    size = 30 * MEGABYTE
    upload = make_upload(make_member(), size=size, sha256="0" * 64)
    for sha256, status in (("0" * 64, 400), ("", 204)):
        Upload.objects.filter(pk=upload.pk).update(sha256=sha256)
        upload.refresh_from_db()
        body = LongForm(issue_ticket(upload).fields, size)
        tracemalloc.start()
        try:
            answer = client.generic(
                "POST",
                local.PATH,
                CONTENT_TYPE="multipart/form-data; boundary=x",
                CONTENT_LENGTH=str(body.length),
                **{"wsgi.input": body},
            )
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert answer.status_code == status
        assert peak < 4 * MEGABYTE
    assert storages["originals"].size(upload.incoming_key) == size


# --- Serving ------------------------------------------------------------------------------------


@pytest.fixture
def ready(db: None) -> Upload:
    """A processed photo."""
    return processed_upload(make_member())


def body_of(answer: Any) -> bytes:
    """All of a streamed answer."""
    return b"".join(answer.streaming_content)


def test_a_rendition_is_served_to_anyone_and_cached_for_ever(client: Client, ready):
    for item in ready.renditions:
        answer = client.get(f"/media/{item['key']}")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "image/webp"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        with storages["default"].open(item["key"]) as file:
            assert body_of(answer) == file.read()


def test_a_rendition_is_not_sent_twice(client: Client, ready):
    path = f"/media/{ready.renditions[0]['key']}"
    first = client.get(path)
    body_of(first)
    again = client.get(path, headers={"If-Modified-Since": first.headers["Last-Modified"]})
    assert again.status_code == 304
    assert again.headers["Cache-Control"] == "public, max-age=31536000, immutable"


TRAVERSALS = [
    "/media/../originals/{key}",
    "/media/%2e%2e/originals/{key}",
    "/media/..%2foriginals/{key}",
    "/media/..%2Foriginals%2F{key}",
    "/media/%2e%2e%2foriginals/{key}",
    "/media/%252e%252e/originals/{key}",
    "/media/photos/../../originals/{key}",
    "/media/photos/%2e%2e/%2e%2e/originals/{key}",
    "/media/..%5coriginals%5c{key}",
    "/media/....//originals/{key}",
    "/media//originals/{key}",
    "/media/originals/{key}",
    "/originals/{key}",
    "/{key}",
    "/media/{key}",
    "/media/{absolute}",
    "/media/%2f{absolute}",
    "/local-storage/{key}",
    "/local-storage/../{key}",
]


@pytest.mark.parametrize("path", TRAVERSALS)
@pytest.mark.parametrize("folder", ["incoming", "originals"])
def test_an_original_is_reached_by_no_path(client: Client, ready, path, folder):
    """What a member sent has a place in it, and more; only the renditions are public."""
    waiting = make_upload(ready.owner)
    send(waiting, jpeg())
    key = waiting.incoming_key if folder == "incoming" else ready.original_key
    file = Path(storages["originals"].location) / key
    assert file.is_file()
    answer = client.get(path.format(key=key, absolute=file))
    assert answer.status_code == 404


def test_an_original_is_reached_by_no_path_over_http(ready):
    """As above, with a server and no client in between that tidies the path up.

    Not `live_server`, which has a handler of its own for /media/.
    """
    file = Path(storages["originals"].location) / ready.original_key
    server = ThreadedWSGIServer(("127.0.0.1", 0), QuietWSGIRequestHandler)
    server.set_app(WSGIHandler())
    thread = Thread(target=server.serve_forever)
    thread.start()
    host, port = server.server_address[:2]
    try:
        for path in TRAVERSALS:
            wanted = path.format(key=ready.original_key, absolute=file)
            connection = HTTPConnection(host, port, timeout=20)
            connection.request("GET", wanted)
            answer = connection.getresponse()
            assert answer.status == 404, wanted
            assert answer.headers["Content-Type"] == "application/problem+json"
            answer.read()
            connection.close()
        connection = HTTPConnection(host, port, timeout=20)
        connection.request("GET", f"/media/{ready.renditions[0]['key']}")
        assert connection.getresponse().read().startswith(b"RIFF")
        connection.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    "path",
    ["", "photos", "photos/", "photos/nothing.webp", ".", "x" * 5000, "%00", "a%00b", "%ff", "🏠"],
)
def test_a_rendition_that_is_none(client: Client, ready, path):
    answer = client.get(f"/media/{path}")
    assert_problem(answer, 404, "not_found")


def test_uploads_do_not_list(client: Client, ready):
    assert client.get(f"/media/photos/{ready.pk}/").status_code == 404
    assert client.get(f"/media/photos/{ready.pk}").status_code == 404


def test_a_photo_deleted_is_served_no_more(client: Client, ready):
    keys = [item["key"] for item in ready.renditions]
    delete_files(public=keys, originals=[ready.original_key])
    for key in keys:
        assert client.get(f"/media/{key}").status_code == 404
    # Once more does no harm.
    delete_files(public=keys, originals=[ready.original_key])


def test_a_ticket_is_made_for_the_host_that_was_asked(db):
    """A phone in the same network knows the laptop by its address."""
    phone = ApiClient(make_member(), HTTP_HOST="192.168.0.7:8000")
    body = {"content_type": "image/jpeg", "size": 10}
    ticket = phone.post("/uploads", body, format="json").json()
    assert ticket["url"] == f"http://192.168.0.7:8000{local.PATH}"
    assert set(ticket["fields"]) == {"key", "Content-Type", "policy"}
    conditions = signing.loads(ticket["fields"]["policy"], salt=local._SALT)
    assert conditions.pop("expires_at") > timezone.now().isoformat()
    assert conditions == {
        "key": f"incoming/{ticket['id']}",
        "Content-Type": "image/jpeg",
        "size": 10,
        "sha256": "",
    }
