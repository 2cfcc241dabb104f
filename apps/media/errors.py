"""What can be wrong with an upload."""

from django.utils.translation import gettext_lazy as _

from apps.common.errors import BodyTooLarge, DomainError


class UploadNotReceived(DomainError):
    """`complete` was called, but storage has no file."""

    status = 409
    code = "upload_not_received"
    text = _("The file has not arrived yet. Send it, then try again.")


class UploadExpired(DomainError):
    """The ticket ended before the file arrived."""

    status = 409
    code = "upload_expired"
    text = _("The time to send this file is over. Start a new upload.")


class UploadNotFound(DomainError):
    """No upload of yours has this id."""

    status = 400
    code = "upload_not_found"
    text = _("No upload of yours has this id.")


class UploadNotReady(DomainError):
    """The photo is still waited for or processed."""

    status = 409
    code = "upload_not_ready"
    text = _("The photo is still being processed.")


class UploadFailed(DomainError):
    """The photo could not be processed; its `failure` says why."""

    status = 409
    code = "upload_failed"
    text = _("The photo could not be processed.")


class UploadInUse(DomainError):
    """The photo is in another post or profile; each is used once."""

    status = 409
    code = "upload_in_use"
    text = _("The photo is already used elsewhere.")


class TicketInvalid(DomainError):
    """The ticket was not given out by us, or was changed."""

    status = 403
    code = "ticket_invalid"
    text = _("The upload ticket is not valid.")


class TicketExpired(DomainError):
    """The ticket's time is over."""

    status = 403
    code = "ticket_expired"
    text = _("The upload ticket has expired.")


class TicketUsed(DomainError):
    """The file of this ticket has arrived before."""

    status = 409
    code = "ticket_used"
    text = _("This upload ticket was used before.")


class FileTooLarge(BodyTooLarge):
    """The form is longer than any file that a ticket is given for."""

    text = _("The file is larger than 30 MB.")


class SizeMismatch(DomainError):
    """The file is longer or shorter than announced."""

    code = "size_mismatch"
    text = _("The file has another size than announced.")


class HashMismatch(DomainError):
    """The file's SHA-256 is not the announced one."""

    code = "hash_mismatch"
    text = _("The file is not the one announced.")


class TypeMismatch(DomainError):
    """The form names another content type than announced."""

    code = "type_mismatch"
    text = _("The file has another type than announced.")


# Why processing refused a photo: `failure.code` and its text.
FAILURES = {
    "not_an_image": _("The file is not an image."),
    "unsupported_type": _("Send a JPEG, PNG, WebP or HEIC photo."),
    "type_mismatch": TypeMismatch.text,
    "size_mismatch": SizeMismatch.text,
    "hash_mismatch": HashMismatch.text,
    "truncated": _("The file ends too early. Send it again."),
    "too_many_pixels": _("The photo has more than 40 megapixels."),
    "too_small": _("The photo is too small."),
    "too_narrow": _("The photo is too long and narrow."),
    "damaged": _("The photo is damaged."),
}
