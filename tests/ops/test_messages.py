"""The Korean of what the code says, and the command that keeps it."""

import re
from pathlib import Path

import polib
import pytest
from django.conf import settings as project_settings
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from apps.ops.management.commands.messages import MO_FILE, PO_FILE, collect
from tests.builders import CONSENTS_JSON, DEVICE_JSON, PASSWORD

SOURCE = """
from django.utils.translation import gettext_lazy as _, ngettext, pgettext
from django.utils import translation

TEXTS = [
    _("The sofa"
      " is %(color)s."),
    pgettext("verb", "Like"),
    translation.gettext("Hello {name}"),
]


def label(count, text):
    return ngettext("%(count)d photo", "%(count)d photos", count), _(text)
"""
TEMPLATE = """
{% load i18n %}<h1>{% translate "Delete (my) account" %}</h1>
{% blocktranslate trimmed %}
  By {{ author }}
{% endblocktranslate %}
{# {% translate "nobody sees this" %} #}
"""
KOREAN = {
    "The sofa is %(color)s.": "소파는 %(color)s 색이에요.",
    "Like": "좋아요",
    "Hello {name}": "{name} 님, 안녕하세요",
    "%(count)d photo": "사진 %(count)d장",
    "Delete (my) account": "계정 삭제",
    "By %(author)s": "%(author)s 님의 글",
}


@pytest.fixture
def project(tmp_path: Path, settings: Settings) -> Path:
    """A small project whose catalog is complete."""
    for name, text in (("apps/a/texts.py", SOURCE), ("apps/a/templates/a/page.html", TEMPLATE)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    settings.BASE_DIR = tmp_path
    call_command("messages")
    translate(tmp_path, KOREAN)
    call_command("messages")
    return tmp_path


def translate(root: Path, korean: dict[str, str]) -> None:
    """Write Korean into the catalog, as a person would, and compile nothing."""
    catalog = polib.pofile(str(root / PO_FILE), wrapwidth=0)
    for entry in catalog:
        if entry.msgid in korean and entry.msgid_plural:
            entry.msgstr_plural = {0: korean[entry.msgid]}
        elif entry.msgid in korean:
            entry.msgstr = korean[entry.msgid]
    catalog.save()


def test_the_committed_catalog_is_complete_and_compiled() -> None:
    call_command("messages", check=True)


def test_every_text_of_ours_has_korean() -> None:
    catalog = polib.pofile(str(project_settings.BASE_DIR / PO_FILE))
    assert {entry.msgid for entry in catalog} == {
        message.text for message in collect(project_settings.BASE_DIR)
    }
    # A text that is the same in both languages would be no translation.
    bare = [entry.msgid for entry in catalog if not re.search("[가-힣]", str(entry.msgstr))]
    assert bare == []


def test_collects_every_form_of_a_text(project: Path) -> None:
    found = {(message.context, message.text, message.plural) for message in collect(project)}
    assert found == {
        (None, "The sofa is %(color)s.", None),
        ("verb", "Like", None),
        (None, "Hello {name}", None),
        (None, "%(count)d photo", "%(count)d photos"),
        (None, "Delete (my) account", None),
        (None, "By %(author)s", None),
    }
    call_command("messages", check=True)


def test_a_second_run_changes_nothing(project: Path) -> None:
    before = (project / PO_FILE).read_bytes(), (project / MO_FILE).read_bytes()
    call_command("messages")
    assert ((project / PO_FILE).read_bytes(), (project / MO_FILE).read_bytes()) == before
    # The same on every machine and every day.
    assert str(project) not in before[0].decode()
    assert "POT-Creation-Date" not in before[0].decode()


def test_a_new_text_is_added_empty_and_listed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = project / "apps/a/texts.py"
    source.write_text(SOURCE.replace("Hello {name}", "Good morning"), encoding="utf-8")
    call_command("messages")
    said = capsys.readouterr().out
    assert "'Good morning' has no Korean" in said
    # Its Korean is not lost without a trace: a reworded text can take it over.
    assert "gone: 'Hello {name}' (its Korean was {name} 님, 안녕하세요)" in said
    catalog = polib.pofile(str(project / PO_FILE))
    assert catalog.find("Good morning").msgstr == ""
    assert catalog.find("Hello {name}") is None
    assert catalog.find("Delete (my) account").msgstr == "계정 삭제"
    with pytest.raises(CommandError, match="'Good morning' has no Korean"):
        call_command("messages", check=True)


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("apps/a/texts.py", "Hello {name}", "Hi {name}", "lacks 'Hi {name}'"),
        ("apps/a/texts.py", "Hello {name}", "Hi {name}", "has 'Hello {name}', which nothing says"),
        (str(PO_FILE), "계정 삭제", "", "'Delete (my) account' has no Korean"),
        (str(PO_FILE), "사진 %(count)d장", "사진 %(n)d장", "'%(count)d photo' has other placehold"),
        (str(PO_FILE), "{name} 님", "{nmae} 님", "'Hello {name}' has other placeholders"),
        (str(PO_FILE), "계정 삭제", "계정 지우기", "django.mo is not what django.po compiles to"),
        (str(PO_FILE), "texts.py", "text.py", "django.po is stale"),
    ],
)
def test_check_finds(project: Path, file: str, old: str, new: str, sentence: str) -> None:
    path = project / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    before = path.read_bytes(), (project / MO_FILE).read_bytes()
    with pytest.raises(CommandError, match=re.escape(sentence)):
        call_command("messages", check=True)
    assert (path.read_bytes(), (project / MO_FILE).read_bytes()) == before


