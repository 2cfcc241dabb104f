"""The data that the benchmarks read, and the PostgreSQL that keeps it between runs.

10,000 members, 200,000 posts (1 in 100 a draft), 600,000 photos with their uploads, 1,000,000
likes. PostgreSQL makes all of it by itself, with a fixed seed, in one transaction.

It lives in a database of its own, `igloo_bench`: on the server of DATABASE_URL, or else on an
embedded one whose folder is beside the data of `make run` and goes with `make clean`. It is made
anew when a migration or this file has changed.
"""

import hashlib
import importlib.metadata
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql

from igloo.laptop import places, postgres

DATABASE = "igloo_bench"
CHECKOUT = Path(__file__).resolve().parents[1]
# Who asks for the pages: likes about one post in twenty.
VIEWER = "bench_00001"

MEMBERS = 10_000
POSTS = 200_000
PHOTOS = 600_000
LIKES = 1_000_000

# Reading is left as PostgreSQL has it by default; what is lost in a crash can be made again.
_SETTINGS = postgres.SETTINGS | {"synchronous_commit": "off"}

_CONTENT = """ARRAY[
'이사 온 지 석 달, 드디어 거실이 완성됐어요.', '볕이 잘 드는 남향이라 하얀 커튼만 달았어요.',
'소파는 오래 고민하다가 베이지색으로 골랐습니다.', '식탁은 직접 사포질해서 오일을 발랐어요.',
'수납이 부족해서 침대 밑 서랍을 적극 활용했어요.', '조명만 바꿔도 분위기가 정말 달라지더라고요.',
'전세라서 벽은 못 뚫고 꼭꼬핀으로 해결했습니다.', '주방 타일은 시트지로 덮었는데 감쪽같아요.',
'고양이와 같이 사는 집이라 러그는 포기했어요.', '창가에는 키우기 쉬운 식물 위주로 두었어요.']"""

