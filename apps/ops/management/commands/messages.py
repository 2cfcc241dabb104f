"""Collect what the code says to people, and compile its Korean.

The source strings are English; locale/ko/LC_MESSAGES/django.po has the Korean of each. Both it and
the compiled django.mo are committed: a bare clone speaks Korean, with no gettext tools installed.
"""

import ast
import re
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation.template import templatize

PO_FILE = Path("locale", "ko", "LC_MESSAGES", "django.po")
MO_FILE = PO_FILE.with_suffix(".mo")
SOURCES = ("apps", "igloo")
_HEADER = (
    "What igloo says, in Korean. Fill in the msgstr lines; `make generate` writes\n"
    "the rest, and compiles django.mo. Both files are committed."
)
_METADATA = {
    "Language": "ko",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    # Korean has no plural forms; as in Django's own catalog.
    "Plural-Forms": "nplurals=1; plural=0;",
}
# Which argument is the context, the text and its plural.
_SIMPLE, _PLURAL, _CONTEXT, _BOTH = (None, 0, None), (None, 0, 1), (0, 1, None), (0, 1, 2)
_FUNCTIONS = {
    "gettext": _SIMPLE,
    "gettext_lazy": _SIMPLE,
    "gettext_noop": _SIMPLE,
    "ngettext": _PLURAL,
    "ngettext_lazy": _PLURAL,
    "pgettext": _CONTEXT,
    "pgettext_lazy": _CONTEXT,
    "npgettext": _BOTH,
    "npgettext_lazy": _BOTH,
}
_TEMPLATE_CALL = re.compile(r"\b(?:n?p?gettext|_)\(")
_PERCENT = re.compile(r"%(?:\(\w+\))?[-+0#]*[\d.]*[diouxXeEfFgGcrsa]")
_BRACES = re.compile(r"\{\w*\}")
_RUN = "Run `make generate`"


@dataclass
class Message:
    """A translatable string, and the files that say it."""

    context: str | None
    text: str
    plural: str | None
    files: list[str] = field(default_factory=list)

    @property
    def key(self) -> tuple[str | None, str]:
        """What gettext finds it by."""
        return self.context, self.text


