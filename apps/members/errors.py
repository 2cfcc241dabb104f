"""What can be wrong with signing up, logging in and a profile."""

from django.utils.translation import gettext_lazy as _

from apps.common.errors import DomainError


class LoginFailed(DomainError):
    """Unknown username or wrong password; it does not say which."""

    status = 401
    code = "login_failed"
    text = _("The username or the password is wrong.")


class SocialLoginFailed(LoginFailed):
    """The account that this login is of has been closed."""

    text = _("The account of this login is closed.")


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


class MarketingNeeded(DomainError):
    """`marketing_night` is agreed to by who agrees to `marketing`: agree to that first. At sign-up
    it is an error of the entry in `consents`, with this code."""

    status = 409
    code = "marketing_needed"
    text = _("Agree to marketing messages first. Those at night are a part of them.")


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
    """The login is right, and the account will be deleted at `erase_at`. The same call with
    `restore: true` takes that back and logs in; a social login is then sent as the `social_ticket`
    of this answer."""

    status = 409
    code = "account_leaving"
    text = _("This account will be deleted. You can still take that back.")


class OperatorsStay(DomainError):
    """An operator's account: another operator takes the rights away first."""

    status = 403
    code = "operators_stay"
    text = _("Operators can't leave. Have another operator take your rights away first.")


class NonceInvalid(DomainError):
    """The nonce was not given out here, is over 10 minutes old, or was used. Get a new one."""

    status = 401
    code = "nonce_invalid"
    text = _("This login took too long or was used before. Try again.")


class SocialTokenInvalid(DomainError):
    """The provider's token or code is not one for this app, has expired, or lacks the nonce."""

    status = 401
    code = "social_token_invalid"
    text = _("The login could not be confirmed. Try again.")


class SocialTokenUsed(DomainError):
    """This token or code of the provider logged somebody in before. Get a new one of it."""

    status = 401
    code = "social_token_used"
    text = _("This login was used before. Try again.")


class BrowserLoginInvalid(DomainError):
    """A provider's answer to a page that did not begin in this browser, or too long ago."""

    code = "browser_login_invalid"
    text = _("This login did not begin in this browser, or took too long. Start again.")


class ProviderNotConfigured(DomainError):
    """This service takes no logins of the provider."""

    status = 404
    code = "provider_not_configured"
    text = _("This way of logging in is not available.")


class ProviderUnavailable(DomainError):
    """The provider does not answer, so nothing can be confirmed. `Retry-After` says when to try."""

    status = 503
    code = "provider_unavailable"
    text = _("The login's provider is not available right now. Try again soon.")


class IdentityTaken(DomainError):
    """This login at the provider belongs to another member."""

    status = 409
    code = "identity_taken"
    text = _("This login belongs to another account.")


class ProviderLinked(DomainError):
    """The member has another login of this provider: unlink it first."""

    status = 409
    code = "provider_linked"
    text = _("Another login of this provider is linked. Remove it first.")


class LastLoginMethod(DomainError):
    """The only way in: without a password, one provider has to stay. A first password is chosen as
    a forgotten one is, by `POST /auth/password/reset` and the mail to a confirmed address."""

    status = 409
    code = "last_login_method"
    text = _(
        "This is your only way to log in. Add another one first, or choose a password by "
        "“Forgot password”, which sends a mail to your confirmed address."
    )


class Yourself(DomainError):
    """Nobody follows, blocks or mutes themselves."""

    code = "yourself"
    text = _("You can't do this with yourself.")
