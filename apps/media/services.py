"""What can be done with an upload: announce, complete, process, use, delete."""

import datetime as dt
import hashlib
import logging
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage, storages
from django.db import transaction
from django.utils import timezone

from apps.common.errors import DomainError, FieldError
from apps.common.lookups import get_or_404
from apps.media import errors, tasks
from apps.media.drivers import Ticket, issue_ticket
from apps.media.imaging import PhotoRefused, ProcessedPhoto, process_photo
from apps.media.models import Upload

logger = logging.getLogger(__name__)

# A phone that calls `complete` again after this long gets its photo another task: the first one
# is dead, or waits for storage to come back.
_RESEND_AFTER = dt.timedelta(minutes=2)
_PURGE_BATCH = 500
# Five files each, one call of storage for each file.
_ERASE_BATCH = 50


def create_upload(
    *, owner_id: UUID, content_type: str, size: int, sha256: str = ""
) -> tuple[Upload, Ticket]:
    """Announce a file of `size` bytes; the ticket is for the phone to send it with."""
    upload = Upload.objects.create(
        owner_id=owner_id,
        content_type=content_type,
        size=size,
        sha256=sha256,
        expires_at=timezone.now() + dt.timedelta(seconds=settings.UPLOAD_TICKET_SECONDS),
    )
    return upload, issue_ticket(upload)


def complete_upload(*, upload: Upload) -> Upload:
    """The file has been sent: start processing. Harmless when called again.

    Raises:
        UploadNotReceived: storage has no such file yet.
        UploadExpired: nor will it come, since the ticket ended.
        NotFound: it was deleted a moment ago.
    """
    # Asked before the row is locked: storage may be slow.
    received = upload.status != Upload.Status.WAITING or storages["originals"].exists(
        upload.incoming_key
    )
    now = timezone.now()
    with transaction.atomic():
        upload = get_or_404(Upload.objects.select_for_update(), upload.pk)
        if upload.status == Upload.Status.WAITING:
            if not received:
                raise (
                    errors.UploadExpired()
                    if upload.expires_at < now
                    else errors.UploadNotReceived()
                )
        elif upload.status != Upload.Status.PROCESSING or (
            upload.processing_since and now - upload.processing_since < _RESEND_AFTER
        ):
            return upload
        upload.status = Upload.Status.PROCESSING
        upload.processing_since = now
        upload.save(update_fields=["status", "processing_since"])
        tasks.process_upload.enqueue(str(upload.pk))
    return upload


def process_upload(*, upload_id: UUID) -> None:
    """Make renditions, blurhash and palette of a received file; or say why it is refused.

    Run twice, or by two workers at once, it ends the same. An error of storage passes through,
    so that the task can be tried again.
    """
    upload = Upload.objects.filter(pk=upload_id).first()
    if upload is None or upload.status == Upload.Status.WAITING:
        return
    if upload.status != Upload.Status.PROCESSING:
        # The run before this one may have died just before it could do so.
        storages["originals"].delete(upload.incoming_key)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo"
        try:
            refusal = _fetch(upload, path)
        except OSError:
            if _is_processing(upload):
                raise
            return  # Another worker was quicker, and took the file away.
        if refusal is None:
            try:
                photo = process_photo(path, declared_type=upload.content_type)
            except PhotoRefused as error:
                refusal = error.code
            else:
                _finish(upload, photo, path)
                return
    logger.info("upload %s refused: %s", upload.pk, refusal)
    Upload.objects.filter(pk=upload.pk, status=Upload.Status.PROCESSING).update(
        status=Upload.Status.FAILED, failure_code=refusal
    )
    storages["originals"].delete(upload.incoming_key)


def _is_processing(upload: Upload) -> bool:
    return Upload.objects.filter(pk=upload.pk, status=Upload.Status.PROCESSING).exists()


def _fetch(upload: Upload, path: Path) -> str | None:
    """Copy the file out of storage; a failure code where it is not what was announced."""
    originals = storages["originals"]
    # Asked first: S3's storage fetches the whole of what it opens.
    if originals.size(upload.incoming_key) != upload.size:
        return "size_mismatch"
    digest = hashlib.sha256()
    length = 0
    with originals.open(upload.incoming_key) as source, path.open("wb") as copy:
        for chunk in source.chunks():
            length += len(chunk)
            if length > upload.size:
                break
            digest.update(chunk)
            copy.write(chunk)
    if length != upload.size:
        return "size_mismatch"
    if upload.sha256 and digest.hexdigest() != upload.sha256:
        return "hash_mismatch"
    return None


def save_renditions(upload: Upload, photo: ProcessedPhoto) -> list[dict[str, Any]]:
    """Put them into public storage; what `Upload.renditions` says of them."""
    renditions: list[dict[str, Any]] = []
    for item in photo.renditions:
        # The hash makes a file that never changes under its name, so it can be cached for ever.
        content_hash = hashlib.sha256(item.data).hexdigest()[:12]
        suffix = item.content_type.rpartition("/")[2]
        key = f"photos/{upload.pk}/{item.name}-{content_hash}.{suffix}"
        default_storage.save(key, ContentFile(item.data))
        renditions.append(
            {
                "name": item.name,
                "key": key,
                "width": item.width,
                "height": item.height,
                "content_type": item.content_type,
            }
        )
    return renditions


