"""`python -m igloo.laptop.aws_lambda --package PATH`: a Lambda package behind a local address."""

import argparse
import errno
import signal
import sys
import threading
from pathlib import Path

from igloo.laptop.aws_lambda.bootstrap import landlock_version
from igloo.laptop.aws_lambda.gateway import GATEWAYS
from igloo.laptop.aws_lambda.local import running
from igloo.laptop.children import say
from igloo.laptop.places import LaptopError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{name} is not NAME=VALUE")
    return name, value


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m igloo.laptop.aws_lambda",
        description="Run a Lambda package here: unpacked afresh, in a clean interpreter, by AWS's "
        "own runtime client, behind an address that makes API Gateway's events.",
    )
    add = parser.add_argument
    add("--package", type=Path, required=True, metavar="PATH", help="a zip, or a folder")
    add("--port", type=int, default=8001, help="of the address (8001); 0 takes a free one")
    add("--api", choices=sorted(GATEWAYS), default="v2", help="HTTP API: v2, REST API: v1 (v2)")
    add("--instances", type=int, default=3, metavar="N", help="at the same time, at most (3)")
    add(
        "--env",
        action="append",
        default=[],
        type=_variable,
        metavar="NAME=VALUE",
        help="a variable of the function; repeatable",
    )
    add("--handler", default="igloo.lambda_handler.handler", help="the function's entry")
    add("--name", default="igloo-local", help="the function's name (igloo-local)")
    add("--memory", type=int, default=1024, metavar="MB", help="of an instance (1024)")
    add("--timeout", type=float, default=30, metavar="SECONDS", help="of a request (30)")
    add(
        "--event-timeout",
        type=float,
        default=900,
        metavar="SECONDS",
        help="of what `invocations` brings: the function's own limit (900)",
    )
    return parser.parse_args(arguments)


def _stop(*_: object) -> None:
    # A second one would leave things behind.
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main(arguments: list[str] | None = None) -> int:
    """Serve until Ctrl-C or TERM, and return the exit status."""
    options = _arguments(arguments)
    for number in _SIGNALS:
        signal.signal(number, _stop)
    try:
        with running(
            options.package,
            environment=dict(options.env),
            api=options.api,
            port=options.port,
            instances=options.instances,
            handler=options.handler,
            name=options.name,
            memory_mb=options.memory,
            http_seconds=options.timeout,
            event_seconds=options.event_timeout,
        ) as front:
            if not landlock_version():
                say("igloo: this system has no Landlock: writing outside of /tmp is not refused")
            say(f"igloo: {options.name} is at {front.url}, by API Gateway {options.api}")
            threading.Event().wait()
    except KeyboardInterrupt:
        say("igloo: everything is stopped")
    except (LaptopError, OSError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            say(f"igloo: port {options.port} is in use by another program: take another one")
        else:
            say(f"igloo: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
