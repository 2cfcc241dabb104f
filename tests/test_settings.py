"""Where settings come from, and what a deployed stage refuses to start with."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from igloo.config import Config
from igloo.laptop.database_url import default_url
from igloo.laptop.providers.demo import settings_of

COMPLETE = {
    "ALLOWED_HOSTS": ["api.example.com"],
    "DATABASE_URL": "postgresql://igloo:x@db.example.com:5432/igloo",
    "MEDIA_BUCKET": "igloo-media",
    "ORIGINALS_BUCKET": "igloo-originals",
    "PUBLIC_BASE_URL": "https://api.example.com",
    "SECRET_KEY": "k" * 50,
    "STATIC_BUCKET": "igloo-static",
}


def start(
    folder: Path, stage: str = "production", shown: str = "'started'", **environment: str
) -> str:
    """Load the settings in a fresh process; what it says where they refuse, or `shown`."""
    known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = subprocess.run(
        [
            sys.executable,
            "-c",
            f"from django.conf import settings; settings.DEBUG; print({shown})",
        ],
        env=known
        | {"DJANGO_SETTINGS_MODULE": "igloo.settings", "SECRETS_DIR": str(folder), "STAGE": stage}
        | environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return process.stdout.strip() or process.stderr.strip().splitlines()[-1]


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A folder of secrets in which nothing is missing."""
    (tmp_path / "production.json").write_text(json.dumps(COMPLETE))
    return tmp_path


def test_a_bare_laptop_starts(tmp_path: Path) -> None:
    assert start(tmp_path, "local") == "started"


def test_a_complete_production_starts(secrets: Path) -> None:
    assert start(secrets) == "started"


def test_a_container_on_ecs_answers_its_load_balancer(secrets: Path) -> None:
    """Whose health checks name the container's address, and no name of ours."""
    hosts = "' '.join(settings.ALLOWED_HOSTS)"
    own = socket.gethostbyname(socket.gethostname())
    uri = "http://169.254.170.2/v4/container"
    on_ecs = start(secrets, shown=hosts, ECS_CONTAINER_METADATA_URI_V4=uri)
    assert on_ecs == f"api.example.com {own}"
    assert start(secrets, shown=hosts) == "api.example.com"


@pytest.mark.parametrize("name", sorted(COMPLETE))
def test_a_missing_secret_is_named(secrets: Path, name: str) -> None:
    values = {key: value for key, value in COMPLETE.items() if key != name}
    (secrets / "production.json").write_text(json.dumps(values))
    assert f"{name} is missing" in start(secrets)


def test_everything_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    said = start(tmp_path)
    assert all(f"{name} is missing" in said for name in COMPLETE)
    assert "'production'" in said


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DEBUG", "1", "DEBUG must be off"),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS must not hold a wildcard"),
        ("ALLOWED_HOSTS", ".example.com", "ALLOWED_HOSTS must not hold a wildcard"),
        ("ALLOWED_HOSTS", "*.example.com", "ALLOWED_HOSTS must not hold a wildcard"),
        ("SECRET_KEY", "short", "SECRET_KEY must be 40 characters or more"),
        ("DATABASE_URL", default_url(), "DATABASE_URL must not be the embedded"),
        ("KAKAO_AUTH_URL", "http://kauth.kakao.com", "kakao's auth_url must be https"),
        ("APPLE_URL", "http://127.0.0.1:8000/apple", "apple's url must be https"),
        ("FACEBOOK_LIMITED_URL", "file:///etc", "facebook's limited_url must be https"),
        ("KAKAO_APP_ID", "1", "kakao lacks client_ids, admin_key"),
        ("APPLE_CLIENT_IDS", "com.example", "apple lacks team_id, key_id, private_key"),
        ("NAVER_CLIENT_SECRET", "x", "naver lacks client_id"),
        ("KAKAO_WEB_LOGIN", "true", "kakao's web login lacks app_id, client_ids, rest_key"),
        ("APPLE_SERVICES_ID", "com.example.web", "apple's web login lacks client_ids, team_id"),
        ("GOOGLE_WEB_CLIENT_ID", "x", "google's web login lacks web_client_secret"),
        ("GOOGLE_WEB_CLIENT_SECRET", "x", "google's web login lacks web_client_id"),
        ("FACEBOOK_WEB_LOGIN", "true", "facebook's web login lacks app_id, app_secret"),
        ("NAVER_WEB_LOGIN", "true", "naver's web login lacks client_id, client_secret"),
        ("GOOGLE_TOKEN_URL", "http://oauth2.googleapis.com", "google's token_url must be https"),
        ("APPLE_PRIVATE_KEY", "PEM", "SOCIAL_TOKEN_KEYS is missing"),
        ("SOCIAL_TOKEN_KEYS", "short", "SOCIAL_TOKEN_KEYS must be keys of Fernet"),
        ("SOCIAL_TOKEN_KEYS", settings.SOCIAL_TOKEN_KEYS[0], "and not the laptop's"),
    ],
)
def test_an_unsafe_production_does_not_start(
    secrets: Path, name: str, value: str, said: str
) -> None:
    assert said in start(secrets, **{name: value})


