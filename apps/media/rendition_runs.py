"""Renditions of all photos made again: after a change of sizes, formats or of the palette.

A run goes through the uploads by id and notes how far it is, so that an attempt that ended goes on
where it was. Photos that arrive meanwhile are made by the new code already.
"""

import datetime as dt
import logging
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.files.storage import storages
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.media import services, tasks
from apps.media.imaging import PhotoRefused, process_photo
from apps.media.models import RenditionRun, Upload

logger = logging.getLogger(__name__)

# Phones show cards that they fetched earlier.
KEEP_OLD = dt.timedelta(days=1)
# How often a photo is begun: the second time it is likely to be what killed the container.
_TRIES = 2
_LOG_EACH = 500


class RunInProgress(Exception):
    """Another run is not over."""


def start_run() -> RenditionRun:
    """Begin one, as a background task of the queue `heavy`.

    Raises:
        RunInProgress: another one is not over.
    """
    try:
        with transaction.atomic():
            run = RenditionRun.objects.create(total=_photos().count())
            tasks.recompute_renditions.enqueue(str(run.pk))
    except IntegrityError as error:
        raise RunInProgress from error
    return run


def go_on(*, run_id: UUID) -> str:
    """Do what is left of a run; how far it came.

    An error of storage or of the database passes through: the task is tried again, and goes on.
    """
    run = RenditionRun.objects.get(pk=run_id)
    while run.finished_at is None:
        left = _photos().filter(created_at__lte=run.started_at)
        if run.reached:
            left = left.filter(pk__gt=run.reached)
        upload = left.order_by("pk").first()
        if upload is None:
            run.finished_at = timezone.now()
            run.trying, run.tries = None, 0
            run.save(update_fields=["finished_at", "trying", "tries"])
            break
        _take(run, upload)
    logger.info("renditions: %s, %s failed", run, run.failed)
    return str(run)


def _photos() -> Any:
    return Upload.objects.filter(status=Upload.Status.READY)


def _take(run: RenditionRun, upload: Upload) -> None:
    run.tries = run.tries + 1 if run.trying == upload.pk else 1
    run.trying = upload.pk
    run.save(update_fields=["trying", "tries"])
    if run.tries > _TRIES:
        logger.error("renditions of upload %s: given up after %s tries", upload.pk, _TRIES)
        made = False
    else:
        made = _make_again(upload)
    run.done += made
    run.failed += not made
    run.reached = upload.pk
    run.save(update_fields=["done", "failed", "reached"])
    if (run.done + run.failed) % _LOG_EACH == 0:
        logger.info("renditions: %s, %s failed", run, run.failed)


def _make_again(upload: Upload) -> bool:
    """Whether it was done; a photo that can't be made again keeps what it has."""
    originals = storages["originals"]
    if not originals.exists(upload.original_key):
        logger.error("renditions of upload %s: it has no original", upload.pk)
        return False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo"
        with originals.open(upload.original_key) as source, path.open("wb") as copy:
            for chunk in source.chunks():
                copy.write(chunk)
        try:
            photo = process_photo(path, declared_type=upload.content_type)
        except PhotoRefused as error:
            logger.error("renditions of upload %s: refused: %s", upload.pk, error.code)
            return False
    renditions = services.save_renditions(upload, photo)
    with transaction.atomic():
        current = Upload.objects.select_for_update().filter(pk=upload.pk).first()
        old = current.renditions if current else renditions
        if current:
            columns = services.columns_of(photo, renditions)
            Upload.objects.filter(pk=upload.pk).update(**columns)
        later = tasks.delete_old_renditions.using(run_after=timezone.now() + KEEP_OLD)
        later.enqueue(str(upload.pk), [item["key"] for item in old])
    return True


def delete_old(*, upload_id: UUID, keys: list[str]) -> None:
    """Delete what an upload had before, but for what it has now: a later run may have made the
    same files again."""
    with transaction.atomic():
        upload = Upload.objects.select_for_update().filter(pk=upload_id).first()
        named = {item["key"] for item in upload.renditions} if upload else set()
        services.delete_files(public=[key for key in keys if key not in named], originals=[])