# (what is told while it runs, the statement). Ids are UUIDv7 of the row's own time, so the order
# of ids, of times and of rows on disk is about the same, as in a real table.
_STEPS = (
    (
        "members",
        """
        SELECT setseed(0.42);
        CREATE FUNCTION pg_temp.id_at(at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE AS $$
            SELECT overlay(overlay(md5(random()::text)
                PLACING lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
                FROM 1 FOR 13) PLACING '8' FROM 17 FOR 1)::uuid $$;
        CREATE FUNCTION pg_temp.one_of(words text[]) RETURNS text LANGUAGE sql VOLATILE AS $$
            SELECT words[1 + floor(random() * cardinality(words))::int] $$;

        CREATE TEMP TABLE bench_member AS
        SELECT n, at, pg_temp.id_at(at) AS id,
               CASE WHEN n % 5 < 2 THEN pg_temp.id_at(at) END AS avatar_id,
               n % 200 <> 0 AS is_active
        FROM (SELECT n, timestamptz '2024-10-01 00:00Z' + n * interval '101.7 min' AS at
              FROM generate_series(1, :members) AS n) AS times;
        """,
    ),
    (
        "posts and likes, as a plan",
        """
        CREATE TEMP TABLE bench_post AS
        SELECT n, created_at, pg_temp.id_at(created_at) AS id,
               created_at + random() * interval '20 min' AS published_at,
               -- A few members write much, most little.
               1 + floor(:members * power(random(), 2))::int AS author,
               n % 100 = 0 AS is_draft,
               1 + n % 5 AS photo_count,
               random() AS housing, random() AS size,
               1 + floor(random() * 3)::int AS colors
        FROM (SELECT n, timestamptz '2024-11-01 00:00Z'
                        + (n + random()) * interval '5.2 min' AS created_at
              FROM generate_series(1, :posts) AS n) AS times;

        CREATE TEMP TABLE bench_like AS
        SELECT post, member FROM (
            SELECT DISTINCT 1 + floor(:posts * random())::int AS post,
                            1 + floor(:members * power(random(), 2))::int AS member
            FROM generate_series(1, :likes * 11 / 10)
        ) AS pairs
        WHERE post % 100 <> 0
        LIMIT :likes;

        CREATE TEMP TABLE bench_photo AS
        SELECT post.n AS post, post.id AS post_id, post.created_at, member.id AS owner_id, position,
               random() < 0.7 AS is_landscape,
               pg_temp.id_at(post.created_at - (20 - position) * interval '1 s') AS id
        FROM bench_post AS post
        JOIN bench_member AS member ON member.n = post.author
        CROSS JOIN LATERAL generate_series(0, post.photo_count - 1) AS position
        ORDER BY post.n, position;

        ANALYZE bench_member; ANALYZE bench_post; ANALYZE bench_like; ANALYZE bench_photo;
        """,
    ),
    (
        "uploads",
        """
        INSERT INTO media_upload (id, owner_id, status, content_type, size, sha256, expires_at,
            attached_at, failure_code, width, height, blurhash, palette, suggested_colors,
            renditions, created_at)
        SELECT id, owner_id, 'ready', 'image/jpeg', 2000000 + floor(random() * 4000000)::int,
            md5(random()::text) || md5(random()::text), at + interval '1 hour',
            at + interval '1 min', '',
            CASE WHEN is_landscape THEN 4032 ELSE 3024 END,
            CASE WHEN is_landscape THEN 3024 ELSE 4032 END,
            'L' || left(md5(random()::text), 27),
            format('[{"hex": "#%s", "share": 0.4123}, {"hex": "#%s", "share": 0.2511},
                     {"hex": "#%s", "share": 0.1604}, {"hex": "#%s", "share": 0.1043},
                     {"hex": "#%s", "share": 0.0719}]', left(hash, 6), substr(hash, 7, 6),
                   substr(hash, 13, 6), substr(hash, 19, 6), substr(hash, 25, 6))::jsonb,
            '["beige", "brown", "white"]',
            format('[{"name": "large", "key": "photos/%1$s/large-%2$s.webp",
                      "width": %3$s, "height": %4$s, "content_type": "image/webp"},
                     {"name": "medium", "key": "photos/%1$s/medium-%5$s.webp",
                      "width": %6$s, "height": %7$s, "content_type": "image/webp"},
                     {"name": "small", "key": "photos/%1$s/small-%8$s.webp",
                      "width": %9$s, "height": %10$s, "content_type": "image/webp"}]',
                   id, left(hash, 12), CASE WHEN is_landscape THEN 1600 ELSE 1200 END,
                   CASE WHEN is_landscape THEN 1200 ELSE 1600 END, substr(hash, 13, 12),
                   CASE WHEN is_landscape THEN 800 ELSE 600 END,
                   CASE WHEN is_landscape THEN 600 ELSE 800 END, right(hash, 12),
                   CASE WHEN is_landscape THEN 320 ELSE 240 END,
                   CASE WHEN is_landscape THEN 240 ELSE 320 END)::jsonb,
            at
        FROM (SELECT id, owner_id, is_landscape, created_at - interval '5 min' AS at,
                     md5(random()::text) AS hash FROM bench_photo
              UNION ALL
              SELECT avatar_id, id, true, at, md5(random()::text) FROM bench_member
              WHERE avatar_id IS NOT NULL) AS photos;
        """,
    ),
    (
        "posts, photos and members",
        """
        INSERT INTO posts_post (id, author_id, status, title, content, pyeong_id, housing_type_id,
            styles, colors, cover_id, photo_count, like_count, comment_count, save_count,
            created_at, published_at, version)
        SELECT post.id, member.id, CASE WHEN is_draft THEN 'draft' ELSE 'published' END,
            pg_temp.one_of(ARRAY['볕이 드는', '작지만 알찬', '나무 향 나는', '고요한', '둘이 사는'])
                || ' ' || (6 + post.n % 30) || '평 '
                || pg_temp.one_of(ARRAY['거실', '신혼집', '자취방', '작업실', '우리 집']),
            -- 1 to 10 sentences, 25 characters each.
            array_to_string((content || content)[start : start + post.n % 10],
                            CASE WHEN post.n % 3 = 0 THEN E'\\n' ELSE ' ' END),
            CASE WHEN size < 0.25 THEN '1-7' WHEN size < 0.6 THEN '8-15'
                 WHEN size < 0.85 THEN '16-25' ELSE '26-' END,
            CASE WHEN housing < 0.40 THEN 'apartment' WHEN housing < 0.58 THEN 'villa'
                 WHEN housing < 0.72 THEN 'officetel' WHEN housing < 0.89 THEN 'one-room'
                 WHEN housing < 0.97 THEN 'two-three-room' ELSE 'duplex' END,
            (ARRAY['modern', 'minimal', 'korean', 'scandinavian', 'industrial', 'provence',
                   'romantic', 'classic', 'antique'])[style : style + post.n % 2],
            (ARRAY['beige', 'white', 'brown', 'gray', 'green', 'blue', 'black', 'navy', 'yellow',
                   'orange', 'red', 'purple'])[color : color + post.colors - 1],
            photo.id, post.photo_count, coalesce(likes.number, 0), 0, 0,
            post.created_at, CASE WHEN NOT is_draft THEN post.published_at END, 1
        FROM (SELECT *, 1 + floor(9 * power(random(), 1.5))::int AS style,
                     1 + floor(12 * power(random(), 1.5))::int AS color,
                     1 + floor(10 * random())::int AS start
              FROM bench_post) AS post
        JOIN bench_member AS member ON member.n = post.author
        JOIN bench_photo AS photo ON photo.post = post.n AND photo.position = 0
        LEFT JOIN (SELECT post, count(*) AS number FROM bench_like GROUP BY post) AS likes
            ON likes.post = post.n
        CROSS JOIN (SELECT :content AS content) AS texts
        ORDER BY post.n;

        INSERT INTO posts_photo (upload_id, post_id, position, caption, products)
        SELECT id, post_id, position,
            CASE WHEN random() < 0.5 THEN '거실에서 제일 좋아하는 자리' ELSE '' END,
            CASE WHEN random() < 0.2
                 THEN '[{"x": 0.42, "y": 0.7, "name": "원목 좌식 테이블", "price": 89000},
                        {"x": 0.18, "y": 0.35, "name": "장스탠드", "brand": "igloo"}]'
                 ELSE '[]' END::jsonb
        FROM bench_photo;

        INSERT INTO members_member (id, password, is_superuser, username, display_name, email,
            email_verified, bio, kind, locale, posts_count, followers_count, following_count,
            is_active, is_staff, created_at, version, avatar_id)
        SELECT id, '!', false, 'bench_' || lpad(member.n::text, 5, '0'),
            pg_temp.one_of(ARRAY['민지', '서준', '하은', '도윤', '지우', '예준']) || member.n,
            '', false, '', CASE WHEN member.n % 20 = 0 THEN 'designer' ELSE 'common' END, 'ko',
            coalesce(posts.number, 0), 0, 0, is_active, false, at, 1, avatar_id
        FROM bench_member AS member
        LEFT JOIN (SELECT author, count(*) AS number FROM bench_post
                   WHERE NOT is_draft GROUP BY author) AS posts ON posts.author = member.n
        ORDER BY member.n;
        """,
    ),
    (
        "likes",
        """
        INSERT INTO posts_postlike (id, member_id, post_id, created_at)
        SELECT pg_temp.id_at(at), member_id, post_id, at
        FROM (SELECT member.id AS member_id, post.id AS post_id,
                     post.published_at + random() * interval '30 days' AS at
              FROM bench_like AS likes
              JOIN bench_member AS member ON member.n = likes.member
              JOIN bench_post AS post ON post.n = likes.post
              ORDER BY at) AS likes;
        """,
    ),
)

