"""Following, blocking and muting, and the lists of them."""

from typing import Any
from uuid import UUID

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.lookups import get_or_404
from apps.common.openapi import PAGING, describe, page_schema
from apps.common.paging import page_of
from apps.common.permissions import IsMember, MembersOnly
from apps.media.shapes import media_base
from apps.members import errors, examples
from apps.members.authentication import current_member
from apps.members.models import Block, Follow, Member, Mute
from apps.members.services import relations
from apps.members.shapes import OtherMemberOut, other_member_rows, other_member_shape


class FollowView(APIView):
    """The caller's follow of a member."""

    permission_classes = [MembersOnly]

    @describe(
        summary="Follow a member", tag="members", answers={204: None}, errors=[errors.Yourself]
    )
    def put(self, request: Request, member_id: UUID) -> Response:
        """Again is harmless."""
        relations.follow_member(member=current_member(request), other_id=member_id)
        return Response(status=204)

    @describe(
        summary="Unfollow a member", tag="members", answers={204: None}, errors=[errors.Yourself]
    )
    def delete(self, request: Request, member_id: UUID) -> Response:
        """Again is harmless."""
        relations.unfollow_member(member=current_member(request), other_id=member_id)
        return Response(status=204)


class BlockView(APIView):
    """The caller's block of a member."""

    permission_classes = [IsMember]

    @describe(
        summary="Block a member", tag="members", answers={204: None}, errors=[errors.Yourself]
    )
    def put(self, request: Request, member_id: UUID) -> Response:
        """From now on neither exists for the other, in any list, count, search, comment or
        profile, and each answers 404 for what the other made. Follows end both ways. The other is
        not told. Again is harmless. Who is suspended, or has not agreed to a new text, may block
        and mute too. A member who blocks me is 404 here as everywhere: they can't be blocked
        back."""
        relations.block_member(member=current_member(request), other_id=member_id)
        return Response(status=204)

    @describe(
        summary="Take a block back", tag="members", answers={204: None}, errors=[errors.Yourself]
    )
    def delete(self, request: Request, member_id: UUID) -> Response:
        """What was there is seen again; follows stay ended. Again is harmless."""
        relations.unblock_member(member=current_member(request), other_id=member_id)
        return Response(status=204)


class MuteView(APIView):
    """The caller's mute of a member."""

    permission_classes = [IsMember]

    @describe(summary="Mute a member", tag="members", answers={204: None}, errors=[errors.Yourself])
    def put(self, request: Request, member_id: UUID) -> Response:
        """The member's posts leave my lists of posts, and their comments my lists of comments.
        Their profile and its posts, a post by its id, what I like, follows and all counts stay.
        The other is not told. Again is harmless."""
        relations.mute_member(member=current_member(request), other_id=member_id)
        return Response(status=204)

    @describe(
        summary="Unmute a member", tag="members", answers={204: None}, errors=[errors.Yourself]
    )
    def delete(self, request: Request, member_id: UUID) -> Response:
        """Again is harmless."""
        relations.unmute_member(member=current_member(request), other_id=member_id)
        return Response(status=204)


def _page(request: Request, rows: Any, shown: str, name: str) -> Response:
    """A page of the members whom the foreign key `shown` of `rows` names."""
    base = media_base(request)
    page = page_of(
        other_member_rows(rows, request.user, "id", prefix=shown),
        request,
        name=name,
        keys=["id"],
        shape=lambda row: other_member_shape(row, base, shown),
    )
    return Response(page)


def _follow_page(request: Request, member_id: UUID, whose: str, shown: str) -> Response:
    """A page of the follows in which the member is `whose` end; `shown` is the other end."""
    member = get_or_404(Member.objects.visible_to(request.user), member_id)
    rows = Follow.objects.visible_to(request.user).filter(**{whose: member})
    return _page(request, rows, shown, f"{shown}s_of")


class FollowersView(APIView):
    """Who follows a member."""

    permission_classes = [AllowAny]

    @describe(
        summary="A member's followers",
        tag="members",
        answers={200: page_schema(OtherMemberOut)},
        query=PAGING,
        example_out=examples.page(examples.OTHER_MEMBER),
    )
    def get(self, request: Request, member_id: UUID) -> Response:
        """The newest follow first."""
        return _follow_page(request, member_id, whose="followed", shown="follower")


class FollowingView(APIView):
    """Whom a member follows."""

    permission_classes = [AllowAny]

    @describe(
        summary="Whom a member follows",
        tag="members",
        answers={200: page_schema(OtherMemberOut)},
        query=PAGING,
        example_out=examples.page(examples.OTHER_MEMBER),
    )
    def get(self, request: Request, member_id: UUID) -> Response:
        """The newest follow first."""
        return _follow_page(request, member_id, whose="follower", shown="followed")


class MyBlocksView(APIView):
    """Whom I block."""

    permission_classes = [IsMember]

    @describe(
        summary="Members whom I block",
        tag="members",
        answers={200: page_schema(OtherMemberOut)},
        query=PAGING,
        example_out=examples.page(examples.OTHER_MEMBER),
    )
    def get(self, request: Request) -> Response:
        """The newest block first: the one place that shows them, to take a block back."""
        return _page(request, Block.objects.visible_to(request.user), "blocked", "my_blocked")


class MyMutesView(APIView):
    """Whom I mute."""

    permission_classes = [IsMember]

    @describe(
        summary="Members whom I mute",
        tag="members",
        answers={200: page_schema(OtherMemberOut)},
        query=PAGING,
        example_out=examples.page(examples.OTHER_MEMBER),
    )
    def get(self, request: Request) -> Response:
        """The newest mute first."""
        return _page(request, Mute.objects.visible_to(request.user), "muted", "my_muted")
