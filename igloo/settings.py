"""Every setting of igloo. Each says where it comes from, and why it is not Django's default.

A value is looked for in the environment, then in `.secrets/<stage>.json` and
`.secrets/base.json`, then a default that works on a laptop is taken. What differs between a
laptop, Lambda and a container is chosen here and nowhere else.
"""

import json
import os
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from igloo.config import BASE_DIR, Config
from igloo.laptop import places
from igloo.laptop.database_url import default_url, is_embedded
from igloo.social import social_problems, social_settings

# local: a laptop and the tests. Anything else is deployed and held to `_refuse_unsafe_start`.
STAGE = os.environ.get("STAGE", "local")
DEPLOYED = STAGE != "local"
_ON_LAMBDA = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
config = Config(STAGE, Path(os.environ.get("SECRETS_DIR") or BASE_DIR / ".secrets"))

# --- Safety -----------------------------------------------------------------------------------
_LAPTOP_KEY = "laptop-only-not-a-secret-laptop-only-not-a-secret"
SECRET_KEY = config.text("SECRET_KEY", _LAPTOP_KEY)
# Off on a laptop too: errors there have the same problem+json shape as on AWS.
DEBUG = config.flag("DEBUG", False)
# A laptop answers to any name, so that a phone in the same network can reach it.
ALLOWED_HOSTS = config.words("ALLOWED_HOSTS", "" if DEPLOYED else "*")
if "ECS_CONTAINER_METADATA_URI_V4" in os.environ:
    # A load balancer asks for /readyz by the container's address, which is known here only.
    ALLOWED_HOSTS.append(socket.gethostbyname(socket.gethostname()))
# How many proxies of our own stand in front (an ALB: 1) and add to X-Forwarded-For.
TRUSTED_PROXIES = config.number("TRUSTED_PROXIES", 0)
if DEPLOYED:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 31_536_000
CSRF_TRUSTED_ORIGINS = config.words("CSRF_TRUSTED_ORIGINS")
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "apps.common.problems.csrf_failure"
# 1 MiB: what an API call may carry. Photos go straight to storage.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- Applications -----------------------------------------------------------------------------
# The docs page's script and style. Only their files are needed, and only where static files are
# collected or served from the source: a laptop, CI, a build.
_DOCS_ASSETS = ["drf_spectacular_sidecar"] if find_spec("drf_spectacular_sidecar") else []
INSTALLED_APPS = [
    *_DOCS_ASSETS,
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_tasks",
    "django_tasks_db",
    "apps.tasks.tables.DjangoQTables" if _ON_LAMBDA else "django_q",
    "apps.common",
    "apps.tasks",
    "apps.media",
    "apps.members",
    "apps.posts",
    "apps.ops",
]
MIDDLEWARE = [
    "apps.common.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "apps.common.middleware.BodyLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "apps.common.middleware.ConditionalReadMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "igloo.urls"
WSGI_APPLICATION = "igloo.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database ---------------------------------------------------------------------------------
# The default is the PostgreSQL that `make run` starts for this checkout.
DATABASE_URL = config.text("DATABASE_URL", default_url())
DATABASES: dict[str, Any] = {
    "default": dj_database_url.parse(
        DATABASE_URL,
        # Seconds a connection is kept. 0 suits runserver's one thread per request. On Lambda an
        # instance has one thread, and Lambda ends it some minutes after its last event.
        conn_max_age=config.number("DB_CONN_MAX_AGE", 600 if _ON_LAMBDA else 0),
        # Ask whether a kept connection still works. A worker finds that out by its first statement.
        conn_health_checks=config.flag("DB_CONN_HEALTH_CHECKS", True),
    )
}
# A database that is away must be a 503 soon: 5 s to connect, 15 s for a statement.
DATABASES["default"].setdefault("OPTIONS", {}).update(
    connect_timeout=5,
    # A server that is cut off in the middle of an answer is given up after 20 to 30 s.
    keepalives_idle=10,
    keepalives_interval=5,
    keepalives_count=3,
    tcp_user_timeout=20_000,
)
# RDS Proxy and PgBouncer refuse start-up options: set this to 0 there, and the limit on the role
# (ALTER ROLE igloo SET statement_timeout = '15s').
_STATEMENT_TIMEOUT_MS = config.number("DB_STATEMENT_TIMEOUT_MS", 15_000)
if _STATEMENT_TIMEOUT_MS:
    DATABASES["default"]["OPTIONS"]["options"] = f"-c statement_timeout={_STATEMENT_TIMEOUT_MS}"
# Cursors on the server do not survive a pooler that shares connections between transactions.
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = DEPLOYED
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    # Django's own default. Django-Q writes its cluster's state here each second.
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # What all processes share for a while: providers' signing keys. A table: there is no Redis on
    # Lambda.
    "shared": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "common_cache",
    },
}


