"""How long `GET /api/v1/posts?housing_type=apartment` takes: 20 cards, for a member.

The floor is PostgreSQL writing the same document itself, in one plain statement over an equal
connection: what the page costs when nothing of it is made in Python. Ratios to it say what igloo
adds, whatever the machine. All contestants are called in turn, round after round, so that a busy
machine slows each of them as much. Times are medians of single calls, in milliseconds.
"""

import base64
import gc
import io
import json
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import urlencode

import psycopg2
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection
from rest_framework.test import force_authenticate

from apps.media.shapes import media_base
from apps.members.models import Member
from apps.members.services import sessions
from apps.posts.views import PostsView
from bench import data
from bench.table import Row, at_most, print_table
from igloo.wsgi import application

HOST = "api.igloo.example"
PATH = "/api/v1/posts"
FILTER = {"housing_type": "apartment"}
CARDS = 20
DEEP_PAGES = 500
ROUNDS = 400
WARM_UP = 30

VIEW_LIMIT = 3.0
FULL_LIMIT = 5.0
DEEP_LIMIT = 1.2

# The page, `%(after)s` being a cursor's condition; then what each card is made of.
_FLOOR = r"""
WITH page AS MATERIALIZED (
    SELECT post.*, author.username, author.display_name, author.avatar_id
    FROM posts_post AS post
    JOIN members_member AS author ON author.id = post.author_id
    WHERE post.status = 'published' AND author.is_active
      AND post.housing_type_id = %(housing_type)s AND AFTER
    ORDER BY post.published_at DESC, post.id DESC
    LIMIT 21
)
SELECT json_build_object(
    'items', (
        SELECT json_agg(
            json_build_object(
                'id', shown.id,
                'title', title,
                'excerpt', CASE WHEN length(words) <= 100 THEN words
                                ELSE rtrim(left(words, 99)) || '…' END,
                'author', json_build_object(
                    'id', author_id,
                    'username', username,
                    'display_name', display_name,
                    'avatar', (
                        SELECT json_build_object('url', %(media)s || key, 'width', width,
                                                 'height', height)
                        FROM jsonb_to_recordset(avatar.renditions)
                            AS made (name text, key text, width int, height int)
                        WHERE name = 'small'
                    )
                ),
                'cover', json_build_object(
                    'id', cover_id,
                    'position', 0,
                    'caption', caption,
                    'width', upload.width,
                    'height', upload.height,
                    'blurhash', upload.blurhash,
                    'palette', upload.palette,
                    'renditions', (
                        SELECT json_agg(json_build_object(
                            'name', name, 'url', %(media)s || key, 'width', width,
                            'height', height, 'content_type', content_type))
                        FROM jsonb_to_recordset(upload.renditions)
                            AS made (name text, key text, width int, height int,
                                     content_type text)
                    ),
                    'products', products
                ),
                'photo_count', photo_count,
                'pyeong', pyeong_id,
                'housing_type', housing_type_id,
                'styles', styles,
                'colors', colors,
                'like_count', like_count,
                'comment_count', comment_count,
                'save_count', save_count,
                'liked_by_me', EXISTS (
                    SELECT FROM posts_postlike
                    WHERE post_id = shown.id AND member_id = %(viewer)s
                ),
                'saved_by_me', false,
                'published_at', to_char(published_at AT TIME ZONE 'UTC',
                                        'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
            )
            ORDER BY published_at DESC, shown.id DESC
        )
        FROM (SELECT * FROM page LIMIT 20) AS shown
        CROSS JOIN LATERAL (
            SELECT btrim(regexp_replace(left(content, 160), '\s+', ' ', 'g')) AS words
        ) AS excerpt
        LEFT JOIN media_upload AS avatar ON avatar.id = avatar_id
        JOIN posts_photo AS photo ON photo.upload_id = cover_id
        JOIN media_upload AS upload ON upload.id = cover_id
    ),
    -- PostgreSQL has no key to sign a cursor with: this is what a cursor holds.
    'next_cursor', (
        SELECT json_build_array(to_char(published_at AT TIME ZONE 'UTC',
                                        'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), id)
        FROM page
        WHERE EXISTS (SELECT FROM page OFFSET 20)
        OFFSET 19 LIMIT 1
    )
)::text
"""
_AFTER = "(post.published_at, post.id) < (%(published_at)s::timestamptz, %(id)s::uuid)"
_OFFSET = """
SELECT post.id::text
FROM posts_post AS post
JOIN members_member AS author ON author.id = post.author_id
WHERE post.status = 'published' AND author.is_active AND post.housing_type_id = %(housing_type)s
ORDER BY post.published_at DESC, post.id DESC
OFFSET %(offset)s LIMIT 20
"""

