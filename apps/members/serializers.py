"""What the auth and members endpoints take."""

import datetime as dt
import unicodedata
from collections.abc import Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from apps.common.fields import Address, Flag, PlainText, ShortList, Text
from apps.members.errors import MarketingNeeded
from apps.members.models import Consent, DeviceSession, Member, Provider
from apps.members.models.member import BIO_LENGTH, DISPLAY_NAME_LENGTH
from apps.members.services import signup
from apps.members.services.consents import UNKNOWN_VERSION, ConsentChoice, is_known_version
from apps.members.services.sessions import Device
from apps.members.social.proof import Credentials

# PBKDF2 takes any length; a password of megabytes is an attack.
_PASSWORD_MAX = 128
# Characters; providers' tokens have some 1,500.
_TOKEN_MAX, _NONCE_MAX = 8192, 200


class DeviceIn(serializers.Serializer[Any]):
    """The phone that logs in."""

    name = PlainText(max_length=100)
    platform = serializers.ChoiceField(choices=DeviceSession.Platform.values)
    app_version = PlainText(max_length=30)

    def to_internal_value(self, data: Any) -> Device:
        """A Device."""
        return Device(**super().to_internal_value(data))


class ConsentIn(serializers.Serializer[Any]):
    """Yes or no to the text of this version."""

    kind = serializers.ChoiceField(choices=Consent.Kind.values)
    version = PlainText(max_length=20, help_text="the one that was shown, as `2026-11-01`")
    granted = Flag()

    def to_internal_value(self, data: Any) -> ConsentChoice:
        """A ConsentChoice, of a version that there is or was."""
        choice = ConsentChoice(**super().to_internal_value(data))
        if not is_known_version(choice.kind, choice.version):
            wrong = serializers.ErrorDetail(str(UNKNOWN_VERSION), code="unknown_version")
            raise serializers.ValidationError({"version": [wrong]})
        return choice


class ConsentChangeIn(serializers.Serializer[Any]):
    """Yes or no to the text of this version."""

    version = PlainText(max_length=20, help_text="the one that was shown, as `2026-11-01`")
    granted = Flag()


class PasswordField(Text):
    """A password: not trimmed, never shown."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=_PASSWORD_MAX, trim_whitespace=False, write_only=True, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """In Unicode's NFC: keyboards differ in how they send 한글 (RFC 8265, 4.2)."""
        return unicodedata.normalize("NFC", super().to_internal_value(data))


class LocaleField(serializers.ChoiceField):
    """The language of a new member's mails."""

    def __init__(self) -> None:
        super().__init__(
            choices=Member.Locale.values,
            # Of this request: LocaleMiddleware has chosen it.
            default=get_language,
            help_text="of mails; without it, English where Accept-Language prefers it to Korean",
        )


class SignupIn(serializers.Serializer[Any]):
    """A new member."""

    # Its form is checked by apps.members.usernames, whose codes say more.
    username = Text(max_length=200, help_text="3 to 30 of a-z 0-9 _ .")
    password = PasswordField()
    display_name = PlainText(max_length=DISPLAY_NAME_LENGTH, required=False)
    email = Address(max_length=254, required=False)
    locale = LocaleField()
    birth_date = serializers.DateField(help_text="checked (14 or older), not stored")
    consents = ShortList(child=ConsentIn(), max_length=10, default=list)
    device = DeviceIn()

    def to_internal_value(self, data: Any) -> Any:
        """Where a form is wrong, whatever else signing up would refuse is told with it."""
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError as error:
            wrong = error.detail
            if isinstance(data, Mapping) and isinstance(wrong, dict):
                names = {"username", "birth_date", "password", "display_name", "email"}
                good = {
                    name: self.fields[name].run_validation(data[name])
                    for name in names & set(data) - set(wrong)
                }
                for refusal in signup.refusals(**good):
                    for at, items in groupby(refusal.errors, key=attrgetter("pointer")):
                        wrong[at.removeprefix("/")] = [
                            serializers.ErrorDetail(str(item.detail), item.code) for item in items
                        ]
            raise

    def validate_consents(self, consents: list[ConsentChoice]) -> list[ConsentChoice]:
        """Each kind once: two rows could say yes and no. Night messages beside marketing alone."""
        granted = {consent.kind: consent.granted for consent in consents}
        if len(granted) < len(consents):
            raise serializers.ValidationError(_("Each kind of consent once."), code="duplicate")
        if granted.get(Consent.Kind.MARKETING_NIGHT) and not granted.get(Consent.Kind.MARKETING):
            index = list(granted).index(Consent.Kind.MARKETING_NIGHT)
            wrong = serializers.ErrorDetail(str(MarketingNeeded.text), MarketingNeeded.code)
            raise serializers.ValidationError({str(index): {"granted": [wrong]}})
        return consents

    def validate_birth_date(self, value: dt.date) -> dt.date:
        """A day on which somebody alive may have been born."""
        today = timezone.now().date() + dt.timedelta(days=1)
        if not today.year - 130 <= value.year or value > today:
            raise serializers.ValidationError(_("This is not a birth date."), code="invalid")
        return value