class Command(BaseCommand):
    """`manage.py messages` updates django.po and compiles django.mo; `--check` fails if stale.

    Both are committed, so that a bare clone speaks Korean. A new string is added without Korean
    and listed: write its msgstr and run the command again.
    """

    help = __doc__ or ""
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--check`."""
        parser.add_argument("--check", action="store_true", help="write nothing; fail if stale")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        """Raises CommandError with a sentence for each thing that is wrong."""
        root = Path(settings.BASE_DIR)
        messages = collect(root)
        if check:
            problems = list(find_problems(root, messages))
            if problems:
                raise CommandError("\n".join(problems))
            return
        old = _read(root)
        new = _catalog(messages, old)
        _write(root, new)
        for entry in _left_out(old, of=new):
            self.stdout.write(f"gone: {entry.msgid!r} (its Korean was {_korean(entry)})")
        for sentence in _untranslated(new):
            self.stdout.write(sentence)


def collect(root: Path) -> list[Message]:
    """Every translatable string under `root`, in the order of the files.

    Raises:
        CommandError: a string is made at run time, so that no catalog can have it.
    """
    found: dict[tuple[str | None, str], Message] = {}
    for path in _source_files(root):
        name = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        calls = _python_calls(text) if path.suffix == ".py" else _template_calls(text, name)
        for call, function in calls:
            message = _message(call, function, name)
            if message is None:
                continue
            known = found.setdefault(message.key, message)
            known.plural = known.plural or message.plural
            if name not in known.files:
                known.files.append(name)
    return list(found.values())


def find_problems(root: Path, messages: list[Message]) -> Iterator[str]:
    """A sentence for each thing wrong with the catalog of these messages."""
    if not (root / PO_FILE).exists():
        yield f"{PO_FILE} is not there. {_RUN}."
        return
    catalog = _read(root)
    expected = _catalog(messages, catalog)
    lacks = [entry.msgid for entry in _left_out(expected, of=catalog)]
    surplus = [entry.msgid for entry in _left_out(catalog, of=expected)]
    for text in lacks:
        yield f"{PO_FILE} lacks {text!r}. {_RUN}, then give its Korean."
    for text in surplus:
        yield f"{PO_FILE} has {text!r}, which nothing says any more. {_RUN}."
    yield from _untranslated(catalog)
    if not lacks and not surplus and (root / PO_FILE).read_text("utf-8") != str(expected):
        yield f"{PO_FILE} is stale. {_RUN}."
    compiled = root / MO_FILE
    if not compiled.exists() or compiled.read_bytes() != catalog.to_binary():
        yield f"{MO_FILE} is not what {PO_FILE.name} compiles to. {_RUN}."


def _source_files(root: Path) -> list[Path]:
    return sorted(
        path
        for source in SOURCES
        for path in (root / source).rglob("*")
        if path.is_file()
        and (path.suffix == ".py" or "templates" in path.relative_to(root).parts)
        # Migrations repeat what the models say.
        and not {"migrations", "__pycache__"} & set(path.relative_to(root).parts)
    )


def _python_calls(source: str) -> Iterator[tuple[ast.Call, str]]:
    """Calls of gettext's functions, under whatever name the module imports them."""
    tree = ast.parse(source)
    names = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
    }
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        match call.func:
            case ast.Name(id=name) if names.get(name) in _FUNCTIONS:
                yield call, names[name]
            case ast.Attribute(value=ast.Name(id="translation"), attr=name) if name in _FUNCTIONS:
                yield call, name


def _template_calls(source: str, name: str) -> Iterator[tuple[ast.Call, str]]:
    """Calls that Django's own makemessages would see in a template."""
    code = templatize(source, origin=name)
    for match in _TEMPLATE_CALL.finditer(code):
        call = _parse_call(code[match.start() :])
        if call is not None:
            function = match.group().rstrip("(")
            yield call, "gettext" if function == "_" else function


def _parse_call(code: str) -> ast.Call | None:
    """The call that `code` starts with; what follows it need not be Python."""
    for end in re.finditer(r"\)", code):
        try:
            expression = ast.parse(code[: end.end()], mode="eval").body
        except SyntaxError:
            continue  # A bracket within the string.
        return expression if isinstance(expression, ast.Call) else None
    return None


def _message(call: ast.Call, function: str, name: str) -> Message | None:
    """The message of a call; None where it translates a variable, said elsewhere."""
    parts: list[str | None] = []
    for position in _FUNCTIONS[function]:
        if position is None:
            parts.append(None)
            continue
        match call.args[position] if position < len(call.args) else None:
            case ast.Constant(value=str(constant)):
                parts.append(constant)
            case ast.Name() | ast.Attribute() | ast.Subscript():
                return None
            case _:
                raise CommandError(
                    f"{name}, line {call.lineno}: {function} takes one whole string; "
                    "what varies goes into placeholders, filled in after it is translated."
                )
    context, text, plural = parts
    return Message(context, text or "", plural, [name])


def _read(root: Path) -> Any:
    """The catalog as it is written, or an empty one."""
    import polib

    path = root / PO_FILE
    return polib.pofile(str(path), wrapwidth=0) if path.exists() else polib.POFile(wrapwidth=0)


def _catalog(messages: Iterable[Message], old: Any) -> Any:
    """These messages, with the Korean and the comments that `old` has of them."""
    import polib

    catalog = polib.POFile(wrapwidth=0)
    catalog.header = _HEADER
    catalog.metadata = dict(_METADATA)
    for message in messages:
        known = old.find(message.text, msgctxt=message.context)
        flags = ["fuzzy"] if known and known.fuzzy else []
        if _PERCENT.search(message.text):
            flags.append("python-format")
        elif _BRACES.search(message.text):
            flags.append("python-brace-format")
        korean = _korean(known)
        catalog.append(
            polib.POEntry(
                msgctxt=message.context,
                msgid=message.text,
                msgid_plural=message.plural or "",
                msgstr="" if message.plural else korean,
                msgstr_plural={0: korean} if message.plural else {},
                # Without line numbers: they would change with every edit.
                occurrences=[(name, "") for name in message.files],
                flags=flags,
                tcomment=known.tcomment if known else "",
            )
        )
    return catalog


def _write(root: Path, catalog: Any) -> None:
    (root / PO_FILE).parent.mkdir(parents=True, exist_ok=True)
    (root / PO_FILE).write_text(str(catalog), encoding="utf-8")
    (root / MO_FILE).write_bytes(catalog.to_binary())


def _left_out(catalog: Any, *, of: Any) -> list[Any]:
    """Entries of `catalog` that are not in `of`."""
    present = {(entry.msgctxt, entry.msgid) for entry in of if not entry.obsolete}
    return [
        entry for entry in catalog if entry.obsolete or (entry.msgctxt, entry.msgid) not in present
    ]


def _korean(entry: Any) -> str:
    return str(entry.msgstr or entry.msgstr_plural.get(0, "")) if entry else ""


def _untranslated(catalog: Any) -> Iterator[str]:
    """A sentence for each entry without Korean, or whose placeholders are not the English ones."""
    for entry in catalog:
        korean = _korean(entry)
        if not korean or entry.fuzzy:
            yield f"{entry.msgid!r} has no Korean in {PO_FILE}."
        elif _placeholders(korean) != _placeholders(entry.msgid_plural or entry.msgid):
            yield f"The Korean of {entry.msgid!r} has other placeholders: {korean!r}."


def _placeholders(text: str) -> list[str]:
    return sorted(_PERCENT.findall(text.replace("%%", "")) + _BRACES.findall(text))
