"""Run by the clean interpreter: `python -I -S -B inside.py ORDER`, an order in JSON.

It needs the standard library alone, and prints one line of JSON. CPU time is user and system
together, of the whole process from its beginning.
"""

import importlib
import io
import json
import sys
import time
from types import SimpleNamespace

CONTEXT = SimpleNamespace(
    aws_request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd",
    function_name="bench",
    invoked_function_arn="arn:aws:lambda:ap-northeast-2:123456789012:function:bench",
    get_remaining_time_in_millis=lambda: 30_000,
)


def named(path):
    """What `module.name` names."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def wsgi(application, environ):
    """The status of a WSGI application's answer, which is read to its end."""
    said = []
    answer = application(
        dict(environ, **{"wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr}),
        lambda status, headers, error=None: said.append(status),
    )
    try:
        b"".join(answer)
    finally:
        answer.close()
    return int(said[0].split()[0])


def call(target, way):
    """The status of one answer, by a handler or by a WSGI application."""
    if "environ" in way:
        return wsgi(target, way["environ"])
    return target(way["event"], CONTEXT)["statusCode"]


def main():
    """Tell when each answer came."""
    order = json.loads(sys.argv[1])
    sys.path.insert(0, order["task_root"])
    sys.path.append(order["runtime"])
    targets = [named(way["target"]) for way in order["ways"]]
    statuses = {call(target, way) for target, way in zip(targets, order["ways"], strict=True)}
    told = {"first": time.process_time(), "rounds": []}
    for _ in range(order["rounds"]):
        seconds = []
        for target, way in zip(targets, order["ways"], strict=True):
            began = time.process_time()
            for _ in range(order["calls"]):
                statuses.add(call(target, way))
            seconds.append((time.process_time() - began) / order["calls"])
        told["rounds"].append(seconds)
    told["statuses"] = sorted(statuses)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