def test_stand_ins_for_providers_are_for_a_laptop(secrets: Path) -> None:
    """A deployed stage does not heed them; a laptop where a provider is not set up otherwise."""
    demo = json.dumps(
        {
            "kakao": {"KAKAO_APP_ID": "1", "KAKAO_AUTH_URL": "http://127.0.0.1:1"},
            "naver": {"NAVER_CLIENT_ID": "demo", "NAVER_API_URL": "http://127.0.0.1:1"},
        }
    )
    shown = (
        "' '.join([settings.SOCIAL['kakao']['app_id'], settings.SOCIAL['kakao']['auth_url'],"
        " settings.SOCIAL['naver']['client_id'], settings.SOCIAL['naver']['api_url']])"
    )
    real = "https://kauth.kakao.com", "https://openapi.naver.com"
    assert start(secrets, shown=shown, DEMO_PROVIDERS=demo).split() == list(real)
    stand_in = "http://127.0.0.1:1"
    local = {"stage": "local", "shown": shown, "DEMO_PROVIDERS": demo}
    assert start(secrets, **local).split() == ["1", stand_in, "demo", stand_in]
    own = start(secrets, NAVER_CLIENT_ID="mine", **local).split()
    assert own == ["1", stand_in, "mine", real[1]]
    paths = "[str(route.pattern) for route in __import__('igloo.urls').urls.urlpatterns]"
    setup = f"(__import__('django').setup(), {paths})[1]"
    assert "'demo/'" in start(secrets, **(local | {"shown": setup}))
    assert "'demo/'" not in start(secrets, shown=setup, DEMO_PROVIDERS=demo)


def test_providers_of_a_laptop_send_a_browser_to_where_igloo_listens(secrets: Path) -> None:
    demo = json.dumps(settings_of("http://127.0.0.1:1", "http://127.0.0.1:8231"))
    web = "[name for name, values in settings.SOCIAL.items() if values['has_web_login']]"
    shown = f"(settings.PUBLIC_BASE_URL, {web})"
    there = str(("http://127.0.0.1:8231", list(settings.SOCIAL)))
    assert start(secrets, "local", shown, DEMO_PROVIDERS=demo) == there
    own = {"PUBLIC_BASE_URL": "https://own.example.com"}
    assert start(secrets, "local", shown, DEMO_PROVIDERS=demo, **own).startswith("('https://own.")
    assert start(secrets, shown=shown, DEMO_PROVIDERS=demo) == str(("https://api.example.com", []))


def test_a_login_in_a_browser_comes_back_by_https(secrets: Path) -> None:
    google = {"GOOGLE_WEB_CLIENT_ID": "x", "GOOGLE_WEB_CLIENT_SECRET": "x"}
    http = {"PUBLIC_BASE_URL": "http://api.example.com"}
    shown = "settings.SOCIAL['google']['has_web_login']"
    assert "PUBLIC_BASE_URL must be https" in start(secrets, shown=shown, **google, **http)
    assert start(secrets, shown=shown, **google) == "True"
    assert start(secrets, shown=shown, **http) == "False"


