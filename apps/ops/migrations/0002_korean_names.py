"""What operators read in the admin is translated: names alone, which the database does not hold."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('ops', '0001_cost_reports'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='costreport',
            options={'verbose_name': 'cost report', 'verbose_name_plural': 'cost reports'},
        ),
    ]
