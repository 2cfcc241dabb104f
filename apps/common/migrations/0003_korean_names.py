"""What operators read in the admin is translated: names alone, which the database does not hold."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('common', '0002_cache_table'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='idempotencykey',
            options={'verbose_name': 'idempotency key', 'verbose_name_plural': 'idempotency keys'},
        ),
        migrations.AlterModelOptions(
            name='ratewindow',
            options={'verbose_name': 'rate window', 'verbose_name_plural': 'rate windows'},
        ),
    ]
