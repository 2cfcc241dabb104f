"""What blocks cost a page of cards; `python -m bench posts` prints it last.

The same page as in posts.py, by the view's own work, for members with no block, with 20 and with
1,000 (half made by them, half of them, and as many of the page's authors among them as chance
has it), against the same code without the condition. The blocks are made in a transaction that is
rolled back. All take turns, round after round; times are medians of single calls.
"""

from unittest.mock import patch

from django.db import connection, transaction
from django.db.models import Q

from apps.members.models import Block, Member
from apps.posts.models import post as post_models
from bench import data, posts
from bench.table import Row, at_most, print_table

MANY = (20, 1_000)
NONE_LIMIT = 1.3


def run() -> None:
    """Measure and print the table; the database that Django knows holds what `data` makes."""
    client = posts.Client()
    plain = client.view(None)

    def without() -> bytes:
        with patch.object(post_models, "exists_unmuted_for", lambda _viewer, _member: Q()):
            return plain()

    calls = {"without the condition": without, "no block": plain}
    with transaction.atomic():
        for count, viewer in zip(MANY, _others(client.member, len(MANY)), strict=True):
            calls[f"{count:,} blocks"] = _client_of(viewer, count).view(None)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE members_block")
        times = posts.measure(calls)
        transaction.set_rollback(True)
    base = times["without the condition"]
    rows = [Row(f"the view, {name}", f"{taken:.2f} ms") for name, taken in times.items()]
    rows.append(at_most("no block against none asked for", times["no block"] / base, NONE_LIMIT))
    print_table(
        f"GET {posts.PATH}: {posts.CARDS} cards, medians of {posts.ROUNDS} rounds;"
        f" {data.MEMBERS:,} members",
        rows,
    )


def _others(member: Member, count: int) -> list[Member]:
    return list(Member.objects.filter(is_active=True).exclude(pk=member.pk).order_by("pk")[:count])


def _client_of(viewer: Member, count: int) -> posts.Client:
    """A client of this member, who makes half of `count` blocks; the others are made of them."""
    hidden = Member.objects.exclude(pk=viewer.pk).order_by("?")[:count]
    Block.objects.bulk_create(
        Block(blocker=viewer, blocked=other) if number % 2 else Block(blocker=other, blocked=viewer)
        for number, other in enumerate(hidden)
    )
    Member.objects.filter(pk=viewer.pk).update(
        blocks_count=count // 2, blocked_count=count - count // 2
    )
    client = posts.Client()
    client.member = Member.objects.get(pk=viewer.pk)
    return client