_COUNTS = """
SELECT (SELECT count(*) FROM members_member), (SELECT count(*) FROM posts_post),
       (SELECT count(*) FROM posts_photo), (SELECT count(*) FROM posts_postlike),
       (SELECT count(*) FROM posts_post AS post
        LEFT JOIN (SELECT post_id, count(*) AS number FROM posts_postlike GROUP BY post_id) AS likes
            ON likes.post_id = post.id
        LEFT JOIN (SELECT post_id, count(*) AS number FROM posts_photo GROUP BY post_id) AS photos
            ON photos.post_id = post.id
        WHERE like_count <> coalesce(likes.number, 0) OR photo_count <> photos.number)
"""


@contextmanager
def server() -> Iterator[str]:
    """The URL of `igloo_bench`, which may be empty, for as long as the block runs.

    Raises:
        LaptopError: the embedded server can't start, with the reason and what to do.
    """
    if url := os.environ.get("DATABASE_URL"):
        with _administer(url) as cursor:
            cursor.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE])
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {DATABASE}")
        yield _on(url, DATABASE)
        return
    folder = places.folder() / "bench"
    with places.only_one(folder):
        embedded = postgres.Server(folder, _SETTINGS, throw_away=False)
        embedded.start()
        try:
            embedded.ensure_database(DATABASE)
            yield embedded.url(DATABASE)
        finally:
            embedded.stop()


