"""A package that runs, from its file to its address."""

import re
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from igloo.laptop.aws_lambda import package as packages
from igloo.laptop.aws_lambda import runtime as runtimes
from igloo.laptop.aws_lambda.front import Front
from igloo.laptop.aws_lambda.function import Function
from igloo.laptop.aws_lambda.gateway import GATEWAYS
from igloo.laptop.aws_lambda.instance import Settings
from igloo.laptop.places import LaptopError

# Of all variables together, names and values ("Lambda quotas").
ENVIRONMENT_BYTES = 4 * 1024
# Those that Lambda sets, and lets nobody else set. It does so with the keys of an account too, but
# a stand-in for S3 may want some.
_RESERVED = re.compile(r"_HANDLER|_X_AMZN_.*|LAMBDA_.*|AWS_LAMBDA_.*|AWS_EXECUTION_ENV|AWS_REGION")


@contextmanager
def running(
    package: Path,
    *,
    environment: Mapping[str, str] | None = None,
    api: str = "v2",
    port: int = 0,
    instances: int = 3,
    handler: str = "igloo.lambda_handler.handler",
    name: str = "igloo-local",
    region: str = "ap-northeast-2",
    memory_mb: int = 1024,
    http_seconds: float = 30,
    event_seconds: float = 900,
) -> Iterator[Front]:
    """Run a package until the end of the block; `url` of what is given says where.

    Args:
        package: a zip, or a folder.
        environment: the function's variables, beside those that Lambda sets. STAGE is local.
        api: "v2", an HTTP API, or "v1", a REST API.
        port: of loopback; 0 takes a free one.
        instances: at the same time, at most.
        handler: module and function.
        memory_mb: of an instance, which is killed when it has more.
        http_seconds: after which API Gateway gives up, and the instance is killed.
        event_seconds: the same of an event that came by `invocations`.

    Raises:
        LaptopError: AWS would not take the package or the variables, or its runtime can't be had.
        OSError: the port is in use, the disk is full.
    """
    # Said, since igloo's handler refuses to guess it.
    variables = {"STAGE": "local", **_checked(environment or {})}
    with ExitStack() as stack:
        # Not in /tmp, where an instance may write.
        folder = Path(tempfile.mkdtemp(prefix="igloo-lambda-", dir="/var/tmp"))
        stack.callback(packages.remove, folder)
        packages.unpack(package, folder / "task")
        settings = Settings(
            name=name,
            handler=handler,
            task_root=folder / "task",
            runtime=runtimes.of_package(folder / "task", folder / "runtime"),
            environment=variables,
            memory_mb=memory_mb,
            region=region,
        )
        function = Function(settings, most=instances, event_seconds=event_seconds)
        stack.callback(function.close)
        front = stack.enter_context(
            Front(
                function,
                GATEWAYS[api],
                port=port,
                http_seconds=http_seconds,
                event_seconds=event_seconds,
            )
        )
        # So that the package's own invocations come here.
        variables.setdefault("AWS_ENDPOINT_URL_LAMBDA", front.url)
        serving = threading.Thread(target=front.serve_forever, args=[0.05], daemon=True)
        serving.start()
        stack.callback(serving.join)
        stack.callback(front.shutdown)
        yield front


def _checked(environment: Mapping[str, str]) -> Mapping[str, str]:
    for name in environment:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or _RESERVED.fullmatch(name):
            raise LaptopError(f"Lambda takes no variable {name}: it sets it itself, or can't.")
    size = sum(len(f"{name}{value}".encode()) for name, value in environment.items())
    if size > ENVIRONMENT_BYTES:
        raise LaptopError(f"The variables have {size} bytes; Lambda takes {ENVIRONMENT_BYTES}.")
    return environment