Call = Callable[[], bytes]


class Client:
    """One member who asks for pages of the list; each call gives the answer's bytes."""

    def __init__(self) -> None:
        self.member = Member.objects.get(username=data.VIEWER)
        device = sessions.Device(name="bench", platform="ios", app_version="1.0.0")
        self.token = sessions.open_session(member=self.member, device=device).access_token
        self._view = PostsView.as_view()

    def full(self, cursor: str | None) -> Call:
        """From the URL to the bytes: everything that a server's worker does for a call."""
        environ = self._environ(cursor)

        def call() -> bytes:
            status: list[str] = []
            answer = application(
                environ | {"wsgi.input": io.BytesIO()},
                lambda line, headers, exc_info=None: status.append(line),
            )
            body = b"".join(answer)
            answer.close()
            if status != ["200 OK"]:
                raise RuntimeError(f"{status}: {body[:500]!r}")
            return body

        return call

    def view(self, cursor: str | None) -> Call:
        """The view's own work: from a request whose member is known to the bytes."""
        environ = self._environ(cursor)

        def call() -> bytes:
            request = WSGIRequest(environ | {"wsgi.input": io.BytesIO()})
            force_authenticate(request, user=self.member)
            return self._view(request).render().content

        return call

    def media(self) -> str:
        """What stands before a picture's key in the answers to this client."""
        return media_base(WSGIRequest(self._environ(None) | {"wsgi.input": io.BytesIO()}))

    def _environ(self, cursor: str | None) -> dict[str, Any]:
        """A WSGI environment as gunicorn makes it behind a load balancer."""
        query = FILTER if cursor is None else FILTER | {"cursor": cursor}
        return {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": PATH,
            "QUERY_STRING": urlencode(query),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "10.0.0.7",
            "HTTP_HOST": HOST,
            "HTTP_ACCEPT": "application/json",
            "HTTP_ACCEPT_LANGUAGE": "ko-KR,ko;q=0.9",
            "HTTP_ACCEPT_ENCODING": "gzip",
            "HTTP_USER_AGENT": "igloo/1.0.0 (iPhone; iOS 26.1)",
            "HTTP_X_FORWARDED_FOR": "203.0.113.7",
            "HTTP_AUTHORIZATION": f"Bearer {self.token}",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }


class Floor:
    """PostgreSQL writes the page itself, over a connection like Django's; each call gives bytes."""

    def __init__(self, client: Client, media: str) -> None:
        self._connection = psycopg2.connect(**connection.get_connection_params())
        self._connection.autocommit = True
        self._cursor = self._connection.cursor()
        self._values = FILTER | {"media": media, "viewer": str(client.member.pk)}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def page(self, after: Mapping[str, str] | None) -> Call:
        """The page after the card with this `published_at` and `id`, or the first one."""
        statement = _FLOOR.replace("AFTER", "true" if after is None else _AFTER)
        values = self._values | (after or {})

        def call() -> bytes:
            self._cursor.execute(statement, values)
            return self._cursor.fetchone()[0].encode()

        return call

    def planned(self) -> Call:
        """The first page with a statement that PostgreSQL has parsed and planned beforehand."""
        statement = _FLOOR.replace("AFTER", "true")
        for number, name in enumerate(self._values, 1):
            statement = statement.replace(f"%({name})s", f"${number}")
        self._cursor.execute(f"PREPARE page (text, text, uuid) AS {statement}")
        values = tuple(self._values.values())

        def call() -> bytes:
            self._cursor.execute("EXECUTE page (%s, %s, %s)", values)
            return self._cursor.fetchone()[0].encode()

        return call

    def ids_at(self, offset: int) -> list[str]:
        """The ids of the page that starts at this position, by counting from the first."""
        self._cursor.execute(_OFFSET, self._values | {"offset": offset})
        return [row[0] for row in self._cursor.fetchall()]


def _deep_cursor(client: Client) -> str:
    """Follow the cursors from the first page over 500 pages."""
    cursor = None
    for _page in range(DEEP_PAGES):
        cursor = json.loads(client.view(cursor)())["next_cursor"]
    return cursor


