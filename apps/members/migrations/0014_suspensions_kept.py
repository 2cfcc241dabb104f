"""What is kept of a suspended member's logins; the check of the kinds lets one more through."""

from django.db import migrations, models
from django.db.models import Q

CHECK = "members_retainedrecord", "retained_kind_known"
OLD, NEW = ["login", "operator", "username"], ["login", "operator", "username", "suspension"]


def kinds(names: list[str]) -> str:
    """The statement that makes the check of these kinds, at once in the place of the other."""
    table, check = CHECK
    quoted = ", ".join(f"'{name}'" for name in names)
    return (
        f"ALTER TABLE {table} DROP CONSTRAINT {check}, "
        f"ADD CONSTRAINT {check} CHECK (kind IN ({quoted}))"
    )


class Migration(migrations.Migration):
    dependencies = [("members", "0013_leaving_emptied")]

    operations = [
        migrations.AddField(
            "retainedrecord",
            "identity_hash",
            models.BinaryField(blank=True, max_length=32, null=True),
        ),
        migrations.AddIndex(
            "retainedrecord",
            models.Index(
                fields=["identity_hash"],
                name="retained_by_identity",
                condition=Q(identity_hash__isnull=False),
            ),
        ),
        migrations.AlterField(
            "retainedrecord",
            "kind",
            models.CharField(
                max_length=20,
                choices=[
                    ("login", "log-in record"),
                    ("operator", "what an operator did in the admin"),
                    ("username", "a username that can't be taken yet"),
                    ("suspension", "a suspension that is not over"),
                ],
            ),
        ),
        migrations.AlterField(
            "retainedrecord",
            "basis",
            models.CharField(
                max_length=20,
                choices=[
                    ("communications", "Protection of Communications Secrets Act, 15-2"),
                    ("safeguards", "PIPA's standard of safeguards, article 8"),
                    ("impersonation", "terms of service: against impersonation"),
                    ("suspension", "terms of service: leaving ends no suspension"),
                ],
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                # What the code before writes passes as well.
                migrations.RunSQL(kinds(NEW), kinds(OLD), hints={"expands": True})
            ],
            state_operations=[
                migrations.RemoveConstraint("retainedrecord", "retained_kind_known"),
                migrations.AddConstraint(
                    "retainedrecord",
                    models.CheckConstraint(
                        condition=Q(kind__in=NEW), name="retained_kind_known"
                    ),
                ),
            ],
        ),
    ]
