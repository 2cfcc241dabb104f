"""In place of docker: builds what the Dockerfile copies, and pushes by ECR's own API.

An image is a folder below the variable IMAGES. What it was called with is noted in `calls` there.
"""

import hashlib
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import boto3

IMAGES = Path(os.environ["IMAGES"])


def main() -> None:
    """Do what the arguments say."""
    word, *rest = sys.argv[1:]
    entered = sys.stdin.read() if word == "login" else ""
    IMAGES.mkdir(exist_ok=True)
    with (IMAGES / "calls").open("a", encoding="utf-8") as file:
        noted = {"words": [word, *rest], "stdin": entered, "variables": dict(os.environ)}
        file.write(json.dumps(noted) + "\n")
    if word == "build":
        given = dict(itertools.pairwise(rest))
        folder = IMAGES / given["--tag"].partition(":")[2]
        words = [sys.executable, "-m", "igloo.packaging.image", str(folder)]
        subprocess.run(words, check=True)
        commit = given["--build-arg"].removeprefix("COMMIT=")
        (folder / "commit").write_text(commit, encoding="utf-8")
    if word == "push":
        tag = rest[0].partition(":")[2]
        ecr = boto3.client("ecr", region_name="ap-northeast-2")
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"digest": tag},
            "layers": [{"digest": f"sha256:{hashlib.sha256(tag.encode()).hexdigest()}"}],
        }
        ecr.put_image(repositoryName="igloo", imageManifest=json.dumps(manifest), imageTag=tag)
    print(f"{word}: done")


main()