def _sort_key(cursor: str) -> list[str]:
    """What a cursor holds: the last card's `published_at` and `id`."""
    payload = cursor.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def _check_same(name: str, answer: bytes, floor: bytes) -> None:
    """Raise unless both are the same document; a cursor is compared without its signature."""
    ours, theirs = json.loads(answer), json.loads(floor)
    ours["next_cursor"] = _sort_key(ours["next_cursor"])
    if len(ours["items"]) != CARDS or ours != theirs:
        raise RuntimeError(f"{name}: the floor does not write what the API answers")


def measure(calls: Mapping[str, Call], rounds: int = ROUNDS) -> dict[str, float]:
    """The median time of each call, in ms; the calls take turns."""
    for call in calls.values():
        for _ in range(WARM_UP):
            call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    gc.collect()
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) * 1000 for name, taken in times.items()}


def run(*, explain: bool = False) -> None:
    """Check that all contestants give the same documents, measure them, print the table.

    The database that Django knows holds what `data.prepare` makes. With `explain`, PostgreSQL's
    own account of the list's queries is printed as well.
    """
    client = Client()
    with closing(Floor(client, client.media())) as floor:
        deep = _deep_cursor(client)
        after = dict(zip(("published_at", "id"), _sort_key(deep), strict=True))
        _check(client, floor, deep, after)
        times = measure(
            {
                "floor": floor.page(None),
                "view": client.view(None),
                "full": client.full(None),
                "planned": floor.planned(),
                "deep floor": floor.page(after),
                "deep view": client.view(deep),
                "deep full": client.full(deep),
            }
        )
        _print(times, kilobytes=len(client.full(None)()) / 1000)
        if explain:
            _explain("The first page", client.view(None))
            _explain(f"{DEEP_PAGES} pages deep", client.view(deep))


def _check(client: Client, floor: Floor, deep: str, after: Mapping[str, str]) -> None:
    for name, cursor, written in (
        ("first page", None, floor.page(None)),
        ("deep page", deep, floor.page(after)),
    ):
        _check_same(f"{name}, full", client.full(cursor)(), written())
        _check_same(f"{name}, view", client.view(cursor)(), written())
    shown = [card["id"] for card in json.loads(client.full(deep)())["items"]]
    if shown != floor.ids_at(DEEP_PAGES * CARDS):
        raise RuntimeError("the cursors do not lead to the rows that counting leads to")


def _print(times: Mapping[str, float], kilobytes: float) -> None:
    floor, view = times["floor"], times["view"]
    deeper = times["deep view"] / view

    def milliseconds(name: str, key: str) -> Row:
        return Row(name, f"{times[key]:.2f} ms")

    rows = [
        milliseconds("floor: PostgreSQL writes the document", "floor"),
        milliseconds("floor, when parsed and planned beforehand", "planned"),
        milliseconds("the view's own work", "view"),
        milliseconds("full: from the URL to the bytes", "full"),
        at_most("view against the floor", view / floor, VIEW_LIMIT, unit="×"),
        at_most("full against the floor", times["full"] / floor, FULL_LIMIT, unit="×"),
        Row("view against the floor planned beforehand", f"{view / times['planned']:.2f} ×"),
        milliseconds(f"{DEEP_PAGES} pages deep: floor", "deep floor"),
        milliseconds(f"{DEEP_PAGES} pages deep: view", "deep view"),
        milliseconds(f"{DEEP_PAGES} pages deep: full", "deep full"),
        at_most("deep view against the first page", deeper, DEEP_LIMIT, unit="×"),
        Row("deep full against the first page", f"{times['deep full'] / times['full']:.2f} ×"),
    ]
    print_table(
        f"GET {PATH}?{urlencode(FILTER)}: {CARDS} cards, {kilobytes:.0f} kB, medians of"
        f" {ROUNDS} rounds; {data.POSTS:,} posts",
        rows,
    )


def _explain(title: str, call: Call) -> None:
    """Print how PostgreSQL ran each query of a call, with its times and buffers."""
    asked: list[tuple[str, Any]] = []

    def note(execute: Callable[..., Any], query: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((query, params))
        return execute(query, params, many, context)

    with connection.execute_wrapper(note):
        call()
    for query, params in asked:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {query}", params)
            plan = "\n".join(row[0] for row in cursor.fetchall())
        print(f"\n{title}: {query}\n\n{plan}")
