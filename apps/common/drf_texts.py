"""Texts of DRF and Django that members read in answers, listed so that our own catalog has them.

A project's catalog wins over a library's: so they speak Korean in the same tone as ours. Nothing
imports this module; `manage.py messages` reads it.
"""

from django.utils.translation import gettext_noop as _

TEXTS = (
    _("This field is required."),
    _("This field may not be null."),
    _("This field may not be blank."),
    _("Not a valid string."),
    _("Ensure this field has no more than {max_length} characters."),
    _("Ensure this field has at least {min_length} characters."),
    _("Must be a valid boolean."),
    _("A valid integer is required."),
    _("A valid number is required."),
    _("Ensure this value is less than or equal to {max_value}."),
    _("Ensure this value is greater than or equal to {min_value}."),
    _("String value too large."),
    _('"{input}" is not a valid choice.'),
    _('Expected a list of items but got type "{input_type}".'),
    _("Ensure this field has no more than {max_length} elements."),
    _("Invalid data. Expected a dictionary, but got {datatype}."),
    _("Must be a valid UUID."),
    _("Date has wrong format. Use one of these formats instead: {format}."),
    _("Expected a date but got a datetime."),
    _("Enter a valid email address."),
    _("Enter a valid URL."),
    _("Null characters are not allowed."),
)
