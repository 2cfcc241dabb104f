"""The URL of the embedded PostgreSQL: cheap to know, for the settings ask for it at every start."""

from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from igloo.laptop import places

DATABASE = "igloo"


def database_url(socket_folder: Path, database: str) -> str:
    """The URL of a database of the server whose socket is in this folder."""
    # The port is said because PGPORT would change the default, on either side.
    return f"postgresql://postgres@:5432/{database}?host={quote(str(socket_folder))}"


def default_url() -> str:
    """The URL of this checkout's embedded server, whether or not it runs."""
    return database_url(places.socket_folder(places.folder()), DATABASE)


def is_embedded(url: str) -> bool:
    """Whether the URL is an embedded server's, of this checkout, of another, or of the tests."""
    return any(
        Path(host).name == places.SOCKET_FOLDER
        for host in parse_qs(urlsplit(url).query).get("host", [])
    )
