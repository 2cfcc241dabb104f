"""With this folder on PYTHONPATH each call of AWS that a Python process makes is noted.

A line of JSON for each in the file that the variable AWS_CALLS names. Python imports a module of
this name as it starts.
"""

import json
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any


class Noting:
    """Changes botocore's client as it is imported: most processes never do, and stay quick."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, _target: object = None) -> Any:
        """The usual module, changed once it has run."""
        spec: ModuleSpec | None = None
        if name == "botocore.client":
            spec = PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def run_and_change(module: ModuleType) -> None:
            run(module)
            note_calls(module.BaseClient)

        spec.loader.exec_module = run_and_change  # type: ignore[method-assign]
        return spec


def note_calls(client: Any) -> None:
    """Which operation, and with which texts: a zip or an environment is none."""
    call = client._make_api_call

    def noted(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
        service = self.meta.service_model
        http = service.operation_model(operation).http
        texts = {name: value for name, value in parameters.items() if isinstance(value, str)}
        line = {
            "service": service.service_name,
            "operation": operation,
            "http": [http["method"], http["requestUri"]],
            "parameters": texts,
        }
        with Path(os.environ["AWS_CALLS"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        return call(self, operation, parameters)

    client._make_api_call = noted


if "AWS_CALLS" in os.environ:
    sys.meta_path.insert(0, Noting)
