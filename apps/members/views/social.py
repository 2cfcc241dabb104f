"""Logging in with Kakao, Apple, Google, Facebook and Naver."""

from typing import Any

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.errors import ConsentRequired, NotFound
from apps.common.idempotency import idempotent, idempotent_after
from apps.common.openapi import Query, describe
from apps.common.throttles import RateThrottle, count_call
from apps.members import errors, examples
from apps.members.models import Provider
from apps.members.serializers import ProviderLoginIn, SocialLoginIn
from apps.members.services import proofs, social_login
from apps.members.services.proofs import Evidence
from apps.members.shapes import NonceOut, TokensOut
from apps.members.views.login import tokens_answer
from apps.members.views.whereabouts import here

PROVIDER = Query("provider", "Who logs them in.", choices=Provider.values)
PROOF_ERRORS = (
    errors.NonceInvalid,
    errors.SocialTokenInvalid,
    errors.SocialTokenUsed,
    errors.ProviderNotConfigured,
    errors.ProviderUnavailable,
)


def require_provider(name: str) -> None:
    """Raises NotFound for a provider there is none of."""
    if name not in Provider.values:
        raise NotFound


def evidence_of(body: ProviderLoginIn, provider: str) -> Evidence:
    """What a valid body proves; asks the provider where that is needed."""
    if ticket := body.validated_data.get("social_ticket"):
        return proofs.read_ticket(provider=provider, ticket=ticket)
    return proofs.verify(provider=provider, credentials=body.credentials)


class NonceView(APIView):
    """A nonce for one login."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scopes = ["nonce"]

    @describe(
        summary="A nonce for one social login",
        tag="auth",
        answers={201: NonceOut},
        idempotent=True,
        example_out=examples.NONCE,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Good for one login within 10 minutes."""
        nonce, expires_at = proofs.issue_nonce()
        shape = {"nonce": nonce, "expires_at": expires_at}
        return Response(shape, status=201, headers={"Cache-Control": "no-store"})


class SocialLoginView(APIView):
    """Logging in with a provider, or becoming a member that way."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scopes = ["social_login"]

    def prepare(self, request: Request, provider: str) -> dict[str, Any]:
        """The body, and what it proves: outside of a transaction."""
        require_provider(provider)
        body = SocialLoginIn(data=request.data)
        body.is_valid(raise_exception=True)
        evidence = evidence_of(body, provider)
        if body.validated_data["consents"] and not social_login.is_known(evidence.proof):
            count_call("signup", RateThrottle().caller(request))
        return {"body": body, "evidence": evidence}

    @describe(
        summary="Log in with a provider, or sign up",
        tag="auth",
        body=SocialLoginIn,
        answers={200: TokensOut, 201: TokensOut},
        errors=[
            *PROOF_ERRORS,
            errors.SocialLoginFailed,
            errors.AccountLeaving,
            ConsentRequired,
            errors.UnderAge,
        ],
        path=[PROVIDER],
        idempotent=True,
        example_in=examples.SOCIAL_LOGIN,
        example_out=examples.TOKENS,
    )
    @idempotent_after(prepare)
    def post(
        self, request: Request, provider: str, body: SocialLoginIn, evidence: Evidence
    ) -> Response:
        """200 for a member, 201 for somebody new. Somebody new without the current `terms` and
        `privacy` and a `birth_date` gets 409 `consent_required` with `missing` and a
        `social_ticket`: send that within `expires_in` seconds in place of the token, with what is
        missing, since a code works once at its provider. Who is leaving gets 409 `account_leaving`
        with a ticket too, and comes back with `restore: true`. A refusal spends no nonce and no
        ticket; what logged somebody in works no second time. Needed with it, by provider: `nonce`
        for id tokens of kakao, apple and facebook, and for codes (naver: the `state` of the login).
        The nonce in a token may be its SHA-256 in hex. A new login with apple needs the `code` too:
        what it gives is revoked when the account is deleted."""
        data = body.validated_data
        pair, is_new = social_login.log_in(
            evidence=evidence,
            device=here(request, data["device"]),
            consents=data["consents"],
            birth_date=data.get("birth_date"),
            locale=data["locale"],
            restore=data["restore"],
        )
        return tokens_answer(request, pair, status=201 if is_new else 200)
