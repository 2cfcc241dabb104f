"""What providers call: outside of the API, each call proved by its own means."""

import datetime as dt
import hashlib
from collections.abc import Callable
from functools import wraps
from hmac import compare_digest
from http import HTTPStatus
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException, UnreadablePostError
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt

from apps.common.errors import (
    BadRequest,
    BodyTooLarge,
    DomainError,
    MalformedJSON,
    MethodNotAllowed,
    NotFound,
)
from apps.common.problems import problem_response
from apps.members.errors import SocialTokenInvalid
from apps.members.models import Leaving, ProviderNotice
from apps.members.services import provider_notices
from apps.members.social.proof import require_configured
from apps.members.views.pages import page

# Bytes: Apple's notice, the longest, has some 1,500.
_LONGEST_BODY = 64 * 1024
_SUBJECT_MAX = 255
# Seconds that Apple's clock may be ahead by.
_LEEWAY = dt.timedelta(seconds=30)


class WebhookUnauthorized(DomainError):
    """The call does not prove that it is the provider's."""

    status = 401
    code = "webhook_unauthorized"
    text = _("The call is not the provider's.")


View = Callable[[HttpRequest], HttpResponse]


def _webhook(view: View) -> View:
    """POST alone, of a few KB, without a CSRF token; errors as problems."""

    @csrf_exempt
    @wraps(view)
    def wrapper(request: HttpRequest) -> HttpResponse:
        try:
            if request.method != "POST":
                raise MethodNotAllowed(headers={"Allow": "POST"})
            try:
                too_long = int(request.META.get("CONTENT_LENGTH") or 0) > _LONGEST_BODY
            except ValueError as error:
                raise BadRequest from error
            if too_long:
                raise BodyTooLarge
            return view(request)
        except (UnreadablePostError, RawPostDataException):
            return problem_response(BadRequest())
        except SocialTokenInvalid:
            return problem_response(_unauthorized("Signature"))
        except DomainError as error:
            return problem_response(error)

    return wrapper


@_webhook
def apple(request: HttpRequest) -> HttpResponse:
    """A server-to-server notification of Sign in with Apple: `{"payload": "<JWT>"}`."""
    from apps.members.social import apple as provider  # it brings `cryptography`

    payload = _json(request.body).get("payload")
    if not isinstance(payload, str):
        raise BadRequest
    claims = provider.read_notice(payload)
    events = claims["events"]
    # A text that holds JSON.
    event = _json(events.encode()) if isinstance(events, str) else events
    if not isinstance(event, dict):
        raise BadRequest
    subject, kind = event.get("sub"), event.get("type")
    if not isinstance(subject, str) or not isinstance(kind, str):
        raise BadRequest
    match kind:
        case "consent-revoked" | "account-delete" | "account-deleted":
            provider_notices.end_identity(
                provider="apple",
                event=kind,
                subject=subject[:_SUBJECT_MAX],
                at=_time(claims["iat"]) + _LEEWAY,
                digest=_digest("apple", str(claims["jti"])),
            )
        case "email-enabled" | "email-disabled":
            provider_notices.set_email_works(
                provider="apple",
                subject=subject[:_SUBJECT_MAX],
                email=str(event.get("email", "")),
                works=kind == "email-enabled",
            )
        case _:
            # A kind that Apple adds is nothing to us, and a refusal would bring it again.
            pass
    return HttpResponse(status=HTTPStatus.OK)


@_webhook
def kakao(request: HttpRequest) -> HttpResponse:
    """A link that was ended at Kakao: `app_id`, `user_id` and `referrer_type` as a form.

    Kakao wants 200 within 3 s, also where nobody is found.
    """
    config = require_configured("kakao", "app_id", "admin_key")
    sent = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    if not compare_digest(sent, f"KakaoAK {config['admin_key']}".encode()):
        raise _unauthorized("KakaoAK")
    if request.POST.get("app_id") != config["app_id"]:
        raise _unauthorized("KakaoAK")
    subject = request.POST.get("user_id", "")
    if not (subject.isascii() and subject.isdigit() and len(subject) <= _SUBJECT_MAX):
        raise BadRequest
    referrer = request.POST.get("referrer_type", "")
    event = referrer if referrer.isascii() and referrer.isprintable() else "unknown"
    provider_notices.end_identity(provider="kakao", event=event, subject=subject)
    return HttpResponse(status=HTTPStatus.OK)


@_webhook
def facebook(request: HttpRequest) -> HttpResponse:
    """A data deletion callback: `signed_request` as a form; answers where its state is shown."""
    from apps.members.social import facebook as provider

    signed = request.POST.get("signed_request", "")
    data = provider.read_signed_request(signed)
    subject = data.get("user_id")
    if not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_MAX or "\0" in subject:
        raise BadRequest
    issued_at = data.get("issued_at")
    notice = provider_notices.end_identity(
        provider="facebook",
        event="data_deletion",
        subject=subject,
        at=_time(issued_at) + _LEEWAY if issued_at is not None else None,
        digest=_digest("facebook", signed.partition(".")[2]),
    )
    if notice is None:
        raise NotFound
    url = f"{settings.PUBLIC_BASE_URL}/webhooks/facebook/deletions/{notice.pk}"
    return JsonResponse({"url": url, "confirmation_code": str(notice.pk)})


def facebook_deletion(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """The page that tells how far a deletion is; who knows its code may see that, and no name."""
    notice = ProviderNotice.objects.filter(pk=notice_id, provider="facebook").first()
    if notice is None:
        return problem_response(NotFound())
    # None of the account: there was none, it had another way in, its member has come back or been
    # erased.
    is_done = not (notice.leaves and Leaving.objects.filter(member=notice.member_id).exists())
    return page(request, "facebook_deletion", code=notice.pk, is_done=is_done)


def _unauthorized(scheme: str) -> WebhookUnauthorized:
    return WebhookUnauthorized(headers={"WWW-Authenticate": scheme})


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedJSON from error
    if not isinstance(value, dict):
        raise BadRequest
    return value


def _time(seconds: Any) -> dt.datetime:
    try:
        return dt.datetime.fromtimestamp(float(seconds), dt.UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise BadRequest from error


def _digest(provider: str, what: str) -> str:
    return hashlib.sha256(f"{provider}\n{what}".encode("utf-8", "surrogatepass")).hexdigest()
