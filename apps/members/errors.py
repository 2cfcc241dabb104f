"""What can be wrong with signing up, logging in and a profile."""

from django.utils.translation import gettext_lazy as _

from apps.common.errors import DomainError


class LoginFailed(DomainError):
    """Unknown username or wrong password; it does not say which."""

    status = 401
    code = "login_failed"
    text = _("The username or the password is wrong.")


class RefreshTokenInvalid(DomainError):
    """The refresh token is unknown, spent or of a session that ended. Log in again."""

    status = 401
    code = "refresh_token_invalid"
    text = _("The refresh token is not valid. Log in again.")


class PasswordWrong(DomainError):
    """The current password is wrong."""

    status = 403
    code = "password_wrong"
    text = _("The current password is wrong.")


class UnderAge(DomainError):
    """Under 14: the law asks for a parent's consent, which igloo does not take."""

    status = 403
    code = "under_age"
    text = _("You must be 14 or older to use igloo.")


class ConsentRequired(DomainError):
    """A required consent is missing; `missing` lists kind and current version of each."""

    status = 409
    code = "consent_required"
    text = _("Agree to the terms and to the use of your personal data first.")


class Yourself(DomainError):
    """Nobody follows, blocks or mutes themselves."""

    code = "yourself"
    text = _("You can't do this with yourself.")
