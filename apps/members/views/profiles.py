"""Profiles: one's own and others'."""

from typing import Any
from uuid import UUID

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.etags import expected_versions, versioned_response
from apps.common.lookups import get_or_404
from apps.common.openapi import PAGING, Query, describe, page_schema
from apps.common.paging import page_of
from apps.common.permissions import IsMember, MembersOnly
from apps.common.throttles import RateThrottle, count_call
from apps.media import errors as media_errors
from apps.media.shapes import media_base
from apps.members import errors, examples
from apps.members.authentication import current_member
from apps.members.models import Member
from apps.members.serializers import LeaveIn, MemberSearchIn, ProfileIn
from apps.members.services import leaving, profile
from apps.members.shapes import (
    LeavingOut,
    MeOut,
    OtherMemberOut,
    me_shape,
    other_member_rows,
    other_member_shape,
)
from apps.members.views.social import PROOF_ERRORS, evidence_of


class MeView(APIView):
    """One's own account."""

    permission_classes = [MembersOnly]

    def get_permissions(self) -> Any:
        """A suspended member may leave."""
        return [IsMember()] if self.request.method == "DELETE" else super().get_permissions()

    @describe(summary="My account", tag="members", answers={200: MeOut}, example_out=examples.ME)
    def get(self, request: Request) -> Response:
        """The profile, and what only its owner sees."""
        member = current_member(request)
        return versioned_response(me_shape(member, media_base(request)), member.version)

    @describe(
        summary="Change my profile",
        tag="members",
        body=ProfileIn,
        answers={200: MeOut},
        errors=[
            media_errors.UploadNotFound,
            media_errors.UploadNotReady,
            media_errors.UploadFailed,
            media_errors.UploadInUse,
        ],
        if_match=True,
        example_in={"bio": "볕 잘 드는 13평에서 식물과 살아요."},
        example_out=examples.ME,
    )
    def patch(self, request: Request) -> Response:
        """What is left out stays as it is. `avatar_upload_id: null` takes the picture away. A new
        `email` gets a mail that confirms it, and a confirmed one is told that it is replaced. A
        `username` is chosen once: here it is ignored, as any field that is not documented."""
        body = ProfileIn(data=request.data)
        body.is_valid(raise_exception=True)
        member = profile.update_profile(
            member=current_member(request),
            changes=body.validated_data,
            expected=expected_versions(request),
        )
        return versioned_response(me_shape(member, media_base(request)), member.version)

    @describe(
        summary="Leave igloo",
        tag="members",
        body=LeaveIn,
        answers={202: LeavingOut},
        errors=[errors.PasswordWrong, errors.OperatorsStay, *PROOF_ERRORS],
        example_in={"password": "a long passphrase"},
        example_out=examples.LEAVING,
    )
    def delete(self, request: Request) -> Response:
        """Takes the password, or `provider` with the fields of a new login there. Hides the account
        and all that is on it at once, and ends every session, this one too: where the answer is
        lost, a retry gets 401 `token_invalid`, and a login 409 `account_leaving`. All of it is
        erased at `erase_at`, unless the member comes back by a login with `restore: true`."""
        body = LeaveIn(data=request.data)
        body.is_valid(raise_exception=True)
        # Under the key of the change of passwords: guesses at either count together.
        count_call("login_account", RateThrottle().caller(request))
        member = current_member(request)
        if "password" in body.validated_data:
            leaving.require_password(member, body.validated_data["password"])
            row = leaving.leave(member=member)
        else:
            evidence = evidence_of(body, body.validated_data["provider"])
            row = leaving.leave_by_login(member=member, evidence=evidence)
        shape = {"erase_at": row.erase_at}
        return Response(shape, status=202, headers={"Cache-Control": "no-store"})


class MembersView(APIView):
    """Finding members."""

    permission_classes = [AllowAny]

    @describe(
        summary="Search members",
        tag="members",
        answers={200: page_schema(OtherMemberOut)},
        query=(
            Query("q", "How a username or a display name starts.", required=True),
            *PAGING,
        ),
        example_out=examples.page(examples.OTHER_MEMBER),
    )
    def get(self, request: Request) -> Response:
        """That very username first, then usernames that start so, then display names, the newest
        members first in each."""
        base = media_base(request)
        query = MemberSearchIn(data=request.query_params)
        query.is_valid(raise_exception=True)
        members = Member.objects.search(request.user, query.validated_data["q"])
        page = page_of(
            other_member_rows(members, request.user, "rank"),
            request,
            name="members",
            keys=["rank", "id"],
            shape=lambda row: other_member_shape(row, base),
        )
        return Response(page)


class MemberView(APIView):
    """A member's public profile."""

    permission_classes = [AllowAny]

    @describe(
        summary="A member",
        tag="members",
        answers={200: OtherMemberOut},
        example_out=examples.OTHER_MEMBER,
    )
    def get(self, request: Request, member_id: UUID) -> Response:
        """The public profile. Counts of follows leave out those whom I block or who block me."""
        members = other_member_rows(Member.objects.visible_to(request.user), request.user)
        row = get_or_404(members, member_id)
        return Response(other_member_shape(row, media_base(request)))
