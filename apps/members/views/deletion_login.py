"""`/account/delete/{provider}`: deleting an account with a login at a provider as the proof.

A POST of our page sends the browser to the provider, and its answer comes back as a GET.
"""

import re
from dataclasses import replace

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from apps.common.errors import DomainError
from apps.common.throttles import count_call
from apps.members.errors import (
    BrowserLoginInvalid,
    NonceInvalid,
    ProviderNotConfigured,
    ProviderUnavailable,
    SocialTokenInvalid,
    SocialTokenUsed,
)
from apps.members.models import Leaving, Member, Provider, SocialIdentity
from apps.members.services import browser_login, leaving, proofs
from apps.members.social import web
from apps.members.views.account_pages import DeletionPage
from apps.members.views.pages import public_origin

# As the API takes codes (members.serializers.TokenField).
_CODE = re.compile(r"[\x21-\x7e]{1,4096}")
_REFUSED = (
    BrowserLoginInvalid,
    NonceInvalid,
    ProviderNotConfigured,
    ProviderUnavailable,
    SocialTokenInvalid,
    SocialTokenUsed,
)


class ProviderPage(DeletionPage):
    """A login at one provider, from the button to the page that asks once more."""

    # No HEAD: an answer counts once, and whoever only looks must not use it up.
    http_method_names = ["get", "post"]

    def post(self, request: HttpRequest, provider: str) -> HttpResponse:
        """303 to the provider."""
        count_call("social_login", self.address())
        if request.headers.get("Origin", public_origin()) != public_origin():
            # The answer would come to another host than the cookie: begin there.
            return HttpResponseRedirect(browser_login.start_address(), status=303)
        try:
            address, cookie = browser_login.begin(provider)
        except ProviderNotConfigured as error:
            return self._refusal(error)
        response = HttpResponseRedirect(address, status=303)
        response["Cache-Control"] = "no-store"
        response.set_cookie(
            _cookie_name(),
            cookie,
            max_age=settings.SOCIAL_NONCE_SECONDS,
            secure=public_origin().startswith("https:"),
            httponly=True,
            # The provider's answer is a link to us from elsewhere, which `Strict` would not reach.
            samesite="Lax",
        )
        return response

    def get(self, request: HttpRequest, provider: str) -> HttpResponse:
        """The provider's answer."""
        count_call("social_login", self.address())
        try:
            response = self._answer(provider)
        except _REFUSED as error:
            response = self._refusal(error)
            if isinstance(error, BrowserLoginInvalid | ProviderUnavailable):
                # Somebody else's answer ends no login of this browser's; and the same address may
                # work once the provider is back.
                return response
        response.delete_cookie(_cookie_name(), samesite="Lax")
        return response

    def _answer(self, provider: str) -> HttpResponse:
        query = self.request.GET
        web.require_web_login(provider)
        credentials = browser_login.login_of(
            provider=provider,
            cookie=self.request.COOKIES.get(_cookie_name(), ""),
            state=query.get("state", ""),
        )
        if error := query.get("error", ""):
            return self._error(provider, error)
        code = query.get("code", "")
        if not _CODE.fullmatch(code):
            raise SocialTokenInvalid
        evidence = proofs.verify(provider=provider, credentials=replace(credentials, code=code))
        found = browser_login.spend(evidence)
        return self._known(provider, *found) if found else self._nobody(provider)

    def _error(self, provider: str, error: str) -> HttpResponse:
        if error in web.CANCELLED:
            text = _("You did not log in with {provider}. Nothing was deleted.")
            return self.start(problem=text.format(provider=Provider(provider).label))
        if error in web.UNAVAILABLE:
            raise ProviderUnavailable
        raise SocialTokenInvalid

    def _known(
        self, provider: str, member: Member, identity: SocialIdentity | None
    ) -> HttpResponse:
        if member.is_active and identity is not None:
            return self.confirm(member, leaving.deletion_token(member, identity=identity))
        there = Leaving.objects.can_be_taken_back().filter(member=member).first()
        return self.left(there) if there else self._nobody(provider)

    def _nobody(self, provider: str) -> HttpResponse:
        return self.show("nobody", status=404, provider=Provider(provider).label)

    def _refusal(self, error: DomainError) -> HttpResponse:
        # 401 would need a WWW-Authenticate, and a browser would ask for a password.
        status = 400 if error.status == 401 else error.status
        return self.start(status=status, headers=error.headers, problem=error.text)


def _cookie_name() -> str:
    # With that prefix no other host of the domain can set it (RFC 6265bis, 4.1.3.2).
    return "__Host-igloo-login" if public_origin().startswith("https:") else "igloo-login"
