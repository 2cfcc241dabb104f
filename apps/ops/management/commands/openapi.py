"""Write the API's document, or check that the written one is what the code says."""

import json
import sys
from argparse import ArgumentParser
from io import StringIO
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.ops.views import OPENAPI_FILE


class Command(BaseCommand):
    """`manage.py openapi` writes docs/openapi.json; `--check` fails where it is stale."""

    help = __doc__ or ""
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--check`."""
        parser.add_argument("--check", action="store_true", help="write nothing; fail if stale")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        """Raises CommandError for a stale document, or a warning of the generator."""
        document = json.dumps(generate(), ensure_ascii=False, indent=1, sort_keys=False) + "\n"
        if not check:
            OPENAPI_FILE.write_text(document, encoding="utf-8")
        elif not OPENAPI_FILE.exists() or OPENAPI_FILE.read_text(encoding="utf-8") != document:
            raise CommandError("docs/openapi.json is stale: run `make generate`.")


def generate() -> dict[str, Any]:
    """The OpenAPI 3.1 document; raises CommandError where the generator warns."""
    from django.utils import translation
    from drf_spectacular.drainage import GENERATOR_STATS
    from drf_spectacular.generators import SchemaGenerator

    from apps.common.schema import PROBLEM_SCHEMA

    stderr, sys.stderr = sys.stderr, StringIO()
    try:
        GENERATOR_STATS.reset()
        # Texts in the language that most readers of the document share.
        with translation.override("en"):
            document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
        complaints = sys.stderr.getvalue()
    finally:
        sys.stderr = stderr
    if GENERATOR_STATS or complaints:
        GENERATOR_STATS.emit_summary()
        raise CommandError(f"drf-spectacular has warnings:\n{complaints}")
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    components["securitySchemes"] = {
        "accessToken": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The `access_token` of POST /auth/login or /auth/signup.",
        }
    }
    return json.loads(json.dumps(document, default=str))
