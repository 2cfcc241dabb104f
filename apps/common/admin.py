"""What the admin of several apps needs."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import F
from django.forms import ModelForm
from django.http import HttpRequest

from apps.common.models import IdempotencyKey, RateWindow


class ReadOnly(admin.ModelAdmin):
    """Operators look; members and the service write."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Not here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not here."""
        return False


class SavesChangesOnly(admin.ModelAdmin):
    """Saves the fields that the operator changed, and raises `version`.

    A save of the whole row would write back the counters as they were when the form was opened.
    """

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        """Save; a new row as a whole."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        columns = {field.name for field in type(obj)._meta.concrete_fields}
        changed = [name for name in form.changed_data if name in columns]
        if changed:
            obj.version = F("version") + 1
            obj.save(update_fields=[*changed, "version"])
            obj.refresh_from_db(fields=["version"])

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        """Calls the row by its id: a title or a comment would outlive it in the log, where nothing
        tells whose it was when the member is erased."""
        entry = super().log_change(request, obj, message)
        entry.object_repr = str(entry.object_id)
        entry.save(update_fields=["object_repr"])
        return entry

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """See log_change."""
        entries = super().log_deletions(request, queryset)
        written = LogEntry.objects.filter(pk__in=[entry.pk for entry in entries])
        written.update(object_repr=F("object_id"))
        return entries

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """What hangs on the row is part of its version."""
        super().save_related(request, form, formsets, change)
        if change and any(formset.has_changed() for formset in formsets):
            type(form.instance).objects.filter(pk=form.instance.pk).update(version=F("version") + 1)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnly):
    """Creating requests of the last day."""

    list_display = ["id", "started_at", "status"]
    list_filter = ["started_at", "status"]
    search_fields = ["=id"]


@admin.register(RateWindow)
class RateWindowAdmin(ReadOnly):
    """Who called how often."""

    list_display = ["key", "started_at", "hits"]
    list_filter = ["started_at"]
    search_fields = ["key"]