# --- Members ----------------------------------------------------------------------------------
AUTH_USER_MODEL = "members.Member"
# The shortest is 8 characters, which a text of apps/members/services/passwords.py says.
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ACCESS_TOKEN_SECONDS = 15 * 60
# A device that was not used for this long has to log in again.
REFRESH_TOKEN_SECONDS = 60 * 24 * 3600
# A phone that lost the answer may send the same refresh token once more within this time.
REFRESH_GRACE_SECONDS = 30
# Of the CDN in front, the header that says about where a caller is (CloudFront-Viewer-City), which
# sessions then keep for their member to see. Empty: it is kept nowhere. Name one only if the CDN
# sets it on all requests, since a caller could send it too.
DEVICE_PLACE_HEADER = config.text("DEVICE_PLACE_HEADER")
# A link that lets someone choose a new password is good for so many seconds.
PASSWORD_RESET_TIMEOUT = 30 * 60
# How long a member who left can come back, and how long the link of a mail that deletes counts.
LEAVING_SECONDS = 7 * 24 * 3600
DELETION_LINK_SECONDS = 30 * 60
# How long the zip of a member's data can be fetched.
EXPORT_SECONDS = 24 * 3600
# Nobody takes the name of someone who left and passes for them.
USERNAME_KEPT_SECONDS = 90 * 24 * 3600
# The current text of each consent; the app shows this one.
CONSENT_VERSIONS = {
    "terms": "2026-11-01",
    "privacy": "2026-11-01",
    "marketing": "2026-11-01",
    "marketing_night": "2026-11-01",
}

# --- Social login -----------------------------------------------------------------------------
# `make run` starts stand-ins for the providers (igloo/laptop/providers) and says here how to use
# them. A provider that the environment or `.secrets/` knows of is used as it is there.
DEMO_PROVIDERS: dict[str, dict[str, str]] = (
    {} if DEPLOYED else json.loads(os.environ.get("DEMO_PROVIDERS") or "{}")
)
for _values in DEMO_PROVIDERS.values():
    if not any(config.text(name) for name in _values):
        config.values |= _values
SOCIAL = social_settings(config)
# Encrypt Apple's refresh tokens: the first one encrypts, all of them decrypt. A new key is put
# before the others; an old one goes when `manage.py reseal_tokens` has run.
_LAPTOP_TOKEN_KEY = "bGFwdG9wLW9ubHktbm90LWEtc2VjcmV0LWxhcHRvcCE="  # noqa: S105
SOCIAL_TOKEN_KEYS = config.words("SOCIAL_TOKEN_KEYS", "" if DEPLOYED else _LAPTOP_TOKEN_KEY)
SOCIAL_NONCE_SECONDS = 10 * 60
# How long a new member has to consent after a login that was proved.
SOCIAL_TICKET_SECONDS = 10 * 60

