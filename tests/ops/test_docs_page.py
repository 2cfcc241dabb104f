"""The docs page loads nothing from outside."""

import re

from django.contrib.staticfiles import finders
from django.test import Client


def test_everything_it_loads_is_a_file_of_ours(client: Client) -> None:
    page = client.get("/api/docs").content.decode()
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(loaded) == 4
    for address in loaded:
        assert address.startswith("/static/")
        assert finders.find(address.removeprefix("/static/")), address


def test_its_style_asks_for_nothing_from_outside() -> None:
    path = finders.find("drf_spectacular_sidecar/swagger-ui-dist/swagger-ui.css")
    assert isinstance(path, str)
    with open(path, encoding="utf-8") as style:  # noqa: PTH123 - finders give a string
        addresses = re.findall(r"url\(([^)]{1,200})", style.read())
    assert not [address for address in addresses if "http" in address[:8]]