def prepare(url: str) -> None:
    """See that the database of `url` holds the data, and make it if not: a minute or two.

    Call it before Django connects, and after it has been set up for `url`.
    """
    fingerprint = _fingerprint()
    if _made_from(url) == fingerprint:
        return
    print(f"Making {POSTS:,} posts, {PHOTOS:,} photos and {LIKES:,} likes; this is kept.")
    started = time.monotonic()
    with _administer(url) as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {DATABASE}")
    _tell("tables", started, _migrate)
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL synchronous_commit = off")
            _trust_foreign_keys(cursor)
            # In the transaction that empties a table, rows need not go through the log.
            cursor.execute(
                "TRUNCATE media_upload, posts_photo, posts_post, members_member, posts_postlike"
                " CASCADE"
            )
            for name, statement in _STEPS:
                _tell(name, started, partial(cursor.execute, _filled_in(statement)))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            # The map of visible pages too, which a table in use has from autovacuum.
            _tell("statistics", started, lambda: cursor.execute("VACUUM (ANALYZE)"))
            _check(cursor)
            # Last, so that data that was cut off halfway is made anew.
            cursor.execute(
                sql.SQL("COMMENT ON DATABASE {} IS {}").format(
                    sql.Identifier(DATABASE), sql.Literal(fingerprint)
                )
            )
            with suppress(psycopg2.errors.InsufficientPrivilege):
                cursor.execute("CHECKPOINT")
    finally:
        connection.close()


def _tell(name: str, started: float, work: Callable[[], object]) -> None:
    print(f"  {name} …", end="", flush=True)
    work()
    print(f" {time.monotonic() - started:.0f} s", flush=True)


def _filled_in(statement: str) -> str:
    values = {":members": MEMBERS, ":posts": POSTS, ":likes": LIKES, ":content": _CONTENT}
    for name, value in values.items():
        statement = statement.replace(name, str(value))
    return statement


def _migrate() -> None:
    from django.core.management import call_command
    from django.db import connections

    call_command("migrate", verbosity=0)
    connections.close_all()


def _trust_foreign_keys(cursor: Any) -> None:
    """Leave four million checks of foreign keys out, where the role may; they hold as made."""
    cursor.execute("SAVEPOINT trust")
    try:
        cursor.execute("SET LOCAL session_replication_role = replica")
    except psycopg2.errors.InsufficientPrivilege:
        cursor.execute("ROLLBACK TO trust")


def _check(cursor: Any) -> None:
    cursor.execute(_COUNTS)
    found = cursor.fetchone()
    if found != (MEMBERS, POSTS, PHOTOS, LIKES, 0):
        raise RuntimeError(
            f"members, posts, photos, likes, posts with a wrong counter: {found}, which is not "
            "what was to be made"
        )


def _made_from(url: str) -> str | None:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
            " WHERE datname = current_database()"
        )
        return cursor.fetchone()[0]


def _fingerprint() -> str:
    """A hash of what the data is made by: this file, our migrations, and who brings the others."""
    made_by = hashlib.sha256()
    for path in [Path(__file__), *sorted(CHECKOUT.glob("apps/*/migrations/*.py"))]:
        made_by.update(path.name.encode() + path.read_bytes())
    for package in ("django", "django-tasks-db"):
        made_by.update(importlib.metadata.version(package).encode())
    return made_by.hexdigest()


def _on(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


@contextmanager
def _administer(url: str) -> Iterator[Any]:
    """A cursor that may create databases on the server of `url`."""
    with closing(psycopg2.connect(_on(url, "postgres"))) as connection:
        connection.autocommit = True  # CREATE DATABASE refuses to be in a transaction
        with connection.cursor() as cursor:
            yield cursor
