"""A photo in a list of the admin."""

from django.core.files.storage import default_storage
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.media.models import Upload


def thumbnail(upload: Upload | None, height: int = 48) -> SafeString | str:
    """An `<img>` of the small rendition, `height` px high, or a dash."""
    small = next((i for i in (upload.renditions if upload else ()) if i["name"] == "small"), None)
    if small is None:
        return "–"
    return format_html(
        '<img src="{}" height="{}" loading="lazy" alt="">',
        default_storage.url(small["key"]),
        height,
    )
