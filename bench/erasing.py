"""What erasing members costs where many tasks are kept; `python -m bench erasing`.

What names a member in the tables of tasks has no index, so `finish_erasing` reads those tables once
for all members of an hour. 200,000 rows are made in a transaction that is rolled back, and one and
1,000 members looked for; that their rows are gone is checked.
"""

import time
from typing import Any

from django.db import connection, transaction

from apps.members.models import Member
from apps.members.services import traces
from apps.tasks.models import BackgroundTask
from bench.table import Row, at_most, print_table

TASKS = 200_000
MANY = (1, 1_000)
# Of RDS in docs/lambda.md: one statement may not take longer, in seconds.
STATEMENT_LIMIT = 15.0

# One task in ten failed, and says why in some lines; one in a hundred names one of the members.
_MAKE = f"""
    INSERT INTO {BackgroundTask._meta.db_table} (
        id, status, enqueued_at, args_kwargs, priority, task_path, queue_name, backend_name,
        run_after, exception_class_path, traceback, worker_ids)
    SELECT gen_random_uuid(), CASE WHEN n %% 10 = 0 THEN 'FAILED' ELSE 'SUCCESSFUL' END, now(),
        jsonb_build_object('args', jsonb_build_array(CASE WHEN n %% 100 = 0
            THEN (%s::uuid[])[1 + n / 100 %% cardinality(%s::uuid[])] ELSE gen_random_uuid() END),
            'kwargs', '{{}}'::jsonb, 'request_id', gen_random_uuid()),
        0, 'apps.members.tasks.mail_verification', 'push', 'default', now(), '',
        CASE WHEN n %% 10 = 0 THEN repeat('  File "apps/common/mail.py", line 10, in send' || chr(10), 20)
            ELSE '' END, '["worker"]'::jsonb
    FROM generate_series(1, {TASKS}) AS n
"""  # noqa: S608, E501 - no value of a caller's is in it


def run() -> None:
    """Measure and print the table; the database that Django knows holds what `data` makes."""
    rows = []
    for count in MANY:
        members = list(Member.objects.filter(is_active=True).order_by("pk")[:count])
        with transaction.atomic():
            taken, longest = _measure(members)
            transaction.set_rollback(True)
        rows.append(Row(f"all traces of {count:,} members", f"{taken:.1f} s"))
        rows.append(
            at_most(f"the longest statement, {count:,} members, s", longest, STATEMENT_LIMIT)
        )
    print_table(f"finish_erasing: the traces, with {TASKS:,} tasks", rows)


def _measure(members: list[Member]) -> tuple[float, float]:
    """Seconds that all took, and that the longest statement did."""
    ids = [member.pk for member in members]
    with connection.cursor() as cursor:
        cursor.execute(_MAKE, [ids, ids])
        cursor.execute(f"ANALYZE {BackgroundTask._meta.db_table}")
    before = BackgroundTask.objects.count()
    longest = 0.0

    def timed(execute: Any, *args: Any) -> Any:
        nonlocal longest
        began = time.perf_counter()
        result = execute(*args)
        longest = max(longest, time.perf_counter() - began)
        return result

    began = time.perf_counter()
    with connection.execute_wrapper(timed):
        traces.erase_traces(members)
    taken = time.perf_counter() - began
    gone = before - BackgroundTask.objects.count()
    if gone != TASKS // 100:
        raise AssertionError(f"{gone} tasks are gone, not {TASKS // 100}")
    return taken, longest
