"""Static files on S3: `collectstatic` puts them there, and the pages that need them find them."""

import gzip
import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.conf import settings as real_settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from igloo.packaging.static_names import make_static_names
from tests.media.s3 import ACCESS_KEY, REGION, SECRET_KEY, S3Server

BUCKET = "igloo-static"
OLD = "admin/css/base.0123456789ab.css"
_LINK = re.compile(r'(?:src|href)="([^"]+\.(?:js|css|png|svg)[^"]*)"')


def variables(server: S3Server) -> dict[str, str]:
    """What a stage with this bucket has in its environment."""
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_ENDPOINT_URL": server.url,
        "STATIC_BUCKET": BUCKET,
        "STATIC_URL": f"{server.url}/{BUCKET}/",
    }


def collect(server: S3Server) -> None:
    """As whoever deploys does. In a process of its own: the library leaves files open."""
    done = subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input"],
        cwd=real_settings.BASE_DIR,
        env=os.environ | variables(server),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def collected() -> Iterator[S3Server]:
    """A bucket whose objects anyone may read by its policy, with the files of an older version."""
    server = S3Server()
    server.start()
    # moto's servers in one process share what they hold, and xdist may come back to this module.
    if BUCKET not in {bucket["Name"] for bucket in server.client.list_buckets()["Buckets"]}:
        server.client.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
    anyone_reads = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [anyone_reads]}
    server.client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    # So that what was deleted meanwhile is known.
    server.client.put_bucket_versioning(
        Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"}
    )
    server.client.put_object(Bucket=BUCKET, Key=OLD, Body=b"old")
    collect(server)
    yield server
    server.stop()


@pytest.fixture
def stage(
    collected: S3Server, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> S3Server:
    """Static settings of a package with this bucket, as igloo/settings.py makes them."""
    for name, value in variables(collected).items():
        monkeypatch.setenv(name, value)
    (tmp_path / "staticfiles.json").write_bytes(make_static_names(real_settings.BASE_DIR))
    monkeypatch.setattr("igloo.config.BASE_DIR", tmp_path)
    made = runpy.run_path(str(real_settings.BASE_DIR / "igloo" / "settings.py"))
    settings.STATIC_URL = made["STATIC_URL"]
    settings.STORAGES = settings.STORAGES | {"staticfiles": made["STORAGES"]["staticfiles"]}
    storage = storages["staticfiles"]
    monkeypatch.setattr(staticfiles_storage, "_wrapped", storage)
    return collected


@pytest.mark.usefixtures("db")
def test_pages_get_all_they_load_from_there_and_may_keep_it(
    stage: S3Server, client: Client
) -> None:
    for path, least in (("/api/docs", 4), ("/admin/login/", 4)):
        links = _LINK.findall(client.get(path).content.decode())
        assert len(links) >= least, path
        for link in links:
            assert link.startswith(f"{stage.url}/{BUCKET}/"), link
            answer = requests.get(link, timeout=10)
            assert answer.status_code == 200, link
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            kind = {"css": "text/css", "js": "javascript", "png": "image/png", "svg": "svg"}
            assert kind[link.rpartition(".")[2]] in answer.headers["Content-Type"]


def test_the_package_knows_the_names_that_collectstatic_gave(collected: S3Server) -> None:
    stored = collected.client.get_object(Bucket=BUCKET, Key="staticfiles.json")
    there = stored["Body"].read()
    if stored.get("ContentEncoding") == "gzip":
        there = gzip.decompress(there)
    packaged = make_static_names(real_settings.BASE_DIR)
    assert json.loads(packaged)["paths"] == json.loads(there)["paths"]
    assert packaged == make_static_names(real_settings.BASE_DIR)


def test_beside_a_packages_names_collectstatic_refuses(stage: S3Server, tmp_path: Path) -> None:
    """And does not fill the folder, saying that all is copied, while the bucket stays as it is."""
    with pytest.raises(ImproperlyConfigured, match="nothing is sent to STATIC_BUCKET"):
        call_command("collectstatic", interactive=False, verbosity=0)
    assert [path.name for path in tmp_path.iterdir()] == ["staticfiles.json"]


def test_a_style_finds_its_pictures(stage: S3Server) -> None:
    style = staticfiles_storage.url("admin/css/widgets.css")
    images = re.findall(r'url\("?([^")]+)', requests.get(style, timeout=10).text)
    assert images
    for image in images:
        answer = requests.get(f"{style.rpartition('/')[0]}/{image}", timeout=10)
        assert answer.headers["Cache-Control"].endswith("immutable")


def test_who_may_read_is_the_buckets_policy_alone(collected: S3Server) -> None:
    for key in sorted(collected.keys(BUCKET))[:20]:
        grants = collected.client.get_object_acl(Bucket=BUCKET, Key=key)["Grants"]
        assert [grant["Grantee"]["Type"] for grant in grants] == ["CanonicalUser"], key


def test_what_can_change_under_its_name_is_not_kept_for_ever(collected: S3Server) -> None:
    kept = {
        name: collected.client.head_object(Bucket=BUCKET, Key=name)["CacheControl"]
        for name in ("staticfiles.json", "ops/docs.js")
    }
    assert kept == {"staticfiles.json": "no-cache", "ops/docs.js": "public,max-age=3600"}


def test_files_of_other_versions_stay_and_no_file_is_away_meanwhile(collected: S3Server) -> None:
    before = collected.keys(BUCKET)
    assert OLD in before
    collect(collected)
    assert collected.keys(BUCKET) == before
    assert "DeleteMarkers" not in collected.client.list_object_versions(Bucket=BUCKET)