def columns_of(photo: ProcessedPhoto, renditions: list[dict[str, Any]]) -> dict[str, Any]:
    """What an `Upload` says of a processed photo."""
    return {
        "width": photo.width,
        "height": photo.height,
        "blurhash": photo.blurhash,
        "palette": photo.palette,
        "suggested_colors": photo.suggested_colors,
        "renditions": renditions,
    }


def _finish(upload: Upload, photo: ProcessedPhoto, path: Path) -> None:
    renditions = save_renditions(upload, photo)
    with transaction.atomic():
        # Locked while the original is written: where two workers got different files (a ticket
        # may be sent again until it ends), the original is the one that the renditions show.
        current = Upload.objects.select_for_update().filter(pk=upload.pk).first()
        if current is not None and current.status == Upload.Status.PROCESSING:
            with path.open("rb") as file:
                storages["originals"].save(upload.original_key, File(file))
            current.renditions = renditions
            Upload.objects.filter(pk=upload.pk).update(
                status=Upload.Status.READY, **columns_of(photo, renditions)
            )
    # What this run wrote and no row names: it came second, or the row was deleted meanwhile.
    named = {item["key"] for item in current.renditions} if current else set()
    strays = [item["key"] for item in renditions if item["key"] not in named]
    delete_files(public=strays, originals=[upload.incoming_key])


def attach_uploads(*, owner_id: UUID, uploads: Mapping[str, UUID]) -> list[Upload]:
    """Take ready uploads for a post or a profile; call it inside the caller's transaction.

    Args:
        uploads: ids by the JSON pointer of the request that named each, in the order wanted.

    Raises:
        UploadNotFound, UploadNotReady, UploadFailed, UploadInUse: for the first that can't be
            used, with its pointer.
    """
    locked = {
        upload.pk: upload
        for upload in Upload.objects.select_for_update()
        .filter(owner_id=owner_id, pk__in=uploads.values())
        .order_by("pk")
    }
    found = []
    for pointer, upload_id in uploads.items():
        upload = locked.get(upload_id)
        refusal = _refusal(upload)
        if refusal is not None:
            raise refusal(errors=[FieldError(pointer, refusal.code, refusal.text)])
        assert upload is not None  # noqa: S101 - _refusal has refused None
        upload.attached_at = timezone.now()
        found.append(upload)
    Upload.objects.bulk_update(found, ["attached_at"])
    return found


def _refusal(upload: Upload | None) -> type[DomainError] | None:
    if upload is None:
        return errors.UploadNotFound
    if upload.attached_at:
        return errors.UploadInUse
    if upload.status == Upload.Status.FAILED:
        return errors.UploadFailed
    if upload.status != Upload.Status.READY:
        return errors.UploadNotReady
    return None


def delete_uploads(*, upload_ids: Iterable[UUID]) -> int:
    """Delete uploads and, by a task, their files; how many there were."""
    with transaction.atomic():
        uploads = list(
            Upload.objects.select_for_update().filter(pk__in=list(upload_ids)).order_by("pk")
        )
        _delete_locked(uploads)
    return len(uploads)


def purge_unattached_uploads() -> int:
    """Delete the uploads that nothing took within 24 h; how many there were."""
    before = timezone.now() - dt.timedelta(seconds=settings.UPLOAD_UNATTACHED_SECONDS)
    total = 0
    while True:
        with transaction.atomic():
            uploads = list(
                # A row that is locked is being used right now.
                Upload.objects.select_for_update(skip_locked=True)
                .filter(attached_at__isnull=True, created_at__lt=before)
                .order_by("created_at")[:_PURGE_BATCH]
            )
            _delete_locked(uploads)
        total += len(uploads)
        if len(uploads) < _PURGE_BATCH:
            return total


def erase_uploads(*, owner_id: UUID) -> None:
    """Delete all uploads of a member who is being erased, and before each row its files.

    In batches; cut off and run again, it goes on. Nothing else may use them any more.
    """
    while True:
        uploads = list(Upload.objects.filter(owner_id=owner_id).order_by("pk")[:_ERASE_BATCH])
        # Here and not by a task: a file must not be left where its task fails for good.
        for upload in uploads:
            delete_files(
                public=[item["key"] for item in upload.renditions],
                originals=[upload.incoming_key, upload.original_key],
            )
        Upload.objects.filter(pk__in=[upload.pk for upload in uploads]).delete()
        if len(uploads) < _ERASE_BATCH:
            return


def _delete_locked(uploads: Sequence[Upload]) -> None:
    if not uploads:
        return
    Upload.objects.filter(pk__in=[upload.pk for upload in uploads]).delete()
    tasks.delete_files.enqueue(
        public=[item["key"] for upload in uploads for item in upload.renditions],
        originals=[key for upload in uploads for key in (upload.incoming_key, upload.original_key)],
    )


def delete_files(*, public: Iterable[str], originals: Iterable[str]) -> None:
    """Delete files by key; one that is gone already is fine."""
    for key in public:
        default_storage.delete(key)
    for key in originals:
        storages["originals"].delete(key)
