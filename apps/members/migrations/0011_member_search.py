"""The indexes behind GET /members?q=."""

import django.db.models.functions.comparison
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0010_relations'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='member',
            index=models.Index(django.db.models.functions.comparison.Collate('username', collation='C'), name='member_by_username'),
        ),
        migrations.AddIndex(
            model_name='member',
            index=models.Index(django.db.models.functions.comparison.Collate(django.db.models.functions.text.Upper('display_name'), collation='C'), name='member_by_display_name'),
        ),
    ]
