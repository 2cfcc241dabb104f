"""Exports: a zip of all that a member gave, made by a task and kept for a day."""

import datetime as dt
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.files import File
from django.core.files.storage import storages
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django_tasks.base import TaskResultStatus

from apps.common.json import dumps
from apps.common.mail import Mail, send_mail
from apps.members import tasks
from apps.members.errors import LinkInvalid
from apps.members.models import Export, Member
from apps.members.services import account_state, export_page
from apps.members.services.belongings import Belonging, registered
from apps.members.tokens import TokenInvalid
from apps.tasks.models import BackgroundTask

_SALT = "apps.members.exporting"
# An export that was not ready by then never will be.
_ABANDONED = dt.timedelta(days=2)
_BATCH = 100


def request_export(*, member: Member) -> Export:
    """Start an export; while one is being made, that one.

    Raises:
        TokenInvalid: the account has been closed since the request began.
    """
    with transaction.atomic():
        # The lock: of two taps at once one starts it.
        if account_state.lock(member, is_active=True) is None:
            raise TokenInvalid
        running = Export.objects.filter(member=member, status=Export.Status.PROCESSING).first()
        if running is not None:
            if not has_failed(running):
                return running
            Export.objects.filter(pk=running.pk).update(status=Export.Status.FAILED)
        export = Export.objects.create(member=member)
        export.task_id = UUID(tasks.make_export.enqueue(str(export.pk)).id)
        export.save(update_fields=["task_id"])
    return export


def has_failed(export: Export) -> bool:
    """Whether nobody works on it any more, and it is not ready."""
    if export.status != Export.Status.PROCESSING:
        return export.status == Export.Status.FAILED
    alive = BackgroundTask.objects.filter(pk__in=[export.task_id])
    return not alive.exclude(status=TaskResultStatus.FAILED).exists()


def make_export(*, export_id: UUID) -> str:
    """Make the zip and store it. Run twice it makes the same file twice.

    Errors of storage pass through, so that the task can be tried again.

    Returns:
        "ready"; "gone" where nobody wants it any more.
    """
    export = _wanted(export_id)
    if export is None:
        # Of a member who is leaving: should they come back, they ask for another.
        rows = Export.objects.filter(pk=export_id, status=Export.Status.PROCESSING)
        rows.update(status=Export.Status.FAILED)
        return "gone"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.zip"
        write_zip(export.member, path, Path(folder) / "index.html")
        size = path.stat().st_size
        with path.open("rb") as file:
            storages["originals"].save(export.key, File(file))
    with transaction.atomic():
        # Erasing deletes the row, and then nobody would know of the file.
        there = Export.objects.select_for_update().filter(pk=export_id).first()
        if there is not None:
            there.status, there.size = Export.Status.READY, size
            there.expires_at = timezone.now() + dt.timedelta(seconds=settings.EXPORT_SECONDS)
            there.save(update_fields=["status", "size", "expires_at"])
            tasks.mail_export.enqueue(str(export_id))
    if there is None:
        storages["originals"].delete(export.key)
        return "gone"
    return "ready"


def _wanted(export_id: UUID) -> Export | None:
    return (
        Export.objects.select_related("member")
        .filter(pk=export_id, status=Export.Status.PROCESSING, member__is_active=True)
        .first()
    )


def write_zip(member: Member, path: Path, page_path: Path) -> None:
    """Write a member's export to `path`; `page_path` is for the page on its way.

    Item by item and file by file: however much a member has, little of it is in memory.
    """
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        page_path.open("w", encoding="utf-8") as page,
        translation.override(member.locale),
    ):
        export_page.write_head(page, member)
        for belonging in registered():
            if belonging.export is not None:
                _write_items(archive, page, belonging, member)
        export_page.write_foot(page)
        page.flush()
        archive.write(page_path, "index.html")
        for belonging in registered():
            for name, key in belonging.files(member) if belonging.files else ():
                _copy(archive, name, key)


