"""An index on the admin's log, which is Django's: what it says of a row."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0011_member_search"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]

    operations = [
        # Erasing a member looks up all that they had.
        migrations.RunSQL(
            "CREATE INDEX members_admin_log ON django_admin_log (content_type_id, object_id)",
            "DROP INDEX members_admin_log",
            hints={"expands": True},
        ),
    ]
