"""Who somebody is by a login at a provider in a browser, for the page that deletes an account.

Nobody is logged in here and nobody becomes a member. What a login began with is in a signed cookie,
so its answer counts in that browser alone (login CSRF: RFC 6749, 10.12), and its nonce in the
database, so that it counts once.
"""

import base64
import hashlib
import secrets

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils.crypto import constant_time_compare

from apps.members.errors import BrowserLoginInvalid, NonceInvalid
from apps.members.models import Member, Provider, SocialIdentity
from apps.members.services import identities, login_owner, proofs
from apps.members.services.proofs import Evidence
from apps.members.social import web
from apps.members.social.proof import Credentials

_SALT = "apps.members.services.browser_login"


def start_address() -> str:
    """The page that a login begins on."""
    return f"{settings.PUBLIC_BASE_URL}/account/delete"


def redirect_uri(provider: str) -> str:
    """Where the provider sends a browser back to: what its console has to name."""
    return f"{start_address()}/{provider}"


def begin(provider: str) -> tuple[str, str]:
    """The provider's address to log in at, and the cookie for the browser that goes there.

    Raises ProviderNotConfigured.
    """
    web.require_web_login(provider)
    nonce, _expires_at = proofs.issue_nonce(redirect_uri(provider))
    # Naver has no nonce: its code is bound to the state (see social.naver).
    state = nonce if provider == Provider.NAVER else secrets.token_urlsafe(32)
    verifier = secrets.token_urlsafe(48) if web.has_pkce(provider) else ""
    address = web.login_address(
        provider,
        redirect_uri=redirect_uri(provider),
        state=state,
        nonce=nonce,
        code_challenge=_challenge(verifier) if verifier else "",
    )
    return address, signing.dumps([provider, state, nonce, verifier], salt=_SALT)


def login_of(*, provider: str, cookie: str, state: str) -> Credentials:
    """What the login began with that this browser's answer of the provider belongs to.

    Raises:
        BrowserLoginInvalid: it began elsewhere, or too long ago.
    """
    try:
        began_at, expected, nonce, verifier = signing.loads(
            cookie, salt=_SALT, max_age=settings.SOCIAL_NONCE_SECONDS
        )
    except signing.BadSignature as error:
        raise BrowserLoginInvalid from error
    if began_at != provider or not constant_time_compare(state, expected):
        raise BrowserLoginInvalid
    return Credentials(nonce=nonce, redirect_uri=redirect_uri(provider), code_verifier=verifier)


def spend(evidence: Evidence) -> tuple[Member, SocialIdentity | None] | None:
    """Use the evidence up; whose login it is, if anybody's here, however their account stands.

    Of who is leaving since the provider ended that login, too: it leads them back, and is no
    identity.

    Where it is nobody's, nothing is left of it: Kakao is told to forget the link that the login
    made there, and Apple to end the token that it gave.

    Raises:
        NonceInvalid, SocialTokenUsed: it was used before.
    """
    proof = evidence.proof
    with transaction.atomic():
        member = login_owner.lock_owner(proof)
        # Under the lock, since it may have been unlinked meanwhile.
        identity = login_owner.identities_of(proof).filter(member=member).first()
        is_way_back = login_owner.ways_back(proof).filter(member=member).exists()
        if member is None or not (identity or is_way_back):
            if not proofs.drop(evidence):
                raise NonceInvalid
            identities.have_told(proof)
            return None
        proofs.spend(evidence, member=member)
        if identity is not None and not identity.refresh_token:
            # Erasing revokes it. The app's own, where there is one, does as well.
            identities.keep_refresh_token(identity, proof)
        return member, identity


def _challenge(verifier: str) -> str:
    """RFC 7636, 4.2, `S256`."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
