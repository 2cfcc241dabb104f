"""Follows, blocks and mutes that cross: nobody is locked out, and counters are right."""

import pytest

from apps.members.models import Block, Follow, Mute
from apps.members.services import relations
from tests.builders import ApiClient, make_member
from tests.common.test_problems import assert_problem
from tests.concurrency import at_once
from tests.members.test_relations import assert_counters_right, profile, put


@pytest.mark.usefixtures("committed")
def test_two_who_follow_each_other_at_once_and_again_count_right() -> None:
    for _ in range(5):
        one, two = ApiClient(make_member()), ApiClient(make_member())

        def tap(client: ApiClient, other: ApiClient) -> None:
            path = f"/members/{other.member.pk}/follow"
            for method in (client.put, client.put, client.delete, client.put):
                assert method(path).status_code == 204

        at_once(
            *(
                lambda client=client, other=other: tap(client, other)
                for client, other in ((one, two), (two, one)) * 2
            )
        )
        assert profile(one, two)["followers_count"] == 1
    assert Follow.objects.count() == 10
    assert_counters_right()


@pytest.mark.usefixtures("committed")
def test_a_follow_and_a_block_that_cross_leave_no_follow() -> None:
    for _ in range(10):
        one, two = ApiClient(make_member()), ApiClient(make_member())
        put(one, two, "follow")
        path_one, path_two = (f"/members/{client.member.pk}" for client in (one, two))
        follow, block, again = at_once(
            lambda two=two, path=path_one: two.put(f"{path}/follow"),
            lambda one=one, path=path_two: one.put(f"{path}/block"),
            lambda one=one, path=path_two: one.put(f"{path}/block"),
        )
        assert follow.status_code in {204, 404}
        assert block.status_code == again.status_code == 204
    assert not Follow.objects.exists()
    assert Block.objects.count() == 10
    assert_counters_right()


@pytest.mark.usefixtures("committed")
def test_two_who_block_each_other_at_once_are_both_rid_of_the_other() -> None:
    for _ in range(5):
        one, two = ApiClient(make_member()), ApiClient(make_member())
        answers = at_once(
            lambda one=one, two=two: one.put(f"/members/{two.member.pk}/block"),
            lambda one=one, two=two: two.put(f"/members/{one.member.pk}/block"),
        )
        # Who comes second is somebody who no longer exists for the other.
        assert sorted(answer.status_code for answer in answers) == [204, 404]
        assert_problem(one.get(f"/members/{two.member.pk}"), 404, "not_found")
        assert_problem(two.get(f"/members/{one.member.pk}"), 404, "not_found")
    assert_counters_right()


@pytest.mark.usefixtures("committed")
def test_two_taps_on_mute_are_one() -> None:
    one, two = ApiClient(make_member()), ApiClient(make_member())
    path = f"/members/{two.member.pk}/mute"
    answers = at_once(*[lambda: one.put(path)] * 4)
    assert {answer.status_code for answer in answers} == {204}
    assert Mute.objects.count() == 1


@pytest.mark.usefixtures("committed")
def test_leaving_while_others_follow_and_block_locks_nobody_out() -> None:
    leaver, *others = (ApiClient(make_member()) for _ in range(5))
    for other in others:
        put(other, leaver, "follow")
        put(leaver, other, "follow")
    path = f"/members/{leaver.member.pk}"
    at_once(
        lambda: relations.end_relations(member_id=leaver.member.pk),
        lambda: others[0].put(f"{path}/block"),
        lambda: others[1].delete(f"{path}/follow"),
        lambda: others[2].put(f"/members/{others[3].member.pk}/follow"),
    )
    assert_counters_right()
