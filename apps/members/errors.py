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


class ConsentNeeded(DomainError):
    """Nobody is a member without it. Who takes it back leaves: `DELETE /me`."""

    status = 409
    code = "consent_needed"
    text = _("igloo can't be used without this. If you don't agree, you can delete your account.")


class LinkInvalid(DomainError):
    """The `token` of a link in a mail is not one of ours, is too old, or was used. Ask for a new
    mail. (`token_invalid` is of access tokens alone: an app logs its member out for it.)"""

    code = "link_invalid"
    text = _("This link does not work any more. Ask for a new mail.")


class EmailMissing(DomainError):
    """The account has no e-mail address."""

    status = 409
    code = "email_missing"
    text = _("Add an e-mail address to your profile first.")


class AccountLeaving(DomainError):
    """The password is right, and the account will be deleted at `erase_at`. The same call with
    `restore: true` takes that back and logs in."""

    status = 409
    code = "account_leaving"
    text = _("This account will be deleted. You can still take that back.")


class OperatorsStay(DomainError):
    """An operator's account: another operator takes the rights away first."""

    status = 403
    code = "operators_stay"
    text = _("Operators can't leave. Have another operator take your rights away first.")
