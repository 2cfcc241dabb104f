"""`manage.py demo`: a few of its homes, put in for real."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.media.models import Upload
from apps.members.models import Member
from apps.ops.demo import seed
from apps.ops.demo.homes import demo_homes
from apps.posts.models import Post
from tests.builders import DEVICE_JSON, ApiClient

# The tasks are run as a worker does, which begins with new connections.
pytestmark = pytest.mark.usefixtures("committed")


def demo(*arguments: str) -> str:
    out = StringIO()
    call_command("demo", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def few_homes(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Two published homes and a draft, of the sixty."""
    homes = demo_homes()
    few = [home for home in homes if not home.draft][:2] + [h for h in homes if h.draft][:1]
    monkeypatch.setattr(seed, "demo_homes", lambda: few)
    monkeypatch.setattr(seed, "_PAINTERS", 1)
    return few


def test_homes_come_in_as_they_are_described(few_homes: list[Any], anonymous: ApiClient) -> None:
    assert "Demo data added." in demo()
    cards = anonymous.get("/posts").json()["items"]
    assert len(cards) == 2
    for home, card in zip(few_homes, cards, strict=False):
        assert card["title"] == home.title
        assert card["author"]["username"] == home.owner
        assert card["author"]["avatar"]
        assert card["photo_count"] == len(home.photos)
        assert card["like_count"] == len(home.likes)
        assert card["comment_count"] == len(home.comments)
        assert card["cover"]["renditions"]
        followers = anonymous.get(f"/members/{card['author']['id']}/followers").json()["items"]
        assert home.comments[0][0] in {follower["username"] for follower in followers}
    assert Post.objects.filter(status="draft").count() == 1
    assert Member.objects.filter(is_staff=False).count() == 12
    assert not Upload.objects.exclude(status="ready").exists()


def test_again_it_changes_nothing_and_after_an_interruption_it_goes_on(
    few_homes: list[Any],
) -> None:
    demo()
    before = set(Post.objects.values_list("pk", flat=True))
    assert "there already" in demo()
    assert set(Post.objects.values_list("pk", flat=True)) == before
    gone = Post.objects.first()
    assert gone
    gone.delete()
    demo()
    assert Post.objects.count() == 3
    assert len(before & set(Post.objects.values_list("pk", flat=True))) == 2


def test_the_logins_it_shows_work(few_homes: list[Any], anonymous: ApiClient) -> None:
    demo()
    for line in demo("--show-logins").splitlines():
        username, _, password = line.split("  (")[0].partition(" / ")
        body = {"username": username, "password": password, "device": DEVICE_JSON}
        assert anonymous.post("/auth/login", body, format="json").status_code == 200


def test_it_refuses_a_deployed_stage(settings: Any) -> None:
    settings.DEPLOYED = True
    with pytest.raises(CommandError, match="for a laptop"):
        demo()
    assert not Member.objects.exists()
