"""What goes into the Lambda package: of this project, and of the libraries."""

import re
from collections.abc import Container, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

# Bytes. Lambda itself takes 50 MB; a cold start downloads and unpacks what is here.
MAX_ZIP = 24 * 1024 * 1024

# Lambda's runtimes, and the newest wheels that each can load, in uv's words. All are Amazon Linux
# 2023, with glibc 2.34. python3.11 is Amazon Linux 2, whose glibc 2.26 can load neither libvips'
# nor Pillow's wheel (2.28 and 2.27), and SnapStart begins with 3.12.
RUNTIMES = {
    "python3.12": "x86_64-manylinux_2_34",
    "python3.13": "x86_64-manylinux_2_34",
    "python3.14": "x86_64-manylinux_2_34",
}

# --- Libraries ----------------------------------------------------------------------------------
# Requirements that stay behind, with all that only they require.
STAY_BEHIND = {
    "boto3": "Lambda's runtime has it",
    "gunicorn": "the web server of a container",
    "redis": "the broker of task_worker, which runs in containers",
    "pycparser": "cffi's, to read C; what is here was compiled",
}
# Requirements that have no wheel, and have to be pure Python.
WITHOUT_WHEEL = ("pyvips",)

# Patterns of files; `*` passes slashes.
_NOT_RUN = (
    # What people and their tools read. Static files are on S3.
    "bin/*", "*/__pycache__/*", "*.pyi", "*py.typed", "*.po", "*.h", "*.c", "*.pxd", "*.pyx",
    "*-tpl", "*/static/*", "*/tests/*", "*/tests.py", "*/test.py", "*/testing.py", ".lock",
    # Contributions to Django that nothing imports: Django itself has `sites`, DRF `admindocs`, and
    # django_stubs_ext, with which django_tasks begins, `sitemaps` and `syndication`.
    "django/contrib/flatpages/*", "django/contrib/gis/*",
    "django/contrib/humanize/*", "django/contrib/redirects/*",
    "django/db/backends/mysql/*", "django/db/backends/oracle/*", "django/db/backends/sqlite3/*",
    "django/test/*",
    # Its models, which apps/tasks/tables.py leaves unloaded, are no operator's business.
    "django_q/admin.py",
    # cffi's own code compiles; the extension that it compiled needs `_cffi_backend` alone.
    "cffi/*", "cffi-*", "pyvips/pyvips_build.py",
    # dateutil's copy of the time zones: the system has them.
    "dateutil/zoneinfo/*.tar.gz",
)  # fmt: skip
# pi_heif hands its pixels to libvips. It imports Pillow's core, and none of its file formats.
_PILLOW = {
    "__init__", "_binary", "_deprecate", "_imaging", "_typing", "_util", "_version", "ExifTags",
    "Image", "ImageFile", "ImageMode", "ImagePalette", "ImageSequence", "TiffTags",
}  # fmt: skip
_PILLOW_LAZY = {"ImageChops", "ImageColor", "GimpGradientFile", "GimpPaletteFile", "PaletteFile"}
_LANGUAGES = {"en", "ko"}
_LOCALE = re.compile(r"(?:^|/)(?:locale|conf/locale)/([A-Za-z_]+)/")
# Of a `*.dist-info`: `importlib.metadata.version` reads it as some packages start.
_METADATA = {"METADATA", "entry_points.txt"}


def is_library_file(name: str) -> bool:
    """Whether a file of an installed library, named from site-packages on, goes in."""
    if any(fnmatchcase(name, pattern) for pattern in _NOT_RUN):
        return False
    top, _, rest = name.partition("/")
    if top == "PIL":
        return rest.partition(".")[0] in _PILLOW | _PILLOW_LAZY
    if top.endswith(".dist-info"):
        return rest in _METADATA
    language = _LOCALE.search(name)
    return language is None or language[1] in _LANGUAGES


def named_libraries(files: Mapping[str, bytes]) -> set[str]:
    """The files of `*.libs` folders that something kept needs.

    auditwheel gives each library a name with a hash, under which the others load it, so a library
    whose name is in no kept binary is loaded by none.
    """
    bundled = {name for name in files if name.partition("/")[0].endswith(".libs")}
    asking = [name for name in files if name not in bundled and name.endswith(".so")]
    needed: set[str] = set()
    while asking:
        data = files[asking.pop()]
        found = {name for name in bundled - needed if name.rpartition("/")[2].encode() in data}
        needed |= found
        asking += found
    return needed


