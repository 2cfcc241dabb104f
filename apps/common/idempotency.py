"""`Idempotency-Key` for creating POSTs: the first answer is kept for 24 h and given again.

The view and the record of its answer commit together, so after a crash either both are there or
neither. Only an answer of success is kept: a refusal changed nothing, and what was refused may
work later (a photo that was not ready yet).
"""

import base64
import datetime as dt
import functools
from collections.abc import Callable
from typing import Any

import orjson
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.errors import (
    IdempotencyInProgress,
    IdempotencyKeyReused,
    InvalidIdempotencyKey,
)
from apps.common.json import dumps
from apps.common.models import IdempotencyKey

KEEP = dt.timedelta(hours=24)
# A request that has not ended by then has died with its process: its key is free again.
# API Gateway gives up after 30 s.
ABANDONED = dt.timedelta(seconds=60)
_KEPT_HEADERS = ("ETag", "Cache-Control")
# Each new key takes up to so many old ones away: the daily prune finds what is left.
_PRUNE_ROWS = 20

Handler = Callable[..., Response]


def idempotent(post: Handler) -> Handler:
    """Decorate a view's `post`."""
    return _idempotent(post, lambda *_args, **_kwargs: {})


def idempotent_after(prepare: Callable[..., dict[str, Any]]) -> Callable[[Handler], Handler]:
    """Decorate a view's `post` that needs what takes long, such as a call to a provider.

    `prepare` gets the same arguments and runs outside of the transaction, and not for an answer
    that is given again; what it returns is passed to `post` as keyword arguments.
    """
    return lambda post: _idempotent(post, prepare)


def _idempotent(post: Handler, prepare: Callable[..., dict[str, Any]]) -> Handler:
    @functools.wraps(post)
    def wrapper(view: APIView, request: Request, *args: Any, **kwargs: Any) -> Response:
        header = request.headers.get("Idempotency-Key")
        if header is None:
            prepared = prepare(view, request, *args, **kwargs)
            return post(view, request, *args, **kwargs, **prepared)
        if not (1 <= len(header) <= 255 and header.isascii() and header.isprintable()):
            raise InvalidIdempotencyKey
        attempt = _Attempt(request, header)
        replay = attempt.begin()
        if replay is not None:
            return replay
        try:
            prepared = prepare(view, request, *args, **kwargs)
            with transaction.atomic():
                response = post(view, request, *args, **kwargs, **prepared)
                attempt.keep(response)
        except BaseException:
            attempt.abandon()
            raise
        return response

    return wrapper


class _Attempt:
    """One request with a key. The row holds keyed hashes alone, since a body may hold a password:
    without the SECRET_KEY they can't be guessed back."""

    def __init__(self, request: Request, header: str) -> None:
        # Here: `cryptography` is a tenth of a cold start, and most requests create nothing.
        from cryptography.fernet import Fernet

        # Different members may choose the same key; strangers share nothing but equal requests.
        caller = str(request.user.pk) if request.user.is_authenticated else "anonymous"
        self.key_hash = _digest("key", f"{caller}\n{header}".encode())
        line = f"{request.method} {request.get_full_path()}\n".encode()
        self.request_hash = _digest("request", line + request._request.body)
        secret = _digest("answer", self.request_hash + header.encode())
        self.cipher = Fernet(base64.urlsafe_b64encode(secret))
        self.row = IdempotencyKey(
            key_hash=self.key_hash, request_hash=self.request_hash, started_at=timezone.now()
        )

    def begin(self) -> Response | None:
        """Claim the key; or the first answer, if there is one."""
        _prune(self.row.started_at - KEEP)
        with transaction.atomic():
            IdempotencyKey.objects.bulk_create([self.row], ignore_conflicts=True)
            held = IdempotencyKey.objects.select_for_update().filter(key_hash=self.key_hash).first()
            if held is None:
                # The other one failed at this very moment: the client's next try will run.
                raise IdempotencyInProgress
            if held.pk == self.row.pk:
                return None
            age = self.row.started_at - held.started_at
            if age > (ABANDONED if held.status is None else KEEP):
                held.delete()
                self.row.save(force_insert=True)
                return None
        if bytes(held.request_hash) != self.request_hash:
            raise IdempotencyKeyReused
        if held.status is None or held.answer is None:
            raise IdempotencyInProgress
        headers, data = orjson.loads(self.cipher.decrypt(bytes(held.answer)))
        headers["Idempotency-Replayed"] = "true"
        return Response(data, status=held.status, headers=headers)

    def keep(self, response: Response) -> None:
        """Record the answer, in the transaction of what it tells of."""
        headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
        answer = self.cipher.encrypt(dumps([headers, response.data]))
        kept = IdempotencyKey.objects.filter(pk=self.row.pk).update(
            status=response.status_code, answer=answer
        )
        if not kept:
            # This request was so slow that another took the key over: the other one's writes count.
            raise IdempotencyInProgress

    def abandon(self) -> None:
        """Free the key, so that a retry runs."""
        IdempotencyKey.objects.filter(pk=self.row.pk, status__isnull=True).delete()


def _digest(purpose: str, value: bytes) -> bytes:
    return salted_hmac(f"apps.common.idempotency.{purpose}", value, algorithm="sha256").digest()


def _prune(before: dt.datetime) -> None:
    old = IdempotencyKey.objects.filter(started_at__lt=before).order_by("started_at")
    with transaction.atomic():
        locked = old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:_PRUNE_ROWS]
        IdempotencyKey.objects.filter(pk__in=list(locked)).delete()
