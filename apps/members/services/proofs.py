"""What a login at a provider proves, once: nonces, spent tokens, tickets."""

import datetime as dt
import hashlib
import secrets
import time
from dataclasses import asdict, dataclass, field

from django.conf import settings
from django.core import signing
from django.db.models import QuerySet
from django.utils import timezone

from apps.common.batches import prune_in_batches
from apps.members import social
from apps.members.errors import NonceInvalid, SocialTokenInvalid, SocialTokenUsed
from apps.members.models import Member, SocialNonce, SpentCredential
from apps.members.social.proof import Credentials, Proof

_TICKET_SALT = "apps.members.services.proofs.ticket"
# Seconds: no provider's token works longer, and what claims to is forgotten all the same.
_LONGEST = 366 * 24 * 3600


@dataclass(frozen=True)
class Evidence:
    """A proof that has not been used yet, and what is spent when it is."""

    proof: Proof
    # SHA-256 in hex of the token or code, and of the nonce where there was one.
    credential: str
    nonce: str
    # Seconds since 1970 until which a ticket of it works, one that is made of a ticket as well: it
    # could be renewed for ever.
    until: int = field(default_factory=lambda: int(time.time()) + settings.SOCIAL_TICKET_SECONDS)


def issue_nonce(redirect_uri: str = "") -> tuple[str, dt.datetime]:
    """A nonce for one login, and when it expires.

    One for a page of ours, to which `redirect_uri` leads, counts there alone.
    """
    nonce = secrets.token_urlsafe(32)
    expires_at = timezone.now() + dt.timedelta(seconds=settings.SOCIAL_NONCE_SECONDS)
    SocialNonce.objects.create(digest=_nonce_digest(nonce, redirect_uri), expires_at=expires_at)
    return nonce, expires_at


def verify(*, provider: str, credentials: Credentials) -> Evidence:
    """Have a login checked, with the provider where that is needed. Nothing is spent.

    For outside of a transaction, since a provider may take seconds.

    Raises:
        NonceInvalid, SocialTokenUsed; and what `social.verify` does.
    """
    nonce = credentials.nonce and _nonce_digest(credentials.nonce, credentials.redirect_uri)
    credential = digest_of(provider, credentials)
    # First what needs no provider.
    if nonce and not _nonces(nonce).exists():
        raise NonceInvalid
    if SpentCredential.objects.filter(pk=credential).exists():
        raise SocialTokenUsed
    return Evidence(social.verify(provider, credentials), credential, nonce)


def spend(evidence: Evidence, *, member: Member) -> None:
    """Use the evidence up; call it in the transaction of what it proves.

    Raises:
        NonceInvalid, SocialTokenUsed: somebody did so before.
    """
    if evidence.nonce and not _nonces(evidence.nonce).delete()[0]:
        raise NonceInvalid
    now = int(time.time())
    # A ticket made of it may live longer than itself.
    until = max(evidence.proof.expires_at, now + 2 * settings.SOCIAL_TICKET_SECONDS)
    _row, is_new = SpentCredential.objects.get_or_create(
        pk=evidence.credential,
        defaults={
            "member": member,
            "expires_at": dt.datetime.fromtimestamp(min(until, now + _LONGEST) + 60, dt.UTC),
        },
    )
    if not is_new:
        raise SocialTokenUsed


def drop(evidence: Evidence) -> bool:
    """Use up the nonce of evidence that is nobody's; False where somebody did before."""
    return bool(_nonces(evidence.nonce).delete()[0])


def is_spent_by(
    *, member: Member, provider: str, credentials: Credentials, ticket: str = ""
) -> bool:
    """Whether the member has used this very token, code or ticket before.

    Raises:
        SocialTokenInvalid: the ticket is none.
    """
    digest = _opened(provider, ticket).credential if ticket else digest_of(provider, credentials)
    return SpentCredential.objects.filter(pk=digest, member=member).exists()


def make_ticket(evidence: Evidence) -> str:
    """The evidence, signed, for whoever has it to come back with.

    A code can be exchanged once, so the app could not send it again together with the consents.
    """
    once = [evidence.credential, evidence.nonce, evidence.until]
    value = {"proof": asdict(evidence.proof), "once": once}
    return signing.dumps(value, salt=_TICKET_SALT, compress=True)


def read_ticket(*, provider: str, ticket: str) -> Evidence:
    """The evidence of a ticket; raises SocialTokenInvalid, SocialTokenUsed."""
    evidence = _opened(provider, ticket)
    if SpentCredential.objects.filter(pk=evidence.credential).exists():
        raise SocialTokenUsed
    return evidence


def digest_of(provider: str, credentials: Credentials) -> str:
    """What stands for the token or code where it must not be kept.

    Of an id token, what its provider signed: one signature can be spelled in many ways (RFC 4648,
    3.3 and 3.5), and each would be a token that was never used.
    """
    signed = credentials.id_token.rpartition(".")[0]
    sent = signed or credentials.id_token or credentials.access_token or credentials.code
    return _digest(provider, sent)


def prune() -> int:
    """Delete nonces and spent credentials that work nowhere any more; how many there were."""
    now = timezone.now()
    return sum(
        prune_in_batches(model._default_manager.filter(expires_at__lt=now), "expires_at")
        for model in (SocialNonce, SpentCredential)
    )


def _opened(provider: str, ticket: str) -> Evidence:
    try:
        value = signing.loads(ticket, salt=_TICKET_SALT)
    except signing.BadSignature as error:
        raise SocialTokenInvalid from error
    evidence = Evidence(Proof(**value["proof"]), *value["once"])
    if evidence.proof.provider != provider or evidence.until <= time.time():
        raise SocialTokenInvalid
    return evidence


def _nonces(digest: str) -> QuerySet[SocialNonce]:
    return SocialNonce.objects.filter(pk=digest, expires_at__gt=timezone.now())


def _nonce_digest(nonce: str, redirect_uri: str) -> str:
    return _digest(f"nonce {redirect_uri}".rstrip(), nonce)


def _digest(purpose: str, value: str) -> str:
    # They are random and long, so a plain hash can't be guessed back.
    return hashlib.sha256(f"{purpose}\n{value}".encode()).hexdigest()