def _write_items(
    archive: zipfile.ZipFile, page: IO[str], belonging: Belonging, member: Member
) -> None:
    assert belonging.export is not None  # noqa: S101 - the caller has seen it
    export_page.write_section(page, str(belonging.title or belonging.name))
    with archive.open(f"data/{belonging.name}.json", "w", force_zip64=True) as data:
        data.write(b"[")
        separator = b"\n"
        for item in belonging.export(member):
            data.write(separator + dumps(item))
            separator = b",\n"
            export_page.write_item(page, item)
        data.write(b"\n]\n")
    if separator == b"\n":
        export_page.write_nothing(page)


def _copy(archive: zipfile.ZipFile, name: str, key: str) -> None:
    """Put a stored file in as it is: photos are compressed already."""
    originals = storages["originals"]
    # Deleted while the export was being made.
    if not originals.exists(key):
        return
    entry = zipfile.ZipInfo(name, date_time=timezone.localtime().timetuple()[:6])
    entry.compress_type = zipfile.ZIP_STORED
    with originals.open(key) as source, archive.open(entry, "w", force_zip64=True) as copy:
        shutil.copyfileobj(source, copy)


# --- Getting it, and its end --------------------------------------------------------------------


def link_of(export: Export) -> str:
    """Where the file can be fetched by whoever has the link, until the export expires."""
    # Without a time of its own: the row has it, and a read that changed nothing is a 304.
    token = signing.Signer(salt=_SALT).sign_object(str(export.pk))
    return f"{settings.PUBLIC_BASE_URL}/account/export/{token}"


def export_of(token: str) -> Export:
    """Whose file a link gives out; raises LinkInvalid, also when its day is over."""
    try:
        export_id = signing.Signer(salt=_SALT).unsign_object(token)
    except signing.BadSignature as error:
        raise LinkInvalid from error
    export = Export.objects.downloadable().filter(pk=export_id).first()
    if export is None:
        raise LinkInvalid
    return export


def mail_export(*, export_id: UUID) -> None:
    """Tell a member that their export is ready. Raises what send_mail does."""
    export = Export.objects.downloadable().select_related("member").filter(pk=export_id).first()
    if export is None or not (export.member.email and export.member.email_verified):
        return
    link = link_of(export)

    def write() -> Mail:
        return Mail(
            subject=_("Your igloo data is ready"),
            paragraphs=[
                _("The zip file with all that you gave igloo is ready. Get it within 24 hours."),
                _("Do not pass this link on: whoever has it can get the file."),
            ],
            link=link,
            link_text=_("Get the file"),
        )

    send_mail(write, to=export.member.email, language=export.member.locale)


def delete_old_exports() -> int:
    """Delete the exports whose day is over, file before row; how many there were."""
    total = 0
    while True:
        old = list(
            Export.objects.over(timezone.now() - _ABANDONED).order_by("pk").only("pk")[:_BATCH]
        )
        _delete(old)
        total += len(old)
        if len(old) < _BATCH:
            return total


def erase_exports(member: Member) -> None:
    """Delete all exports of a member who is being erased."""
    while True:
        exports = list(Export.objects.filter(member=member).order_by("pk").only("pk")[:_BATCH])
        _delete(exports)
        if len(exports) < _BATCH:
            return


def _delete(exports: list[Export]) -> None:
    for export in exports:
        storages["originals"].delete(export.key)
    Export.objects.filter(pk__in=[export.pk for export in exports]).delete()


def status_of(export: Export) -> dict[str, Any]:
    """What the API says of an export."""
    if has_failed(export):
        return {"id": export.pk, "status": Export.Status.FAILED}
    shape: dict[str, Any] = {"id": export.pk, "status": export.status}
    if export.status == Export.Status.READY:
        shape |= {
            "url": link_of(export),
            "expires_at": export.expires_at,
            "size": export.size,
        }
    return shape
