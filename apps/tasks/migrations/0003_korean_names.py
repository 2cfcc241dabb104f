"""What operators read in the admin is translated: names alone, which the database does not hold."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('tasks', '0002_indexes'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='resending',
            options={'verbose_name': 'resending', 'verbose_name_plural': 'resendings'},
        ),
        migrations.AlterModelOptions(
            name='taskattempt',
            options={'ordering': ['ended_at', 'id'], 'verbose_name': 'task attempt', 'verbose_name_plural': 'task attempts'},
        ),
        migrations.AlterModelOptions(
            name='workerpulse',
            options={'verbose_name': 'worker pulse', 'verbose_name_plural': 'worker pulses'},
        ),
    ]