@pytest.mark.parametrize("file", [PO_FILE, MO_FILE])
def test_check_finds_a_missing_file(project: Path, file: Path) -> None:
    (project / file).unlink()
    with pytest.raises(CommandError, match=re.escape(str(file))):
        call_command("messages", check=True)
    assert not (project / file).exists()


@pytest.mark.parametrize("text", ['f"Hello {name}"', '"Hello %s" % name', '"Hi {}".format(name)'])
def test_refuses_a_text_that_is_made_at_run_time(project: Path, text: str) -> None:
    source = project / "apps/a/texts.py"
    source.write_text(SOURCE + f"\n\ndef hello(name):\n    return _({text})\n", encoding="utf-8")
    with pytest.raises(CommandError, match=r"apps/a/texts\.py, line 18: .* one whole string"):
        call_command("messages")


def signup(client: Client, **headers: str) -> dict[str, str]:
    """The refusal of a birth date, which the serializer words."""
    body = {
        "username": "alice",
        "password": PASSWORD,
        "birth_date": "1800-01-01",
        "consents": CONSENTS_JSON,
        "device": DEVICE_JSON,
    }
    response = client.post(
        "/api/v1/auth/signup", body, content_type="application/json", headers=headers
    )
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["pointer"] == "/birth_date"
    return {"detail": response.json()["detail"], "birth_date": error["detail"]}


@pytest.mark.django_db
@pytest.mark.parametrize("language", [None, "ko", "ko-KR,ko;q=0.9,en;q=0.8", "fr"])
def test_speaks_korean(client: Client, language: str | None) -> None:
    headers = {"Accept-Language": language} if language else {}
    response = client.get("/api/v1/nothing", headers=headers)
    assert response.status_code == 404
    assert response.json()["detail"] == "찾을 수 없어요."
    assert signup(client, **headers) == {
        "detail": "입력한 내용을 다시 확인해 주세요.",
        "birth_date": "생년월일을 다시 확인해 주세요.",
    }


@pytest.mark.django_db
def test_speaks_english_to_who_asks_for_it(client: Client) -> None:
    headers = {"Accept-Language": "en-US,en;q=0.9"}
    response = client.get("/api/v1/nothing", headers=headers)
    assert response.json()["detail"] == "Not found."
    assert signup(client, **headers) == {
        "detail": "Some of the input is not valid.",
        "birth_date": "This is not a birth date.",
    }
