"""The diagrams of docs/, drawn from the code: what is stored, and how a photo becomes a post."""

from apps.ops.diagrams.code import Outdated
from apps.ops.diagrams.erd import erd_document
from apps.ops.diagrams.flow import flow_document

__all__ = ["DOCUMENTS", "Outdated", "document"]

# The file under docs/, and what makes its text.
DOCUMENTS = {"erd.md": erd_document, "flow.md": flow_document}
_GENERATED = (
    "*Generated from the code by `make generate`, and compared by `make check`: "
    "change the code, not this file.*"
)


def document(name: str) -> str:
    """The text of a file of DOCUMENTS; raises Outdated."""
    title, rest = DOCUMENTS[name]().split("\n", 1)
    return f"{title}\n\n{_GENERATED}\n{rest}"
