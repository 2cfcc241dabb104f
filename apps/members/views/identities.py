"""The providers that a member logs in with."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.errors import NotFound
from apps.common.openapi import PAGING, describe, page_schema
from apps.common.paging import page_of
from apps.common.permissions import IsMember
from apps.members import errors, examples
from apps.members.authentication import current_member
from apps.members.models import SocialIdentity
from apps.members.serializers import ProviderLoginIn
from apps.members.services import identities, proofs
from apps.members.shapes import IdentityOut, identity_shape
from apps.members.views.social import PROOF_ERRORS, PROVIDER, evidence_of, require_provider


class IdentitiesView(APIView):
    """The member's logins at providers."""

    permission_classes = [IsMember]

    @describe(
        summary="Providers that I log in with",
        tag="members",
        answers={200: page_schema(IdentityOut)},
        query=PAGING,
        example_out={"items": [examples.IDENTITY], "next_cursor": None},
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        page = page_of(
            SocialIdentity.objects.visible_to(request.user).values("id", "provider", "created_at"),
            request,
            name="identities",
            keys=["id"],
            shape=identity_shape,
        )
        return Response(page)


class IdentityView(APIView):
    """One provider of the member's."""

    permission_classes = [IsMember]

    @property
    def throttle_scopes(self) -> list[str]:
        """Reading asks no provider."""
        return [] if self.request.method == "GET" else ["social_login"]

    @describe(
        summary="A provider that I log in with",
        tag="members",
        answers={200: IdentityOut},
        path=[PROVIDER],
        example_out=examples.IDENTITY,
    )
    def get(self, request: Request, provider: str) -> Response:
        """Since when; 404 where I don't."""
        require_provider(provider)
        row: Any = (
            SocialIdentity.objects.visible_to(request.user)
            .filter(provider=provider)
            .values("provider", "created_at")
            .first()
        )
        if row is None:
            raise NotFound
        return Response(identity_shape(row))

    @describe(
        summary="Log in with a provider too",
        tag="members",
        body=ProviderLoginIn,
        answers={204: None},
        errors=[*PROOF_ERRORS, errors.IdentityTaken, errors.ProviderLinked],
        path=[PROVIDER],
        example_in={name: examples.SOCIAL_LOGIN[name] for name in ("id_token", "nonce")},
    )
    def put(self, request: Request, provider: str) -> Response:
        """Needs a login at the provider, as POST /auth/social does. The same one sent again by
        the same member is no error."""
        require_provider(provider)
        body = ProviderLoginIn(data=request.data)
        body.is_valid(raise_exception=True)
        member = current_member(request)
        try:
            identities.link_identity(member=member, evidence=evidence_of(body, provider))
        except (errors.NonceInvalid, errors.SocialTokenInvalid, errors.SocialTokenUsed):
            # Asked afterwards: of two taps at once the other one may have spent it just now.
            is_retry = proofs.is_spent_by(
                member=member,
                provider=provider,
                credentials=body.credentials,
                ticket=body.validated_data.get("social_ticket", ""),
            )
            if not (is_retry and identities.is_linked(member=member, provider=provider)):
                raise
        return Response(status=204)

    @describe(
        summary="Log in with a provider no more",
        tag="members",
        answers={204: None},
        errors=[errors.LastLoginMethod],
        path=[PROVIDER],
    )
    def delete(self, request: Request, provider: str) -> Response:
        """Apple's token is revoked, and Kakao is told. The last way to log in has to stay."""
        require_provider(provider)
        identities.unlink_identity(member=current_member(request), provider=provider)
        return Response(status=204)