# --- This project -------------------------------------------------------------------------------
# What is taken from each folder, by the end of the name. Anything else fails the build.
_PROJECT = {"apps": (".py", ".html"), "igloo": (".py",), "locale": (".mo",)}
# And the text parts of mails.
_TEXTS = "apps/*/templates/*.txt"
PROJECT_FOLDERS = tuple(_PROJECT)
PROJECT_FILES = ("docs/openapi.json", "manage.py")
# Without these nothing would run.
NEEDED = (
    "apps/__init__.py", "igloo/lambda_handler.py", "igloo/settings.py", "igloo/wsgi.py",
    "locale/ko/LC_MESSAGES/django.mo",
)  # fmt: skip
# What the build writes, and Zappa of the stage's settings.
MADE = ("package_info.json", "staticfiles.json", "zappa_settings.py")

# Known, and not for Lambda.
_LEFT = (
    "*/__pycache__/*", "*/.DS_Store", "*.po",
    # On S3.
    "apps/*/static/*",
    # For those who develop and deploy it, with what requirements-dev.txt brings.
    "igloo/deploying/*", "igloo/laptop/*", "igloo/packaging/*", "apps/common/schema.py",
    "apps/ops/cost/*", "apps/ops/demo/*", "apps/ops/diagrams/*", "apps/ops/traffic/*",
    "apps/ops/management/commands/cost.py", "apps/ops/management/commands/demo.py",
    "apps/ops/management/commands/traffic.py",
    "apps/ops/management/commands/diagrams.py", "apps/ops/management/commands/messages.py",
    "apps/ops/management/commands/openapi.py", "apps/tasks/management/commands/zappa_events.py",
)  # fmt: skip
# For containers alone: the cluster, with Redis' client.
_CONTAINERS = ("apps/tasks/worker/*", "apps/tasks/management/commands/task_worker.py")
# All the same: settings.py imports these.
_NOT_LEFT = {
    "igloo/laptop/__init__.py", "igloo/laptop/database_url.py", "igloo/laptop/places.py",
}  # fmt: skip

# Names that mean a secret or data, in small letters. A module may have such a name.
_SECRET = (
    ".env", ".env.*", "*.env", ".secrets", "secrets.*", "*secrets.json", "credentials",
    "credentials.*", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*.pem", "*.key", "*.p12",
    "*.pfx", "*.jks", "*.keystore", "*.kdbx", ".netrc", ".pgpass", ".pypirc", ".npmrc",
    ".htpasswd", ".git", ".aws", ".ssh", "*.sqlite3", "*.sql", "*.dump", "*.pgdump", "*.bak",
)  # fmt: skip


def is_secret(name: str) -> bool:
    """Whether a part of the path is a name of what must never be published."""
    return any(
        fnmatchcase(part, pattern)
        for part in PurePosixPath(name.lower()).parts
        for pattern in _SECRET
        if not part.endswith((".py", ".pyc"))
    )


def is_left(name: str, *, container: bool = False) -> bool:
    """Whether a file of this project is known, and not for Lambda; or not for a container."""
    patterns = _LEFT if container else (*_LEFT, *_CONTAINERS)
    return name not in _NOT_LEFT and any(fnmatchcase(name, pattern) for pattern in patterns)


def is_taken(name: str, *, container: bool = False) -> bool:
    """Whether a file of this project goes in."""
    kinds = _PROJECT.get(name.partition("/")[0], ())
    known = name in PROJECT_FILES or name.endswith(kinds) or fnmatchcase(name, _TEXTS)
    return known and not is_left(name, container=container)


def strangers(names: Iterable[str], libraries: Container[str]) -> list[str]:
    """The names in a package that should not be there; `libraries` are those of the libraries."""
    return sorted(
        name
        for name in names
        if is_secret(name)
        or not (name in libraries or (own := _CACHED.sub(r"\1.py", name)) in MADE or is_taken(own))
    )


# Byte code of this project: `apps/common/__pycache__/ids.cpython-312.pyc` of `apps/common/ids.py`.
_CACHED = re.compile(r"__pycache__/([^/.]+)\.cpython-\d+\.pyc$")
