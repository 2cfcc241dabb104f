"""Filters of post lists: a comma means any of, different filters mean all of."""

import re
from uuid import UUID

from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from apps.common.errors import FieldError, InvalidInput
from apps.common.openapi import Query

_SLUG = re.compile(r"[a-z0-9-]{1,20}")
_MOST = 20

_COLUMNS = {
    "pyeong": "pyeong__in",
    "housing_type": "housing_type__in",
    "style": "styles__overlap",
    "color": "colors__overlap",
}
POST_FILTERS = (
    Query("pyeong", "Floor-area bands, e.g. `8-15,16-25`.", many=True),
    Query("housing_type", "Housing types, e.g. `apartment`.", many=True),
    Query("style", "Styles, any of them.", many=True),
    Query("color", "Colours, any of them.", many=True),
    Query("author", "Members' ids.", many=True),
    Query("sort", "The order.", choices=("latest",)),
)


def post_filter(params: QueryDict) -> Q:
    """The condition that a request's query asks for; raises InvalidInput."""
    found = Q()
    for name, column in _COLUMNS.items():
        values = _values(params, name)
        if values and not all(_SLUG.fullmatch(value) for value in values):
            raise _invalid(name)
        if values:
            found &= Q(**{column: values})
    authors = _values(params, "author")
    if authors:
        try:
            found &= Q(author__in=[UUID(author) for author in authors])
        except ValueError as error:
            raise _invalid("author") from error
    if params.get("sort", "latest") != "latest":
        raise _invalid("sort")
    return found


def _values(params: QueryDict, name: str) -> list[str]:
    values = [value for value in params.get(name, "").split(",") if value]
    if len(values) > _MOST:
        raise _invalid(name)
    return values


def _invalid(name: str) -> InvalidInput:
    return InvalidInput(
        errors=[FieldError(f"/{name}", "invalid_choice", _("This filter has no such value."))]
    )
