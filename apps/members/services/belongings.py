"""Where each app and topic says what it keeps of a member: how to end, count, erase and export it.

`apps/members` knows nothing of posts, so an app registers its belongings as it starts (`ready` of
its apps.py). tests/members/test_erasing.py fails for a foreign key to Member that nothing names.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.functional import Promise

from apps.members.models import Member


@dataclass(frozen=True)
class Belonging:
    """What one topic keeps of a member. Each function may be left out.

    Args:
        name: what it is called in an export: the JSON file's name.
        keeps: the foreign keys to Member that `erase` empties, as "posts.Post.author".
        end: called in the transaction in which the member leaves: what must stop at once. What
            coming back gives back must stay.
        recount: counts again what the member's rows are counted in, after the account was closed
            or opened. In batches, each a transaction of its own; again is harmless.
        erase: deletes all of it, rows and files, and ends what ties the member to other services.
            In batches, each a transaction of its own, so that a run that was cut off is gone on
            with; again is harmless. Tasks that it enqueues name a row of their own: those that
            name the member are deleted at the end, whether they have run or not.
        export: what the member gave, item by item, as JSON-like values. A key `file` names a file
            of the export.
        files: files of the private store that go along: their names in the export, and their keys.
        title: what the section is called for a reader.
    """

    name: str
    keeps: tuple[str, ...] = ()
    end: Callable[[Member], None] | None = None
    recount: Callable[[UUID], None] | None = None
    erase: Callable[[Member], None] | None = None
    export: Callable[[Member], Iterator[dict[str, Any]]] | None = None
    files: Callable[[Member], Iterator[tuple[str, str]]] | None = None
    title: str | Promise = ""


_registered: dict[str, Belonging] = {}


def register(*belongings: Belonging) -> None:
    """Add what an app or a topic keeps. Erased in the order in which it was registered, backwards:
    what came later may hang on what came before."""
    for belonging in belongings:
        _registered[belonging.name] = belonging


def registered() -> list[Belonging]:
    """All there is, in order."""
    return list(_registered.values())
