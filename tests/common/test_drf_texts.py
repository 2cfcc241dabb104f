"""DRF's own texts speak Korean as ours do."""

from django.core import validators
from django.utils import translation
from rest_framework import fields, serializers

from apps.common.drf_texts import TEXTS
from tests.builders import ApiClient


def test_a_field_error_is_in_our_tone(anonymous: ApiClient) -> None:
    errors = anonymous.post("/auth/login", {}, format="json").json()["errors"]
    assert {error["detail"] for error in errors} == {"꼭 필요한 항목이에요."}


def test_each_text_is_still_one_of_the_libraries() -> None:
    classes = [
        kind
        for module in (fields, serializers)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, fields.Field)
    ]
    with translation.override("en"):
        theirs = {
            str(text)
            for kind in classes
            for text in getattr(kind, "default_error_messages", {}).values()
        }
        theirs |= {
            str(kind.message)
            for kind in (validators.URLValidator, validators.ProhibitNullCharactersValidator)
        }
    assert set(TEXTS) - theirs == set()
