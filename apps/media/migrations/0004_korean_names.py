"""What operators read in the admin is translated: names alone, which the database does not hold."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('media', '0003_rendition_run'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='renditionrun',
            options={'verbose_name': 'rendition run', 'verbose_name_plural': 'rendition runs'},
        ),
        migrations.AlterModelOptions(
            name='upload',
            options={'verbose_name': 'upload', 'verbose_name_plural': 'uploads'},
        ),
    ]