# --- API --------------------------------------------------------------------------------------
# Where the world reaches this service: links in answers that are not for the caller's own host.
PUBLIC_BASE_URL = config.text(
    "PUBLIC_BASE_URL", f"http://localhost:{os.environ.get('PORT', '8000')}"
)
# What GET /app-config tells an app.
CONTACT_EMAIL = config.text("CONTACT_EMAIL", "help@example.com")
APP_PLATFORMS = {
    platform: {
        "minimum_version": config.text(f"{platform.upper()}_MINIMUM_VERSION", "1.0.0"),
        "latest_version": config.text(f"{platform.upper()}_LATEST_VERSION", "1.0.0"),
        "store_url": config.text(f"{platform.upper()}_STORE_URL") or None,
    }
    for platform in ("ios", "android")
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.members.authentication.AccessTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["apps.common.permissions.IsMember"],
    "DEFAULT_THROTTLE_CLASSES": ["apps.common.throttles.RateThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["apps.common.json.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.common.json.JSONParser"],
    # The answer is JSON whatever the Accept header says.
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "apps.common.json.AlwaysJSON",
    # OPTIONS would tell DRF's own description of a view; the document is the one there is.
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "apps.common.schema.AutoSchema",
    "EXCEPTION_HANDLER": "apps.common.problems.exception_handler",
    "NUM_PROXIES": TRUSTED_PROXIES,
}
# Calls in a period, by scope; see apps/common/throttles.py. A laptop, where tests and app
# developers share one address, gets ten times as many.
_SCALE = 1 if DEPLOYED else 10
THROTTLE_RATES = {
    "write": (120 * _SCALE, 60),
    "signup": (60 * _SCALE, 3600),
    "login_address": (60 * _SCALE, 60),
    "login_account": (10, 60),
    # Failures of one account, over all addresses where its member was never seen.
    "login_stranger": (30, 3600),
    # By token: many phones share a carrier's address.
    "refresh": (20, 60),
    # Each change is a row that stays, and a mail.
    "consents": (30 * _SCALE, 3600),
    "admin_login": (20 * _SCALE, 300),
    "username_available": (60 * _SCALE, 60),
    # Mails that a member has sent, to whatever address.
    "ask_for_mail": (20 * _SCALE, 3600),
    "password_reset": (60 * _SCALE, 3600),
    # Mails of one kind to one address, whoever asks. A window that is shorter than a link lives.
    "mail_to": (3, 900),
    # The same, in a day, where nobody has confirmed the address: it may be a stranger's.
    "mail_to_stranger": (10, 24 * 3600),
    "link": (60 * _SCALE, 60),
    "export": (5 * _SCALE, 3600),
    # Mails that anybody may have sent: by the caller's address, and by the mail's.
    "deletion_address": (20 * _SCALE, 3600),
    "deletion_mail": (3, 3600),
    "nonce": (60 * _SCALE, 60),
    "social_login": (60 * _SCALE, 60),
    # By provider: how often all processes together ask for its signing keys.
    "jwks_refresh": (1, 10),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "igloo API",
    "VERSION": "1.0.0",
    "DESCRIPTION": (
        "Ids are opaque, times are RFC 3339 in UTC, money is whole KRW. Lists are "
        "`{items, next_cursor}`; give `next_cursor` back as `cursor`. Errors are RFC 9457 "
        "problems: act on `code`, show `detail`. A creating POST takes `Idempotency-Key`; reads "
        "carry an `ETag` for `If-None-Match`, and `PATCH` takes it as `If-Match`. What a body has "
        "beyond its documented fields is ignored; expect fields in answers that are not yet here."
    ),
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    # In and Out are different classes already.
    "COMPONENT_SPLIT_REQUEST": False,
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "MemberKind": ["common", "designer"],
        "SocialProvider": ["kakao", "apple", "google", "facebook", "naver"],
        "ConsentKind": ["terms", "privacy", "marketing", "marketing_night"],
        "UploadStatus": ["waiting", "processing", "ready", "failed"],
        "ExportStatus": ["processing", "ready", "failed"],
        "TicketStatus": ["waiting"],
        "PostStatus": ["draft", "published"],
    },
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums"],
}

# --- Files ------------------------------------------------------------------------------------
# `public` holds renditions, served to anyone; `originals` what members sent, served to nobody.
# Beside the embedded database, which knows of the files.
LOCAL_STORAGE_DIR = Path(config.text("LOCAL_STORAGE_DIR", str(places.folder() / "storage")))
STATIC_ROOT = BASE_DIR / ".local" / "static"
AWS_REGION = config.text("AWS_REGION", "ap-northeast-2")
# Empty on AWS; the address of a stand-in in tests.
S3_ENDPOINT_URL = config.text("AWS_ENDPOINT_URL")
MEDIA_BUCKET = config.text("MEDIA_BUCKET")
ORIGINALS_BUCKET = config.text("ORIGINALS_BUCKET")
STATIC_BUCKET = config.text("STATIC_BUCKET")
UPLOAD_DRIVER = "apps.media.drivers.s3" if MEDIA_BUCKET else "apps.media.drivers.local"
PATHS_OF_FILES: list[str] = []
if MEDIA_BUCKET:
    MEDIA_URL = config.text("MEDIA_URL", f"https://{MEDIA_BUCKET}.s3.{AWS_REGION}.amazonaws.com/")
    _s3 = {"aws_region": AWS_REGION, "aws_s3_endpoint_url": S3_ENDPOINT_URL}
    STORAGES: dict[str, dict[str, Any]] = {
        name: {
            "BACKEND": "apps.media.s3_storage.PhotoStorage",
            "OPTIONS": {
                **_s3,
                "aws_s3_bucket_name": bucket,
                # Whether a URL must be signed; nobody is given one of an original.
                "aws_s3_bucket_auth": name == "originals",
                "aws_s3_public_url": MEDIA_URL if name == "default" else "",
            },
        }
        for name, bucket in (("default", MEDIA_BUCKET), ("originals", ORIGINALS_BUCKET))
    }
