"""Pages for a browser: deleting an account without the app, and taking that back.

The stores ask for such an address ("Account deletion requirements", Google Play). Links in mails
are opened by scanners as well, so nothing happens before a button is pressed.
"""

import unicodedata
from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

from apps.common.addresses import source_of
from apps.common.errors import InvalidInput, Throttled
from apps.common.throttles import address_of, count_call
from apps.members.errors import LinkInvalid, LoginFailed, OperatorsStay, PasswordWrong
from apps.members.models import Leaving, Member, Provider
from apps.members.services import leaving, sessions
from apps.members.social import web
from apps.members.tokens import TokenInvalid
from apps.members.views.pages import page, public_origin
from apps.members.views.whereabouts import network

_LINK_INVALID = _("This link is not valid any more. Ask for a new one.")


class _EmailForm(forms.Form):
    email = forms.EmailField(max_length=254)


class _LoginForm(forms.Form):
    username = forms.CharField(max_length=200)
    password = forms.CharField(max_length=128, strip=False)

    def clean_password(self) -> str:
        """As the API takes it: see members.serializers.PasswordField."""
        return unicodedata.normalize("NFC", self.cleaned_data["password"])


class _NewPasswordForm(forms.Form):
    # Empty where none is asked for.
    new_password = forms.CharField(max_length=128, strip=False, required=False)
    again = forms.CharField(max_length=128, strip=False, required=False)

    def clean_new_password(self) -> str:
        """As above."""
        return unicodedata.normalize("NFC", self.cleaned_data["new_password"])

    def clean_again(self) -> str:
        """The same once more, or the typing of one went wrong."""
        again = unicodedata.normalize("NFC", self.cleaned_data["again"])
        if again != self.cleaned_data.get("new_password", again):
            raise forms.ValidationError(_("The two are not the same."))
        return again


@method_decorator(
    [csrf_protect, sensitive_post_parameters("password", "new_password", "again")], "dispatch"
)
class DeletionPage(View):
    """A page of leaving, or of coming back, and the steps that lead there from all of them."""

    http_method_names = ["get", "head", "post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The page, or 429."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except Throttled as error:
            return self.start(status=429, headers=error.headers, problem=error.text)

    def show(self, step: str, *, status: int = 200, **context: Any) -> HttpResponse:
        """One step's page."""
        return page(self.request, step, status=status, **context)

    def address(self) -> str:
        """The caller's address."""
        return source_of(address_of(self.request))

    def start(self, *, status: int = 200, **context: Any) -> HttpResponse:
        """What is deleted, and the ways to prove who asks."""
        providers = [Provider(name) for name in web.providers()]
        return self.show(
            "start",
            status=status,
            form_targets=[public_origin(), *web.form_targets()] if providers else (),
            providers=providers,
            **context,
        )

    def confirm(self, member: Member, token: str = "") -> HttpResponse:
        """For who has proved to be the member: the button.

        Args:
            token: of a mail's link, which gets no longer life by being opened.
        """
        token = token or leaving.deletion_token(member)
        return self.show("confirm", username=member.username, token=token)

    def left(self, row: Leaving, errors: Sequence[Any] = ()) -> HttpResponse:
        """Until when there is a way back, and its button.

        Args:
            errors: what is wrong with the password that it took.
        """
        return self.show(
            "left",
            status=400 if errors else 200,
            leaving=row,
            token=leaving.return_token(row),
            has_no_way_in=leaving.has_no_way_in(row),
            errors=errors,
        )


class DeletePage(DeletionPage):
    """`/account/delete`: what is deleted and kept, proof of who asks, and the button."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The start; with the `token` of a mail, what is about to be deleted."""
        token = request.GET.get("token")
        if token is None:
            return self.start()
        try:
            return self.confirm(leaving.member_of_deletion(token), token)
        except LinkInvalid:
            return self.start(status=400, problem=_LINK_INVALID)

    def post(self, request: HttpRequest) -> HttpResponse:
        """One of the three buttons."""
        match request.POST.get("action"):
            case "mail":
                return self._mail()
            case "login":
                return self._log_in()
            case "confirm":
                return self._leave()
        return self.start(status=400)

    def _mail(self) -> HttpResponse:
        form = _EmailForm(self.request.POST)
        if not form.is_valid():
            return self.start(status=400, problem=_("Enter a valid email address."))
        count_call("deletion_address", self.address())
        email = form.cleaned_data["email"]
        digest = salted_hmac("apps.members.deletion_mail", email.lower(), algorithm="sha256")
        try:
            count_call("deletion_mail", digest.hexdigest())
        except Throttled:
            # The same answer as ever: the mails of before have links that work.
            return self.show("sent")
        leaving.ask_for_deletion(email=email)
        return self.show("sent")

    def _log_in(self) -> HttpResponse:
        form = _LoginForm(self.request.POST)
        if not form.is_valid():
            return self._login_failed()
        username, password = form.cleaned_data["username"], form.cleaned_data["password"]
        # As POST /auth/login counts, and with it.
        count_call("login_address", self.address())
        count_call("login_account", f"{self.address()}:{username.lower()}")
        try:
            member, _is_outdated = sessions.find_by_password(
                username=username, password=password, network=network(self.request)
            )
        except LoginFailed:
            return self._login_failed()
        if member.is_active:
            return self.confirm(member)
        there = Leaving.objects.can_be_taken_back().filter(member=member).first()
        return self.left(there) if there else self._login_failed()

    def _login_failed(self) -> HttpResponse:
        username = self.request.POST.get("username", "")
        return self.start(status=400, problem=LoginFailed.text, username=username)

    def _leave(self) -> HttpResponse:
        try:
            token = self.request.POST.get("token", "")
            return self.left(leaving.leave_by_token(token=token))
        except OperatorsStay as error:
            return self.start(status=403, problem=error.text)
        except (LinkInvalid, PasswordWrong, TokenInvalid):
            # The last one: an operator has closed the account meanwhile.
            return self.start(status=400, problem=_LINK_INVALID)


class RestorePage(DeletionPage):
    """`/account/restore`: where the mail about leaving leads."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Until when there is a way back, and the button."""
        try:
            return self.left(leaving.leaving_of_return(request.GET.get("token", "")))
        except LinkInvalid:
            return self._too_late()

    def post(self, request: HttpRequest) -> HttpResponse:
        """Take leaving back; the button again, with what is wrong with the password."""
        try:
            return self._come_back(request.POST.get("token", ""))
        except LinkInvalid:
            return self._too_late()

    def _come_back(self, token: str) -> HttpResponse:
        form = _NewPasswordForm(self.request.POST)
        if form.is_valid():
            password = form.cleaned_data["new_password"]
            try:
                member = leaving.come_back_by_token(token=token, new_password=password)
            except InvalidInput as error:
                errors: Sequence[Any] = [item.detail for item in error.errors]
            else:
                return self.show("back", username=member.username if password else "")
        else:
            # Each once, where both fields have it.
            errors = list(dict.fromkeys(text for texts in form.errors.values() for text in texts))
        return self.left(leaving.leaving_of_return(token), errors)

    def _too_late(self) -> HttpResponse:
        return self.show("too_late", status=400)
