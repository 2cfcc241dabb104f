"""`python -m bench [NAME] [--explain]`: how fast igloo is.

NAME is one of posts, auth, erasing, web, photo, tasks, lambda.
Without a name, everything is measured, in about 15 minutes. The first run makes the data, which
takes a minute or two more. `python -m bench.tasks` takes background work apart, and
`python -m bench.aws_lambda` the start on Lambda.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from igloo.laptop.places import LaptopError


def _in_process(names: Sequence[str], explain: bool) -> None:
    """Measure with Django in this process."""
    from bench import data

    with data.server() as url:
        os.environ["DATABASE_URL"] = url
        # As on AWS: connections are kept, so that no call pays for making one.
        os.environ.setdefault("DB_CONN_MAX_AGE", "600")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "igloo.settings")
        import django

        django.setup()
        data.prepare(url)
        # Here, since it needs Django's settings to be known.
        from django.db import connections

        from bench import auth, blocks, erasing, posts

        try:
            if "posts" in names:
                posts.run(explain=explain)
                blocks.run()
            if "auth" in names:
                auth.run(explain=explain)
            if "erasing" in names:
                erasing.run()
        finally:
            connections.close_all()


def _web() -> None:
    from bench import data
    from bench.web import measure

    with data.server() as url:
        os.environ["DATABASE_URL"] = url
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "igloo.settings")
        import django

        django.setup()
        data.prepare(url)
        measure.run(url)


def main() -> int:
    """Measure, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument(
        "name",
        nargs="?",
        choices=["posts", "auth", "erasing", "web", "photo", "tasks", "lambda"],
        help="measure this alone",
    )
    parser.add_argument(
        "--explain", action="store_true", help="print how PostgreSQL ran the queries"
    )
    arguments = parser.parse_args()
    try:
        if arguments.name in (None, "posts", "auth", "erasing"):
            _in_process(
                [arguments.name] if arguments.name else ["posts", "auth", "erasing"],
                arguments.explain,
            )
        if arguments.name in (None, "web"):
            _web()
        if arguments.name in (None, "photo"):
            from bench import photo

            photo.run()
        if arguments.name in (None, "tasks"):
            from bench.tasks import enqueue, kills, throughput

            enqueue.run()
            throughput.run()
            kills.run()
        if arguments.name in (None, "lambda"):
            from bench.aws_lambda import measure

            measure.run()
    except LaptopError as error:
        print(f"bench: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
