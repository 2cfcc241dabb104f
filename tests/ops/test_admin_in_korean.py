"""The admin speaks Korean: its operators do."""

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.utils import translation

from apps.members.models import Consent, ConsentNotice, Leaving, Member, SocialIdentity
from tests.builders import make_member, operator

OURS = [model for model in apps.get_models() if model.__module__.startswith("apps.")]
HANGUL = re.compile("[가-힣]")


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_model_has_a_korean_name(model: type[Model]) -> None:
    names = (model._meta.verbose_name, model._meta.verbose_name_plural)
    with translation.override("ko"):
        assert all(HANGUL.search(str(name)) for name in names)
        assert HANGUL.search(str(model._meta.app_config.verbose_name))


@pytest.mark.parametrize(
    "model",
    [Member, Consent, ConsentNotice, Leaving, SocialIdentity],
    ids=lambda model: model.__name__,
)
def test_so_have_the_columns_that_operators_look_at(model: type[Model]) -> None:
    columns = [name for name in admin.site._registry[model].list_display if name != "picture"]
    assert columns
    with translation.override("ko"):
        for column in columns:
            assert HANGUL.search(str(model._meta.get_field(column).verbose_name)), column


@pytest.mark.django_db
def test_the_first_page_and_a_members_are_in_korean(client: Client) -> None:
    member = operator(make_member("boss"))
    client.force_login(member)
    first = client.get("/admin/", headers={"Accept-Language": "ko"}).content.decode()
    assert "소셜 로그인" in first
    assert "identit" not in re.sub("<[^>]*>", "", first)
    page = client.get(f"/admin/members/member/{member.pk}/change/").content.decode()
    assert all(
        words in page for words in ("이용 정지 기한", "연락처", "운영자 권한", "차단당한 횟수")
    )
    english = client.get("/admin/", headers={"Accept-Language": "en"}).content.decode()
    assert "Social identities" in english
