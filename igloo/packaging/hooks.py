"""What Zappa calls while it deploys: `callbacks` of zappa_settings.json.

`zappa package`, `deploy` and `update` load the stage, call `settings`, put a zip together, call
`zip`, and upload what lies there then. Zappa itself would zip the active virtual environment and
every file of this folder, and date them so that Python compiles all of it at each cold start. So
`prepare` leaves it nothing to take, and `write_package` puts the package in place of what it made.
"""

import os
import sys
import zipfile
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

# Zappa loads this file by itself, as a module `hooks`, and its command imports from its own folder,
# not from the checkout.
if (_ROOT := str(Path(__file__).resolve().parents[2])) not in sys.path:
    sys.path.insert(0, _ROOT)

from igloo.packaging import PackagingError, archive, environment, rules
from igloo.packaging.project import project_files
from igloo.packaging.static_names import make_static_names

_BUILDING = ("deploy", "package", "update")
_HANDLER = "igloo.lambda_handler.handler"
_MIB = 1024 * 1024


def _in_sentences(hook: Callable[[Any], None]) -> Callable[[Any], None]:
    """What stops a build is said without a traceback, and ends Zappa with status 1."""

    @wraps(hook)
    def call(cli: Any) -> None:
        try:
            hook(cli)
        except PackagingError as error:
            raise click.ClickException(str(error)) from error

    return call


@_in_sentences
def prepare(cli: Any) -> None:
    """`settings`: refuse a stage whose package could not run, and leave Zappa nothing to take.

    Args:
        cli: zappa.cli.ZappaCLI, with the stage's settings.
    """
    if cli.command not in _BUILDING:
        return
    # Zappa wants a virtual environment to be active, and packs it. It gets an empty one.
    empty = environment.cache() / "nothing"
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    (empty / "lib" / version / "site-packages").mkdir(parents=True, exist_ok=True)
    os.environ["VIRTUAL_ENV"] = str(empty)
    cli.override_stage_config_setting("exclude", ["*"])
    cli.override_stage_config_setting("exclude_glob", [])
    cli.override_stage_config_setting("use_precompiled_packages", False)
    if not _builds(cli):
        return
    if output := cli.vargs.get("output"):
        # What was built before must not be taken for the result when this build fails.
        Path(output).unlink(missing_ok=True)
    _check(cli)
    # At once: these fail without AWS having been asked anything.
    project_files(environment.ROOT)
    environment.libraries(cli.runtime)


def _builds(cli: Any) -> bool:
    """Whether this command makes a zip: it may be given one, or an image."""
    return not any(cli.vargs.get(name) for name in ("zip", "no_upload", "docker_image_uri"))


def _check(cli: Any) -> None:
    problems = []
    if cli.runtime not in rules.RUNTIMES:
        problems.append(
            f'"runtime" is {cli.runtime!r}: libvips needs glibc 2.28, which Lambda has from '
            f"python3.12 on. Take one of {', '.join(rules.RUNTIMES)}"
        )
    if cli.architecture != "x86_64":
        problems.append(f'"architecture" is {cli.architecture!r}: the libraries are for x86_64')
    if cli.stage_config.get("slim_handler"):
        problems.append('"slim_handler" must be false: the package is one zip')
    if cli.lambda_handler != _HANDLER:
        problems.append(f'"lambda_handler" must be "{_HANDLER}"')
    if names := ", ".join(sorted(cli.environment_variables)):
        problems.append(
            f'"environment_variables" ({names}) would lie in the zip for anyone to read: '
            'name them in "aws_environment_variables"'
        )
    if problems:
        raise PackagingError(
            f"Stage {cli.api_stage} can't be packaged. " + ". ".join(problems) + "."
        )


@_in_sentences
def write_package(cli: Any) -> None:
    """`zip`: put the package in place of the zip that Zappa made, of which one file is kept.

    Args:
        cli: zappa.cli.ZappaCLI; its `zip_path` is what it uploads, or leaves there.
    """
    path = Path(cli.zip_path)
    try:
        with zipfile.ZipFile(path) as made:
            stage = made.read("zappa_settings.py")
        archive.write(
            path,
            root=environment.ROOT,
            libraries=environment.libraries(cli.runtime),
            python=environment.python_for(cli.runtime),
            runtime=cli.runtime,
            settings=stage,
            static_names=make_static_names(environment.ROOT),
            # Of whoever builds: the same checkout without its git must give the same zip.
            commit=os.environ.get("IGLOO_COMMIT", ""),
        )
    except BaseException:
        # Nobody must find what was not checked.
        path.unlink(missing_ok=True)
        raise
    click.echo(f"igloo: {path.stat().st_size / _MIB:.2f} MiB, CodeSha256 {archive.checksum(path)}")
