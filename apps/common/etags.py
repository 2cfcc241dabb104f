"""ETags of things that can be edited.

A tag is `"<version>-<hash of the body>"`. `If-None-Match` compares all of it (Django's
ConditionalGetMiddleware does), so a new like shows. `If-Match` compares the version alone: a
like that arrives meanwhile must not refuse an edit. See docs/adr/0003-etags.md.
"""

import hashlib
from typing import Any

from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common.json import dumps


def versioned_response(data: dict[str, Any], version: int, status: int = 200) -> Response:
    """An answer whose ETag names the version."""
    body_hash = hashlib.md5(dumps(data), usedforsecurity=False).hexdigest()
    return Response(data, status=status, headers={"ETag": f'"{version}-{body_hash}"'})


def expected_versions(request: Request) -> frozenset[str] | None:
    """The versions that `If-Match` accepts; None where any will do."""
    header = request.headers.get("If-Match")
    if header is None:
        return None
    tags = parse_etags(header)
    if tags == ["*"]:
        return None
    return frozenset(tag.strip('"').partition("-")[0] for tag in tags)
