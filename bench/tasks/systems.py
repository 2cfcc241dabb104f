"""The contestants."""

import json
import sys
from typing import Any, Literal

from bench.tasks.stores import Stores, count
from bench.tasks.system import System

# Seconds after which each may take a task for abandoned in the kill tests, where it can be set.
# Its tasks take 0.2 s; an hour, as is Celery's default, would be waited for in vain.
RETRY_SECONDS = 8
TIMEOUT_SECONDS = 5
# How often each may try a task there, where it can be set.
ATTEMPTS = 3


class Igloo(System):
    """igloo's tasks as they come: rows in PostgreSQL, which the workers read."""

    name = "igloo"
    sender = "bench.tasks.ours"
    store = "postgres"
    settings: dict[str, str] = {}

    def __init__(self, stores: Stores, *, workers: int) -> None:
        super().__init__(stores, workers=workers)
        self._environment = {
            "DJANGO_SETTINGS_MODULE": "igloo.settings",
            "STAGE": "local",
            "DB_CONN_MAX_AGE": "600",
            "TASK_TRANSPORT": "djangoq",
            "TASK_BROKER": "table",
            "TASK_WORKERS": str(workers),
            **self.settings,
        }
        migrate = [sys.executable, "manage.py", "migrate"]
        self.url = stores.postgres.database("igloo", migrate, self._environment)

    def environment(self) -> dict[str, str]:
        """Its settings."""
        return {**self._environment, "DATABASE_URL": self.url}

    def command(self) -> list[str]:
        """Its worker."""
        return [sys.executable, "manage.py", "task_worker"]

    def left(self) -> int:
        """The rows of tasks that are not over."""
        return count(
            self.url,
            "SELECT count(*) FROM django_tasks_database_dbtaskresult"
            " WHERE status IN ('READY', 'RUNNING')",
        )


class IglooSoon(Igloo):
    """With times that suit the kill tests; how often it looks round stays as it comes."""

    settings = {
        "TASK_LEASE": str(RETRY_SECONDS),
        "TASK_MAX_ATTEMPTS": str(ATTEMPTS),
        "TASK_BACKOFF": "1",
    }


class Celery(System):
    """Celery 5 on Redis: prefork workers, without results."""

    name = "Celery"
    sender = "bench.tasks.peers.celery_app"
    store = "redis"
    settings: dict[str, Any] = {}

    def environment(self) -> dict[str, str]:
        """Its settings as JSON."""
        return {
            "BENCH_REDIS_URL": self.stores.redis.url,
            "BENCH_CELERY": json.dumps(self.settings),
        }

    def command(self) -> list[str]:
        """Its command line's defaults, but for the number of processes."""
        app = "bench.tasks.peers.celery_app"
        return [sys.executable, "-m", "celery", "-A", app, "worker", "-c", str(self.workers)]

    def left(self) -> int:
        """The queue, and what workers have taken and not acknowledged."""
        client = self.stores.redis.client
        waiting: Any = client.llen("celery")
        taken: Any = client.hlen("unacked")
        return int(waiting) + int(taken)


class CeleryLate(Celery):
    """Acknowledges a task after it ran; all else as it comes."""

    name = "Celery, acks_late"
    settings = {"task_acks_late": True}


class CeleryLateSoon(CeleryLate):
    """The same, and what was not acknowledged is given out again soon."""

    settings = {
        "task_acks_late": True,
        "broker_transport_options": {
            "visibility_timeout": RETRY_SECONDS,
            # By default it looks for them every 100 s: each tenth time of one in 10 s.
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
        },
    }


class CeleryStrict(Celery):
    """The same, and a task whose worker died goes back to the queue."""

    name = "Celery, acks_late, reject_on_worker_lost"
    settings = {**CeleryLateSoon.settings, "task_reject_on_worker_lost": True}


class Q2(System):
    """Plain django-q2; `orm` or `redis` is where the queue is, results are in PostgreSQL."""

    sender = "bench.tasks.peers.q2"
    broker: Literal["orm", "redis"]
    cluster: dict[str, Any] = {"timeout": 60, "retry": 120}

    def __init__(self, stores: Stores, *, workers: int) -> None:
        super().__init__(stores, workers=workers)
        broker = {"orm": "default"} if self.broker == "orm" else {"redis": stores.redis.url}
        cluster = {"name": "bench", "workers": workers, **self.cluster, **broker}
        self._environment = {
            "DJANGO_SETTINGS_MODULE": "bench.tasks.peers.q2_settings",
            "BENCH_Q_CLUSTER": json.dumps(cluster),
        }
        migrate = [sys.executable, "-m", "django", "migrate"]
        self.url = stores.postgres.database("q2", migrate, self._environment)

    def environment(self) -> dict[str, str]:
        """Its project's settings."""
        return {**self._environment, "DATABASE_URL": self.url}

    def command(self) -> list[str]:
        """Its cluster."""
        return [sys.executable, "-m", "django", "qcluster"]


class Q2Orm(Q2):
    """django-q2 with its queue in PostgreSQL."""

    name = "django-q2, ORM"
    store = "postgres"
    broker = "orm"

    def left(self) -> int:
        """The queue: a task is deleted from it when it is done."""
        return count(self.url, "SELECT count(*) FROM django_q_ormq")


class Q2Redis(Q2):
    """django-q2 with its queue in Redis."""

    name = "django-q2, Redis"
    store = "redis"
    broker = "redis"

    def left(self) -> int:
        """The queue. What the cluster has taken from it is in no store."""
        waiting: Any = self.stores.redis.client.llen("django_q:bench:q")
        return int(waiting)


_SOON = {"timeout": TIMEOUT_SECONDS, "retry": RETRY_SECONDS, "max_attempts": ATTEMPTS}


class Q2OrmSoon(Q2Orm):
    """With times that suit the kill tests."""

    cluster = _SOON


class Q2RedisSoon(Q2Redis):
    """With times that suit the kill tests."""

    cluster = _SOON