else:
    # Where a laptop stands in for S3: the only path that takes a longer body.
    PATHS_OF_FILES = ["/local-storage"]
    # Relative: made absolute with the host that the caller used.
    MEDIA_URL = "/media/"
    STORAGES = {
        name: {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {
                "location": LOCAL_STORAGE_DIR / folder,
                "base_url": MEDIA_URL if folder == "public" else None,
                # A task that runs twice writes the same file twice.
                "allow_overwrite": True,
            },
        }
        for name, folder in (("default", "public"), ("originals", "originals"))
    }
# Where browsers get the admin's and the docs page's files: the bucket, or a CDN before it.
STATIC_URL = config.text(
    "STATIC_URL",
    f"https://{STATIC_BUCKET}.s3.{AWS_REGION}.amazonaws.com/" if STATIC_BUCKET else "/static/",
)
# The names that `collectstatic` gives them, which a package and an image hold: a page makes its
# links without a client of S3, and without a call to it (igloo/packaging/static_names.py).
_STATIC_NAMES = BASE_DIR / "staticfiles.json"
if not STATIC_BUCKET:
    STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage",
    }
elif _STATIC_NAMES.exists():
    STORAGES["staticfiles"] = {
        "BACKEND": "apps.media.packaged_static.PackagedStaticStorage",
        "OPTIONS": {"location": BASE_DIR, "base_url": STATIC_URL},
    }
else:
    # Where `collectstatic` runs.
    STORAGES["staticfiles"] = {
        "BACKEND": "apps.media.s3_storage.StaticStorage",
        "OPTIONS": {
            "aws_region": AWS_REGION,
            "aws_s3_endpoint_url": S3_ENDPOINT_URL,
            "aws_s3_bucket_name": STATIC_BUCKET,
            "aws_s3_public_url": STATIC_URL,
        },
    }
# The largest photo that a phone may send, in bytes.
UPLOAD_MAX_BYTES = 30 * 1024 * 1024
UPLOAD_TICKET_SECONDS = 3600
# An upload that no post and no profile took is deleted after this long.
UPLOAD_UNATTACHED_SECONDS = 24 * 3600

