"""A Django project of nothing but django-q2, its cluster set up by the benchmark as JSON."""

import json
import os

import dj_database_url

SECRET_KEY = "bench-only"  # noqa: S105 - of a database that is thrown away
INSTALLED_APPS = ["django_q"]
# Connections are kept, as igloo's are in the benchmark.
DATABASES = {
    "default": dj_database_url.parse(
        os.environ["DATABASE_URL"], conn_max_age=600, conn_health_checks=True
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
Q_CLUSTER = json.loads(os.environ["BENCH_Q_CLUSTER"])
