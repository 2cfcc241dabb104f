"""How gunicorn serves igloo outside Lambda; WEB_CONCURRENCY is the number of processes.

Source: "Settings" in gunicorn's documentation.
"""

import os
from pathlib import Path

# A container's own address is not known before it starts.
HOST = os.environ.get("HOST", "0.0.0.0")  # noqa: S104
bind = f"{HOST}:{os.environ.get('PORT', '8000')}"
# A request waits for PostgreSQL most of the time.
worker_class = "gthread"
threads = 4
# Seconds. Longer than a load balancer keeps an idle connection (ALB: 60), which would otherwise
# send a request into one that is being closed.
keepalive = 75
# Bytes of method, path and query: a search in Korean takes nine bytes for each syllable.
limit_request_line = 8190
# Seconds for requests to end; ECS gives a container 120 s.
graceful_timeout = 100
# Nothing is written to disk: a worker's sign of life is in memory, and there is no control file.
_IN_MEMORY = Path("/dev/shm")  # noqa: S108
worker_tmp_dir = str(_IN_MEMORY) if _IN_MEMORY.is_dir() else None
control_socket_disable = True
