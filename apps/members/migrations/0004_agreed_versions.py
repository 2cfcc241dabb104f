"""Fill in which versions of the texts members agreed to, from the record of consents.

In batches that commit by themselves, so that nobody who logs in waits; run again, it goes on. Whom
the code before this one signs up meanwhile is found through the record: Member.missing_consents.
"""

from django.conf import settings
from django.db import migrations, transaction
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

BATCH = 500
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def newest_version(Consent, kind):
    """Of a member's consents, as a column; "" for one that is no date, or newer than the text."""
    rows = Consent.objects.filter(
        member=OuterRef("pk"),
        kind=kind,
        granted=True,
        version__regex=DATE,
        version__lte=settings.CONSENT_VERSIONS[kind],
    )
    return Coalesce(Subquery(rows.order_by("-id").values("version")[:1]), Value(""))


def fill(apps, schema_editor):
    Member = apps.get_model("members", "Member")
    Consent = apps.get_model("members", "Consent")
    ids = []
    while True:
        left = Member.objects.filter(terms_agreed="", privacy_agreed="").order_by("pk")
        if ids:
            left = left.filter(pk__gt=ids[-1])
        with transaction.atomic():
            ids = list(left.select_for_update(no_key=True).values_list("pk", flat=True)[:BATCH])
            Member.objects.filter(pk__in=ids).update(
                terms_agreed=newest_version(Consent, "terms"),
                privacy_agreed=newest_version(Consent, "privacy"),
            )
        if len(ids) < BATCH:
            return


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("members", "0003_consents_are_kept")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