class TokenField(serializers.RegexField):
    """A token or code: what may stand in a header or a form."""

    def __init__(
        self, max_length: int = _TOKEN_MAX, *, letters: str = r"\x21-\x7e", **kwargs: Any
    ) -> None:
        super().__init__(
            rf"^[{letters}]+\Z",
            max_length=max_length,
            required=False,
            trim_whitespace=False,
            **kwargs,
        )


class ProviderLoginIn(serializers.Serializer[Any]):
    """A login at a provider: one of its tokens or codes, or the ticket of an earlier call."""

    id_token = TokenField(help_text="kakao, apple, google, facebook (limited login)")
    # RFC 6750, 2.1, without padding: a provider may take a token with some for the same one, and
    # here it would be another.
    access_token = TokenField(
        letters="A-Za-z0-9._~+/-", help_text="kakao, facebook (classic login)"
    )
    code = TokenField(help_text="kakao, naver, apple (a new login: beside its id_token)")
    social_ticket = TokenField(
        help_text="of a 409 `consent_required` or `account_leaving`, in place of the token"
    )
    nonce = TokenField(_NONCE_MAX, help_text="of POST /auth/nonce; naver: sent to it as `state`")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """One of the four; Apple gives a code beside its id token."""
        given = {"id_token", "access_token", "code", "social_ticket"} & set(data)
        if len(given) != 1 and given != {"id_token", "code"}:
            raise serializers.ValidationError(
                _("Send one of id_token, access_token, code and social_ticket."), code="one_of"
            )
        return data

    @property
    def credentials(self) -> Credentials:
        """What the provider is asked about."""
        names = ("id_token", "access_token", "code", "nonce")
        return Credentials(**{name: self.validated_data.get(name, "") for name in names})


class SocialLoginIn(ProviderLoginIn):
    """A member, or somebody who becomes one: they add `consents` and `birth_date`."""

    birth_date = serializers.DateField(
        required=False, help_text="of a new member: checked (14 or older), not stored"
    )
    consents = ShortList(
        child=ConsentIn(), max_length=10, default=list, help_text="of a new member"
    )
    locale = LocaleField()
    device = DeviceIn()
    restore = Flag(default=False, help_text="take back that this account is being deleted")

    validate_birth_date = SignupIn.validate_birth_date
    validate_consents = SignupIn.validate_consents


class LoginIn(serializers.Serializer[Any]):
    """A known member."""

    username = Text(max_length=200)
    password = PasswordField()
    device = DeviceIn()
    restore = Flag(default=False, help_text="take back that this account is being deleted")


class LeaveIn(ProviderLoginIn):
    """Proof that it is the member who leaves: the password, or a fresh login at a provider."""

    password = PasswordField(required=False)
    provider = serializers.ChoiceField(
        choices=Provider.values, required=False, help_text="with its token, in place of a password"
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """One of the two."""
        if "provider" in data and "password" not in data:
            return super().validate(data)
        if "password" not in data:
            text = _("Send the password, or a provider and the token of a new login there.")
            raise serializers.ValidationError({"password": text}, code="required")
        return data


class RefreshIn(serializers.Serializer[Any]):
    """The refresh token to spend."""

    refresh_token = Text(max_length=500)


class PasswordChangeIn(serializers.Serializer[Any]):
    """The old and the new password."""

    current_password = PasswordField()
    new_password = PasswordField()


class PasswordResetIn(serializers.Serializer[Any]):
    """Whose password was forgotten."""

    email = Address(max_length=254)


class LinkIn(serializers.Serializer[Any]):
    """What the link in a mail carries."""

    token = serializers.CharField(max_length=300)


class PasswordResetConfirmIn(LinkIn):
    """What the link in a mail carries, and the new password."""

    new_password = PasswordField()


class ProfileIn(serializers.Serializer[Any]):
    """Changes to one's profile; what is left out stays."""

    display_name = PlainText(max_length=DISPLAY_NAME_LENGTH, required=False)
    bio = PlainText(max_length=BIO_LENGTH, required=False, allow_blank=True, multiline=True)
    avatar_upload_id = serializers.UUIDField(required=False, allow_null=True)
    kind = serializers.ChoiceField(choices=Member.Kind.values, required=False)
    locale = serializers.ChoiceField(choices=Member.Locale.values, required=False)
    email = Address(max_length=254, required=False, allow_blank=True, allow_null=True)

    def validate_email(self, value: str | None) -> str:
        """An empty one takes the address away, as null does."""
        return value or ""


class MemberSearchIn(serializers.Serializer[Any]):
    """What to look for in names."""

    q = PlainText(max_length=DISPLAY_NAME_LENGTH)
