"""The pages that links in mails open, for who has no app at hand. The app may take the same links.

Reading one changes nothing, since scanners of mail follow links; its form does, and holds the
token, so that no later address has it.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views import View

from apps.common.addresses import source_of
from apps.common.errors import DomainError, InvalidInput, Throttled
from apps.common.throttles import address_of, count_call
from apps.members.errors import LinkInvalid
from apps.members.models import Member
from apps.members.serializers import LinkIn, PasswordResetConfirmIn
from apps.members.services import email_addresses, links, passwords
from apps.members.views.pages import page
from apps.members.views.whereabouts import network


def _refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    title = _("Too fast") if isinstance(error, Throttled) else _("This did not work")
    return page(
        request,
        "message",
        status=error.status,
        headers=error.headers,
        title=title,
        texts=[error.text],
    )


def _count(request: HttpRequest) -> None:
    count_call("link", source_of(address_of(request)))


class PasswordPage(View):
    """/account/password: choosing a new password."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The form, or that the link does not work."""
        return self._form(request, request.GET.get("token", ""))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Change it; the form again, with what is wrong with the password."""
        token, password = request.POST.get("token", ""), request.POST.get("new_password", "")
        body = PasswordResetConfirmIn(data={"token": token, "new_password": password})
        try:
            _count(request)
            if password != request.POST.get("again", ""):
                return self._form(request, token, [_("The two are not the same.")])
            if not body.is_valid():
                return self._form(request, token, body.errors.get("new_password", ()))
            passwords.confirm_reset(**body.validated_data, network=network(request))
        except InvalidInput as error:
            return self._form(request, token, [item.detail for item in error.errors])
        except DomainError as error:
            return _refusal(request, error)
        return page(
            request,
            "message",
            title=_("Your password was changed"),
            texts=[_("All devices are logged out. Log in in the app with the new password.")],
        )

    def _form(self, request: HttpRequest, token: str, errors: Any = ()) -> HttpResponse:
        try:
            member = links.member_to_reset(token, Member.objects.all())
        except LinkInvalid as error:
            return _refusal(request, error)
        return page(
            request,
            "password",
            title=_("Choose a new password"),
            status=400 if errors else 200,
            member=member,
            token=token,
            errors=errors,
        )


class VerifyPage(View):
    """/account/verify: confirming an address."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The button, or that the link does not work."""
        token = request.GET.get("token", "")
        try:
            member = links.member_to_verify(token, Member.objects.all())
        except LinkInvalid as error:
            return _refusal(request, error)
        title = _("Confirm your e-mail address")
        return page(request, "verify", title=title, member=member, token=token)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Confirm it."""
        body = LinkIn(data={"token": request.POST.get("token", "")})
        try:
            _count(request)
            if not body.is_valid():
                raise LinkInvalid
            member = email_addresses.confirm_email(**body.validated_data)
        except DomainError as error:
            return _refusal(request, error)
        text = _("{email} is the address of @{username} now.")
        return page(
            request,
            "message",
            title=_("Thank you"),
            texts=[text.format(email=member.email, username=member.username)],
        )