def test_make_run_says_how_mails_are_printed(secrets: Path) -> None:
    """Where nothing else does; a deployed stage does not heed it."""
    demo = {"shown": "settings.EMAIL_BACKEND", "DEMO_EMAIL_BACKEND": "printed"}
    assert start(secrets, stage="local", **demo) == "printed"
    assert start(secrets, stage="local", EMAIL_BACKEND="mine", **demo) == "mine"
    assert start(secrets, **demo) == "apps.common.ses.SESBackend"


def test_what_is_said_holds_no_secret(secrets: Path) -> None:
    said = start(secrets, DEBUG="1")
    assert "db.example.com" not in said
    assert "kkkk" not in said


def test_the_environment_wins_over_the_stage_and_the_stage_over_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "base.json").write_text('{"A": "base", "B": "base", "C": "base"}')
    (tmp_path / "dev.json").write_text('{"B": "dev", "C": "dev"}')
    monkeypatch.setenv("C", "environment")
    config = Config("dev", tmp_path)
    assert [config.text(name, "default") for name in "ABCD"] == [
        "base",
        "dev",
        "environment",
        "default",
    ]


def test_zero_and_false_of_a_file_are_values_and_empty_ones_are_none(tmp_path: Path) -> None:
    (tmp_path / "dev.json").write_text('{"N": 0, "F": false, "T": "", "W": [], "X": null}')
    config = Config("dev", tmp_path)
    assert config.number("N", 15_000) == 0
    assert config.flag("F", True) is False
    assert [config.text(name, "default") for name in "TX"] == ["default", "default"]
    assert config.words("W", "default") == ["default"]


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_secrets_file_that_is_no_object_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "base.json").write_text(content)
    with pytest.raises(ImproperlyConfigured, match=r"base\.json"):
        Config("dev", tmp_path)


def test_flags_and_numbers_that_are_none_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X", "perhaps")
    config = Config("dev", tmp_path)
    with pytest.raises(ImproperlyConfigured, match="X must be true or false"):
        config.flag("X")
    with pytest.raises(ImproperlyConfigured, match="X must be a whole number"):
        config.number("X", 1)


def test_secrets_are_ignored_by_git_and_the_example_is_not() -> None:
    def ignored(path: str) -> bool:
        command = ["git", "check-ignore", "-q", "--no-index", path]
        return subprocess.run(command, cwd=settings.BASE_DIR, check=False).returncode == 0

    assert ignored(".secrets/production.json")
    assert ignored(".secrets/base.json")
    assert not ignored(".secrets/base.example.json")
    assert not ignored(".secrets/README.md")


def test_an_instance_on_lambda_keeps_its_connection_and_asks_whether_it_works(
    secrets: Path,
) -> None:
    shown = (
        "[settings.DATABASES['default'][name] for name in ('CONN_MAX_AGE', 'CONN_HEALTH_CHECKS')]"
        " + [settings.DATABASES['default']['OPTIONS'][name] for name in"
        " ('connect_timeout', 'options')]"
    )
    limits = "True, 5, '-c statement_timeout=15000']"
    function = {"AWS_LAMBDA_FUNCTION_NAME": "igloo-production"}
    assert start(secrets, shown=shown, **function) == f"[600, {limits}"
    assert start(secrets, shown=shown) == f"[0, {limits}"
    assert start(secrets, shown=shown, DB_CONN_MAX_AGE="5", **function) == f"[5, {limits}"


def test_operators_and_the_function_whose_bill_they_get(tmp_path: Path, secrets: Path) -> None:
    shown = (
        "[address for _, address in settings.MANAGERS], settings.SERVER_EMAIL,"
        " settings.COST_FUNCTION"
    )
    mail = {
        "OPERATORS": "minji@example.com, seojun@example.com",
        "MAIL_FROM": "igloo@example.com",
    }
    default = "[] igloo <help@example.com>"
    assert start(tmp_path / "none", "local", shown) == f"{default}"
    assert start(secrets, shown=shown) == f"{default} igloo-production"
    assert start(secrets, shown=shown, **mail) == (
        "['minji@example.com', 'seojun@example.com'] igloo@example.com igloo-production"
    )