# --- Background work --------------------------------------------------------------------------
# The row is written in the caller's transaction, so a rolled-back write leaves no task behind.
TASKS = {
    "default": {
        "BACKEND": "apps.tasks.backend.TaskBackend",
        "QUEUES": ["default", "media", "push", "mail", "heavy"],
    },
}
# Who runs tasks: on Lambda each is one more invocation, elsewhere `manage.py task_worker` runs
# them. What may pass Lambda's 15 minutes gets a container of its own, where there is ECS.
_TRANSPORT = config.text("TASK_TRANSPORT", "zappa" if _ON_LAMBDA else "djangoq")
ECS = {
    "cluster": config.text("ECS_CLUSTER"),
    "task_definition": config.text("ECS_TASK_DEFINITION"),
    "container": config.text("ECS_CONTAINER", "igloo"),
    "subnets": config.words("ECS_SUBNETS"),
    "security_groups": config.words("ECS_SECURITY_GROUPS"),
    "public_ip": config.text("ECS_PUBLIC_IP", "DISABLED"),
}
_HEAVY_TRANSPORT = config.text(
    "TASK_HEAVY_TRANSPORT", "ecs" if ECS["task_definition"] else _TRANSPORT
)
# The function that zappa's transport invokes: this one.
TASK_LAMBDA_FUNCTION = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
# The policy of each queue, in seconds and attempts; apps/tasks/policies.py explains the names.
_ON_ECS = _HEAVY_TRANSPORT == "ecs"
TASK_QUEUES: dict[str, dict[str, Any]] = {
    "default": {"time_limit": 300, "max_attempts": 5, "backoff": 10, "backoff_cap": 900},
    # A member waits for the photo: tried again soon.
    "media": {"time_limit": 120, "max_attempts": 4, "backoff": 3, "backoff_cap": 300},
    # A provider that is away is away for a while.
    "push": {"time_limit": 60, "max_attempts": 8, "backoff": 10, "backoff_cap": 3600},
    # A mail may hold the only way back into an account: tried for 4 to 7 hours.
    "mail": {"time_limit": 60, "max_attempts": 16, "backoff": 10, "backoff_cap": 3600},
    "heavy": {
        "transport": _HEAVY_TRANSPORT,
        "time_limit": 6 * 3600 if _ON_ECS else 840,
        "max_attempts": 3,
        "backoff": 60,
        "backoff_cap": 3600,
        # A container takes a minute or two to start.
        "resend_after": 600 if _ON_ECS else 60,
    },
}
# For experiments: one value for all queues.
_FOR_ALL = {
    name: value
    for name in ("lease", "time_limit", "max_attempts", "backoff", "resend_after")
    if (value := config.number(f"TASK_{name.upper()}", 0))
}
TASK_QUEUES = {
    # A lease is short, because a running task renews it.
    name: {"transport": _TRANSPORT, "lease": 60, "resend_after": 60} | policy | _FOR_ALL
    for name, policy in TASK_QUEUES.items()
}
# Between two sweeps beside a cluster. On Lambda a rule sweeps each minute.
TASK_SWEEP_SECONDS = config.number("TASK_SWEEP_SECONDS", 5)
# A cluster that took nothing for so long, though it takes a sign of life every 5 s, is frozen.
TASK_FROZEN_SECONDS = config.number("TASK_FROZEN_SECONDS", 20)
TASK_WORKERS = config.number("TASK_WORKERS", 2)
# One name per `task_worker`: a container has a host name of its own.
TASK_WORKER_NAME = config.text("TASK_WORKER_NAME", socket.gethostname())
# What hands tasks to the processes of a cluster: the task table itself, or Redis, or SQS.
REDIS_URL = config.text("REDIS_URL")
TASK_BROKER = config.text("TASK_BROKER", "redis" if REDIS_URL else "table")
_LONGEST_TASK = max(policy["time_limit"] for policy in TASK_QUEUES.values())
Q_CLUSTER = {
    "name": "igloo",
    "broker_class": f"apps.tasks.worker.brokers.{TASK_BROKER.title()}Broker",
    "redis": REDIS_URL,
    # Each question is paid for: it waits for a message, but no longer than the next sign of life.
    "sqs": {"aws_region": AWS_REGION, "receive_message_wait_time_seconds": 4},
    "workers": TASK_WORKERS,
    "poll": 0.2,
    # Taken together, to save round trips; few enough that another cluster finds some too.
    "bulk": 50,
    "queue_limit": 50,
    # Django-Q delivers; the task's row says what came of it. So nothing is kept or tried again
    # here, and a message without a time limit of its own gets the longest.
    "ack_failures": True,
    "max_attempts": 1,
    "save_limit": -1,
    "timeout": _LONGEST_TASK + 30,
    "retry": _LONGEST_TASK + 60,
    # Schedules are in UTC, as on Lambda, and one that was missed runs once.
    "time_zone": "UTC",
    "catch_up": False,
    # A process that has grown is replaced: after so many tasks, or at 600 MB.
    "recycle": 10_000,
    "max_rss": 600_000,
    "label": "Django-Q",
}

