"""What a task's row can hold: JSON, as PostgreSQL's jsonb takes it."""

import json
import re
from typing import Any

from django_tasks.utils import normalize_json

# jsonb holds no NUL. With an odd number of backslashes before the u it is one, with an even number
# it is text about one.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def as_json(value: Any) -> tuple[Any, str]:
    """The value made of JSON's types (a tuple becomes a list), and the same as text.

    Raises:
        ValueError: it is not JSON, or none that PostgreSQL takes. To be said of things: "are …",
            "hold …".
    """
    try:
        normal = normalize_json(value)
        text = json.dumps(normal, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"are not JSON: {error}") from error
    if _NUL.search(text):
        raise ValueError("hold a NUL character, which PostgreSQL does not take")
    return normal, text
