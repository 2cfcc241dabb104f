"""What an export says of others: no more than its member sees of them in the app."""

import pytest

from apps.members.models import Member
from apps.members.services import relations
from apps.members.services.belongings import registered
from tests.builders import make_comment, make_like, make_member, make_post


def exported(member: Member) -> str:
    """All that is in the member's files of data."""
    return str([list(item.export(member)) for item in registered() if item.export is not None])


@pytest.mark.django_db
def test_whom_a_block_hides_is_hidden_there_too() -> None:
    alice, bob = make_member("alice"), make_member("bobmark")
    post = make_post(bob, title="밥의 집")
    make_like(alice, post.pk)
    make_comment(alice, post)
    relations.mute_member(member=alice, other_id=bob.pk)
    assert "밥의 집" in exported(alice)
    assert "bobmark" in exported(alice)
    relations.block_member(member=bob, other_id=alice.pk)
    told = exported(alice)
    assert "밥의 집" not in told
    assert "bobmark" not in told


@pytest.mark.django_db
def test_whom_the_member_blocks_is_named() -> None:
    alice, bob = make_member("alice"), make_member("bobmark")
    relations.block_member(member=alice, other_id=bob.pk)
    assert "bobmark" in exported(alice)
