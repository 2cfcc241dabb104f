"""The page of an export: what the JSON files say, to read in a browser without a network."""

import datetime as dt
from collections.abc import Mapping
from typing import IO, Any

from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.common.json import dumps
from apps.members.models import Member

# Of what is in the items; a key without one is shown as it is.
LABELS = {
    "app_version": _("app version"),
    "bio": _("bio"),
    "brand": _("brand"),
    "caption": _("caption"),
    "colors": _("colours"),
    "content": _("text"),
    "created_at": _("created at"),
    "display_name": _("display name"),
    "edited_at": _("edited at"),
    "email": _("e-mail address"),
    "email_verified": _("address verified"),
    "ended_at": _("ended at"),
    "granted": _("granted"),
    "housing_type": _("housing type"),
    "kind": _("kind"),
    "last_used_at": _("last used at"),
    "locale": _("language"),
    "name": _("name"),
    "photos": _("photos"),
    "platform": _("platform"),
    "post_id": _("id of the post"),
    "post_title": _("post"),
    "price": _("price"),
    "products": _("products"),
    "published_at": _("published at"),
    "pyeong": _("pyeong"),
    "status": _("status"),
    "styles": _("styles"),
    "suspended_until": _("suspended until"),
    "title": _("title"),
    "username": _("username"),
    "version": _("version"),
}
_PICTURES = (".jpg", ".png", ".webp")


def write_head(page: IO[str], member: Member) -> None:
    """Up to the first section."""
    context = {"member": member, "language": get_language()}
    page.write(render_to_string("members/export_head.html", context))


def write_foot(page: IO[str]) -> None:
    """What closes the page."""
    page.write("</main>\n</body>\n</html>\n")


def write_section(page: IO[str], title: str) -> None:
    """The title of what follows."""
    page.write(format_html("<h2>{}</h2>\n", title))


def write_item(page: IO[str], item: Mapping[str, Any]) -> None:
    """One thing that the member gave."""
    page.write(format_html("<article>{}</article>\n", _table(item)))


def write_nothing(page: IO[str]) -> None:
    """What stands in a section without items."""
    page.write(format_html("<p>{}</p>\n", _("Nothing.")))


def _table(item: Mapping[str, Any]) -> SafeString:
    """Every value as text, whatever markup it holds."""
    rows = (
        (LABELS.get(key, key), "wide" if _is_wide(value) else "", _value(key, value))
        for key, value in item.items()
        if value not in (None, "", [])
    )
    return format_html(
        "<dl>{}</dl>", format_html_join("", '<dt>{0}</dt><dd class="{1}">{2}</dd>', rows)
    )


def _is_wide(value: Any) -> bool:
    """Whether it holds values with names of their own, for which a column is too narrow."""
    items = value if isinstance(value, list | tuple) else [value]
    return any(isinstance(item, Mapping) for item in items)


def _value(key: str, value: Any) -> Any:
    if key == "file":
        return _file(str(value))
    if isinstance(value, Mapping):
        return _table(value)
    if isinstance(value, list | tuple):
        if all(isinstance(item, str) for item in value):
            return ", ".join(value)
        return format_html_join("", "<div>{}</div>", ((_value("", item),) for item in value))
    if isinstance(value, str):
        return value
    if isinstance(value, dt.datetime):
        return f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
    # As in the JSON: numbers, ids, true and false.
    return dumps(value).decode().strip('"')


def _file(name: str) -> SafeString:
    if name.endswith(_PICTURES):
        return format_html('<a href="{0}"><img src="{0}" alt="" loading="lazy"></a>', name)
    return format_html('<a href="{0}">{0}</a>', name)
