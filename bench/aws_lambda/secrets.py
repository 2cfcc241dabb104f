"""What `remote_env` costs a cold start, against Lambda's own variables: CPU time.

It is an import of boto3 and a call of S3. The S3 here is on loopback, so that the way to AWS and
back, which takes no CPU time, is not in it.
"""

import json
import logging
import os
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

from bench.aws_lambda.function import Function, by_handler
from bench.aws_lambda.packages import Packages
from bench.aws_lambda.start import HANDLER, PATH, ROUNDS
from bench.table import Row, print_table
from igloo.laptop.aws_lambda import package

_BUCKET = "igloo-secrets"
_KEY = "dev.json"
_REGION = "ap-northeast-2"


def run(packages: Packages) -> None:
    """Measure in turn, and print the table."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for each call
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        with tempfile.TemporaryDirectory(dir=packages.zip.parent) as folder:
            url = "http://{}:{}".format(*server.get_host_and_port())
            own = packages.igloo
            remote = _remote(packages, Path(folder, "task"), url)
            seconds = _measure([own, remote])
            package.remove(remote.task_root)
    finally:
        server.stop()
    variables, remote_env = (statistics.median(values) * 1000 for values in seconds)
    print_table(
        f"Secrets: CPU time of a cold start, medians of {ROUNDS} rounds (load "
        f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors)",
        [
            Row("Lambda's own variables", f"{variables:.0f} ms"),
            Row("remote_env", f"{remote_env:.0f} ms", f"{remote_env / variables:.2f}"),
        ],
    )


def _remote(packages: Packages, folder: Path, url: str) -> Function:
    """The same package, which has its variables from S3 in place of its own."""
    client = boto3.session.Session("local", "local").client(
        "s3", region_name=_REGION, endpoint_url=url
    )
    client.create_bucket(Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": _REGION})
    values = json.dumps(packages.igloo.environment)
    client.put_object(Bucket=_BUCKET, Key=_KEY, Body=values.encode())
    client.close()
    package.unpack(packages.zip, folder)
    settings = folder / "zappa_settings.py"
    settings.chmod(0o644)
    with settings.open("a", encoding="utf-8") as file:
        # Which is a laptop's stage but for that: the database is embedded.
        file.write(f"\nREMOTE_ENV, API_STAGE = 's3://{_BUCKET}/{_KEY}', 'local'\n")
    for compiled in folder.glob("__pycache__/zappa_settings.*"):
        compiled.unlink()  # it is never compared with its source
    return replace(
        packages.igloo,
        name="remote_env",
        task_root=folder,
        environment={"AWS_ENDPOINT_URL": url},
    )


def _measure(functions: list[Function]) -> list[list[float]]:
    way = by_handler(HANDLER, PATH, api="v2")
    seconds: list[list[float]] = [[] for _ in functions]
    for turn in range(ROUNDS + 1):
        for function, values in zip(functions, seconds, strict=True):
            told = function.run([way])
            if turn:  # the first one reads from the disk
                values.append(told.first)
    return seconds
