"""`make lambda`: this checkout's package, on the database that `make run` has up for it.

    python -m igloo.laptop.aws_lambda.checkout [PACKAGE]

Without a package it only checks. PORT (8001) and API (v2) come from the
environment, DATABASE_URL and LOCAL_STORAGE_DIR from where settings find them.
"""

import json
import os
import sys
from pathlib import Path

from igloo.laptop import __main__ as laptop
from igloo.laptop import places
from igloo.laptop.aws_lambda import __main__ as command
from igloo.laptop.aws_lambda.bootstrap import WRITABLE, landlock_version
from igloo.laptop.aws_lambda.gateway import GATEWAYS
from igloo.laptop.children import say
from igloo.laptop.database_url import is_embedded
from igloo.laptop.places import LaptopError

PORT = "8001"


def _check_database() -> None:
    from django.conf import settings
    from django.db import OperationalError, connections

    try:
        connections["default"].ensure_connection()
    except OperationalError as error:
        if is_embedded(settings.DATABASE_URL):
            raise LaptopError(
                "No database is up for this checkout: start `make run` in another shell (with the "
                "same IGLOO_HOME, where that is set), or set DATABASE_URL."
            ) from error
        reason = str(error).strip().splitlines()[0]
        raise LaptopError(f"The PostgreSQL of DATABASE_URL can't be used: {reason}") from error
    finally:
        connections.close_all()


def _options() -> list[str]:
    from django.conf import settings

    port = laptop._port(os.environ.get("PORT") or PORT)
    api = os.environ.get("API") or "v2"
    if api not in GATEWAYS:
        raise LaptopError(f"API={api} is none: v2 is an HTTP API, v1 a REST API.")
    stages = json.loads((places.CHECKOUT / "zappa_settings.json").read_text(encoding="utf-8"))
    variables = {
        "DATABASE_URL": settings.DATABASE_URL,
        "LOCAL_STORAGE_DIR": settings.LOCAL_STORAGE_DIR,
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
    }
    return [
        *("--port", str(port), "--api", api),
        *("--memory", str((stages["base"] | stages["dev"])["memory_size"])),
        *(word for name, value in variables.items() for word in ("--env", f"{name}={value}")),
    ]


def _say_what_is_missing() -> None:
    from django.conf import settings

    say("igloo: admin pages come without their styles, which on AWS are on S3")
    storage = settings.LOCAL_STORAGE_DIR.resolve()
    if landlock_version() and not storage.is_relative_to(Path(WRITABLE).resolve()):
        say(
            f"igloo: photos are shown from {storage}, and can't be sent there: as on Lambda, only "
            f"{WRITABLE} can be written. Send them to the address of `make run`, or set "
            f"LOCAL_STORAGE_DIR to a folder in {WRITABLE} for both"
        )


def main() -> int:
    """Check, and serve the package where one is named; the exit status."""
    # The shell may have the stage of a package in mind.
    os.environ["STAGE"] = "local"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "igloo.settings")
    try:
        options = _options()
        _check_database()
        if len(sys.argv) == 1:
            return 0
        _say_what_is_missing()
    except (LaptopError, OSError) as error:
        say(f"igloo: {error}")
        return 1
    return command.main(["--package", sys.argv[1], *options])


if __name__ == "__main__":
    sys.exit(main())
