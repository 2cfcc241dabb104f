from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('members', '0016_korean_names'),
    ]

    operations = [
        migrations.AddField(
            model_name='leaving',
            name='closed_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='closed at'),
        ),
    ]