# --- Mail -------------------------------------------------------------------------------------
# A laptop prints mails where it runs, and `make run` says how; AWS sends them through SES.
_PRINTED = os.environ.get("DEMO_EMAIL_BACKEND") or "django.core.mail.backends.console.EmailBackend"
EMAIL_BACKEND = config.text("EMAIL_BACKEND", "apps.common.ses.SESBackend" if DEPLOYED else _PRINTED)
DEFAULT_FROM_EMAIL = config.text("MAIL_FROM", f"igloo <{CONTACT_EMAIL}>")
# Seconds; Django would wait for ever.
EMAIL_TIMEOUT = 10
AWS_SES_REGION_NAME = AWS_REGION
AWS_SES_REGION_ENDPOINT_URL = S3_ENDPOINT_URL or None
# Off: it asks SES for the account's quota, another permission. A mail that SES refuses for going
# too fast is tried again by its task.
AWS_SES_AUTO_THROTTLE = None
EMAIL_SUBJECT_PREFIX = f"[igloo {STAGE}] "  # of mails to operators
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- Operators --------------------------------------------------------------------------------
# Addresses of those who should know (docs/cost.md). Without any, the log and the admin say it.
MANAGERS = [("operator", address) for address in config.words("OPERATORS")]
# Whose traffic the weekly bill is of: Zappa's name of the function, on ECS too. A laptop has none.
COST_FUNCTION = config.text("COST_FUNCTION", f"igloo-{STAGE}" if DEPLOYED else "")
# The API before it, http:<id> or rest:<name>, as `manage.py traffic` takes it.
TRAFFIC_API = config.text("TRAFFIC_API")

# --- Language and time ------------------------------------------------------------------------
LANGUAGE_CODE = "ko"
LANGUAGES = [("ko", "한국어"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
# Operators read Korean time in the admin. The API and the database keep to UTC.
TIME_ZONE = "Asia/Seoul"
USE_TZ = True

# --- Logs -------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "apps.common.request_id.RequestIdFilter"},
        "task_id": {"()": "apps.tasks.logs.TaskIdFilter"},
    },
    "formatters": {
        "line": {
            # The request that caused it, and the task that does it.
            "format": "%(asctime)s %(levelname)s [%(request_id)s %(task_id)s] "
            "%(name)s: %(message)s",
            "datefmt": "%Y-%m-%dT%H:%M:%S%z",
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request_id", "task_id"],
        },
    },
    "root": {"handlers": ["console"], "level": config.text("LOG_LEVEL", "INFO")},
    # Django's own console handler would say everything twice.
    "loggers": {
        # libvips tells every step, and Django-Q each message twice.
        "pyvips": {"level": "WARNING"},
        "django-q": {"level": "WARNING"},
        # Where it found its credentials, for each client.
        "botocore": {"level": "WARNING"},
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
    },
}


def _refuse_unsafe_start() -> None:
    """Stop a deployed stage that lacks something or is open, naming each thing.

    Raises:
        ImproperlyConfigured: with one line per problem.
    """
    problems = [
        f"{name} is missing"
        for name in (
            "ALLOWED_HOSTS",
            "DATABASE_URL",
            "MEDIA_BUCKET",
            "ORIGINALS_BUCKET",
            "PUBLIC_BASE_URL",
            "SECRET_KEY",
            "STATIC_BUCKET",
        )
        if not config.words(name)
    ]
    if config.text("SECRET_KEY") and (SECRET_KEY == _LAPTOP_KEY or len(SECRET_KEY) < 40):
        problems.append("SECRET_KEY must be 40 characters or more, and not the laptop's")
    if DEBUG:
        problems.append("DEBUG must be off")
    if any("*" in host or host.startswith(".") for host in ALLOWED_HOSTS):
        problems.append("ALLOWED_HOSTS must not hold a wildcard")
    problems += social_problems(SOCIAL)
    if any(values["has_web_login"] for values in SOCIAL.values()) and not (
        PUBLIC_BASE_URL.startswith("https://")
    ):
        problems.append("PUBLIC_BASE_URL must be https: providers send browsers back to it")
    if SOCIAL["apple"]["private_key"] and not SOCIAL_TOKEN_KEYS:
        problems.append("SOCIAL_TOKEN_KEYS is missing, and Apple's tokens need it")
    # 32 bytes in base64.
    if any(len(key) != 44 or key == _LAPTOP_TOKEN_KEY for key in SOCIAL_TOKEN_KEYS):
        problems.append("SOCIAL_TOKEN_KEYS must be keys of Fernet, and not the laptop's")
    if config.text("DATABASE_URL") and is_embedded(DATABASE_URL):
        problems.append("DATABASE_URL must not be the embedded PostgreSQL of a laptop")
    if problems:
        raise ImproperlyConfigured(
            f"igloo can't start as stage {STAGE!r}: " + "; ".join(problems) + ". "
            "Set each in the environment or in .secrets/ (see .secrets/README.md)."
        )


if DEPLOYED:
    _refuse_unsafe_start()
