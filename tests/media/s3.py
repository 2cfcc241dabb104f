"""S3 on loopback: moto's server, behind the checks of a POST that moto leaves out.

moto 5.2 stores whatever a POST form brings for an existing bucket: it looks at no policy, no
signature, no expiry, no condition and no checksum. `FormGate` checks them before, as the Amazon S3
API reference describes ("POST policy", "Calculating a signature", "POST Object"). That proves what
our tickets ask of storage; that AWS itself enforces it is AWS's word. With `enforcing = False` it
lets all pass, which shows what our own check at processing catches.
"""

import base64
import datetime as dt
import hashlib
import hmac
import io
import json
import runpy
from importlib import import_module
from typing import Any, ClassVar

import boto3
import pytest
from botocore.config import Config
from pytest_django import Settings
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Request, Response

from tests.moto_server import MotoServer

REGION = "ap-northeast-2"
ACCESS_KEY = "igloo-tests"
SECRET_KEY = "igloo-tests-secret"
MEDIA_BUCKET = "igloo-media"
ORIGINALS_BUCKET = "igloo-originals"
# Form fields that a policy need not name.
_UNNAMED = {"policy", "x-amz-signature", "file"}


class FormGate:
    """Refuses a POST form that breaks its policy, before `app` sees it."""

    enforcing: ClassVar[bool] = True
    # How far ahead this storage's clock is.
    ahead: ClassVar[dt.timedelta] = dt.timedelta()

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer as S3 would."""
        if (
            self.enforcing
            and environ["REQUEST_METHOD"] == "POST"
            and environ.get("CONTENT_TYPE", "").startswith("multipart/form-data")
        ):
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            with Request(environ | {"wsgi.input": io.BytesIO(body)}) as form:
                bucket = form.path.strip("/")
                refusal = self._refusal(bucket, form.form.to_dict(), form.files.get("file"))
            if refusal is not None:
                status, code, message = refusal
                xml = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
                answer = Response(xml, status=status, content_type="application/xml")
                return answer(environ, start_response)
            environ["wsgi.input"] = io.BytesIO(body)
        return self.app(environ, start_response)

    def _refusal(
        self, bucket: str, fields: dict[str, str], file: FileStorage | None
    ) -> tuple[int, str, str] | None:
        """(status, code, message) of the first thing wrong."""
        if "policy" not in fields:
            return 403, "AccessDenied", "Access Denied"
        if not hmac.compare_digest(_signature(fields), fields.get("x-amz-signature", "")):
            return 403, "SignatureDoesNotMatch", "The signature does not match"
        if file is None:
            return 400, "InvalidArgument", "POST requires exactly one file upload per request."
        policy = decoded_policy(fields)
        expiration = dt.datetime.fromisoformat(policy["expiration"])
        if expiration <= dt.datetime.now(dt.UTC) + self.ahead:
            return 403, "AccessDenied", "Invalid according to Policy: Policy expired."
        size = len(file.stream.read())
        file.stream.seek(0)
        left = {name.lower() for name in fields} - _UNNAMED
        sent = {name.lower(): value for name, value in fields.items()} | {"bucket": bucket}
        for condition in policy["conditions"]:
            if isinstance(condition, list) and condition[0] == "content-length-range":
                if size < condition[1]:
                    return 400, "EntityTooSmall", "Smaller than the minimum allowed size"
                if size > condition[2]:
                    return 400, "EntityTooLarge", "Larger than the maximum allowed size"
                continue
            ((name, value),) = condition.items()
            if sent.get(name.lower()) != value:
                return 403, "AccessDenied", "Invalid according to Policy: Policy Condition failed"
            left.discard(name.lower())
        if left:
            return 403, "AccessDenied", "Invalid according to Policy: Extra input fields"
        announced = fields.get("x-amz-checksum-sha256")
        if announced:
            digest = base64.b64encode(hashlib.sha256(file.stream.read()).digest()).decode()
            if digest != announced:
                return 400, "BadDigest", "The SHA256 you specified did not match"
        return None


def decoded_policy(fields: dict[str, str]) -> dict[str, Any]:
    """What a presigned POST's policy says."""
    return json.loads(base64.b64decode(fields["policy"]))


def _signature(fields: dict[str, str]) -> str:
    """AWS Signature Version 4 of the policy, in hex."""
    _, date, region, service, end = fields.get("x-amz-credential", "////").split("/")
    key = b"AWS4" + SECRET_KEY.encode()
    for part in (date, region, service, end, fields["policy"]):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


class S3Server(MotoServer):
    """moto's server behind a `FormGate`, with a client of S3."""

    def gated(self, app: Any) -> Any:
        """Behind the gate."""
        return FormGate(app)

    def start(self) -> None:
        """Start, and make a client."""
        super().start()
        self.client = boto3.session.Session(ACCESS_KEY, SECRET_KEY).client(
            "s3",
            region_name=REGION,
            endpoint_url=self.url,
            config=Config(s3={"addressing_style": "path"}),
        )

    def stop(self) -> None:
        """Stop, and let the port go."""
        super().stop()
        self.client.close()

    def make_buckets(self) -> None:
        """The buckets, where they are not there yet. Anyone may read photos, and nothing else."""
        there = {bucket["Name"] for bucket in self.client.list_buckets()["Buckets"]}
        for name in {MEDIA_BUCKET, ORIGINALS_BUCKET} - there:
            self.client.create_bucket(
                Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
        anyone_reads_photos = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{MEDIA_BUCKET}/photos/*",
        }
        policy = {"Version": "2012-10-17", "Statement": [anyone_reads_photos]}
        self.client.put_bucket_policy(Bucket=MEDIA_BUCKET, Policy=json.dumps(policy))

    def keys(self, bucket: str) -> set[str]:
        """What a bucket holds."""
        answer = self.client.list_objects_v2(Bucket=bucket)
        return {item["Key"] for item in answer.get("Contents", ())}


def use_s3(settings: Settings, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """The settings that a stage with these buckets would have, in place of the laptop's.

    They come from igloo/settings.py itself, read once more with another environment, so that a
    wrong option of a storage there fails a test here.
    """
    environment = {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": settings.AWS_REGION,
        "MEDIA_BUCKET": MEDIA_BUCKET,
        "MEDIA_URL": f"{url}/{MEDIA_BUCKET}/",
        "ORIGINALS_BUCKET": ORIGINALS_BUCKET,
    }
    # Paths are made once, of the settings that are there then; the laptop's have one more.
    import_module(settings.ROOT_URLCONF)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stage = runpy.run_path(str(settings.BASE_DIR / "igloo" / "settings.py"))
    for name in ("MEDIA_URL", "ORIGINALS_BUCKET", "S3_ENDPOINT_URL", "STORAGES", "UPLOAD_DRIVER"):
        setattr(settings, name, stage[name])
