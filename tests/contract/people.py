"""What tests of the contract do again and again, in the words of an app."""

import io
import time
import uuid
from urllib.parse import urljoin

import requests
from PIL import Image

from tests.contract.client import Client

PASSWORD = "correct horse battery"
DEVICE = {"name": "test phone", "platform": "ios", "app_version": "1.0.0"}
# Seconds until a photo has to be ready.
_PATIENCE = 60


def signup_body(client: Client, word: str) -> dict[str, object]:
    """A grown-up who agrees to what has to be agreed to, in the texts that an app shows."""
    texts = client.get("/api/v1/app-config").json["consent_versions"]
    granted = [
        {"kind": kind, "version": texts[kind], "granted": True} for kind in ("terms", "privacy")
    ]
    return {
        "username": client.name(word),
        "password": PASSWORD,
        "display_name": "민지",
        "birth_date": "1996-05-04",
        "consents": granted,
        "device": DEVICE,
    }


def sign_up(client: Client, word: str = "minji") -> str:
    """Sign up, go on as the new member, and return the id."""
    client.token = ""
    answer = client.post("/api/v1/auth/signup", signup_body(client, word))
    assert answer.status == 201, answer.text
    client.token = answer.json["access_token"]
    member: str = answer.json["member"]["id"]
    return member


def photo() -> bytes:
    """A plain room."""
    file = io.BytesIO()
    Image.new("RGB", (640, 480), "#d8c7a9").save(file, "JPEG")
    return file.getvalue()


def upload_photo(client: Client) -> str:
    """Ask for a ticket, send the file straight to storage, and wait until it is ready."""
    data = photo()
    asked = client.post("/api/v1/uploads", {"content_type": "image/jpeg", "size": len(data)})
    assert asked.status == 201, asked.text
    ticket = asked.json
    sent = requests.post(
        urljoin(f"{client.address.scheme}://{client.address.netloc}", ticket["url"]),
        data=ticket["fields"],
        files={"file": ("photo.jpg", data, "image/jpeg")},
        timeout=30,
    )
    assert sent.status_code == 204, sent.text
    path = f"/api/v1/uploads/{ticket['id']}"
    assert client.post(f"{path}/complete").status == 202
    deadline = time.monotonic() + _PATIENCE
    while client.call("GET", path, record=False).json["status"] == "processing":
        assert time.monotonic() < deadline, "the photo is not ready"
        time.sleep(0.2)
    ready = client.get(path)
    assert ready.json["status"] == "ready", ready.text
    upload: str = ticket["id"]
    return upload


def key() -> str:
    """An idempotency key."""
    return str(uuid.uuid4())
